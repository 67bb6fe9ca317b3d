-- +goose Up
-- Whose tokens are refused: those issued before a time or, with blocks, all,
-- until it is taken back. Of an organization it holds for its tokens alone; ''
-- is all of them.
CREATE TABLE revocation (
    id         INTEGER PRIMARY KEY,
    org        TEXT NOT NULL,
    user_key   TEXT NOT NULL,
    blocks     BIGINT NOT NULL,
    user_shown TEXT NOT NULL,
    since      BIGINT NOT NULL,
    by_shown   TEXT NOT NULL,
    reason     TEXT NOT NULL,
    UNIQUE (org, user_key, blocks)
);
-- Of these neither who did it nor why was kept. Their ids are older than any.
INSERT INTO revocation (org, user_key, blocks, user_shown, since, by_shown, reason)
    SELECT '', user_key, 0, '', before, '', '' FROM revoked_user;
INSERT INTO revocation (org, user_key, blocks, user_shown, since, by_shown, reason)
    SELECT org, user_key, 0, '', before, '', '' FROM revoked_org_user;
DROP TABLE revoked_user;
DROP TABLE revoked_org_user;
