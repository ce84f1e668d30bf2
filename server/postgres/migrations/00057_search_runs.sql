-- +goose Up
-- What records are found by. A run holds the documents of some records of a section
-- (32,768 ids of a kind): which ones, and in blocks of sorted keys who has each word
-- and where (package search). Runs are never changed, only made into larger ones. A
-- later run's documents stand for those of earlier ones.
CREATE TABLE search_runs (
    account_id bigint NOT NULL,
    kind text NOT NULL, -- ticket, user, organization, group
    section int NOT NULL,
    run bigint NOT NULL,
    docs int NOT NULL, -- how many documents it was made of
    ids bytea NOT NULL, -- the records that have a document
    gone bytea NOT NULL, -- those that have none any more
    PRIMARY KEY (account_id, kind, section, run)
);
CREATE SEQUENCE search_run_numbers;
ALTER TABLE search_runs ALTER COLUMN ids SET STORAGE EXTERNAL, ALTER COLUMN gone SET STORAGE EXTERNAL;
CREATE TABLE search_blocks (
    account_id bigint NOT NULL,
    kind text NOT NULL,
    section int NOT NULL,
    run bigint NOT NULL,
    places boolean NOT NULL, -- where words are; otherwise who has them
    first text COLLATE "C" NOT NULL, -- the first key
    data bytea NOT NULL,
    PRIMARY KEY (account_id, kind, section, run, places, first)
) WITH (toast_tuple_target = 8160);
-- In its row, as it is: a search reads many.
ALTER TABLE search_blocks ALTER COLUMN data SET STORAGE EXTERNAL;

-- Documents that are in no run yet; without doc, records that have none any more.
CREATE TABLE search_fresh (
    account_id bigint NOT NULL,
    kind text NOT NULL,
    record_id bigint NOT NULL,
    doc bytea,
    erase boolean NOT NULL DEFAULT false, -- earlier texts of it must leave the runs
    PRIMARY KEY (account_id, kind, record_id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, toast_tuple_target = 4000);

DROP TABLE search_docs;

-- A text that somebody had taken away must leave the runs, too. The functions'
-- second argument tells that what they note may be such.
ALTER TABLE search_pending ADD COLUMN erase boolean NOT NULL DEFAULT false;
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION search_by_id() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO search_pending (account_id, kind, record_id, erase) VALUES (OLD.account_id, TG_ARGV[0], OLD.id, true);
    ELSE
        INSERT INTO search_pending (account_id, kind, record_id, erase) VALUES (NEW.account_id, TG_ARGV[0], NEW.id, TG_NARGS > 1);
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION search_by_ticket_id() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO search_pending (account_id, kind, record_id, erase) VALUES (OLD.account_id, TG_ARGV[0], OLD.ticket_id, true);
    ELSE
        INSERT INTO search_pending (account_id, kind, record_id, erase) VALUES (NEW.account_id, TG_ARGV[0], NEW.ticket_id, TG_NARGS > 1);
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION search_by_user_id() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO search_pending (account_id, kind, record_id, erase) VALUES (OLD.account_id, TG_ARGV[0], OLD.user_id, true);
    ELSE
        INSERT INTO search_pending (account_id, kind, record_id, erase) VALUES (NEW.account_id, TG_ARGV[0], NEW.user_id, TG_NARGS > 1);
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER search_erased AFTER UPDATE OF description, scrubbed ON tickets FOR EACH ROW
    WHEN (OLD.description IS DISTINCT FROM NEW.description OR OLD.scrubbed <> NEW.scrubbed)
    EXECUTE FUNCTION search_by_id('ticket', 'erase');
CREATE TRIGGER search_erased AFTER UPDATE OF plain_body, public ON comments FOR EACH ROW
    WHEN (OLD.plain_body <> NEW.plain_body OR OLD.public <> NEW.public)
    EXECUTE FUNCTION search_by_ticket_id('ticket', 'erase');
DROP TRIGGER search_changed ON comments;
CREATE TRIGGER search_erased AFTER UPDATE OF active ON users FOR EACH ROW
    WHEN (OLD.active <> NEW.active)
    EXECUTE FUNCTION search_by_id('user', 'erase');

-- All of it is made anew. The search answers again when it is in.
TRUNCATE search_pending;
INSERT INTO search_pending (account_id, kind, record_id) SELECT account_id, 'group', id FROM groups WHERE NOT deleted;
INSERT INTO search_pending (account_id, kind, record_id) SELECT account_id, 'organization', id FROM organizations WHERE deleted_at IS NULL;
INSERT INTO search_pending (account_id, kind, record_id) SELECT account_id, 'user', id FROM users WHERE active;
INSERT INTO search_pending (account_id, kind, record_id) SELECT account_id, 'ticket', id FROM tickets WHERE deleted_at IS NULL;

-- +goose Down
DROP TRIGGER search_erased ON tickets;
DROP TRIGGER search_erased ON comments;
DROP TRIGGER search_erased ON users;
CREATE TRIGGER search_changed AFTER UPDATE OF plain_body ON comments FOR EACH ROW
    WHEN (OLD.plain_body <> NEW.plain_body)
    EXECUTE FUNCTION search_by_ticket_id('ticket');
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION search_by_id() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO search_pending (account_id, kind, record_id) VALUES (OLD.account_id, TG_ARGV[0], OLD.id);
    ELSE
        INSERT INTO search_pending (account_id, kind, record_id) VALUES (NEW.account_id, TG_ARGV[0], NEW.id);
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION search_by_ticket_id() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO search_pending (account_id, kind, record_id) VALUES (OLD.account_id, TG_ARGV[0], OLD.ticket_id);
    ELSE
        INSERT INTO search_pending (account_id, kind, record_id) VALUES (NEW.account_id, TG_ARGV[0], NEW.ticket_id);
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION search_by_user_id() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO search_pending (account_id, kind, record_id) VALUES (OLD.account_id, TG_ARGV[0], OLD.user_id);
    ELSE
        INSERT INTO search_pending (account_id, kind, record_id) VALUES (NEW.account_id, TG_ARGV[0], NEW.user_id);
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
ALTER TABLE search_pending DROP COLUMN erase;
DROP TABLE search_fresh, search_blocks, search_runs;
DROP SEQUENCE search_run_numbers;
CREATE TABLE search_docs (
    account_id bigint NOT NULL,
    kind text NOT NULL,
    record_id bigint NOT NULL,
    tsv tsvector NOT NULL,
    PRIMARY KEY (account_id, kind, record_id)
) WITH (toast_tuple_target = 128);
ALTER TABLE search_docs ALTER COLUMN tsv SET STORAGE EXTERNAL;
CREATE INDEX search_docs_words ON search_docs USING gin (tsv) WITH (fastupdate = on, gin_pending_list_limit = 256);
