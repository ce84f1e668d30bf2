-- +goose Up
-- All the moments that an automation's conditions asked about when it acted, in
-- microseconds since 1970: moments that lie ahead can move back, too.
ALTER TABLE automation_marks DROP COLUMN since, ADD COLUMN moments bigint[] NOT NULL DEFAULT '{}';
ALTER TABLE automation_marks ALTER COLUMN moments DROP DEFAULT;

-- +goose Down
ALTER TABLE automation_marks DROP COLUMN moments, ADD COLUMN since timestamptz NOT NULL DEFAULT 'epoch';
ALTER TABLE automation_marks ALTER COLUMN since DROP DEFAULT;
