-- +goose Up
-- What the merging of users looks for.
CREATE INDEX article_comments_editor ON article_comments (account_id, non_author_editor_id) WHERE non_author_editor_id IS NOT NULL;

-- +goose Down
DROP INDEX article_comments_editor;
