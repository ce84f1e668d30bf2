-- +goose Up

-- Pages by number count the rows of their listing, up to 10,001. With what the
-- listings ask besides in the index, counting reads no row of tickets, each of
-- which is a block of its own: 70 blocks in place of 9,400.
DROP INDEX tickets_assignee, tickets_group, tickets_requester, tickets_organization;
CREATE INDEX tickets_assignee ON tickets (account_id, assignee_id, id) INCLUDE (archived) WHERE deleted_at IS NULL;
CREATE INDEX tickets_group ON tickets (account_id, group_id, id) INCLUDE (archived) WHERE deleted_at IS NULL;
CREATE INDEX tickets_requester ON tickets (account_id, requester_id, id) INCLUDE (archived, is_public) WHERE deleted_at IS NULL;
CREATE INDEX tickets_organization ON tickets (account_id, organization_id, id) INCLUDE (archived, is_public) WHERE deleted_at IS NULL;

-- +goose Down
DROP INDEX tickets_assignee, tickets_group, tickets_requester, tickets_organization;
CREATE INDEX tickets_assignee ON tickets (account_id, assignee_id, id) WHERE deleted_at IS NULL;
CREATE INDEX tickets_group ON tickets (account_id, group_id, id) WHERE deleted_at IS NULL;
CREATE INDEX tickets_requester ON tickets (account_id, requester_id, id) WHERE deleted_at IS NULL;
CREATE INDEX tickets_organization ON tickets (account_id, organization_id, id) WHERE deleted_at IS NULL;
