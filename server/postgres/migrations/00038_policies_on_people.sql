-- +goose Up
-- +goose StatementBegin
-- SLA policies are kept in memory as triggers are, and name organizations and
-- users, too.
CREATE OR REPLACE FUNCTION tell_rules() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    named text := '\m' || NEW.id || '\M';
BEGIN
    UPDATE accounts SET config_version = config_version + 1
    WHERE id = NEW.account_id AND (
        EXISTS (SELECT 1 FROM rules r WHERE r.account_id = NEW.account_id AND r.kind = 'trigger' AND r.active
            AND (r.conditions::text ~ named OR r.actions::text ~ named))
        OR EXISTS (SELECT 1 FROM sla_policies p WHERE p.account_id = NEW.account_id AND p.filter::text ~ named));
    RETURN NULL;
END $$;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION tell_rules() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE accounts SET config_version = config_version + 1
    WHERE id = NEW.account_id AND EXISTS (
        SELECT 1 FROM rules r WHERE r.account_id = NEW.account_id AND r.kind = 'trigger' AND r.active
            AND (r.conditions::text ~ ('\m' || NEW.id || '\M') OR r.actions::text ~ ('\m' || NEW.id || '\M')));
    RETURN NULL;
END $$;
-- +goose StatementEnd
