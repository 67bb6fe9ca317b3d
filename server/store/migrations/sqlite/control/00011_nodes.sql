-- +goose Up

-- The nodes of a cluster. Times of leases are by the database's clock.
CREATE TABLE node (
    id         BIGINT NOT NULL, -- in the ids of rows that the node adds
    name       TEXT NOT NULL,
    address    TEXT NOT NULL,   -- under which callers and other nodes reach it
    version    TEXT NOT NULL,
    instance   TEXT NOT NULL,   -- of the process that it is
    state      TEXT NOT NULL,   -- live, lapsed (its lease ran out), lost (its calls were ended), left
    epoch      BIGINT NOT NULL, -- how often it has joined
    lost_epoch BIGINT NOT NULL, -- when it was taken for dead last
    started_at BIGINT NOT NULL, -- when it joined last
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
    fingerprint  TEXT NOT NULL,   -- of the key that all nodes have
    secret       TEXT NOT NULL,   -- fingerprint of the secret that signs tokens now
    roster       BIGINT NOT NULL, -- counts the changes of who is there
    leader       BIGINT NOT NULL, -- node.id, with its epoch; -1: none
    leader_epoch BIGINT NOT NULL,
    PRIMARY KEY (one)
);

-- How many places a node may fill of those that a cap allows.
CREATE TABLE permit (
    scope   TEXT NOT NULL,   -- all, org, user
    key     TEXT NOT NULL,   -- of the organization or the user
    node    BIGINT NOT NULL, -- node.id
    granted BIGINT NOT NULL,
    PRIMARY KEY (scope, key, node)
);
CREATE INDEX permit_node ON permit (node);

-- Whose call it is: another node hangs up what a dead one left open.
ALTER TABLE upstream_call ADD COLUMN node TEXT NOT NULL DEFAULT '';
