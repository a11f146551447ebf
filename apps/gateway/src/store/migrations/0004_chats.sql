-- What came with a submission (JSON), and the tokens its turn took; of several that made one turn the newest has them.
ALTER TABLE submissions ADD COLUMN attachments TEXT;
ALTER TABLE submissions ADD COLUMN input_tokens BIGINT;
ALTER TABLE submissions ADD COLUMN cached_tokens BIGINT;
ALTER TABLE submissions ADD COLUMN output_tokens BIGINT;
-- What a message became, and what was asked last in a thread of a chat.
CREATE INDEX submissions_by_origin ON submissions (origin);
CREATE INDEX submissions_by_target ON submissions (session, target, seq);

-- Questions of agents that chats are asked. `id` stands in buttons; `key` is the session's name for it; `draft` is what has
-- been answered of several; `answer` is the result for the agent; `outcome` is what the chat is told of its end.
CREATE TABLE questions (
    id          TEXT PRIMARY KEY,
    session     TEXT NOT NULL,
    key         TEXT NOT NULL,
    channel     TEXT NOT NULL,
    bot         TEXT NOT NULL,
    chat_key    TEXT NOT NULL,
    asker       TEXT NOT NULL,
    method      TEXT NOT NULL,
    params      TEXT NOT NULL,
    item        TEXT,
    state       TEXT NOT NULL CHECK (state IN ('open', 'answered', 'over')),
    draft       TEXT,
    answer      TEXT,
    outcome     TEXT,
    created_ms  BIGINT NOT NULL,
    expires_ms  BIGINT NOT NULL,
    done_ms     BIGINT,
    UNIQUE (session, key)
);
CREATE INDEX questions_by_age ON questions (done_ms) WHERE state <> 'open';
CREATE INDEX questions_open ON questions (channel, bot, chat_key) WHERE state = 'open';

-- How a chat wants its turns; absent: as the deployment has it. `open_to_all`: everybody there may talk to us.
CREATE TABLE chat_settings (
    channel       TEXT NOT NULL,
    bot           TEXT NOT NULL,
    chat_key      TEXT NOT NULL,
    approval      TEXT,
    model         TEXT,
    effort        TEXT,
    while_running TEXT,
    open_to_all   BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (channel, bot, chat_key)
);

-- The language that a person chose, over the one their channel tells. `via` may also be `approved` from now on: SQLite cannot
-- change a check, so the table is made anew.
CREATE TABLE people_anew (
    channel   TEXT NOT NULL,
    bot       TEXT NOT NULL,
    user_id   TEXT NOT NULL,
    name      TEXT NOT NULL,
    language  TEXT,
    speaks    TEXT,
    role      TEXT NOT NULL CHECK (role IN ('operator', 'user')),
    via       TEXT NOT NULL CHECK (via IN ('code', 'list', 'approved')),
    paired_ms BIGINT NOT NULL,
    PRIMARY KEY (channel, bot, user_id)
);
INSERT INTO people_anew (channel, bot, user_id, name, language, role, via, paired_ms)
    SELECT channel, bot, user_id, name, language, role, via, paired_ms FROM people;
DROP TABLE people;
ALTER TABLE people_anew RENAME TO people;

-- Who waits to be let in is shown by name, and told in the chat they wrote in.
ALTER TABLE strangers ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE strangers ADD COLUMN language TEXT;
ALTER TABLE strangers ADD COLUMN chat_key TEXT;

-- The message that shows a turn while it runs, by the turn's first submission: its answer takes its place.
CREATE TABLE live_messages (
    submission TEXT PRIMARY KEY,
    message_id TEXT NOT NULL,
    at_ms      BIGINT NOT NULL
);
CREATE INDEX live_messages_by_age ON live_messages (at_ms);

-- Parts of albums that are not complete yet, as they were handed over (JSON).
CREATE TABLE album_parts (
    channel         TEXT NOT NULL,
    bot             TEXT NOT NULL,
    album           TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    message         TEXT NOT NULL,
    at_ms           BIGINT NOT NULL,
    PRIMARY KEY (channel, bot, album, idempotency_key)
);

-- What others said in a group since we were last spoken to there.
CREATE TABLE overheard (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    channel  TEXT NOT NULL,
    bot      TEXT NOT NULL,
    chat_key TEXT NOT NULL,
    name     TEXT NOT NULL,
    text     TEXT NOT NULL,
    at_ms    BIGINT NOT NULL
);
CREATE INDEX overheard_by_chat ON overheard (channel, bot, chat_key, id);
