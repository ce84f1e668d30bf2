-- +goose Up

-- Articles that were there before permission groups were may be changed by admins.
UPDATE articles AS a SET permission_group_id = (SELECT min(g.id) FROM permission_groups AS g WHERE g.account_id = a.account_id AND g.built_in)
WHERE permission_group_id IS NULL;
ALTER TABLE articles ALTER COLUMN permission_group_id SET NOT NULL,
    ADD FOREIGN KEY (account_id, permission_group_id) REFERENCES permission_groups;
ALTER TABLE sections ADD FOREIGN KEY (account_id, user_segment_id) REFERENCES user_segments;
CREATE INDEX articles_permission ON articles (account_id, permission_group_id);
CREATE INDEX articles_segments ON articles USING gin (account_id, user_segment_ids) WHERE user_segment_ids <> '{}';

-- +goose StatementBegin
-- A segment that an article is restricted to stays, as one does that a foreign key
-- refers to.
CREATE FUNCTION keep_segments_of_articles() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM articles WHERE account_id = OLD.account_id AND user_segment_ids @> ARRAY[OLD.id] AND user_segment_ids <> '{}') THEN
        RAISE EXCEPTION 'articles are restricted to the user segment %', OLD.id USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN OLD;
END $$;
-- +goose StatementEnd
CREATE TRIGGER user_segments_of_articles BEFORE DELETE ON user_segments FOR EACH ROW EXECUTE FUNCTION keep_segments_of_articles();

-- +goose Down
DROP TRIGGER user_segments_of_articles ON user_segments;
DROP FUNCTION keep_segments_of_articles();
DROP INDEX articles_segments, articles_permission;
ALTER TABLE sections DROP CONSTRAINT sections_account_id_user_segment_id_fkey;
ALTER TABLE articles DROP CONSTRAINT articles_account_id_permission_group_id_fkey, ALTER COLUMN permission_group_id DROP NOT NULL;
