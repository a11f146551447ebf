//! Which session a chat speaks with.

use argus_protocol::SessionId;
use argus_protocol::argus::chat::Receive;

use super::ChatError;
use super::ports::Turns;

/// The one function from bot, chat and user to a session. There is one scope yet: everybody shares the default session.
pub(super) async fn session(turns: &dyn Turns, _message: &Receive) -> Result<SessionId, ChatError> {
    turns.default_session().await.map_err(ChatError::Sessions)
}
