//! Where people are told of what nobody asked for.

use argus_protocol::SessionId;
use argus_protocol::argus::deliver::Deliver;
use argus_session::ChatRef;

use super::Automation;
use crate::store::ledger::LedgerError;
use crate::telegram::CHANNEL;

#[cfg(test)]
mod tests;

impl Automation {
    /// The chat that a place means for that session now; `None` where there is none that one of the bots could write to.
    pub async fn place(&self, session: &SessionId, place: &Deliver) -> Result<Option<ChatRef>, LedgerError> {
        let parts = &self.0;
        match place {
            Deliver::Nowhere => Ok(None),
            Deliver::Home => self.home_of(session).await,
            Deliver::Last => {
                let last = parts.ledger.last_chats(session).await?;
                match last.into_iter().find(|chat| self.is_ours(chat)) {
                    Some(chat) => Ok(Some(chat)),
                    None => self.home_of(session).await,
                }
            }
            Deliver::Chat { bot, chat, .. } => {
                let bot = bot.as_ref().or_else(|| parts.bots.first()).cloned();
                let named = bot.map(|bot| ChatRef { channel: CHANNEL.to_owned(), bot, chat: chat.clone() });
                Ok(named.filter(|chat| self.is_ours(chat)))
            }
        }
    }

    /// Whether one of the bots speaks in that chat; another one's chat would wait for it for ever.
    fn is_ours(&self, chat: &ChatRef) -> bool {
        chat.channel == CHANNEL && self.0.bots.contains(&chat.bot)
    }

    /// The default session is at home where the first operator is; any other where it was spoken to first. What one
    /// session does is nothing for the chats of another.
    async fn home_of(&self, session: &SessionId) -> Result<Option<ChatRef>, LedgerError> {
        let parts = &self.0;
        if parts.workers.stored_default().await.as_ref() == Some(session)
            && let Some(home) = parts.ledger.home_chat().await?.filter(|home| self.is_ours(home))
        {
            return Ok(Some(home));
        }
        let first = parts.ledger.first_chats(session).await?.into_iter().find(|chat| self.is_ours(chat));
        if first.is_some() || parts.ledger.has_chats(session).await? {
            return Ok(first);
        }
        Ok(self.last_of_main(session).await)
    }

    /// Where the main thread was spoken to last before this program kept chats itself: its first bot was the only one.
    async fn last_of_main(&self, session: &SessionId) -> Option<ChatRef> {
        let parts = &self.0;
        let main = parts.state.main_thread(session).await?;
        let (channel, chat) = parts.state.last_active(session, &main).await?;
        let known = ["telegram", "tg"].iter().any(|name| channel.eq_ignore_ascii_case(name));
        let bot = parts.bots.first().cloned().filter(|_| known)?;
        Some(ChatRef { channel: CHANNEL.to_owned(), bot, chat })
    }
}
