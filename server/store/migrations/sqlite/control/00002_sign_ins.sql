-- +goose Up
-- A browser that is signed in: the hash of the id in its cookie, and what its
-- token said, sealed with that id.
CREATE TABLE sign_in (
    hash       TEXT NOT NULL PRIMARY KEY,
    user_key   TEXT NOT NULL,
    sealed     TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sign_in_user ON sign_in (user_key);
CREATE INDEX sign_in_expires ON sign_in (expires_at);

-- Who is refused within one organization. revoked_user holds in all of them.
CREATE TABLE revoked_org_user (
    org      TEXT NOT NULL,
    user_key TEXT NOT NULL,
    before   BIGINT NOT NULL,
    PRIMARY KEY (org, user_key)
);
