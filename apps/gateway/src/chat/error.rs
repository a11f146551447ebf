//! Why a message could not be taken. Its sender should offer it again.

use argus_protocol::RpcError;

use crate::store::ledger::LedgerError;

/// Nothing of the message was stored.
#[derive(Debug, thiserror::Error)]
pub enum ChatError {
    /// It could not be stored.
    #[error("the message could not be stored: {0}")]
    Ledger(#[from] LedgerError),
    /// There is no session for it.
    #[error("there is no session for the message: {0}")]
    Sessions(String),
    /// Nobody would ever read an answer.
    #[error(
        "this gateway sends nothing as {channel} bot `{bot}`, so no answer would arrive: start it with the \
         TELEGRAM_BOT_TOKEN of that bot"
    )]
    Unanswerable {
        /// The channel.
        channel: String,
        /// Which bot of it.
        bot: String,
    },
    /// It is not a message.
    #[error("{0}")]
    Invalid(String),
}

impl From<ChatError> for RpcError {
    fn from(error: ChatError) -> Self {
        let text = error.to_string();
        match error {
            ChatError::Invalid(_) => Self::invalid_params(text),
            ChatError::Ledger(_) | ChatError::Sessions(_) | ChatError::Unanswerable { .. } => {
                Self::failed(text)
            }
        }
    }
}
