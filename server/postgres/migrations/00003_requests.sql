-- +goose Up

-- Who is copied on which ticket: an index of tickets.email_cc_ids. A GIN index
-- finds the tickets of a user but cannot give them in order, so that one page
-- cost as much as all of them. It is kept as an index is, by triggers, whatever
-- writes tickets; they run only where somebody is copied.
CREATE TABLE ticket_ccs (
    account_id bigint NOT NULL,
    user_id bigint NOT NULL,
    ticket_id bigint NOT NULL,
    PRIMARY KEY (account_id, user_id, ticket_id)
);
INSERT INTO ticket_ccs SELECT account_id, unnest(email_cc_ids), id FROM tickets WHERE email_cc_ids <> '{}' ON CONFLICT DO NOTHING;

-- +goose StatementBegin
CREATE FUNCTION add_ticket_ccs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ticket_ccs SELECT NEW.account_id, user_id, NEW.id FROM unnest(NEW.email_cc_ids) AS user_id ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION drop_ticket_ccs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM ticket_ccs WHERE account_id = OLD.account_id AND user_id = ANY (OLD.email_cc_ids) AND ticket_id = OLD.id;
    RETURN NULL;
END $$;
-- +goose StatementEnd

-- Triggers of one event run in the order of their names: drop before insert.
CREATE TRIGGER ticket_ccs_1 AFTER UPDATE OF email_cc_ids ON tickets FOR EACH ROW
    WHEN (OLD.email_cc_ids <> '{}' AND OLD.email_cc_ids IS DISTINCT FROM NEW.email_cc_ids) EXECUTE FUNCTION drop_ticket_ccs();
CREATE TRIGGER ticket_ccs_2 AFTER UPDATE OF email_cc_ids ON tickets FOR EACH ROW
    WHEN (NEW.email_cc_ids <> '{}' AND OLD.email_cc_ids IS DISTINCT FROM NEW.email_cc_ids) EXECUTE FUNCTION add_ticket_ccs();
CREATE TRIGGER ticket_ccs_3 AFTER INSERT ON tickets FOR EACH ROW WHEN (NEW.email_cc_ids <> '{}') EXECUTE FUNCTION add_ticket_ccs();
CREATE TRIGGER ticket_ccs_4 AFTER DELETE ON tickets FOR EACH ROW WHEN (OLD.email_cc_ids <> '{}') EXECUTE FUNCTION drop_ticket_ccs();

-- End users read their own and their organization's requests by the time of
-- their last change.
CREATE INDEX tickets_requester_updated ON tickets (account_id, requester_id, updated_at, id) WHERE deleted_at IS NULL;

-- Tickets by the name or the locale of their requesters.
CREATE INDEX users_by_name ON users (account_id, lower(name), id);
CREATE INDEX users_by_locale ON users (account_id, locale, id);

-- +goose Down
DROP INDEX users_by_locale, users_by_name, tickets_requester_updated;
DROP TRIGGER ticket_ccs_1 ON tickets;
DROP TRIGGER ticket_ccs_2 ON tickets;
DROP TRIGGER ticket_ccs_3 ON tickets;
DROP TRIGGER ticket_ccs_4 ON tickets;
DROP FUNCTION add_ticket_ccs();
DROP FUNCTION drop_ticket_ccs();
DROP TABLE ticket_ccs;
