//! Events that the reference kept in `state.json` go where events wait now.

use argus_protocol::SessionId;

use super::Automation;
use crate::clock::new_submission_id;
use crate::store::ledger::{FormerEvent, LedgerError, NewEvent, Queue, Queued, Source};
use crate::store::state_file::{FormerQueue, StateError};

/// The most events of one queue that are taken over, one that tells of the others included.
const MOST: usize = 2000;

/// Why events could not be taken over. Those that were are not taken again.
#[derive(Debug, thiserror::Error)]
#[error("the events that wait in `state.json` cannot be taken over: {0}")]
pub enum TakeOverError {
    /// They cannot be stored.
    Ledger(#[from] LedgerError),
    /// They cannot be taken out of the file.
    State(#[from] StateError),
}

impl Automation {
    /// Takes over what waits there: first it is stored here, then it leaves the file. Where that is broken off in between,
    /// the next start finds it stored already.
    pub async fn take_over_events(&self) -> Result<(), TakeOverError> {
        let parts = &self.0;
        let queues = parts.state.former_queues().await;
        if queues.is_empty() {
            return Ok(());
        }
        for queue in queues {
            let (session, thread) = (queue.session.clone(), queue.thread.clone());
            let main = parts.state.main_thread(&session).await;
            let place =
                if main.as_ref() == Some(&thread) { Queue::Main } else { Queue::Thread(thread.clone()) };
            let stored = parts.ledger.take_over_events(events(queue, &place)).await?;
            let new = stored.iter().filter(|one| matches!(one, Queued::New(_))).count();
            let no_room =
                stored.iter().filter(|one| matches!(one, Queued::Full | Queued::Collapsed(_))).count();
            tracing::info!(
                session.id = %session, thread.id = %thread, new, no_room,
                "events that waited in state.json are taken over"
            );
        }
        argus_crash_point::here("take_over.stored").await;
        Ok(parts.state.empty_former_queues().await?)
    }
}

/// The newest of a queue, and before them one that tells how many older ones are left out.
fn events(queue: FormerQueue, place: &Queue) -> Vec<FormerEvent> {
    let FormerQueue { session, thread, events } = queue;
    let left_out = if events.len() > MOST { events.len() - (MOST - 1) } else { 0 };
    let first_kept = events.get(left_out).filter(|_| left_out > 0);
    let omitted = first_kept.map(|first| {
        tracing::warn!(
            session.id = %session, thread.id = %thread, left_out,
            "of the events that wait in state.json the oldest find no room"
        );
        let text =
            if left_out == 1 { "1 event omitted".to_owned() } else { format!("{left_out} events omitted") };
        let key = format!("v1:omitted:{}", first.id);
        let event = new_event(&session, place, "system".to_owned(), text, key);
        FormerEvent { event, other_id: new_id(), created_ms: first.created_ms }
    });
    let kept = events.iter().skip(left_out).map(|former| {
        let key = format!("v1:{}", former.id);
        let new = new_event(&session, place, former.kind.clone(), former.text.clone(), key);
        let id = if is_an_id(&former.id) { former.id.clone() } else { new.id };
        let event = NewEvent { id, meta: former.meta.clone(), ..new };
        FormerEvent { event, other_id: new_id(), created_ms: former.created_ms }
    });
    omitted.into_iter().chain(kept).collect()
}

fn new_event(session: &SessionId, place: &Queue, kind: String, text: String, key: String) -> NewEvent {
    NewEvent {
        id: new_id(),
        session: session.clone(),
        queue: place.clone(),
        kind,
        text,
        meta: None,
        dedupe_key: Some(key),
        subject: None,
        source: Source::Internal,
    }
}

fn is_an_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn new_id() -> String {
    new_submission_id().to_string()
}
