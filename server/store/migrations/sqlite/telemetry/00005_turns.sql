-- +goose Up
-- What a session's talk was like, a row for each turn that was answered and for each
-- interruption: kind is turn or interruption, measures are rest.Turn or
-- rest.Interruption as JSON. No word of what was said is among them.
CREATE TABLE turn (
    id       INTEGER PRIMARY KEY,
    session  TEXT NOT NULL,
    kind     TEXT NOT NULL,
    measures TEXT NOT NULL
);
CREATE INDEX turn_session ON turn (session, id);
