-- +goose Up
-- What is too old to be kept is found by its age, of all accounts.
CREATE INDEX deflections_age ON deflections (offered_at);
CREATE INDEX help_center_queries_age ON help_center_queries (day);

-- +goose Down
DROP INDEX help_center_queries_age;
DROP INDEX deflections_age;
