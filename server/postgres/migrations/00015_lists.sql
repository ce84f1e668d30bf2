-- +goose Up

-- The latest changes among what an agent sees who is held to groups or to what is
-- assigned: each way to his tickets is read in order, as far as the page reaches.
CREATE INDEX tickets_group_updated ON tickets (account_id, group_id, updated_at, id) WHERE deleted_at IS NULL AND NOT archived;
CREATE INDEX tickets_assignee_updated ON tickets (account_id, assignee_id, updated_at, id) WHERE deleted_at IS NULL AND NOT archived;

-- The requests that are still open are few among those that somebody ever made.
CREATE INDEX tickets_requester_open ON tickets (account_id, requester_id, id)
    WHERE status IN ('new', 'open', 'pending', 'hold') AND is_public AND deleted_at IS NULL;

-- +goose Down
DROP INDEX tickets_group_updated, tickets_assignee_updated, tickets_requester_open;
