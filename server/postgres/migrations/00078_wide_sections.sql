-- +goose Up
-- An id of 2^46 or more has a section that is no int.
ALTER TABLE search_blocks ALTER COLUMN section TYPE bigint;
ALTER TABLE search_runs ALTER COLUMN section TYPE bigint;

-- +goose Down
ALTER TABLE search_runs ALTER COLUMN section TYPE int;
ALTER TABLE search_blocks ALTER COLUMN section TYPE int;
