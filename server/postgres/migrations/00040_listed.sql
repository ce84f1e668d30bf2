-- +goose Up
-- Tickets that are archived are on no list of tickets, and in time they are nearly
-- all: lists would have to step over them. Where one is looked for whether or not
-- it is archived (by assignee, by group), the two kinds lie apart in the index.
DROP INDEX tickets_updated, tickets_created, tickets_subject, tickets_status, tickets_assignee, tickets_group;
CREATE INDEX tickets_updated ON tickets (account_id, updated_at, id) WHERE deleted_at IS NULL AND NOT archived;
CREATE INDEX tickets_created ON tickets (account_id, created_at, id) WHERE deleted_at IS NULL AND NOT archived;
CREATE INDEX tickets_subject ON tickets (account_id, left(subject, 150), id) WHERE deleted_at IS NULL AND NOT archived;
CREATE INDEX tickets_status ON tickets (account_id, status, id) INCLUDE (type, priority, group_id, assignee_id) WHERE deleted_at IS NULL AND NOT archived;
CREATE INDEX tickets_assignee ON tickets (account_id, assignee_id, archived, id) WHERE deleted_at IS NULL;
CREATE INDEX tickets_group ON tickets (account_id, group_id, archived, id) WHERE deleted_at IS NULL;

-- +goose Down
DROP INDEX tickets_updated, tickets_created, tickets_subject, tickets_status, tickets_assignee, tickets_group;
CREATE INDEX tickets_updated ON tickets (account_id, updated_at, id) WHERE deleted_at IS NULL;
CREATE INDEX tickets_created ON tickets (account_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX tickets_subject ON tickets (account_id, left(subject, 150), id) WHERE deleted_at IS NULL;
CREATE INDEX tickets_status ON tickets (account_id, status, id) INCLUDE (archived, type, priority, group_id, assignee_id) WHERE deleted_at IS NULL;
CREATE INDEX tickets_assignee ON tickets (account_id, assignee_id, id) INCLUDE (archived) WHERE deleted_at IS NULL;
CREATE INDEX tickets_group ON tickets (account_id, group_id, id) INCLUDE (archived) WHERE deleted_at IS NULL;
