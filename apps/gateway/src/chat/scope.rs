//! Which session a chat speaks with.

use argus_protocol::argus::chat::Receive;
use argus_protocol::{ChatKey, SessionId};

use super::ChatError;
use super::ports::Turns;
use crate::config::Scope;

/// The one function from bot, chat and user to a session. `chat` is the key that the chat had first.
pub(super) async fn session(
    turns: &dyn Turns,
    scope: Scope,
    message: &Receive,
    chat: &ChatKey,
) -> Result<SessionId, ChatError> {
    let session = match owner(scope, message, chat) {
        None => turns.default_session().await,
        Some(owner) => turns.session_of(&owner).await,
    };
    session.map_err(ChatError::Sessions)
}

/// Whose session it is, in words that no other owner shares; `None` for everybody's.
fn owner(scope: Scope, message: &Receive, chat: &ChatKey) -> Option<String> {
    let (word, id) = match scope {
        Scope::Shared => return None,
        Scope::User => ("user", message.user.id.as_str()),
        Scope::Chat => ("chat", chat.as_str()),
    };
    Some([word, &message.channel, &message.bot, id].join("\0"))
}
