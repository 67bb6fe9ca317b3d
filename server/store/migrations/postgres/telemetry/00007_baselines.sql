-- +goose Up
-- What each hour (since 1970, UTC) of a series came to, so that what is usual at an hour
-- of the week can be learned: weight is what it is of (calls, values, hours), total what
-- they came to, squares that of their squares. It names nobody and no address.
CREATE TABLE baseline_hour (
    series  TEXT NOT NULL,
    org     TEXT NOT NULL,
    hour    BIGINT NOT NULL,
    weight  DOUBLE PRECISION NOT NULL,
    total   DOUBLE PRECISION NOT NULL,
    squares DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (series, org, hour)
);
