//! Which upstream a client means, where sessions are those of agents that run already.

use argus_protocol::SessionId;

use crate::sessions::FixedSessions;

/// The session of the upstream that a client names, or that is meant without a name; a close code and reason otherwise.
pub(super) fn choose(
    all: &FixedSessions,
    id: Option<&str>,
    session: Option<&str>,
) -> Result<SessionId, (u16, &'static str)> {
    let found = match (id, session) {
        (Some(id), _) => all.named(id).ok_or("Unknown upstream id"),
        (None, Some("default")) => all.of_chats().ok_or("Unknown session"),
        (None, Some(session)) => all.with_session(session).ok_or("Unknown session"),
        (None, None) => all.unnamed().ok_or("there are several upstreams: name one by id="),
    };
    found.cloned().map_err(|reason| (1008, reason))
}
