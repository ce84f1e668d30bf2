-- +goose Up
-- Labels are listed by name.
DROP INDEX labels_name;
CREATE UNIQUE INDEX labels_name ON labels (account_id, lower(name));

-- +goose Down
DROP INDEX labels_name;
CREATE UNIQUE INDEX labels_name ON labels (account_id, lower(name) text_pattern_ops);
