//! An answer of our own, as rows of the outbox.

use argus_protocol::argus::chat::Receive;

use super::chat_of;
use crate::store::ledger::{Body, LedgerError, NewRow, TextBody, Tx};

/// Puts an answer (Markdown) to a message into the outbox. One message has one answer.
pub(super) async fn put(tx: &mut Tx, message: &Receive, markdown: &str) -> Result<(), LedgerError> {
    for (number, part) in argus_chat_markup::telegram(markdown).into_iter().enumerate() {
        let row = NewRow {
            dedupe_key: format!(
                "reply:{}:{}:{}:{number}",
                message.channel, message.bot, message.idempotency_key
            ),
            chat: chat_of(message),
            body: Body::Text(TextBody::of(part.html, part.plain)),
        };
        tx.put_out(row).await?;
    }
    Ok(())
}
