//! Which session a client means, and whether its token is for that one.

use argus_protocol::SessionId;
use argus_protocol::token::scope::Scope;

use super::super::Edge;
use super::super::auth::Grant;
use crate::clock::new_session_id;
use crate::sessions::FixedSessions;

/// What a client says of the session it wants.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// `session=`
    pub(super) session: Option<&'a str>,
    /// `id=`, where sessions are those of upstreams.
    pub(super) upstream: Option<&'a str>,
}

/// The close code and the reason.
type Refusal = (u16, &'static str);

const UNKNOWN: Refusal = (1008, "Unknown session");

/// The session that is meant, and whether it was there; a refusal otherwise.
pub(super) async fn choose(
    edge: &Edge,
    grant: &Grant,
    wanted: Wanted<'_>,
) -> Result<(SessionId, bool), Refusal> {
    let barred = |words: &'static str, noted: &str| {
        edge.access.audit().refused(&grant.author(), "/ws", noted);
        Err((1008, words))
    };
    match (grant.scope(), edge.sessions.fixed()) {
        (Scope::Mcp(_) | Scope::Node(_), _) => {
            barred("this token is not for clients", "the token is for something else")
        }
        (Scope::Client(own), fixed) => {
            if !is_own(edge, own, fixed, wanted).await {
                return barred("this token is for another session", "the token is for another session");
            }
            if edge.sessions.knows(own).await { Ok((own.clone(), true)) } else { Err(UNKNOWN) }
        }
        (Scope::Operator, Some(fixed)) => among(fixed, wanted).map(|id| (id, true)),
        (Scope::Operator, None) => of_any(edge, wanted.session).await,
    }
}

/// Whether a client that may only have its own session means that one.
async fn is_own(edge: &Edge, own: &SessionId, fixed: Option<&FixedSessions>, wanted: Wanted<'_>) -> bool {
    match (fixed, wanted) {
        (_, Wanted { session: None, upstream: None }) | (None, Wanted { session: None, .. }) => true,
        (Some(fixed), wanted) => among(fixed, wanted).is_ok_and(|id| id == *own),
        (None, Wanted { session: Some("default"), .. }) => {
            edge.sessions.stored_default().await.as_ref() == Some(own)
        }
        (None, Wanted { session: Some(wish), .. }) => wish == own.as_str(),
    }
}

async fn of_any(edge: &Edge, wish: Option<&str>) -> Result<(SessionId, bool), Refusal> {
    let failed = |error: &dyn std::fmt::Display| {
        tracing::error!(%error, "no session for a client");
        (1011, "Failed to provision upstream container")
    };
    match wish {
        Some("default") => edge.default_session().await.map(|id| (id, true)).map_err(|error| failed(&error)),
        Some(wish) => {
            let id: SessionId = wish.parse().map_err(|_| UNKNOWN)?;
            if edge.sessions.knows(&id).await { Ok((id, true)) } else { Err(UNKNOWN) }
        }
        None => {
            let id = new_session_id();
            edge.sessions.reserve(&id).await.map_err(|error| failed(&error))?;
            Ok((id, false))
        }
    }
}

/// The session of the upstream that is named, or that is meant without a name.
fn among(all: &FixedSessions, wanted: Wanted<'_>) -> Result<SessionId, Refusal> {
    let found = match (wanted.upstream, wanted.session) {
        (Some(id), _) => all.named(id).ok_or("Unknown upstream id"),
        (None, Some("default")) => all.of_chats().ok_or("Unknown session"),
        (None, Some(session)) => all.with_session(session).ok_or("Unknown session"),
        (None, None) => all.unnamed().ok_or("there are several upstreams: name one by id="),
    };
    found.cloned().map_err(|reason| (1008, reason))
}
