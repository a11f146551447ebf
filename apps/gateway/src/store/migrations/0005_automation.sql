-- What nobody asked for: `cron` or `heartbeat`; absent where somebody did.
ALTER TABLE submissions ADD COLUMN unasked TEXT;
CREATE INDEX submissions_unasked ON submissions (session, settled_ms) WHERE unasked IS NOT NULL;

-- Threads of a session that automation works in, by their names.
CREATE TABLE named_threads (
    session TEXT NOT NULL,
    name    TEXT NOT NULL,
    thread  TEXT NOT NULL,
    at_ms   BIGINT NOT NULL,
    PRIMARY KEY (session, name)
);

-- What a session is to hear of. `queue` is empty for the main thread, else the thread; `meta` is JSON; `subject`: what waits
-- of one subject is replaced by what is newer, which keeps its place and `since_ms`; `omitted`: how many this row stands for
-- that found no room; `submission`: whose turn carries it, or took it. What was taken stays for its retention time, so that
-- the same key is not taken again.
CREATE TABLE events (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT NOT NULL UNIQUE,
    session    TEXT NOT NULL,
    queue      TEXT NOT NULL,
    kind       TEXT NOT NULL,
    text       TEXT NOT NULL,
    meta       TEXT,
    dedupe_key TEXT,
    subject    TEXT,
    omitted    BIGINT NOT NULL DEFAULT 0,
    state      TEXT NOT NULL CHECK (state IN ('waiting', 'taken')),
    submission TEXT,
    created_ms BIGINT NOT NULL,
    since_ms   BIGINT NOT NULL,
    taken_ms   BIGINT,
    UNIQUE (session, dedupe_key)
);
CREATE INDEX events_waiting ON events (session, queue, seq, kind, since_ms, submission) WHERE state = 'waiting';
CREATE INDEX events_of_subject ON events (session, queue, subject) WHERE state = 'waiting' AND subject IS NOT NULL;
CREATE INDEX events_carried ON events (submission) WHERE state = 'waiting' AND submission IS NOT NULL;
CREATE INDEX events_taken ON events (session, taken_ms) WHERE state = 'taken';
CREATE INDEX events_by_age ON events (taken_ms) WHERE state = 'taken';

-- Runs of scheduled jobs. `run` names one run of one job for ever; `due_ms` is when it should have been; `name` is what people
-- call the job; `comes`: whether another run follows by itself; `keep`: how many threads of the job's runs are kept, where this
-- one has a thread of its own, which was put away at `archived_ms`.
CREATE TABLE cron_runs (
    session    TEXT NOT NULL,
    run        TEXT NOT NULL,
    job        TEXT NOT NULL,
    name       TEXT NOT NULL,
    comes      TEXT NOT NULL CHECK (comes IN ('once', 'again')),
    due_ms     BIGINT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('open', 'done', 'failed', 'stopped', 'skipped')),
    submission TEXT,
    thread     TEXT,
    reason     TEXT,
    asked_ms   BIGINT NOT NULL,
    began_ms   BIGINT,
    ended_ms   BIGINT,
    tokens     BIGINT,
    keep       BIGINT,
    archived_ms BIGINT,
    PRIMARY KEY (session, run)
);
CREATE INDEX cron_runs_of_job ON cron_runs (session, job, asked_ms);
CREATE INDEX cron_runs_by_age ON cron_runs (asked_ms);

-- When each session looks by itself again, and how that went. `retry_ms`: not before, after failures in a row; `seen`: what
-- there was to see when it was quiet last.
CREATE TABLE heartbeats (
    session  TEXT PRIMARY KEY,
    due_ms   BIGINT NOT NULL,
    last_ms  BIGINT,
    failures BIGINT NOT NULL DEFAULT 0,
    retry_ms BIGINT NOT NULL DEFAULT 0,
    seen     TEXT,
    outcome  TEXT
);

-- What a reply answers is found by the message.
CREATE INDEX outbox_by_message ON outbox (channel, bot, chat_key, message_id) WHERE message_id IS NOT NULL;
