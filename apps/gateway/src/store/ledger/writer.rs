//! The one writer: takes what waits, commits it together, answers after the commit.

use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, PoisonError};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use sqlx::{Connection, Executor, SqliteConnection};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{Answers, LedgerError};
use crate::store::clock::Clock;

/// How many jobs wait at most; more callers wait for a place.
const WAITING: usize = 64;
/// How many jobs share one commit at most.
const BATCH: usize = 64;

/// What a job works with: one open transaction.
pub struct Tx {
    pub(super) connection: SqliteConnection,
    pub(super) answers: Box<dyn Answers>,
    pub(super) outbox_grew: bool,
    clock: Clock,
}

impl Tx {
    pub(super) fn new(connection: SqliteConnection, answers: Box<dyn Answers>, clock: Clock) -> Self {
        Self { connection, answers, outbox_grew: false, clock }
    }

    /// Unix milliseconds now.
    pub fn now_ms(&self) -> u64 {
        (self.clock)()
    }

    async fn run(&mut self, statement: &'static str) -> Result<(), LedgerError> {
        self.connection.execute(statement).await?;
        Ok(())
    }
}

/// One piece of work and who waits for it.
trait Job: Send {
    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, Result<(), LedgerError>>;
    fn reply(self: Box<Self>, ended: Result<(), LedgerError>);
}

struct Asked<T, F> {
    work: Option<F>,
    value: Option<T>,
    answer: oneshot::Sender<Result<T, LedgerError>>,
}

impl<T, F> Job for Asked<T, F>
where
    T: Send,
    F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, LedgerError>> + Send,
{
    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, Result<(), LedgerError>> {
        Box::pin(async move {
            let work = self.work.take().ok_or(LedgerError::Closed)?;
            self.value = Some(work(tx).await?);
            Ok(())
        })
    }

    fn reply(self: Box<Self>, ended: Result<(), LedgerError>) {
        // Nobody may be waiting any more; what was done stays done.
        let Self { value, answer, .. } = *self;
        let _ = answer.send(ended.and_then(|()| value.ok_or(LedgerError::Closed)));
    }
}

/// The handle to the writing task. The task ends when this is dropped or closed.
pub(super) struct Writer {
    jobs: mpsc::Sender<Box<dyn Job>>,
    closing: CancellationToken,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(tx: Tx, outbox_grew: watch::Sender<u64>) -> Self {
        let (jobs, waiting) = mpsc::channel(WAITING);
        let closing = CancellationToken::new();
        let task = tokio::spawn(serve(tx, waiting, closing.clone(), outbox_grew));
        Self { jobs, closing, task: Mutex::new(Some(task)) }
    }

    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, LedgerError>> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let (answer, answered) = oneshot::channel();
        let job = Box::new(Asked { work: Some(work), value: None, answer });
        self.jobs.send(job).await.map_err(|_| LedgerError::Closed)?;
        answered.await.map_err(|_| LedgerError::Closed)?
    }

    pub(super) async fn close(&self) {
        self.closing.cancel();
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            let _ = task.await;
        }
    }
}

async fn serve(
    mut tx: Tx,
    mut waiting: mpsc::Receiver<Box<dyn Job>>,
    closing: CancellationToken,
    outbox_grew: watch::Sender<u64>,
) {
    let mut jobs = Vec::with_capacity(BATCH);
    loop {
        let taken = tokio::select! {
            taken = waiting.recv_many(&mut jobs, BATCH) => taken,
            () = closing.cancelled(), if !waiting.is_closed() => {
                waiting.close();
                continue;
            }
        };
        if taken == 0 {
            break;
        }
        commit(&mut tx, &mut jobs, &outbox_grew).await;
    }
    if let Err(error) = tx.connection.close().await {
        tracing::warn!(%error, "the ledger did not close cleanly");
    }
}

/// Runs the jobs in one transaction and answers them. Where it breaks as a whole, all of them fail.
async fn commit(tx: &mut Tx, jobs: &mut Vec<Box<dyn Job>>, outbox_grew: &watch::Sender<u64>) {
    let mut refused = Vec::new();
    refused.resize_with(jobs.len(), || None);
    let committed = transact(tx, jobs, &mut refused).await;
    match &committed {
        Ok(()) if tx.outbox_grew => outbox_grew.send_modify(|times| *times = times.wrapping_add(1)),
        Ok(()) => {}
        Err(error) => {
            tracing::error!(%error, "the ledger could not commit");
            // A full disk has ended the transaction already; then there is nothing to roll back.
            let _ = tx.run("ROLLBACK").await;
        }
    }
    for (job, refused) in jobs.drain(..).zip(refused) {
        job.reply(match refused {
            Some(error) => Err(error),
            None => committed.clone(),
        });
    }
}

async fn transact(
    tx: &mut Tx,
    jobs: &mut [Box<dyn Job>],
    refused: &mut [Option<LedgerError>],
) -> Result<(), LedgerError> {
    tx.outbox_grew = false;
    tx.run("BEGIN IMMEDIATE").await?;
    for (job, refused) in jobs.iter_mut().zip(refused) {
        tx.run("SAVEPOINT job").await?;
        let grew = tx.outbox_grew;
        // Whoever asked for what panics is told so; nobody else has to do without the ledger.
        let ran = AssertUnwindSafe(job.run(tx)).catch_unwind().await;
        if let Err(error) = ran.unwrap_or_else(|_| Err(LedgerError::Panicked)) {
            tx.outbox_grew = grew;
            *refused = Some(error.clone());
            // An error that has ended the whole transaction left no savepoint to go back to.
            tx.run("ROLLBACK TO job").await.map_err(|_| error)?;
        }
        tx.run("RELEASE job").await?;
    }
    tx.run("COMMIT").await
}
