-- +goose Up
-- Exports show the files of a comment: one whose file is redacted has changed.
-- +goose StatementBegin
CREATE FUNCTION touch_comment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO touched (account_id, kind, record_id) VALUES (NEW.account_id, 'comment', NEW.comment_id);
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER attachments_touch_comment AFTER UPDATE ON attachments FOR EACH ROW
    WHEN (OLD.comment_id IS NOT NULL AND NEW.comment_id IS NOT NULL AND OLD IS DISTINCT FROM NEW) EXECUTE FUNCTION touch_comment();

-- +goose Down
DROP TRIGGER attachments_touch_comment ON attachments;
DROP FUNCTION touch_comment();
