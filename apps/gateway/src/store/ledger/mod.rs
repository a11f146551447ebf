//! The ledger: facts that must survive, in one `SQLite` file with one writer.
//!
//! Whatever is asked of it is durable when it answers. Writes are gathered into transactions by `writer`; reads
//! run beside them. Statements keep to SQL that Postgres takes too.

mod acquaintances;
mod body;
mod chat_settings;
mod codec;
mod cron_runs;
mod cron_threads;
mod error;
mod event_carrying;
mod event_queues;
mod events;
mod former_events;
mod gathered;
mod heartbeats;
mod links;
mod live;
mod moving;
mod named_threads;
mod node_codes;
mod node_questions;
mod nodes;
mod notes;
mod of_chats;
mod open;
mod outbox;
mod pairing;
mod people;
mod questions;
mod received;
mod replies;
mod retention;
mod sending;
mod settling;
mod spoken_in;
mod standing;
mod submissions;
mod threads;
mod tokens;
mod unasked;
mod writer;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use argus_session::Settlement;
use futures::future::BoxFuture;
use sqlx::SqlitePool;
use tokio::sync::watch;

pub use self::acquaintances::{Acquaintance, Waiting};
pub use self::body::{Body, Button, DocumentBody, EditBody, FilesBody, KeptFile, TakeBackBody, TextBody};
pub use self::chat_settings::ChatSettings;
pub use self::cron_runs::{AskedRun, Comes, LeftOut, NewRun};
pub use self::error::LedgerError;
pub use self::event_queues::{Listed, QueueWaiting, Standing};
pub use self::events::{Event, NewEvent, Queue, Queued, Source};
pub use self::former_events::FormerEvent;
pub use self::gathered::{Album, Overheard};
pub use self::heartbeats::{BeatOutcome, Heartbeat, HeartbeatEnd, NewHeartbeat, without_alert};
pub use self::links::Checkpoint;
pub use self::node_codes::{NodeCode, Redeemed};
pub use self::node_questions::{MostAsked, NodeQuestion, NodeQuestionState, Put};
pub use self::nodes::{NodeRow, NodeSaid};
pub use self::notes::note_key;
pub use self::of_chats::{EarlierThread, LastAsked};
pub use self::outbox::{NewRow, Row};
pub use self::pairing::Code;
pub use self::people::{Language, Person, Role, Stranger, Via};
pub use self::questions::{NewQuestion, Question, QuestionState};
pub use self::received::Seen;
pub use self::retention::Pruned;
pub use self::settling::{Settled, Used};
pub use self::standing::OpenLane;
pub use self::submissions::{Known, NewSubmission, Phase, Submitted};
pub use self::tokens::{TokenLimits, TokenRow};
pub use self::unasked::{Allowance, Unasked};
pub use self::writer::Tx;
use self::writer::Writer;
use super::clock::{self, Clock};

/// What people are to be told of an outcome: rows for the outbox, in order.
pub trait Answers: Fn(&Settlement, Language) -> Vec<NewRow> + Send + Sync + 'static {}

impl<T: Fn(&Settlement, Language) -> Vec<NewRow> + Send + Sync + 'static> Answers for T {}

/// The ledger. Clones are handles to the same one.
#[derive(Clone)]
pub struct Ledger(Arc<Inner>);

struct Inner {
    writer: Writer,
    reads: SqlitePool,
    outbox_grew: watch::Receiver<u64>,
}

impl Ledger {
    /// Opens the ledger at `path`, or makes it. `answers` says what [`Ledger::settle`] puts into the outbox.
    ///
    /// A file that is damaged or of a newer version is an error and stays as it is.
    pub async fn open(path: &Path, answers: impl Answers) -> Result<Self, LedgerError> {
        Self::open_with_clock(path, answers, clock::system()).await
    }

    /// [`Ledger::open`] with another clock.
    pub async fn open_with_clock(
        path: &Path,
        answers: impl Answers,
        clock: Clock,
    ) -> Result<Self, LedgerError> {
        let (connection, reads) = open::open(path, &open::MIGRATIONS).await?;
        let (grew, outbox_grew) = watch::channel(0);
        let writer = Writer::start(Tx::new(connection, Box::new(answers), clock), grew);
        Ok(Self(Arc::new(Inner { writer, reads, outbox_grew })))
    }

    /// Stores what was asked so far, then closes the file. Later calls fail with [`LedgerError::Closed`].
    pub async fn close(&self) {
        self.0.writer.close().await;
        self.0.reads.close().await;
    }

    /// Whether a write goes through now.
    pub async fn probe(&self) -> Result<(), LedgerError> {
        self.write(|tx| {
            Box::pin(async move {
                sqlx::query("UPDATE counters SET value = value WHERE name = 'boot'")
                    .execute(&mut tx.connection)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    /// Changes whenever rows were put into the outbox. Whoever holds one is told of what comes after this call.
    pub fn outbox_grew(&self) -> watch::Receiver<u64> {
        let mut grew = self.0.outbox_grew.clone();
        grew.mark_unchanged();
        grew
    }

    /// Runs `work` inside a transaction and answers once it is durable. An error of `work` undoes what it did.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, LedgerError>> + Send + 'static,
    ) -> Result<T, LedgerError> {
        self.0.writer.write(work).await
    }

    fn reads(&self) -> &SqlitePool {
        &self.0.reads
    }
}
