-- +goose Up

-- Uploads that wait for a user image, and for nothing else.
ALTER TABLE uploads ADD COLUMN of_images boolean NOT NULL DEFAULT false;

-- Pictures that users show in what they write, each at an address of its own.
CREATE TABLE user_images (
    account_id bigint NOT NULL,
    attachment_id bigint NOT NULL,
    user_id bigint NOT NULL, -- who uploaded it
    brand_id bigint NOT NULL, -- where it is shown
    created_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, attachment_id),
    FOREIGN KEY (account_id, attachment_id) REFERENCES attachments ON DELETE CASCADE
);
CREATE INDEX user_images_user ON user_images (account_id, user_id);

-- +goose Down
DROP TABLE user_images;
DELETE FROM uploads WHERE of_images;
ALTER TABLE uploads DROP COLUMN of_images;
