-- +goose Up
-- Each brand has a help center of its own: its listings go along its own content.
DROP INDEX articles_position;
CREATE INDEX articles_position ON articles (account_id, brand_id, position, id) WHERE archived_at IS NULL;
DROP INDEX articles_created;
CREATE INDEX articles_created ON articles (account_id, brand_id, created_at, id) WHERE archived_at IS NULL;
DROP INDEX articles_updated;
CREATE INDEX articles_updated ON articles (account_id, brand_id, updated_at, id) WHERE archived_at IS NULL;
DROP INDEX articles_edited;
CREATE INDEX articles_edited ON articles (account_id, brand_id, edited_at, id) WHERE archived_at IS NULL;
CREATE INDEX categories_brand ON categories (account_id, brand_id, position, id);
CREATE INDEX sections_brand ON sections (account_id, brand_id, position, id);

-- Files of two brands may call their articles the same, and lead the same paths to them.
DROP INDEX articles_external;
CREATE UNIQUE INDEX articles_external ON articles (account_id, brand_id, external_id) WHERE external_id IS NOT NULL;
ALTER TABLE redirects ADD COLUMN brand_id bigint;
UPDATE redirects AS r SET brand_id = a.brand_id FROM articles AS a WHERE a.account_id = r.account_id AND a.id = r.article_id;
UPDATE redirects AS r SET brand_id = b.id FROM brands AS b WHERE r.brand_id IS NULL AND b.account_id = r.account_id AND b."default";
ALTER TABLE redirects ALTER COLUMN brand_id SET NOT NULL;
DROP INDEX redirects_path;
CREATE UNIQUE INDEX redirects_path ON redirects (account_id, brand_id, path);
CREATE INDEX redirects_brand ON redirects (account_id, brand_id, id);

-- What readers look for is told of the help center in which they do.
ALTER TABLE help_center_queries ADD COLUMN brand_id bigint;
UPDATE help_center_queries AS q SET brand_id = b.id FROM brands AS b WHERE b.account_id = q.account_id AND b."default";
ALTER TABLE help_center_queries ALTER COLUMN brand_id SET NOT NULL, DROP CONSTRAINT help_center_queries_pkey,
    ADD PRIMARY KEY (account_id, brand_id, day, locale, query);

-- +goose Down
DELETE FROM help_center_queries AS q USING brands AS b WHERE b.account_id = q.account_id AND b.id = q.brand_id AND NOT b."default";
ALTER TABLE help_center_queries DROP COLUMN brand_id, ADD PRIMARY KEY (account_id, day, locale, query);
DELETE FROM redirects AS r USING brands AS b WHERE b.account_id = r.account_id AND b.id = r.brand_id AND NOT b."default";
DROP INDEX redirects_path;
DROP INDEX redirects_brand;
ALTER TABLE redirects DROP COLUMN brand_id;
CREATE UNIQUE INDEX redirects_path ON redirects (account_id, path);
DROP INDEX articles_external;
CREATE UNIQUE INDEX articles_external ON articles (account_id, external_id) WHERE external_id IS NOT NULL;
DROP INDEX sections_brand;
DROP INDEX categories_brand;
DROP INDEX articles_edited;
CREATE INDEX articles_edited ON articles (account_id, edited_at, id) WHERE archived_at IS NULL;
DROP INDEX articles_updated;
CREATE INDEX articles_updated ON articles (account_id, updated_at, id) WHERE archived_at IS NULL;
DROP INDEX articles_created;
CREATE INDEX articles_created ON articles (account_id, created_at, id) WHERE archived_at IS NULL;
DROP INDEX articles_position;
CREATE INDEX articles_position ON articles (account_id, position, id) WHERE archived_at IS NULL;
