-- +goose Up
-- How the person of an activity can be reached, and from where they came, as it
-- is shown.
ALTER TABLE activity ADD COLUMN phone TEXT NOT NULL DEFAULT '';
ALTER TABLE activity ADD COLUMN email TEXT NOT NULL DEFAULT '';
ALTER TABLE activity ADD COLUMN remote TEXT NOT NULL DEFAULT '';
