//! `argus/systemEvent/*`: from their parameters to their results, which HTTP gives too.

use argus_protocol::argus::system_event::{
    ENQUEUE, Enqueue, Enqueued, Event, LIST, LISTED, List, Listed, MOST_LISTED, QueueKind, Standing, State,
};
use argus_protocol::{SessionId, ThreadId};

use super::super::Edge;
use super::methods::{Method, read, tell, who};
use super::{May, session_of};
use crate::automation::events::{self, EventError, Queue, Source};

/// Its table.
pub(super) const METHODS: [Method; 2] = [
    Method {
        name: ENQUEUE,
        may: May::Clients,
        register: |module, name| {
            _ = module.register_async_method(name, |params, edge, caller| async move {
                let request: Enqueue = read(&params)?;
                let session =
                    session_of(&edge, &who(&caller)?, request.session_id.as_deref()).await.map_err(tell)?;
                enqueue(&edge, &session, request).await.map_err(|error| tell(error.into()))
            });
        },
    },
    Method {
        name: LIST,
        may: May::Clients,
        register: |module, name| {
            _ = module.register_async_method(name, |params, edge, caller| async move {
                let request: List = read(&params)?;
                let session =
                    session_of(&edge, &who(&caller)?, request.session_id.as_deref()).await.map_err(tell)?;
                list(&edge, &session, request.limit).await.map_err(|error| tell(error.into()))
            });
        },
    },
];

/// Tells a session of an event.
pub(in super::super) async fn enqueue(
    edge: &Edge,
    session: &SessionId,
    request: Enqueue,
) -> Result<Enqueued, EventError> {
    let queue = queue(&request)?;
    let Enqueue { text, kind, meta, idempotency_key, .. } = request;
    let kind = kind.unwrap_or_default();
    let told =
        edge.automation.enqueue_event(session, queue, &kind, &text, meta, idempotency_key, Source::Caller);
    let event = told.await?;
    let thread_id = edge.automation.thread_of(session, &event.queue).await;
    Ok(Enqueued { ok: true, event: shown(event), thread_id })
}

/// What a session is to hear of, and what it heard.
pub(in super::super) async fn list(
    edge: &Edge,
    session: &SessionId,
    limit: Option<u32>,
) -> Result<Listed, EventError> {
    let limit = limit.unwrap_or(LISTED).clamp(1, MOST_LISTED);
    let listed = edge.automation.recent_events(session, limit).await?;
    let main = edge.automation.thread_of(session, &Queue::Main).await;
    let events = listed.into_iter().map(|one| standing(one, main.as_ref())).collect();
    Ok(Listed { session_id: session.clone(), events })
}

fn queue(request: &Enqueue) -> Result<Queue, EventError> {
    let invalid = |words: String| Err(EventError::Invalid(words));
    match (request.target.as_deref().map(str::trim), request.thread_id.as_deref().map(str::trim)) {
        (Some("main"), _) | (None | Some(""), None | Some("")) => Ok(Queue::Main),
        (None | Some(""), Some(thread)) => match thread.parse() {
            Ok(thread) => Ok(Queue::Thread(thread)),
            Err(error) => invalid(format!("'threadId': {error}")),
        },
        (Some(other), _) => invalid(format!("'target' is `{other}`, and only `main` is known")),
    }
}

fn shown(event: events::Event) -> Event {
    let events::Event { id, kind, text, meta, created_ms, .. } = event;
    Event { event_id: id, kind, text, created_at_ms: created_ms, meta }
}

fn standing(one: events::Listed, main: Option<&ThreadId>) -> Standing {
    let (queue, thread_id) = match &one.event.queue {
        Queue::Main => (QueueKind::Main, main.cloned()),
        Queue::Thread(thread) => (QueueKind::Thread, Some(thread.clone())),
    };
    let (state, submission_id, taken_at_ms) = match one.standing {
        events::Standing::Waiting => (State::Waiting, None, None),
        events::Standing::Carried(by) => (State::Carried, Some(by), None),
        events::Standing::Taken { at_ms, by } => (State::Taken, by, Some(at_ms)),
    };
    Standing { event: shown(one.event), queue, thread_id, state, submission_id, taken_at_ms }
}
