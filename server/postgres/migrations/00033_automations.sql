-- +goose Up
-- That an automation has acted on a ticket, and of which time it was then: it
-- acts again when that has moved on.
CREATE TABLE automation_marks (
    account_id bigint NOT NULL REFERENCES accounts,
    ticket_id bigint NOT NULL,
    automation_id bigint NOT NULL,
    since timestamptz NOT NULL,
    times int NOT NULL,
    PRIMARY KEY (account_id, ticket_id, automation_id),
    FOREIGN KEY (account_id, automation_id) REFERENCES rules (account_id, id) ON DELETE CASCADE
);
CREATE INDEX automation_marks_automation ON automation_marks (account_id, automation_id);

-- +goose Down
DROP TABLE automation_marks;
