-- +goose Up
-- The number of an event, in a row of its own: to give it does not write the event
-- again, which is twenty times as wide and in two indexes.
CREATE TABLE event_numbers (
    account_id bigint NOT NULL,
    seq bigint NOT NULL,
    event_id bigint NOT NULL,
    numbered_at timestamptz NOT NULL, -- it never runs backwards in the order of numbers
    PRIMARY KEY (account_id, seq)
);
CREATE UNIQUE INDEX event_numbers_seq ON event_numbers (seq);
INSERT INTO event_numbers SELECT account_id, seq, id, numbered_at FROM events WHERE seq IS NOT NULL ORDER BY seq;

-- The events that were written together, until they are numbered.
CREATE TABLE event_queue (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id bigint NOT NULL,
    event_ids bigint[] NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 1000000000);
INSERT INTO event_queue (account_id, event_ids)
SELECT account_id, array_agg(id ORDER BY id) FROM events WHERE seq IS NULL GROUP BY account_id;

DROP INDEX events_by_seq, events_seq, events_unnumbered;
ALTER TABLE events DROP COLUMN seq, DROP COLUMN numbered_at;

-- Whoever writes events, none is left without a number.
-- +goose StatementBegin
CREATE FUNCTION queue_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO event_queue (account_id, event_ids) SELECT account_id, array_agg(id ORDER BY id) FROM written GROUP BY account_id;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER events_queue AFTER INSERT ON events REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION queue_events();

-- What one save tells of a record is mostly of one state of it: the first event
-- has it, and the others name that event.
ALTER TABLE events ADD COLUMN detail_of bigint, ALTER COLUMN detail DROP NOT NULL,
    ADD CONSTRAINT events_detail CHECK ((detail IS NULL) <> (detail_of IS NULL));

CREATE VIEW numbered_events AS
SELECT n.account_id, n.seq, n.numbered_at, e.id, e.type, e.subject, e.subject_id, e.actor_id, e.source_id,
    coalesce(e.detail, (SELECT d.detail FROM events d WHERE d.account_id = e.account_id AND d.id = e.detail_of)) AS detail, e.change, e.created_at
FROM event_numbers n JOIN events e ON e.account_id = n.account_id AND e.id = n.event_id;

-- +goose Down
DROP VIEW numbered_events;
UPDATE events e SET detail = d.detail, detail_of = NULL FROM events d WHERE d.account_id = e.account_id AND d.id = e.detail_of;
ALTER TABLE events DROP COLUMN detail_of, ALTER COLUMN detail SET NOT NULL, ADD COLUMN seq bigint, ADD COLUMN numbered_at timestamptz;
UPDATE events e SET seq = n.seq, numbered_at = n.numbered_at FROM event_numbers n WHERE n.account_id = e.account_id AND n.event_id = e.id;
DROP TRIGGER events_queue ON events;
DROP FUNCTION queue_events();
DROP TABLE event_queue, event_numbers;
CREATE INDEX events_unnumbered ON events (id) WHERE seq IS NULL;
CREATE INDEX events_seq ON events (account_id, seq) WHERE seq IS NOT NULL;
CREATE UNIQUE INDEX events_by_seq ON events (seq) WHERE seq IS NOT NULL;
