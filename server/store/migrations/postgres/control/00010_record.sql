-- +goose Up
-- All that SQLite has come to by the steps up to this number, which PostgreSQL never
-- took: what tables and columns mean is written there. Steps that come after have the
-- same number with both.

CREATE TABLE audit (
    id         BIGINT NOT NULL,
    seq        BIGINT NOT NULL,
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
    hash       TEXT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (seq)
);
CREATE INDEX audit_actor ON audit (actor);
CREATE INDEX audit_action ON audit (action);
CREATE INDEX audit_org ON audit (org);

CREATE TABLE audit_anchor (
    one  BIGINT NOT NULL CHECK (one = 1),
    seq  BIGINT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (one)
);
INSERT INTO audit_anchor (one, seq, hash) VALUES (1, 0, '');

CREATE TABLE session (
    id               BIGINT NOT NULL,
    session          TEXT NOT NULL,
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
    log_deleted_at   BIGINT,
    phone            TEXT NOT NULL DEFAULT '',
    email            TEXT NOT NULL DEFAULT '',
    audio_uses       TEXT NOT NULL DEFAULT '',
    rating           BIGINT,
    rating_tags      TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (id),
    UNIQUE (session)
);
CREATE INDEX session_person ON session (user_key);
CREATE INDEX session_shown ON session (user_shown);
CREATE INDEX session_org ON session (org);
CREATE INDEX session_cause ON session (end_cause);
CREATE INDEX session_level ON session (level);
CREATE INDEX session_live ON session (id) WHERE ended_at IS NULL;
CREATE INDEX session_logged ON session (ended_at) WHERE log_deleted_at IS NULL;

CREATE TABLE setting (
    name  TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (name)
);

CREATE TABLE version (
    what    TEXT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (what)
);
INSERT INTO version (what, version) VALUES ('settings', 0), ('alert_rules', 0);

CREATE TABLE alert_rules (
    one  BIGINT NOT NULL CHECK (one = 1),
    body TEXT NOT NULL,
    PRIMARY KEY (one)
);

CREATE TABLE alert (
    id        BIGINT NOT NULL,
    alert     TEXT NOT NULL,
    rule      TEXT NOT NULL,
    org       TEXT NOT NULL,
    state     TEXT NOT NULL,
    raised_at BIGINT NOT NULL,
    body      TEXT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (alert)
);
CREATE INDEX alert_state ON alert (state);
CREATE INDEX alert_org ON alert (org);

CREATE TABLE usage (
    id                 BIGINT NOT NULL,
    session            TEXT NOT NULL,
    day                TEXT NOT NULL,
    user_key           TEXT NOT NULL,
    user_shown         TEXT NOT NULL,
    org                TEXT NOT NULL,
    agent              TEXT NOT NULL,
    currency           TEXT NOT NULL,
    input_text         BIGINT NOT NULL,
    input_text_cached  BIGINT NOT NULL,
    input_audio        BIGINT NOT NULL,
    input_audio_cached BIGINT NOT NULL,
    input_image        BIGINT NOT NULL,
    input_image_cached BIGINT NOT NULL,
    input_other        BIGINT NOT NULL,
    output_text        BIGINT NOT NULL,
    output_audio       BIGINT NOT NULL,
    output_other       BIGINT NOT NULL,
    transcription      BIGINT NOT NULL,
    transcribed_ms     BIGINT NOT NULL,
    responses          BIGINT NOT NULL,
    unconfirmed        BIGINT NOT NULL,
    cost_micros        BIGINT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (session, day)
);
CREATE INDEX usage_day ON usage (day, org);
CREATE INDEX usage_spent ON usage (user_key, day, agent);

CREATE TABLE revoked_token (
    jti        TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (jti)
);

CREATE TABLE probe (
    one BIGINT NOT NULL CHECK (one = 1),
    t   BIGINT NOT NULL,
    PRIMARY KEY (one)
);

CREATE TABLE sign_in (
    hash       TEXT NOT NULL,
    user_key   TEXT NOT NULL,
    sealed     TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (hash)
);
CREATE INDEX sign_in_user ON sign_in (user_key);
CREATE INDEX sign_in_expires ON sign_in (expires_at);

CREATE TABLE revocation (
    id         BIGINT NOT NULL,
    org        TEXT NOT NULL,
    user_key   TEXT NOT NULL,
    blocks     BIGINT NOT NULL,
    user_shown TEXT NOT NULL,
    since      BIGINT NOT NULL,
    by_shown   TEXT NOT NULL,
    reason     TEXT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (org, user_key, blocks)
);

CREATE TABLE upstream_call (
    session   TEXT NOT NULL,
    agent     TEXT NOT NULL,
    reference TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    PRIMARY KEY (session)
);

CREATE TABLE log_export (
    log  TEXT NOT NULL,
    sent BIGINT NOT NULL DEFAULT 0,
    lost BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (log)
);

CREATE TABLE day_total (
    day   TEXT NOT NULL,
    org   TEXT NOT NULL,
    calls BIGINT NOT NULL,
    ms    BIGINT NOT NULL,
    users BIGINT NOT NULL,
    PRIMARY KEY (day, org)
);

-- +goose StatementBegin
CREATE FUNCTION audit_append() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.seq <> greatest((SELECT coalesce(max(seq), 0) FROM audit), (SELECT seq FROM audit_anchor)) + 1
      OR NEW.id <= (SELECT coalesce(max(id), 0) FROM audit) THEN
        RAISE 'audit lines are only added at the end';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION audit_never() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE 'audit lines are never changed, and only deleted below the anchor';
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION audit_delete() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF OLD.seq > (SELECT seq FROM audit_anchor) THEN
        RAISE 'audit lines are only deleted below the anchor';
    END IF;
    RETURN OLD;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION anchor_forward() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.one <> 1 OR NEW.seq <= OLD.seq
      OR NEW.hash <> coalesce((SELECT hash FROM audit WHERE seq = NEW.seq), '')
      OR NEW.seq >= (SELECT max(seq) FROM audit) THEN
        RAISE 'the anchor only moves forward, onto a line before the last';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION anchor_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE 'there is one anchor, and it stays';
END $$;
-- +goose StatementEnd
CREATE TRIGGER audit_append BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION audit_append();
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit FOR EACH ROW EXECUTE FUNCTION audit_never();
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_delete();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_never();
CREATE TRIGGER audit_anchor_forward BEFORE UPDATE ON audit_anchor FOR EACH ROW EXECUTE FUNCTION anchor_forward();
CREATE TRIGGER audit_anchor_stays BEFORE INSERT OR DELETE ON audit_anchor FOR EACH ROW EXECUTE FUNCTION anchor_stays();
CREATE TRIGGER audit_anchor_whole BEFORE TRUNCATE ON audit_anchor FOR EACH STATEMENT EXECUTE FUNCTION anchor_stays();

-- What the calls of a day (UTC, of their start) and an organization come to, counted
-- as they end, in the same transaction. Users are counted by their first ended call of
-- the day in the organization. An update counts before the row: only so a statement that
-- ends several calls of a person sees those that it has ended already.
-- +goose StatementBegin
CREATE FUNCTION count_ended() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
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
CREATE TRIGGER session_ended BEFORE UPDATE OF ended_at ON session FOR EACH ROW
    WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL) EXECUTE FUNCTION count_ended();
CREATE TRIGGER session_added_ended AFTER INSERT ON session FOR EACH ROW
    WHEN (NEW.ended_at IS NOT NULL) EXECUTE FUNCTION count_ended();

-- How many rows a table had lost when it was written anew last: PostgreSQL's alone.
CREATE TABLE erased (
    name    TEXT NOT NULL,
    changes BIGINT NOT NULL,
    PRIMARY KEY (name)
);
