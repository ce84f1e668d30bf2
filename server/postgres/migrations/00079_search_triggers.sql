-- +goose Up
-- Databases that were made while 00048 was in development have their triggers on
-- functions of other names, which 00057 does not know of. All end the same here.
DROP TRIGGER IF EXISTS search_changed ON tickets;
DROP TRIGGER IF EXISTS search_rows ON tickets;
DROP TRIGGER IF EXISTS search_changed ON comments;
DROP TRIGGER IF EXISTS search_rows ON comments;
DROP TRIGGER IF EXISTS search_changed ON users;
DROP TRIGGER IF EXISTS search_rows ON users;
DROP TRIGGER IF EXISTS search_changed ON user_identities;
DROP TRIGGER IF EXISTS search_rows ON user_identities;
DROP TRIGGER IF EXISTS search_changed ON organizations;
DROP TRIGGER IF EXISTS search_rows ON organizations;
DROP TRIGGER IF EXISTS search_changed ON groups;
DROP TRIGGER IF EXISTS search_rows ON groups;
CREATE TRIGGER search_changed AFTER UPDATE OF subject, description, custom_fields, scrubbed, deleted_at ON tickets FOR EACH ROW
    WHEN (OLD.subject IS DISTINCT FROM NEW.subject OR OLD.description IS DISTINCT FROM NEW.description
        OR OLD.custom_fields IS DISTINCT FROM NEW.custom_fields OR OLD.scrubbed <> NEW.scrubbed
        OR OLD.deleted_at IS DISTINCT FROM NEW.deleted_at)
    EXECUTE FUNCTION search_by_id('ticket');
CREATE TRIGGER search_rows AFTER DELETE ON tickets FOR EACH ROW EXECUTE FUNCTION search_by_id('ticket');
CREATE TRIGGER search_rows AFTER DELETE ON comments FOR EACH ROW EXECUTE FUNCTION search_by_ticket_id('ticket');
CREATE TRIGGER search_changed AFTER UPDATE OF name, alias, email, phone, external_id, details, notes, user_fields, active ON users FOR EACH ROW
    EXECUTE FUNCTION search_by_id('user');
CREATE TRIGGER search_rows AFTER INSERT OR DELETE ON users FOR EACH ROW EXECUTE FUNCTION search_by_id('user');
CREATE TRIGGER search_changed AFTER UPDATE OF type, value ON user_identities FOR EACH ROW
    EXECUTE FUNCTION search_by_user_id('user');
CREATE TRIGGER search_rows AFTER INSERT OR DELETE ON user_identities FOR EACH ROW EXECUTE FUNCTION search_by_user_id('user');
CREATE TRIGGER search_changed AFTER UPDATE OF name, external_id, domain_names, details, notes, organization_fields, deleted_at ON organizations FOR EACH ROW
    EXECUTE FUNCTION search_by_id('organization');
CREATE TRIGGER search_rows AFTER INSERT OR DELETE ON organizations FOR EACH ROW EXECUTE FUNCTION search_by_id('organization');
CREATE TRIGGER search_changed AFTER UPDATE OF name, description, deleted ON groups FOR EACH ROW
    EXECUTE FUNCTION search_by_id('group');
CREATE TRIGGER search_rows AFTER INSERT OR DELETE ON groups FOR EACH ROW EXECUTE FUNCTION search_by_id('group');
DROP FUNCTION IF EXISTS search_ticket_by_id(), search_ticket_by_ticket_id(), search_user_by_id(), search_user_by_user_id(),
    search_organization_by_id(), search_group_by_id();

-- +goose Down
-- Nothing: what is there is what 00048 and 00057 leave.
