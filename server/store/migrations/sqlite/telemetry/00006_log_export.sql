-- +goose Up
-- How far a log was handed on to a collector, by the numbers of its lines, and how many
-- lines retention deleted before they were.
CREATE TABLE log_export (
    log  TEXT PRIMARY KEY,
    sent BIGINT NOT NULL DEFAULT 0,
    lost BIGINT NOT NULL DEFAULT 0
);
