-- Machines on which commands run. `told` is what their session last heard of them: 1 connected, 0 gone.
CREATE TABLE nodes (
    id           TEXT    NOT NULL PRIMARY KEY,
    -- The token of scope `node:<id>` that is its credential.
    token        TEXT    NOT NULL,
    display_name TEXT,
    -- The name that the operator gave it, which wins.
    given_name   TEXT,
    platform     TEXT,
    version      TEXT,
    -- Sessions that may use it as a JSON array of texts; NULL is all of them.
    sessions     TEXT,
    told         INTEGER NOT NULL DEFAULT 0,
    created_ms   INTEGER NOT NULL,
    last_seen_ms INTEGER,
    revoked_ms   INTEGER
);

-- One-time codes for them, by their SHA-256.
CREATE TABLE node_codes (
    sha256       TEXT    NOT NULL PRIMARY KEY,
    node_id      TEXT,
    display_name TEXT,
    sessions     TEXT,
    created_ms   INTEGER NOT NULL,
    expires_ms   INTEGER NOT NULL
);

-- Calls that wait for the yes of a machine's owner, each with the outbox row that asks for it.
CREATE TABLE node_questions (
    id         TEXT    NOT NULL PRIMARY KEY,
    node_id    TEXT    NOT NULL,
    -- The node's own id of the question.
    ask_id     TEXT    NOT NULL,
    channel    TEXT    NOT NULL,
    bot        TEXT    NOT NULL,
    chat       TEXT    NOT NULL,
    -- What is asked, as JSON.
    asked      TEXT    NOT NULL,
    -- `open`, `allowed`, `denied`, `over`.
    state      TEXT    NOT NULL DEFAULT 'open',
    answered_by TEXT,
    expires_ms INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    UNIQUE (node_id, ask_id)
);
