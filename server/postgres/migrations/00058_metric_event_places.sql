-- +goose Up
-- What is placed in one second is bounded: pages by time do not divide it.
ALTER TABLE event_clock ADD COLUMN placed int NOT NULL DEFAULT 0;

-- Metric events are exported as they are committed, like all that is: by time they
-- were lost whose transaction took longer than others were waited for.
CREATE UNIQUE INDEX ticket_metric_events_id ON ticket_metric_events (account_id, id);
DROP INDEX ticket_metric_events_time;
CREATE TRIGGER ticket_metric_events_touch AFTER INSERT OR DELETE ON ticket_metric_events FOR EACH ROW EXECUTE FUNCTION touch('metric_event');
WITH clock AS (SELECT seq, at FROM event_clock FOR UPDATE),
placed AS (INSERT INTO export_positions (account_id, kind, record_id, seq, generated_at)
    SELECT e.account_id, 'metric_event', e.id, clock.seq + row_number() OVER (ORDER BY least(e.time, clock.at), e.id), least(e.time, clock.at)
    FROM ticket_metric_events e, clock RETURNING seq)
UPDATE event_clock SET seq = greatest(event_clock.seq, (SELECT max(seq) FROM placed));

-- +goose Down
DROP TRIGGER ticket_metric_events_touch ON ticket_metric_events;
CREATE INDEX ticket_metric_events_time ON ticket_metric_events (account_id, time, id);
DROP INDEX ticket_metric_events_id;
DELETE FROM export_positions WHERE kind = 'metric_event';
DELETE FROM touched WHERE kind = 'metric_event';
ALTER TABLE event_clock DROP COLUMN placed;
