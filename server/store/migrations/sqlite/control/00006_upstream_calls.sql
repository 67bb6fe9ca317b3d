-- +goose Up
-- Calls that may be open at an agent's service, by session. What names a call there is
-- '' until the service told it. What a crash leaves here is hung up by the next start.
CREATE TABLE upstream_call (
    session   TEXT PRIMARY KEY,
    agent     TEXT NOT NULL,
    reference TEXT NOT NULL,
    opened_at BIGINT NOT NULL
);
