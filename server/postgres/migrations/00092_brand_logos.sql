-- +goose Up
-- logo is how the picture logo_id is shown; its row never changes.
ALTER TABLE brands ADD COLUMN logo_id bigint, ADD COLUMN logo json;

-- +goose Down
ALTER TABLE brands DROP COLUMN logo, DROP COLUMN logo_id;
