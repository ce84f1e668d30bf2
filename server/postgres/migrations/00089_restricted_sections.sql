-- +goose Up
-- Whom a section is not open to is looked at with each article that is shown: of
-- those that are everybody's there is nothing to look at.
ALTER TABLE sections ADD COLUMN restricted boolean NOT NULL GENERATED ALWAYS AS (user_segment_id IS NOT NULL OR viewable_by <> 'everybody'
    OR restricted_to_group_ids <> '{}' OR restricted_to_organization_ids <> '{}' OR required_tags <> '{}') STORED;
CREATE INDEX sections_restricted ON sections (account_id, id) WHERE restricted;

-- +goose Down
DROP INDEX sections_restricted;
ALTER TABLE sections DROP COLUMN restricted;
