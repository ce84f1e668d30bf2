-- +goose Up
-- Whether triggers were asked about a change: about none of a closed ticket, no
-- import, deletion or redaction. Of changes until now it is not known; most were.
ALTER TABLE audits ADD COLUMN ruled boolean NOT NULL DEFAULT true;
ALTER TABLE audits ALTER COLUMN ruled SET DEFAULT false;

-- +goose Down
ALTER TABLE audits DROP COLUMN ruled;
