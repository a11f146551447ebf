//! How an actor begins, with what its last owner left open, and what follows when it ends.

use std::time::Duration;

use argus_protocol::SessionId;
use argus_session::{Restored, Target};
use tokio::sync::{mpsc, oneshot};
use tracing::Instrument;

use super::actor::{Actor, Wires};
use super::asking::Asking;
use super::handle::{Command, LINE, SessionHandle};
use super::keep::Keep;
use super::record;
use super::registry::{Sessions, SessionsParts};
use crate::clock::new_epoch;
use crate::store::history_file::HistoryFile;

/// A session whose actor panicked goes on after this long with what is stored of it.
const AFTER_PANIC: Duration = Duration::from_secs(5);

/// Starts the actor of a session; its first act is to read what its last owner left open.
pub(super) fn begin(id: SessionId, sessions: Sessions) -> SessionHandle {
    let (sender, commands) = mpsc::channel(LINE);
    let span = tracing::info_span!("session", session.id = %id);
    let handle = SessionHandle { id: id.clone(), commands: sender };
    let work = tokio::spawn(own(id.clone(), sessions.clone(), commands).instrument(span));
    tokio::spawn(watch(id, sessions, work));
    handle
}

/// Sees to it that a defect of ours costs a session no more than a pause.
async fn watch(id: SessionId, sessions: Sessions, work: tokio::task::JoinHandle<oneshot::Sender<()>>) {
    match work.await {
        Ok(done) => _ = done.send(()),
        Err(error) => {
            tracing::error!(session.id = %id, %error, "the session's actor failed; please report this");
            tokio::time::sleep(AFTER_PANIC).await;
            match sessions.parts.ledger.open_submissions(&id).await {
                Ok(open) if open.is_empty() => {}
                Ok(_) => _ = sessions.get(&id),
                Err(error) => tracing::error!(session.id = %id, %error, "what was left open cannot be read"),
            }
        }
    }
}

/// Owns a session until it is told to end; whom to tell that it did.
async fn own(id: SessionId, sessions: Sessions, commands: mpsc::Receiver<Command>) -> oneshot::Sender<()> {
    let (restored, file) = loop {
        match restore(&id, &sessions.parts).await {
            Ok(restored) => break restored,
            Err(error) => {
                tracing::error!(error, "what was left open cannot be read yet; it is tried again");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    };
    let (results_in, results) = mpsc::unbounded_channel();
    let (records, ops) = mpsc::unbounded_channel();
    let recorder = record::spawn(id.clone(), sessions.parts.clone(), ops, results_in.clone());
    let (keep, keeper) = Keep::begin(file, results_in.clone());
    let (asking, asker) = Asking::begin(id.clone(), sessions.parts.react.clone(), results_in.clone());
    let wires = Wires { commands, results, results_in, records, asking, keep };
    let mut actor = Actor::new(id, sessions, restored, wires);
    let done = actor.live().await;
    // Whatever was asked to be recorded becomes durable before the end is told.
    drop(actor);
    _ = recorder.await;
    _ = keeper.await;
    asker.finish().await;
    done
}

async fn restore(id: &SessionId, parts: &SessionsParts) -> Result<(Restored, HistoryFile), String> {
    let questions = parts.ledger.open_questions(id).await.map_err(|error| error.to_string())?;
    let mut open = parts.ledger.open_submissions(id).await.map_err(|error| error.to_string())?;
    for left in &mut open {
        // Its chat or its name may have been given a thread after it was stored.
        let bound = match (&left.submission.thread, &left.submission.target) {
            (None, Target::Chat { chat, era }) => parts.ledger.chat_thread(id, chat, *era).await,
            (None, Target::Named { name }) => parts.ledger.named_thread(id, name).await,
            _ => continue,
        };
        left.submission.thread = bound.map_err(|error| error.to_string())?;
    }
    let (histories, session) = (parts.histories.clone(), id.clone());
    let read = tokio::task::spawn_blocking(move || histories.open(&session, &new_epoch()));
    let (history, file) = read.await.map_err(|error| error.to_string())?;
    Ok((Restored { main_thread: parts.state.main_thread(id).await, open, questions, history }, file))
}
