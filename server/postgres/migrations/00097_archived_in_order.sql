-- +goose Up
-- Searches sort archived tickets, too; lists leave them out, and so do the indexes for these.
CREATE INDEX tickets_archived_created ON tickets (account_id, created_at, id) WHERE deleted_at IS NULL AND archived;
CREATE INDEX tickets_archived_updated ON tickets (account_id, updated_at, id) WHERE deleted_at IS NULL AND archived;
CREATE INDEX users_created ON users (account_id, created_at, id) WHERE active;

-- +goose Down
DROP INDEX tickets_archived_created, tickets_archived_updated, users_created;
