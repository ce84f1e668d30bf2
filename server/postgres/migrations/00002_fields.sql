-- +goose Up

-- Users and organizations have fields as tickets do, in the same tables.
ALTER TABLE ticket_fields RENAME TO fields;
ALTER TABLE fields RENAME CONSTRAINT ticket_fields_pkey TO fields_pkey;
ALTER TABLE fields ADD COLUMN kind text NOT NULL DEFAULT 'ticket', ADD COLUMN key text;
ALTER TABLE fields ALTER COLUMN kind DROP DEFAULT;
CREATE INDEX fields_listed ON fields (account_id, kind, id);
CREATE INDEX fields_ordered ON fields (account_id, kind, position, id);
CREATE UNIQUE INDEX fields_key ON fields (account_id, kind, lower(key)) WHERE key IS NOT NULL;

ALTER TABLE ticket_field_options RENAME TO field_options;
ALTER TABLE field_options RENAME COLUMN ticket_field_id TO field_id;
ALTER TABLE field_options RENAME CONSTRAINT ticket_field_options_pkey TO field_options_pkey;
ALTER INDEX ticket_field_options_field RENAME TO field_options_field;
ALTER TABLE field_options ADD COLUMN kind text NOT NULL DEFAULT 'ticket';
ALTER TABLE field_options ALTER COLUMN kind DROP DEFAULT;
-- Tags of tickets, of users and of organizations are three different things.
DROP INDEX ticket_field_options_value;
CREATE UNIQUE INDEX field_options_value ON field_options (account_id, kind, value);

-- +goose Down
DELETE FROM fields WHERE kind <> 'ticket';
DROP INDEX field_options_value;
CREATE UNIQUE INDEX ticket_field_options_value ON field_options (account_id, value);
ALTER TABLE field_options DROP COLUMN kind;
ALTER INDEX field_options_field RENAME TO ticket_field_options_field;
ALTER TABLE field_options RENAME CONSTRAINT field_options_pkey TO ticket_field_options_pkey;
ALTER TABLE field_options RENAME COLUMN field_id TO ticket_field_id;
ALTER TABLE field_options RENAME TO ticket_field_options;
DROP INDEX fields_key, fields_ordered, fields_listed;
ALTER TABLE fields DROP COLUMN key, DROP COLUMN kind;
ALTER TABLE fields RENAME CONSTRAINT fields_pkey TO ticket_fields_pkey;
ALTER TABLE fields RENAME TO ticket_fields;
