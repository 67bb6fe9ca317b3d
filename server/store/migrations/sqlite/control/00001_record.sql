-- +goose Up
-- Times are milliseconds since 1970, JSON is TEXT, ids are those of id.go.

CREATE TABLE audit (
    id         INTEGER PRIMARY KEY,
    seq        BIGINT NOT NULL UNIQUE,
    t          BIGINT NOT NULL,
    actor      TEXT NOT NULL,
    actor_org  TEXT NOT NULL,
    org        TEXT NOT NULL,
    remote     TEXT NOT NULL,
    action     TEXT NOT NULL,
    target     TEXT NOT NULL,
    outcome    TEXT NOT NULL,
    reason     TEXT NOT NULL,
    request_id TEXT NOT NULL,
    node       TEXT NOT NULL,
    details    TEXT NOT NULL,
    prev_hash  TEXT NOT NULL,
    hash       TEXT NOT NULL
);
CREATE INDEX audit_actor ON audit (actor);
CREATE INDEX audit_action ON audit (action);
CREATE INDEX audit_org ON audit (org);

-- The one row says where the chain begins: the last line that retention took
-- out, and its hash. Lines up to it are gone or about to go.
CREATE TABLE audit_anchor (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    seq  BIGINT NOT NULL,
    hash TEXT NOT NULL
);
INSERT INTO audit_anchor (one, seq, hash) VALUES (1, 0, '');

-- +goose StatementBegin
CREATE TRIGGER audit_append BEFORE INSERT ON audit
WHEN NEW.seq <> max((SELECT coalesce(max(seq), 0) FROM audit), (SELECT seq FROM audit_anchor)) + 1
  OR NEW.id <= (SELECT coalesce(max(id), 0) FROM audit)
BEGIN
    SELECT RAISE(ABORT, 'audit lines are only added at the end');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'audit lines are never changed');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
WHEN OLD.seq > (SELECT seq FROM audit_anchor)
BEGIN
    SELECT RAISE(ABORT, 'audit lines are only deleted below the anchor');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_anchor_forward BEFORE UPDATE ON audit_anchor
WHEN NEW.one <> 1 OR NEW.seq <= OLD.seq
  OR NEW.hash <> coalesce((SELECT hash FROM audit WHERE seq = NEW.seq), '')
  OR NEW.seq >= (SELECT max(seq) FROM audit)
BEGIN
    SELECT RAISE(ABORT, 'the anchor only moves forward, onto a line before the last');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_anchor_stays BEFORE DELETE ON audit_anchor
BEGIN
    SELECT RAISE(ABORT, 'the anchor stays');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_anchor_alone BEFORE INSERT ON audit_anchor
BEGIN
    SELECT RAISE(ABORT, 'there is one anchor');
END;
-- +goose StatementEnd

CREATE TABLE session (
    id               INTEGER PRIMARY KEY,
    session          TEXT NOT NULL UNIQUE,
    user_key         TEXT NOT NULL,
    user_shown       TEXT NOT NULL,
    name             TEXT NOT NULL,
    org              TEXT NOT NULL,
    remote           TEXT NOT NULL,
    agent            TEXT NOT NULL,
    node             TEXT NOT NULL,
    state            TEXT NOT NULL,
    started_at       BIGINT NOT NULL,
    ended_at         BIGINT,
    end_cause        TEXT NOT NULL,
    end_reason       TEXT NOT NULL,
    level            TEXT NOT NULL,
    quality          TEXT NOT NULL,
    audio_bytes      BIGINT NOT NULL,
    storage_attempts BIGINT NOT NULL,
    log_deleted_at   BIGINT
);
CREATE INDEX session_user ON session (user_key);
CREATE INDEX session_shown ON session (user_shown);
CREATE INDEX session_org ON session (org);
CREATE INDEX session_cause ON session (end_cause);
CREATE INDEX session_level ON session (level);
CREATE INDEX session_live ON session (id) WHERE ended_at IS NULL;
CREATE INDEX session_logged ON session (ended_at) WHERE log_deleted_at IS NULL;

CREATE TABLE setting (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
-- Versions of what is changed as a whole, counted up from 0.
CREATE TABLE version (
    what    TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL
);
INSERT INTO version (what, version) VALUES ('settings', 0), ('alert_rules', 0);

CREATE TABLE alert_rules (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    body TEXT NOT NULL
);
CREATE TABLE alert (
    id          INTEGER PRIMARY KEY,
    alert       TEXT NOT NULL UNIQUE,
    rule        TEXT NOT NULL,
    org         TEXT NOT NULL,
    state       TEXT NOT NULL,
    raised_at   BIGINT NOT NULL,
    body        TEXT NOT NULL
);
CREATE INDEX alert_state ON alert (state);
CREATE INDEX alert_org ON alert (org);

CREATE TABLE revoked_user (
    user_key TEXT NOT NULL PRIMARY KEY,
    before   BIGINT NOT NULL
);
CREATE TABLE revoked_token (
    jti        TEXT NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);

-- What is written to see if the store can be written.
CREATE TABLE probe (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    t   BIGINT NOT NULL
);
