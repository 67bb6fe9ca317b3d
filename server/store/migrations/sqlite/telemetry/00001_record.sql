-- +goose Up
-- Times are milliseconds since 1970, ids are those of id.go.

-- A person as a log line shows them: one row for each way a person was shown.
CREATE TABLE person (
    id         INTEGER PRIMARY KEY,
    user_key   TEXT NOT NULL,
    user_shown TEXT NOT NULL,
    UNIQUE (user_key, user_shown)
);
CREATE INDEX person_shown ON person (user_shown);

CREATE TABLE log (
    id          INTEGER PRIMARY KEY,
    t           BIGINT NOT NULL,
    kind        TEXT NOT NULL,
    method      TEXT NOT NULL,
    path        TEXT NOT NULL,
    route       TEXT NOT NULL,
    status      BIGINT NOT NULL,
    duration_us BIGINT NOT NULL,
    person_id   BIGINT, -- of person, where the line has one
    org         TEXT,
    remote      TEXT NOT NULL,
    session     TEXT,
    request_id  TEXT NOT NULL,
    node        TEXT NOT NULL,
    bytes       BIGINT NOT NULL,
    user_agent  TEXT NOT NULL,
    code        TEXT NOT NULL
);
-- What most lines are is found by walking; the indexes hold the rest.
CREATE INDEX log_person ON log (person_id) WHERE person_id IS NOT NULL;
CREATE INDEX log_person_status ON log (person_id, status) WHERE person_id IS NOT NULL AND status <> 200;
CREATE INDEX log_path ON log (path);
CREATE INDEX log_session ON log (session) WHERE session IS NOT NULL;
CREATE INDEX log_org ON log (org) WHERE org IS NOT NULL;
CREATE INDEX log_status ON log (status) WHERE status <> 200;
CREATE INDEX log_class ON log (status / 100) WHERE status / 100 <> 2;
CREATE INDEX log_kind ON log (kind) WHERE kind <> 'api';
CREATE INDEX log_method ON log (method) WHERE method <> 'GET';

CREATE TABLE activity (
    id         INTEGER PRIMARY KEY,
    t          BIGINT NOT NULL,
    kind       TEXT NOT NULL,
    what       TEXT NOT NULL,
    user_shown TEXT NOT NULL,
    name       TEXT NOT NULL,
    org        TEXT NOT NULL,
    session    TEXT NOT NULL,
    detail     TEXT NOT NULL
);

-- A minute of one direction of one leg as one end measured it: every second
-- packed, and what it amounts to in columns, in the units of chunk.go.
CREATE TABLE quality (
    id          INTEGER PRIMARY KEY,
    session     TEXT NOT NULL,
    leg         TEXT NOT NULL,
    direction   TEXT NOT NULL,
    measured_by TEXT NOT NULL,
    start       BIGINT NOT NULL,
    seconds     BIGINT NOT NULL,
    received    BIGINT NOT NULL,
    lost        BIGINT NOT NULL,
    loss_min    BIGINT, loss_max   BIGINT, loss_avg   BIGINT,
    jitter_min  BIGINT, jitter_max BIGINT, jitter_avg BIGINT,
    rtt_min     BIGINT, rtt_max    BIGINT, rtt_avg    BIGINT,
    buffer_min  BIGINT, buffer_max BIGINT, buffer_avg BIGINT,
    delay_min   BIGINT, delay_max  BIGINT, delay_avg  BIGINT,
    r_min       BIGINT, r_max      BIGINT, r_avg      BIGINT,
    mos_min     BIGINT, mos_max    BIGINT, mos_avg    BIGINT,
    points      BLOB NOT NULL
);
CREATE INDEX quality_session ON quality (session, start);

CREATE TABLE probe (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    t   BIGINT NOT NULL
);
