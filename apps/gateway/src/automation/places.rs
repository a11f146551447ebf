//! Where people are told of what nobody asked for.

use argus_protocol::SessionId;
use argus_protocol::argus::deliver::Deliver;
use argus_session::ChatRef;

use super::Automation;
use crate::store::ledger::LedgerError;
use crate::telegram::CHANNEL;

impl Automation {
    /// The chat that a place means for that session now; `None` where there is none.
    pub async fn place(&self, session: &SessionId, place: &Deliver) -> Result<Option<ChatRef>, LedgerError> {
        let parts = &self.0;
        match place {
            Deliver::Nowhere => Ok(None),
            Deliver::Home => self.home_of(session).await,
            Deliver::Last => match parts.ledger.last_chat(session).await? {
                Some(chat) => Ok(Some(chat)),
                None => self.home_of(session).await,
            },
            Deliver::Chat { bot, chat, .. } => {
                let bot = bot.clone().or_else(|| parts.bot.clone());
                Ok(bot.map(|bot| ChatRef { channel: CHANNEL.to_owned(), bot, chat: chat.clone() }))
            }
        }
    }

    /// The default session is at home where the first operator is; any other where it was spoken to first. What one
    /// session does is nothing for the chats of another.
    async fn home_of(&self, session: &SessionId) -> Result<Option<ChatRef>, LedgerError> {
        let parts = &self.0;
        if parts.workers.stored_default().await.as_ref() == Some(session)
            && let Some(home) = parts.ledger.home_chat().await?
        {
            return Ok(Some(home));
        }
        match parts.ledger.first_chat(session).await? {
            Some(first) => Ok(Some(first)),
            None => Ok(self.last_of_main(session).await),
        }
    }

    /// Where the main thread was spoken to last before this program kept chats itself: its first bot was the only one.
    async fn last_of_main(&self, session: &SessionId) -> Option<ChatRef> {
        let parts = &self.0;
        let main = parts.state.main_thread(session).await?;
        let (channel, chat) = parts.state.last_active(session, &main).await?;
        let known = ["telegram", "tg"].iter().any(|name| channel.eq_ignore_ascii_case(name));
        let bot = parts.bot.clone().filter(|_| known)?;
        Some(ChatRef { channel: CHANNEL.to_owned(), bot, chat })
    }
}
