-- +goose Up
-- Most views name a status, and most tickets that are not closed are solved.
DROP INDEX tickets_viewed;
CREATE INDEX tickets_viewed ON tickets USING gin (custom_fields jsonb_path_ops, tags, group_id, assignee_id, priority, type, status)
    WITH (gin_pending_list_limit = 256) WHERE status <> 'closed' AND deleted_at IS NULL AND NOT archived;

-- +goose Down
DROP INDEX tickets_viewed;
CREATE INDEX tickets_viewed ON tickets USING gin (custom_fields jsonb_path_ops, tags, group_id, assignee_id, priority, type)
    WITH (gin_pending_list_limit = 256) WHERE status <> 'closed' AND deleted_at IS NULL AND NOT archived;
