-- +goose Up
-- Articles are found by their titles, texts and labels, in each language by itself.
CREATE TRIGGER search_rows AFTER INSERT ON translations FOR EACH ROW
    WHEN (NEW.source_type = 'Article') EXECUTE FUNCTION search_by_id('article');
CREATE TRIGGER search_gone AFTER DELETE ON translations FOR EACH ROW
    WHEN (OLD.source_type = 'Article') EXECUTE FUNCTION search_by_id('article');
CREATE TRIGGER search_changed AFTER UPDATE OF title, html_body ON translations FOR EACH ROW
    WHEN (NEW.source_type = 'Article' AND (OLD.title <> NEW.title OR OLD.html_body IS DISTINCT FROM NEW.html_body))
    EXECUTE FUNCTION search_by_id('article');
-- +goose StatementBegin
CREATE FUNCTION search_by_article() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_pending (account_id, kind, record_id)
        SELECT account_id, 'article', id FROM translations WHERE account_id = NEW.account_id AND source_type = 'Article' AND source_id = NEW.id;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER search_changed AFTER UPDATE OF label_names, archived_at ON articles FOR EACH ROW
    WHEN (OLD.label_names <> NEW.label_names OR OLD.archived_at IS DISTINCT FROM NEW.archived_at)
    EXECUTE FUNCTION search_by_article();
INSERT INTO search_pending (account_id, kind, record_id) SELECT account_id, 'article', id FROM translations WHERE source_type = 'Article';

-- What readers looked for, and how often it led to an article. A day's searches for
-- the same words in a language are counted together.
CREATE TABLE help_center_queries (
    account_id bigint NOT NULL REFERENCES accounts,
    day date NOT NULL, -- in UTC
    locale text NOT NULL,
    query text NOT NULL, -- folded, as searches are the same
    searches bigint NOT NULL,
    empty bigint NOT NULL, -- that found nothing
    clicks bigint NOT NULL,
    last_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, day, locale, query)
);

-- +goose Down
DROP TABLE help_center_queries;
DROP TRIGGER search_changed ON articles;
DROP TRIGGER search_changed ON translations;
DROP TRIGGER search_gone ON translations;
DROP TRIGGER search_rows ON translations;
DROP FUNCTION search_by_article();
DELETE FROM search_pending WHERE kind = 'article';
DELETE FROM search_fresh WHERE kind = 'article';
DELETE FROM search_blocks WHERE kind = 'article';
DELETE FROM search_runs WHERE kind = 'article';
