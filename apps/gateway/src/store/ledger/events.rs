//! System events: what a session is to hear of, in a queue for each of its threads until a turn took it.

use argus_protocol::{SessionId, ThreadId};
use serde_json::{Map, Value};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::codec::{from_json, from_sql, parse, to_json, to_sql};
use super::{Ledger, LedgerError, Tx};

/// Events that wait in one queue at most.
const ROOM: i64 = 2000;
/// Queues of one session in which events of callers wait at most.
const QUEUES: i64 = 256;
/// The subject of the row that stands for those that found no room.
const OMITTED: &str = "argus:omitted";

/// An event to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// Its id: 32 hex digits.
    pub id: String,
    /// The session that is to hear of it.
    pub session: SessionId,
    /// Which thread of it.
    pub queue: Queue,
    /// Which kind, in a word.
    pub kind: String,
    /// What happened.
    pub text: String,
    /// More of it, for who evaluates it.
    pub meta: Option<Map<String, Value>>,
    /// Names this very event within its session: the same key again stores nothing.
    pub dedupe_key: Option<String>,
    /// What it is about: while an event of that subject waits, this one takes its place.
    pub subject: Option<String>,
    /// Who tells it.
    pub source: Source,
}

/// Where events of a session wait.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Queue {
    /// For its main thread, whichever that is.
    Main,
    /// For one of its other threads.
    Thread(ThreadId),
}

/// Who tells of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Somebody who can be told that there is no room.
    Caller,
    /// This program. What finds no room is counted.
    Internal,
}

/// A stored event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its id.
    pub id: String,
    /// The session that is to hear of it.
    pub session: SessionId,
    /// Which thread of it.
    pub queue: Queue,
    /// Which kind.
    pub kind: String,
    /// What happened.
    pub text: String,
    /// More of it.
    pub meta: Option<Map<String, Value>>,
    /// When, unix milliseconds.
    pub created_ms: u64,
}

/// What became of a [`NewEvent`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Queued {
    /// It waits, perhaps in the place, and with the id, of an older one of its subject.
    New(Event),
    /// Its key was seen before; this is the event it named then.
    Repeated(Event),
    /// There is no room, and nothing was stored.
    Full,
    /// There is no room; it was counted in this event, which says how many were left out.
    Collapsed(Event),
}

impl Ledger {
    /// Stores an event.
    pub async fn enqueue_event(&self, new: NewEvent) -> Result<Queued, LedgerError> {
        self.write(|tx| Box::pin(async move { tx.enqueue_event(new).await })).await
    }

    /// Forgets an event: its session was deleted while it was told.
    pub async fn forget_event(&self, id: &str) -> Result<(), LedgerError> {
        let id = id.to_owned();
        self.write(move |tx| {
            Box::pin(async move {
                sqlx::query("DELETE FROM events WHERE id = $1").bind(id).execute(&mut tx.connection).await?;
                Ok(())
            })
        })
        .await
    }
}

impl Queue {
    /// As a column keeps it.
    pub(super) fn as_column(&self) -> &str {
        match self {
            Self::Main => "",
            Self::Thread(thread) => thread.as_str(),
        }
    }

    pub(super) fn from_column(text: &str) -> Result<Self, LedgerError> {
        if text.is_empty() { Ok(Self::Main) } else { Ok(Self::Thread(parse("a thread id", text)?)) }
    }
}

/// The columns that [`read_event`] reads.
macro_rules! columns {
    () => {
        "id, session, queue, kind, text, meta, created_ms"
    };
}
pub(super) use columns;

pub(super) fn read_event(row: &SqliteRow) -> Result<Event, LedgerError> {
    Ok(Event {
        id: row.try_get("id")?,
        session: parse("a session id", row.try_get("session")?)?,
        queue: Queue::from_column(row.try_get("queue")?)?,
        kind: row.try_get("kind")?,
        text: row.try_get("text")?,
        meta: match row.try_get::<Option<&str>, _>("meta")? {
            Some(text) => Some(from_json("what an event says", text)?),
            None => None,
        },
        created_ms: from_sql(row.try_get("created_ms")?),
    })
}

impl Tx {
    /// As [`Ledger::enqueue_event`].
    pub async fn enqueue_event(&mut self, new: NewEvent) -> Result<Queued, LedgerError> {
        if let Some(known) = self.event_of_key(&new).await? {
            return Ok(Queued::Repeated(known));
        }
        if let Some(event) = self.renew_event(&new).await? {
            return Ok(Queued::New(event));
        }
        match (self.has_room(&new).await?, new.source) {
            (true, _) => Ok(Queued::New(self.put_event(&new, 0).await?)),
            (false, Source::Caller) => Ok(Queued::Full),
            (false, Source::Internal) => Ok(Queued::Collapsed(self.omit_event(new).await?)),
        }
    }

    async fn event_of_key(&mut self, new: &NewEvent) -> Result<Option<Event>, LedgerError> {
        let Some(key) = &new.dedupe_key else { return Ok(None) };
        let row = sqlx::query(concat!(
            "SELECT ",
            columns!(),
            " FROM events WHERE session = $1 AND dedupe_key = $2"
        ))
        .bind(new.session.as_str())
        .bind(key)
        .fetch_optional(&mut self.connection)
        .await?;
        row.as_ref().map(read_event).transpose()
    }

    /// Puts it in the place of one of its subject that no turn carries.
    async fn renew_event(&mut self, new: &NewEvent) -> Result<Option<Event>, LedgerError> {
        let Some(subject) = &new.subject else { return Ok(None) };
        let row = sqlx::query(concat!(
            "UPDATE events SET kind = $4, text = $5, meta = $6, dedupe_key = coalesce($7, dedupe_key), created_ms = $8 \
             WHERE seq = (SELECT min(seq) FROM events WHERE session = $1 AND queue = $2 AND subject = $3 \
             AND state = 'waiting' AND submission IS NULL) RETURNING ",
            columns!()
        ))
        .bind(new.session.as_str())
        .bind(new.queue.as_column())
        .bind(subject)
        .bind(&new.kind)
        .bind(&new.text)
        .bind(new.meta.as_ref().map(to_json))
        .bind(&new.dedupe_key)
        .bind(to_sql(self.now_ms()))
        .fetch_optional(&mut self.connection)
        .await?;
        row.as_ref().map(read_event).transpose()
    }

    async fn has_room(&mut self, new: &NewEvent) -> Result<bool, LedgerError> {
        let here: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM events WHERE session = $1 AND queue = $2 AND state = 'waiting'",
        )
        .bind(new.session.as_str())
        .bind(new.queue.as_column())
        .fetch_one(&mut self.connection)
        .await?;
        if here > 0 || new.source == Source::Internal || new.queue == Queue::Main {
            return Ok(here < ROOM);
        }
        // Goes from queue to queue by the index; the events in them are not counted.
        let queues: i64 = sqlx::query_scalar(
            "WITH RECURSIVE used(queue) AS ( \
               SELECT min(queue) FROM events WHERE session = $1 AND state = 'waiting' AND queue > '' \
               UNION ALL SELECT (SELECT min(queue) FROM events WHERE session = $1 AND state = 'waiting' \
                 AND queue > used.queue) FROM used WHERE used.queue IS NOT NULL) \
             SELECT count(queue) FROM used",
        )
        .bind(new.session.as_str())
        .fetch_one(&mut self.connection)
        .await?;
        Ok(queues < QUEUES)
    }

    async fn put_event(&mut self, new: &NewEvent, omitted: i64) -> Result<Event, LedgerError> {
        let now = self.now_ms();
        sqlx::query(
            "INSERT INTO events (id, session, queue, kind, text, meta, dedupe_key, subject, omitted, state, created_ms, since_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'waiting', $10, $10)",
        )
        .bind(&new.id)
        .bind(new.session.as_str())
        .bind(new.queue.as_column())
        .bind(&new.kind)
        .bind(&new.text)
        .bind(new.meta.as_ref().map(to_json))
        .bind(&new.dedupe_key)
        .bind(&new.subject)
        .bind(omitted)
        .bind(to_sql(now))
        .execute(&mut self.connection)
        .await?;
        let NewEvent { id, session, queue, kind, text, meta, .. } = new.clone();
        Ok(Event { id, session, queue, kind, text, meta, created_ms: now })
    }

    /// Counts it with those that found no room since a turn was told of them last.
    async fn omit_event(&mut self, new: NewEvent) -> Result<Event, LedgerError> {
        let before: Option<i64> = sqlx::query_scalar(
            "SELECT omitted FROM events WHERE session = $1 AND queue = $2 AND subject = $3 \
             AND state = 'waiting' AND submission IS NULL",
        )
        .bind(new.session.as_str())
        .bind(new.queue.as_column())
        .bind(OMITTED)
        .fetch_optional(&mut self.connection)
        .await?;
        let count = before.unwrap_or(0).saturating_add(1);
        let told = NewEvent {
            kind: "system".to_owned(),
            text: if count == 1 { "1 event omitted".to_owned() } else { format!("{count} events omitted") },
            meta: None,
            dedupe_key: None,
            subject: Some(OMITTED.to_owned()),
            ..new
        };
        let Some(event) = self.renew_event(&told).await? else {
            return self.put_event(&told, count).await;
        };
        sqlx::query("UPDATE events SET omitted = $2 WHERE id = $1")
            .bind(&event.id)
            .bind(count)
            .execute(&mut self.connection)
            .await?;
        Ok(event)
    }
}
