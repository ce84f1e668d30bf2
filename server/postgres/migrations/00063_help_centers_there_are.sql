-- +goose Up
-- The default brand has the help center of its account.
UPDATE brands SET has_help_center = true, help_center_state = 'enabled' WHERE "default";

-- +goose Down
UPDATE brands SET has_help_center = false, help_center_state = 'disabled' WHERE "default";
