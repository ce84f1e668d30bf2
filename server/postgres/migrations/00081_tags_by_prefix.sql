-- +goose Up
CREATE INDEX content_tags_prefix ON content_tags (account_id, lower(name) text_pattern_ops);

-- +goose Down
DROP INDEX content_tags_prefix;
