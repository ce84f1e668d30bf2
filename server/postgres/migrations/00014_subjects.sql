-- +goose Up

-- Subjects name dynamic content, {{dc.welcome}}, where agents wrote them; with
-- others it is a text like any.
ALTER TABLE tickets ADD COLUMN subject_literal boolean NOT NULL DEFAULT false;

-- +goose Down
ALTER TABLE tickets DROP COLUMN subject_literal;
