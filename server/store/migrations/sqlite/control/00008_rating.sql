-- +goose Up
-- What the caller thought of a call: 0 or 1, and what was wrong, with spaces between.
ALTER TABLE session ADD COLUMN rating INTEGER;
ALTER TABLE session ADD COLUMN rating_tags TEXT NOT NULL DEFAULT '';
