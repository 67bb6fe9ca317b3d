-- +goose Up
-- Bytes of audio in the chunk; chunks from before have none.
ALTER TABLE quality ADD COLUMN bytes BIGINT NOT NULL DEFAULT 0;
