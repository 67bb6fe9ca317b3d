-- +goose Up
-- What the calls of a day (UTC, of their start) and an organization come to, counted
-- as they end, in the same transaction. It names nobody and outlives the sessions.
-- Users are counted by their first ended call of the day in the organization.
CREATE TABLE day_total (
    day   TEXT NOT NULL,
    org   TEXT NOT NULL,
    calls BIGINT NOT NULL,
    ms    BIGINT NOT NULL,
    users BIGINT NOT NULL,
    PRIMARY KEY (day, org)
);
INSERT INTO day_total (day, org, calls, ms, users)
    SELECT strftime('%Y-%m-%d', started_at / 1000, 'unixepoch'), org, COUNT(*), SUM(max(0, ended_at - started_at)), COUNT(DISTINCT user_key)
    FROM session WHERE ended_at IS NOT NULL GROUP BY 1, 2;

-- +goose StatementBegin
CREATE TRIGGER session_ended AFTER UPDATE OF ended_at ON session
WHEN OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL
BEGIN
    INSERT INTO day_total (day, org, calls, ms, users) VALUES (strftime('%Y-%m-%d', NEW.started_at / 1000, 'unixepoch'), NEW.org, 1,
        max(0, NEW.ended_at - NEW.started_at),
        NOT EXISTS (SELECT 1 FROM session WHERE user_key = NEW.user_key AND org = NEW.org AND id <> NEW.id AND ended_at IS NOT NULL
            AND started_at / 86400000 = NEW.started_at / 86400000))
    ON CONFLICT (day, org) DO UPDATE SET calls = calls + excluded.calls, ms = ms + excluded.ms, users = users + excluded.users;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER session_added_ended AFTER INSERT ON session
WHEN NEW.ended_at IS NOT NULL
BEGIN
    INSERT INTO day_total (day, org, calls, ms, users) VALUES (strftime('%Y-%m-%d', NEW.started_at / 1000, 'unixepoch'), NEW.org, 1,
        max(0, NEW.ended_at - NEW.started_at),
        NOT EXISTS (SELECT 1 FROM session WHERE user_key = NEW.user_key AND org = NEW.org AND id <> NEW.id AND ended_at IS NOT NULL
            AND started_at / 86400000 = NEW.started_at / 86400000))
    ON CONFLICT (day, org) DO UPDATE SET calls = calls + excluded.calls, ms = ms + excluded.ms, users = users + excluded.users;
END;
-- +goose StatementEnd
