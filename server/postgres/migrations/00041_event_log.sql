-- +goose Up
-- What has been committed is numbered by one assigner at a time, who holds the
-- only row: numbers and times of the whole installation, which only grow.
CREATE TABLE event_clock (
    seq bigint NOT NULL,
    at timestamptz NOT NULL,
    id int PRIMARY KEY DEFAULT 1 CHECK (id = 1)
);

-- The time of an event's number: it never runs backwards in the order of numbers.
ALTER TABLE events ADD COLUMN numbered_at timestamptz;
-- For those who read the log of all accounts.
CREATE UNIQUE INDEX events_by_seq ON events (seq) WHERE seq IS NOT NULL;

-- How far those are who follow the log of all accounts.
CREATE TABLE event_readers (
    name text PRIMARY KEY,
    seq bigint NOT NULL
);

-- The writes of records that are exported, until they are numbered.
CREATE TABLE touched (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id bigint NOT NULL,
    kind text NOT NULL,
    record_id bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 1000000000);

-- Where a record stands in the exports: behind all that were written before it.
-- One that is deleted keeps its place, which tells of it.
CREATE TABLE export_positions (
    account_id bigint NOT NULL,
    kind text NOT NULL,
    record_id bigint NOT NULL,
    seq bigint NOT NULL,
    generated_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, kind, record_id)
);

-- +goose StatementBegin
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO touched (account_id, kind, record_id) VALUES (OLD.account_id, TG_ARGV[0], OLD.id);
    ELSE
        INSERT INTO touched (account_id, kind, record_id) VALUES (NEW.account_id, TG_ARGV[0], NEW.id);
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- Nothing that anybody reads of a ticket changes when it is archived.
CREATE TRIGGER tickets_touch AFTER INSERT OR DELETE ON tickets FOR EACH ROW EXECUTE FUNCTION touch('ticket');
CREATE TRIGGER tickets_touch_again AFTER UPDATE ON tickets FOR EACH ROW
    WHEN (OLD.archived = NEW.archived OR OLD.generated_at <> NEW.generated_at) EXECUTE FUNCTION touch('ticket');
CREATE TRIGGER comments_touch AFTER INSERT OR UPDATE OR DELETE ON comments FOR EACH ROW EXECUTE FUNCTION touch('comment');
CREATE TRIGGER audits_touch AFTER INSERT OR DELETE ON audits FOR EACH ROW EXECUTE FUNCTION touch('audit');
CREATE TRIGGER audits_touch_again AFTER UPDATE ON audits FOR EACH ROW WHEN (OLD.archived = NEW.archived) EXECUTE FUNCTION touch('audit');
CREATE TRIGGER users_touch AFTER INSERT OR UPDATE OR DELETE ON users FOR EACH ROW EXECUTE FUNCTION touch('user');
CREATE TRIGGER organizations_touch AFTER INSERT OR UPDATE OR DELETE ON organizations FOR EACH ROW EXECUTE FUNCTION touch('organization');
CREATE TRIGGER satisfaction_ratings_touch AFTER INSERT OR UPDATE OR DELETE ON satisfaction_ratings FOR EACH ROW EXECUTE FUNCTION touch('rating');

-- What there is already, in the order of its changes.
INSERT INTO export_positions
SELECT account_id, kind, id, row_number() OVER (ORDER BY at, kind, account_id, id), at FROM (
    SELECT account_id, 'ticket' AS kind, id, generated_at AS at FROM tickets
    UNION ALL SELECT account_id, 'comment', id, created_at FROM comments
    UNION ALL SELECT account_id, 'audit', id, created_at FROM audits
    UNION ALL SELECT account_id, 'user', id, updated_at FROM users
    UNION ALL SELECT account_id, 'organization', id, updated_at FROM organizations
    UNION ALL SELECT account_id, 'rating', id, updated_at FROM satisfaction_ratings
) AS records;
CREATE INDEX export_positions_order ON export_positions (account_id, kind, generated_at, seq);
INSERT INTO event_clock (seq, at) SELECT coalesce(max(seq), 0), coalesce(max(generated_at), now()) FROM export_positions;

-- +goose Down
DROP TRIGGER satisfaction_ratings_touch ON satisfaction_ratings;
DROP TRIGGER organizations_touch ON organizations;
DROP TRIGGER users_touch ON users;
DROP TRIGGER audits_touch_again ON audits;
DROP TRIGGER audits_touch ON audits;
DROP TRIGGER comments_touch ON comments;
DROP TRIGGER tickets_touch_again ON tickets;
DROP TRIGGER tickets_touch ON tickets;
DROP FUNCTION touch();
DROP TABLE export_positions, touched, event_readers, event_clock;
DROP INDEX events_by_seq;
ALTER TABLE events DROP COLUMN numbered_at;
