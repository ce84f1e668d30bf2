-- +goose Up
-- The tickets whose requesters triggers want to be sent articles, each once and for
-- ever. What they are to be told is here until it was sent.
CREATE TABLE autoreplies (
    account_id bigint NOT NULL REFERENCES accounts,
    ticket_id bigint NOT NULL,
    rule_id bigint NOT NULL,
    rule_title text NOT NULL,
    actor_id bigint NOT NULL, -- whose change it was; 0 once it is done
    suppress boolean NOT NULL,
    base text NOT NULL,
    subject text NOT NULL,
    body text NOT NULL,
    asked_at timestamptz NOT NULL,
    due_at timestamptz, -- when to try it next; null: it is done
    tries int NOT NULL DEFAULT 0,
    PRIMARY KEY (account_id, ticket_id)
);
CREATE INDEX autoreplies_due ON autoreplies (due_at) WHERE due_at IS NOT NULL;

-- +goose Down
DROP TABLE autoreplies;
