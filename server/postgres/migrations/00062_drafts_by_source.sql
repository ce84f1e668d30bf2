-- +goose Up
-- Whether an article can be read in a language is told by the index alone: lists
-- look at many more articles than they show.
DROP INDEX translations_source;
CREATE UNIQUE INDEX translations_source ON translations (account_id, source_type, source_id, locale) INCLUDE (draft, outdated);

-- +goose Down
DROP INDEX translations_source;
CREATE UNIQUE INDEX translations_source ON translations (account_id, source_type, source_id, locale);
