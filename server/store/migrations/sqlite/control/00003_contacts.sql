-- +goose Up
-- How the person of a session can be reached, as it is shown.
ALTER TABLE session ADD COLUMN phone TEXT NOT NULL DEFAULT '';
ALTER TABLE session ADD COLUMN email TEXT NOT NULL DEFAULT '';
