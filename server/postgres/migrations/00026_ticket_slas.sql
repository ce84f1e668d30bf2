-- +goose Up

-- How a ticket stands with what it is promised: its clocks and the targets of its
-- policy (package sla). Null for tickets that are not measured: imported ones,
-- and those from before there were policies.
ALTER TABLE ticket_metrics
    ADD COLUMN sla json,
    -- The first breach of a target whose clock runs, also one in the past; and the
    -- first that is still to be told.
    ADD COLUMN next_breach_at timestamptz,
    ADD COLUMN breach_due_at timestamptz;
CREATE INDEX ticket_metrics_next_breach ON ticket_metrics (account_id, next_breach_at, ticket_id) WHERE next_breach_at IS NOT NULL;
-- For the job, which looks for those of all accounts at once.
CREATE INDEX ticket_metrics_breach_due ON ticket_metrics (breach_due_at) WHERE breach_due_at IS NOT NULL;

-- +goose Down
ALTER TABLE ticket_metrics DROP COLUMN sla, DROP COLUMN next_breach_at, DROP COLUMN breach_due_at;
