-- +goose Up
-- What a call's audio and words were used for within it, with spaces between.
ALTER TABLE session ADD COLUMN audio_uses TEXT NOT NULL DEFAULT '';
