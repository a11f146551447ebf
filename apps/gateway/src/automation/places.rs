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
        parts.ledger.first_chat(session).await
    }
}
