-- +goose Up
-- What sessions used of their agents, a row a session and day (UTC), by the kinds
-- of rest.Tokens, and what it costs in millionths of the currency's unit.
CREATE TABLE usage (
    id                 INTEGER PRIMARY KEY,
    session            TEXT NOT NULL,
    day                TEXT NOT NULL,
    user_key           TEXT NOT NULL,
    user_shown         TEXT NOT NULL,
    org                TEXT NOT NULL,
    agent              TEXT NOT NULL,
    currency           TEXT NOT NULL,
    input_text         BIGINT NOT NULL,
    input_text_cached  BIGINT NOT NULL,
    input_audio        BIGINT NOT NULL,
    input_audio_cached BIGINT NOT NULL,
    input_image        BIGINT NOT NULL,
    input_image_cached BIGINT NOT NULL,
    input_other        BIGINT NOT NULL,
    output_text        BIGINT NOT NULL,
    output_audio       BIGINT NOT NULL,
    output_other       BIGINT NOT NULL,
    transcription      BIGINT NOT NULL,
    transcribed_ms     BIGINT NOT NULL,
    responses          BIGINT NOT NULL,
    unconfirmed        BIGINT NOT NULL,
    cost_micros        BIGINT NOT NULL,
    UNIQUE (session, day)
);
CREATE INDEX usage_spent ON usage (user_key, day, agent);
CREATE INDEX usage_day ON usage (day, org);
