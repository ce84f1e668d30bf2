-- +goose Up

-- How much time a count is of: 0 five minutes, 1 an hour, 2 a day. The job that
-- makes few counts of many finds those that are due without reading the others.
ALTER TABLE rule_usage ADD COLUMN span int NOT NULL DEFAULT 0;
ALTER TABLE rule_usage ALTER COLUMN span DROP DEFAULT;
ALTER TABLE rule_usage DROP CONSTRAINT rule_usage_pkey, ADD PRIMARY KEY (account_id, rule_id, since, span);
DROP INDEX rule_usage_since;
CREATE INDEX rule_usage_due ON rule_usage (span, since);

-- +goose Down
DROP TABLE rule_usage;
CREATE TABLE rule_usage (
    account_id bigint NOT NULL,
    rule_id bigint NOT NULL,
    since timestamptz NOT NULL,
    uses bigint NOT NULL,
    PRIMARY KEY (account_id, rule_id, since),
    FOREIGN KEY (account_id, rule_id) REFERENCES rules ON DELETE CASCADE
);
CREATE INDEX rule_usage_since ON rule_usage (account_id, since);
