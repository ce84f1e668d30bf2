-- +goose Up

-- Where helpd tells others of what happens.
CREATE TABLE webhooks (
    account_id bigint NOT NULL REFERENCES accounts,
    id text NOT NULL, -- a ULID
    name text NOT NULL,
    description text,
    status text NOT NULL, -- active or inactive
    endpoint text NOT NULL,
    http_method text NOT NULL,
    request_format text NOT NULL,
    subscriptions text[] NOT NULL, -- types of events, or conditional_ticket_events alone
    excluded_sources text[] NOT NULL, -- whose events are not delivered
    auth_type text, -- basic_auth, bearer_token or api_key
    auth_data json, -- as it was written, with the secret
    custom_headers json NOT NULL, -- {name: value}
    secret text NOT NULL, -- that deliveries are signed with
    previous_secret text, -- the one before it
    rotated_at timestamptz, -- when secret took its place
    created_by bigint NOT NULL, -- -1 is the system
    updated_by bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, id)
);
CREATE INDEX webhooks_name ON webhooks (account_id, lower(name), id);
CREATE INDEX webhooks_status ON webhooks (account_id, status, id);

-- +goose Down
DROP TABLE webhooks;
