-- +goose Up
-- What is too old to be kept is found by its age, of all accounts.
CREATE INDEX deflections_age ON deflections (offered_at);
CREATE INDEX help_center_queries_age ON help_center_queries (day);
-- The bodies of articles are packed in a fifth of the time that the older way takes,
-- where PostgreSQL was built with it. Those that are there stay as they are.
-- +goose StatementBegin
DO $$
BEGIN
    ALTER TABLE translations ALTER COLUMN html_body SET COMPRESSION lz4, ALTER COLUMN markdown SET COMPRESSION lz4;
    ALTER TABLE translation_revisions ALTER COLUMN html_body SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    NULL;
END
$$;
-- +goose StatementEnd

-- +goose Down
ALTER TABLE translation_revisions ALTER COLUMN html_body SET COMPRESSION default;
ALTER TABLE translations ALTER COLUMN html_body SET COMPRESSION default, ALTER COLUMN markdown SET COMPRESSION default;
DROP INDEX help_center_queries_age;
DROP INDEX deflections_age;
