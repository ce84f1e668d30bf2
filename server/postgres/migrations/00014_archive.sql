-- +goose Up

-- Subjects name dynamic content, {{dc.welcome}}, where agents wrote them; with
-- others it is a text like any.
ALTER TABLE tickets ADD COLUMN subject_literal boolean NOT NULL DEFAULT false;

-- Tickets that have been solved for long are closed, and closed ones archived. The
-- jobs look in all accounts at once.
CREATE INDEX tickets_to_close ON tickets (solved_at) WHERE status = 'solved' AND deleted_at IS NULL;
CREATE INDEX tickets_to_archive ON tickets (solved_at) WHERE status = 'closed' AND NOT archived AND deleted_at IS NULL;

-- The list of all audits leaves archived tickets out. Looked up in the tickets, it
-- would step over all that an account has ever archived.
ALTER TABLE audits ADD COLUMN archived boolean NOT NULL DEFAULT false;
UPDATE audits a SET archived = true FROM tickets t WHERE t.account_id = a.account_id AND t.id = a.ticket_id AND t.archived;
DROP INDEX audits_created;
CREATE INDEX audits_created ON audits (account_id, created_at, id) WHERE NOT archived;

-- +goose Down
DROP INDEX audits_created;
CREATE INDEX audits_created ON audits (account_id, created_at, id);
ALTER TABLE audits DROP COLUMN archived;
DROP INDEX tickets_to_close, tickets_to_archive;
ALTER TABLE tickets DROP COLUMN subject_literal;
