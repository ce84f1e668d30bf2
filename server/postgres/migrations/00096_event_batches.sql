-- +goose Up
-- What a save tells of a record is one row and has one number: a row for each of its
-- events cost the save twice as much. Event n of a row, counted from 1, has the id
-- id + n - 1 and the number seq - size + n.
DROP VIEW numbered_events;
DROP TRIGGER events_queue ON events;
DROP FUNCTION queue_events();
ALTER TABLE events RENAME TO event_batches;
ALTER INDEX events_pkey RENAME TO event_batches_pkey;
UPDATE event_batches e SET detail = d.detail, detail_of = NULL FROM event_batches d WHERE d.account_id = e.account_id AND d.id = e.detail_of;
ALTER TABLE event_batches DROP CONSTRAINT events_detail, DROP COLUMN detail_of, ALTER COLUMN detail SET NOT NULL,
    ALTER COLUMN type TYPE text[] USING ARRAY[type], ALTER COLUMN change TYPE json USING json_build_array(change),
    ALTER COLUMN id SET INCREMENT BY 64; -- as many events has a row at most
ALTER TABLE event_batches RENAME COLUMN type TO types;
ALTER TABLE event_batches RENAME COLUMN change TO changes;
-- By the number alone, which takes a save less than the text of it.
DROP INDEX events_subject;
CREATE INDEX event_batches_subject ON event_batches (account_id, subject_id);

CREATE VIEW events AS
SELECT b.account_id, b.id + e.n - 1 AS id, e.type, b.subject, b.subject_id, b.actor_id, b.source_id, b.detail,
    b.changes -> (e.n - 1)::int AS change, b.created_at
FROM event_batches b, unnest(b.types) WITH ORDINALITY AS e (type, n);

-- seq is the number of the last event of the batch.
ALTER TABLE event_numbers RENAME COLUMN event_id TO batch_id;
ALTER TABLE event_numbers ADD COLUMN size int NOT NULL DEFAULT 1;
ALTER TABLE event_numbers ALTER COLUMN size DROP DEFAULT;

CREATE TABLE batch_queue (
    batch_id bigint PRIMARY KEY,
    account_id bigint NOT NULL,
    size int NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 1000000000);
INSERT INTO batch_queue SELECT e.id, q.account_id, 1 FROM event_queue q, unnest(q.event_ids) AS e (id);
DROP TABLE event_queue;
ALTER TABLE batch_queue RENAME TO event_queue;
ALTER INDEX batch_queue_pkey RENAME TO event_queue_pkey;

-- Whoever writes events, none is left without a number.
-- +goose StatementBegin
CREATE FUNCTION queue_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO event_queue (batch_id, account_id, size) VALUES (NEW.id, NEW.account_id, cardinality(NEW.types));
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER event_batches_queue AFTER INSERT ON event_batches FOR EACH ROW EXECUTE FUNCTION queue_events();

-- Readers go on behind a batch_seq, which is in the index, and then behind a seq.
CREATE VIEW numbered_events AS
SELECT n.account_id, n.seq AS batch_seq, n.seq - n.size + e.n AS seq, n.numbered_at, b.id + e.n - 1 AS id, e.type,
    b.subject, b.subject_id, b.actor_id, b.source_id, b.detail, b.changes -> (e.n - 1)::int AS change, b.created_at
FROM event_numbers n JOIN event_batches b ON b.account_id = n.account_id AND b.id = n.batch_id, unnest(b.types) WITH ORDINALITY AS e (type, n);

-- +goose Down
CREATE TABLE single_events AS SELECT * FROM events;
CREATE TABLE single_numbers AS SELECT account_id, seq, id AS event_id, numbered_at FROM numbered_events;
CREATE TABLE single_queue AS SELECT q.account_id, array_agg(q.batch_id + e.n ORDER BY q.batch_id, e.n) AS event_ids
    FROM event_queue q, generate_series(0, q.size - 1) AS e (n) GROUP BY q.account_id;
DROP VIEW numbered_events, events;
DROP TRIGGER event_batches_queue ON event_batches;
DROP FUNCTION queue_events();
TRUNCATE event_batches, event_numbers;
DROP TABLE event_queue;

ALTER TABLE event_batches RENAME COLUMN types TO type;
ALTER TABLE event_batches RENAME COLUMN changes TO change;
ALTER TABLE event_batches ALTER COLUMN type TYPE text USING type[1], ALTER COLUMN id SET INCREMENT BY 1,
    ADD COLUMN detail_of bigint, ALTER COLUMN detail DROP NOT NULL, ADD CONSTRAINT events_detail CHECK ((detail IS NULL) <> (detail_of IS NULL));
ALTER TABLE event_batches RENAME TO events;
ALTER INDEX event_batches_pkey RENAME TO events_pkey;
DROP INDEX event_batches_subject;
CREATE INDEX events_subject ON events (account_id, subject, id);
INSERT INTO events (account_id, id, type, subject, subject_id, actor_id, source_id, detail, change, created_at)
SELECT account_id, id, type, subject, subject_id, actor_id, source_id, detail, change, created_at FROM single_events;
SELECT setval('events_id_seq', (SELECT max(id) FROM events)) WHERE EXISTS (SELECT FROM events);
ALTER TABLE event_numbers DROP COLUMN size;
ALTER TABLE event_numbers RENAME COLUMN batch_id TO event_id;
INSERT INTO event_numbers (account_id, seq, event_id, numbered_at) SELECT account_id, seq, event_id, numbered_at FROM single_numbers;
CREATE TABLE event_queue (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id bigint NOT NULL,
    event_ids bigint[] NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 1000000000);
INSERT INTO event_queue (account_id, event_ids) SELECT account_id, event_ids FROM single_queue;
DROP TABLE single_events, single_numbers, single_queue;
-- +goose StatementBegin
CREATE FUNCTION queue_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO event_queue (account_id, event_ids) SELECT account_id, array_agg(id ORDER BY id) FROM written GROUP BY account_id;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER events_queue AFTER INSERT ON events REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION queue_events();
CREATE VIEW numbered_events AS
SELECT n.account_id, n.seq, n.numbered_at, e.id, e.type, e.subject, e.subject_id, e.actor_id, e.source_id,
    coalesce(e.detail, (SELECT d.detail FROM events d WHERE d.account_id = e.account_id AND d.id = e.detail_of)) AS detail, e.change, e.created_at
FROM event_numbers n JOIN events e ON e.account_id = n.account_id AND e.id = n.event_id;
