-- +goose Up

-- While an endpoint fails most of the time, little is sent to it.
ALTER TABLE webhooks ADD COLUMN blocked_until timestamptz; -- nothing is sent before; null: it may
ALTER TABLE webhooks ADD COLUMN blocks int NOT NULL DEFAULT 0; -- how often in a row it was blocked; 0: not at all

-- What webhooks deliver, or have delivered: the queue and its history.
CREATE TABLE webhook_invocations (
    account_id bigint NOT NULL,
    webhook_id text NOT NULL,
    id text NOT NULL, -- a ULID, whose time is that of the row
    message_id text NOT NULL, -- the id of the first delivery of the same thing
    event_type text, -- of deliveries of events
    rule_id bigint, -- of deliveries that a rule asked for
    ticket_id bigint,
    endpoint text, -- with what placeholders stood for; null: the webhook's
    payload text NOT NULL, -- as it was when what it tells happened
    status text NOT NULL, -- of the latest attempt; pending: there was none
    status_code int,
    error text, -- why it is not sent
    tries int NOT NULL,
    next_at timestamptz, -- when it is sent, or sent again, or may be taken from a process that took it; null: never
    claimed_by text, -- the process that is sending it
    completed_at timestamptz, -- of the latest attempt
    PRIMARY KEY (account_id, webhook_id, id)
);
CREATE INDEX webhook_invocations_status ON webhook_invocations (account_id, webhook_id, status, id);
-- What is due, by webhook and at all.
CREATE INDEX webhook_invocations_lanes ON webhook_invocations (account_id, webhook_id, next_at, id) WHERE next_at IS NOT NULL;
CREATE INDEX webhook_invocations_due ON webhook_invocations (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX webhook_invocations_claimed ON webhook_invocations (claimed_by) WHERE claimed_by IS NOT NULL;
CREATE INDEX webhook_invocations_ticket ON webhook_invocations (account_id, ticket_id) WHERE ticket_id IS NOT NULL;

-- Each time that one was sent.
CREATE TABLE webhook_attempts (
    account_id bigint NOT NULL,
    webhook_id text NOT NULL,
    invocation_id text NOT NULL,
    id text NOT NULL, -- a ULID
    status text NOT NULL,
    status_code int, -- null: there was no answer
    error text, -- why there was none
    request_headers json NOT NULL, -- [{"key","value"}]
    response_headers json NOT NULL,
    response_payload text NOT NULL, -- the first 25 KB
    completed_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, webhook_id, invocation_id, id)
);

-- +goose Down
DROP TABLE webhook_attempts, webhook_invocations;
ALTER TABLE webhooks DROP COLUMN blocks, DROP COLUMN blocked_until;
