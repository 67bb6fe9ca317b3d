-- +goose Up
-- What tables and columns mean is written in SQLite's step.

-- The nodes of a cluster. Times of leases are by the database's clock.
CREATE TABLE node (
    id         BIGINT NOT NULL,
    name       TEXT NOT NULL,
    address    TEXT NOT NULL,
    version    TEXT NOT NULL,
    instance   TEXT NOT NULL,
    state      TEXT NOT NULL,
    epoch      BIGINT NOT NULL,
    lost_epoch BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    renewed_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    calls      BIGINT NOT NULL,
    draining   BIGINT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (name)
);

-- What the nodes have in common, in one row.
CREATE TABLE cluster_state (
    one          BIGINT NOT NULL CHECK (one = 1),
    fingerprint  TEXT NOT NULL,
    secret       TEXT NOT NULL,
    roster       BIGINT NOT NULL,
    leader       BIGINT NOT NULL,
    leader_epoch BIGINT NOT NULL,
    PRIMARY KEY (one)
);

-- How many places a node may fill of those that a cap allows.
CREATE TABLE permit (
    scope   TEXT NOT NULL,
    key     TEXT NOT NULL,
    node    BIGINT NOT NULL,
    granted BIGINT NOT NULL,
    PRIMARY KEY (scope, key, node)
);
CREATE INDEX permit_node ON permit (node);

-- Whose call it is: another node hangs up what a dead one left open.
ALTER TABLE upstream_call ADD COLUMN node TEXT NOT NULL DEFAULT '';

-- As before, but one transaction at a time counts the calls of a day and an organization:
-- two nodes would each not see that the other ends a call of the same user.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION count_ended() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(1885434476, hashtext('day ' || NEW.started_at / 86400000 || ' ' || NEW.org));
    INSERT INTO day_total (day, org, calls, ms, users)
    VALUES (to_char(to_timestamp(NEW.started_at / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD'), NEW.org, 1,
        greatest(0, NEW.ended_at - NEW.started_at),
        (NOT EXISTS (SELECT 1 FROM session WHERE user_key = NEW.user_key AND org = NEW.org AND id <> NEW.id AND ended_at IS NOT NULL
            AND started_at / 86400000 = NEW.started_at / 86400000))::int)
    ON CONFLICT (day, org) DO UPDATE SET calls = day_total.calls + excluded.calls, ms = day_total.ms + excluded.ms,
        users = day_total.users + excluded.users;
    RETURN NEW;
END $$;
-- +goose StatementEnd
