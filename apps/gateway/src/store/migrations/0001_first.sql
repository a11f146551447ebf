-- The first schema. Times are unix milliseconds. `seq` and `outbox.id` are never used twice (AUTOINCREMENT), so that
-- they order rows for ever; on Postgres they become identity columns. Everything else is portable as it stands.

CREATE TABLE counters (
    name  TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);

-- Messages of channels that had an effect, by the name their adapter gave them.
CREATE TABLE received (
    channel         TEXT NOT NULL,
    bot             TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    at_ms           BIGINT NOT NULL,
    PRIMARY KEY (channel, bot, idempotency_key)
);
CREATE INDEX received_by_age ON received (at_ms);

-- Everything that starts a turn. `boot`, `down_seq`, `request_id`: by which runtime and which frame it was started;
-- `after_seq`: the newest line of that runtime seen before.
CREATE TABLE submissions (
    seq             INTEGER PRIMARY KEY AUTOINCREMENT,
    id              TEXT NOT NULL UNIQUE,
    session         TEXT NOT NULL,
    target          TEXT NOT NULL,
    thread          TEXT,
    origin          TEXT NOT NULL,
    text            TEXT NOT NULL,
    idempotency_key TEXT,
    state           TEXT NOT NULL CHECK (state IN ('queued', 'starting', 'running', 'settled')),
    boot            TEXT,
    down_seq        BIGINT,
    request_id      BIGINT,
    after_seq       BIGINT,
    turn            TEXT,
    outcome         TEXT,
    created_ms      BIGINT NOT NULL,
    started_ms      BIGINT,
    settled_ms      BIGINT,
    UNIQUE (session, idempotency_key)
);
CREATE INDEX submissions_open ON submissions (session, seq) WHERE state <> 'settled';
CREATE INDEX submissions_by_age ON submissions (settled_ms) WHERE state = 'settled';

-- Which thread a chat's era speaks in; the chat's newest era is the one that new messages belong to.
CREATE TABLE chat_bindings (
    session  TEXT NOT NULL,
    channel  TEXT NOT NULL,
    bot      TEXT NOT NULL,
    chat_key TEXT NOT NULL,
    era      BIGINT NOT NULL,
    thread   TEXT,
    at_ms    BIGINT NOT NULL,
    PRIMARY KEY (session, channel, bot, chat_key, era)
);

-- Everything a person is to read.
CREATE TABLE outbox (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    dedupe_key      TEXT NOT NULL UNIQUE,
    channel         TEXT NOT NULL,
    bot             TEXT NOT NULL,
    chat_key        TEXT NOT NULL,
    kind            TEXT NOT NULL,
    payload         TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('pending', 'sent', 'failed')),
    attempts        BIGINT NOT NULL DEFAULT 0,
    next_attempt_ms BIGINT NOT NULL,
    message_id      TEXT,
    last_error      TEXT,
    created_ms      BIGINT NOT NULL,
    done_ms         BIGINT
);
CREATE INDEX outbox_pending ON outbox (channel, bot, chat_key, id) WHERE state = 'pending';
CREATE INDEX outbox_by_age ON outbox (done_ms) WHERE state <> 'pending';

-- Whom we know: `via` is `code` for those who paired and `list` for those an allow-list names.
CREATE TABLE people (
    channel   TEXT NOT NULL,
    bot       TEXT NOT NULL,
    user_id   TEXT NOT NULL,
    name      TEXT NOT NULL,
    language  TEXT,
    role      TEXT NOT NULL CHECK (role IN ('operator', 'user')),
    via       TEXT NOT NULL CHECK (via IN ('code', 'list')),
    paired_ms BIGINT NOT NULL,
    PRIMARY KEY (channel, bot, user_id)
);

-- Whom we do not know: when they were told so, and how often they tried the present code.
CREATE TABLE strangers (
    channel TEXT NOT NULL,
    bot     TEXT NOT NULL,
    user_id TEXT NOT NULL,
    told_ms BIGINT NOT NULL,
    tries   BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (channel, bot, user_id)
);
CREATE INDEX strangers_by_age ON strangers (told_ms);

-- At most one row: the code that pairs the next person.
CREATE TABLE pairing (
    id         BIGINT PRIMARY KEY CHECK (id = 1),
    code       TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL
);

-- At most one row: where automation speaks when nothing else is said.
CREATE TABLE home_chat (
    id       BIGINT PRIMARY KEY CHECK (id = 1),
    channel  TEXT NOT NULL,
    bot      TEXT NOT NULL,
    chat_key TEXT NOT NULL,
    at_ms    BIGINT NOT NULL
);

-- What an agent answered to `initialize`: it answers only once in its life.
CREATE TABLE agent_handshakes (
    session TEXT PRIMARY KEY,
    epoch   BIGINT NOT NULL,
    result  TEXT NOT NULL,
    at_ms   BIGINT NOT NULL
);

-- How far a session has read its runtime, and what it must remember of what it read.
CREATE TABLE checkpoints (
    session TEXT PRIMARY KEY,
    boot    TEXT NOT NULL,
    seq     BIGINT NOT NULL,
    body    TEXT NOT NULL,
    at_ms   BIGINT NOT NULL
);
