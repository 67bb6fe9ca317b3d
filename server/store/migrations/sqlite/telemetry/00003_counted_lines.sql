-- +goose Up
-- How many requests a line stands for, where it is one for many.
ALTER TABLE log ADD COLUMN count BIGINT NOT NULL DEFAULT 0;
