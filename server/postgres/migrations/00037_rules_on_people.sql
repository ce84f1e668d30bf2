-- +goose Up
-- +goose StatementBegin
-- What triggers name is looked up once for each version of the account's set-up:
-- it moves on when a user or an organization goes, or comes back, that a rule
-- names, in whatever way that happens.
CREATE FUNCTION tell_rules() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE accounts SET config_version = config_version + 1
    WHERE id = NEW.account_id AND EXISTS (
        SELECT 1 FROM rules r WHERE r.account_id = NEW.account_id AND r.kind = 'trigger' AND r.active
            AND (r.conditions::text ~ ('\m' || NEW.id || '\M') OR r.actions::text ~ ('\m' || NEW.id || '\M')));
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER users_tell_rules AFTER UPDATE OF active ON users FOR EACH ROW WHEN (OLD.active <> NEW.active) EXECUTE FUNCTION tell_rules();
CREATE TRIGGER organizations_tell_rules AFTER UPDATE OF deleted_at ON organizations FOR EACH ROW WHEN (OLD.deleted_at IS DISTINCT FROM NEW.deleted_at) EXECUTE FUNCTION tell_rules();

-- +goose Down
DROP TRIGGER organizations_tell_rules ON organizations;
DROP TRIGGER users_tell_rules ON users;
DROP FUNCTION tell_rules();
