//! Which session a chat speaks with.

use argus_protocol::{ChatKey, SessionId};

use super::ports::Turns;
use super::{ChatError, Spoken};
use crate::config::Scope;

/// The one function from bot, chat and user to a session. `chat` is the key that the chat had first.
pub(super) async fn session(
    turns: &dyn Turns,
    scope: Scope,
    by: &Spoken,
    chat: &ChatKey,
) -> Result<SessionId, ChatError> {
    let session = match owner(scope, by, chat) {
        None => turns.default_session().await,
        Some(owner) => turns.session_of(&owner).await,
    };
    session.map_err(ChatError::Sessions)
}

/// Whose session it is, in words that no other owner shares; `None` for everybody's.
fn owner(scope: Scope, by: &Spoken, chat: &ChatKey) -> Option<String> {
    let (word, id) = match scope {
        Scope::Shared => return None,
        Scope::User => ("user", by.user.id.as_str()),
        Scope::Chat => ("chat", chat.as_str()),
    };
    Some([word, &by.chat.channel, &by.chat.bot, id].join("\0"))
}
