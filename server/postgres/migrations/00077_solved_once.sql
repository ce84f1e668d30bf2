-- +goose Up
-- An answer solves its ticket once, whatever is said of it later.
ALTER TABLE deflections ADD COLUMN solved_at timestamptz;
UPDATE deflections SET solved_at = decided_at WHERE outcome = 'solved';

-- +goose Down
ALTER TABLE deflections DROP COLUMN solved_at;
