-- +goose Up
-- The schedule by which a ticket's working time is counted; null: the default one.
ALTER TABLE tickets ADD COLUMN schedule_id bigint;

-- +goose Down
ALTER TABLE tickets DROP COLUMN schedule_id;
