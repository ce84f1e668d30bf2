-- +goose Up
-- A host name leads to one brand of the installation, or to one that is gone.
CREATE UNIQUE INDEX brands_host_mapping ON brands (host_mapping) WHERE NOT is_deleted AND host_mapping IS NOT NULL;
CREATE INDEX brands_gone ON brands (subdomain) WHERE is_deleted;
CREATE INDEX brands_gone_hosts ON brands (host_mapping) WHERE is_deleted AND host_mapping IS NOT NULL;
-- The languages of a brand's help center; null and none: the account's.
ALTER TABLE brands ADD COLUMN default_locale text, ADD COLUMN locales text[] NOT NULL DEFAULT '{}';

-- +goose Down
ALTER TABLE brands DROP COLUMN locales, DROP COLUMN default_locale;
DROP INDEX brands_gone_hosts;
DROP INDEX brands_gone;
DROP INDEX brands_host_mapping;
