-- Tokens that were given out. The token itself is nowhere; a row is here before it is shown.
CREATE TABLE tokens (
    id             TEXT PRIMARY KEY,
    scope          TEXT NOT NULL,
    session        TEXT,
    kid            BIGINT NOT NULL,
    label          TEXT,
    connections    BIGINT,
    frame_bytes    BIGINT,
    per_second     BIGINT,
    created_ms     BIGINT NOT NULL,
    expires_ms     BIGINT,
    revoked_ms     BIGINT
);
CREATE INDEX tokens_of_session ON tokens (session);
