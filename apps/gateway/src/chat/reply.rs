//! An answer of our own, as rows of the outbox.

use argus_protocol::argus::chat::Receive;
use argus_session::ChatRef;

use super::chat_of;
use crate::store::ledger::{Body, Button, LedgerError, NewRow, TextBody, Tx};

/// Puts an answer (Markdown) to a message into the outbox. One message has one answer.
pub(super) async fn put(tx: &mut Tx, message: &Receive, markdown: &str) -> Result<(), LedgerError> {
    put_menu(tx, message, markdown, Vec::new()).await
}

/// The same with buttons below it.
pub(super) async fn put_menu(
    tx: &mut Tx,
    message: &Receive,
    markdown: &str,
    buttons: Vec<Vec<Button>>,
) -> Result<(), LedgerError> {
    let key = name(message);
    rows(tx, &chat_of(message), &key, None, markdown, buttons).await
}

/// Puts a text (Markdown) into the outbox of a chat, once for each `key`.
pub(super) async fn put_once(
    tx: &mut Tx,
    chat: &ChatRef,
    key: &str,
    reply_to: Option<&str>,
    markdown: &str,
) -> Result<(), LedgerError> {
    rows(tx, chat, key, reply_to, markdown, Vec::new()).await
}

/// The name of what answers a message.
pub(super) fn name(message: &Receive) -> String {
    format!("reply:{}:{}:{}", message.channel, message.bot, message.idempotency_key)
}

async fn rows(
    tx: &mut Tx,
    chat: &ChatRef,
    key: &str,
    reply_to: Option<&str>,
    markdown: &str,
    mut buttons: Vec<Vec<Button>>,
) -> Result<(), LedgerError> {
    let parts = argus_chat_markup::telegram(markdown);
    let last = parts.len().saturating_sub(1);
    for (number, part) in parts.into_iter().enumerate() {
        let body = TextBody {
            buttons: if number == last { std::mem::take(&mut buttons) } else { Vec::new() },
            reply_to: reply_to.map(str::to_owned),
            ..TextBody::of(part.html, part.plain)
        };
        let row =
            NewRow { dedupe_key: format!("{key}:{number}"), chat: chat.clone(), body: Body::Text(body) };
        tx.put_out(row).await?;
    }
    Ok(())
}
