-- +goose Up

-- Each secret goes on signing for a day after it was replaced, however many there
-- were in that day: [{"secret","until"}], the newest first.
ALTER TABLE webhooks ADD COLUMN earlier_secrets json NOT NULL DEFAULT '[]';
UPDATE webhooks SET earlier_secrets = json_build_array(json_build_object('secret', previous_secret, 'until', rotated_at + interval '1 day'))
    WHERE previous_secret IS NOT NULL AND rotated_at IS NOT NULL;
ALTER TABLE webhooks DROP COLUMN previous_secret, DROP COLUMN rotated_at;

-- What became of the requests to endpoints of which some failed, by half minutes:
-- those that do not fail have no rows here.
CREATE TABLE webhook_failures (
    account_id bigint NOT NULL,
    webhook_id text NOT NULL,
    slot bigint NOT NULL, -- half minutes since 1970
    tries int NOT NULL,
    errors int NOT NULL,
    PRIMARY KEY (account_id, webhook_id, slot)
);

-- +goose Down
DROP TABLE webhook_failures;
ALTER TABLE webhooks ADD COLUMN previous_secret text;
ALTER TABLE webhooks ADD COLUMN rotated_at timestamptz;
UPDATE webhooks SET previous_secret = earlier_secrets->0->>'secret', rotated_at = (earlier_secrets->0->>'until')::timestamptz - interval '1 day'
    WHERE json_array_length(earlier_secrets) > 0;
ALTER TABLE webhooks DROP COLUMN earlier_secrets;
