-- +goose Up
-- What waits to be made anew is worked off by kind: a search of tickets does not wait
-- for thousands of articles.
ALTER TABLE search_pending DROP CONSTRAINT search_pending_pkey, ADD PRIMARY KEY (account_id, kind, id);

-- +goose Down
ALTER TABLE search_pending DROP CONSTRAINT search_pending_pkey, ADD PRIMARY KEY (account_id, id);
