//! Each kind of row in the form that the channel takes.

use argus_protocol::argus::message::SendKind;

use super::Parts;
use crate::store::ledger::{
    Body, Button, DocumentBody, EditBody, FilesBody, KeptFile, LedgerError, Row, TakeBackBody, TextBody,
};
use crate::telegram::{Content, FileKind, Message, OutFile, SendError, Text};

/// Sends what a row says. Answers the id of the message that says it now; empty where there was nothing to do.
pub(super) async fn send(parts: &Parts, row: &Row) -> Result<String, SendError> {
    match &row.body {
        Body::Text(body) => text(parts, row, body).await,
        Body::Edit(body) => edit(parts, row, body).await,
        Body::TakeBack(body) => take_back_all(parts, row, body).await,
        Body::Document(body) => document(parts, row, body).await,
        Body::Files(body) => files(parts, row, body).await,
    }
}

/// In the place of the live message where there is one, else as a new message.
async fn text(parts: &Parts, row: &Row, body: &TextBody) -> Result<String, SendError> {
    let said = Said { html: &body.html, plain: &body.plain, buttons: &body.buttons, reply_to: None };
    if let Some(submission) = &body.live {
        parts.live.end(submission);
        if let Some(id) = parts.ledger.live_message(submission).await.map_err(|error| unreadable(&error))? {
            match said.replace(parts, row, &id).await {
                Ok(()) => return Ok(id),
                Err(error) if is_final(&error) => {
                    tracing::warn!(outbox.id = row.id, %error, "the answer comes as a message of its own");
                    take_back(parts, row, &id).await;
                }
                Err(error) => return Err(error),
            }
        }
    }
    Said { reply_to: body.reply_to.as_deref(), ..said }.send(parts, row).await
}

async fn edit(parts: &Parts, row: &Row, body: &EditBody) -> Result<String, SendError> {
    let Some(id) = parts.ledger.sent_message(&body.of).await.map_err(|error| unreadable(&error))? else {
        return Ok(String::new());
    };
    let said = Said { html: &body.html, plain: &body.plain, buttons: &body.buttons, reply_to: None };
    match said.replace(parts, row, &id).await {
        Err(error @ SendError::NoSuchMessage(_)) => {
            tracing::warn!(outbox.id = row.id, %error, "a message stays as it was");
            Ok(id)
        }
        done => done.map(|()| id),
    }
}

/// What is gone already, or too old to go, is as good.
async fn take_back_all(parts: &Parts, row: &Row, body: &TakeBackBody) -> Result<String, SendError> {
    let mut ids = Vec::with_capacity(body.of.len());
    for key in &body.of {
        ids.extend(parts.ledger.sent_message(key).await.map_err(|error| unreadable(&error))?);
    }
    if ids.is_empty() {
        return Ok(String::new());
    }
    match parts.telegram.delete_all(&row.chat.chat, &ids).await {
        Err(error) if is_final(&error) => {
            tracing::debug!(outbox.id = row.id, %error, "messages stay where they are");
            Ok(String::new())
        }
        done => done.map(|()| String::new()),
    }
}

async fn document(parts: &Parts, row: &Row, body: &DocumentBody) -> Result<String, SendError> {
    if let Some(submission) = &body.live {
        parts.live.end(submission);
        if let Some(id) = parts.ledger.live_message(submission).await.map_err(|error| unreadable(&error))? {
            take_back(parts, row, &id).await;
        }
    }
    let file = |caption| OutFile {
        content: Content::Bytes(body.text.clone().into_bytes()),
        name: &body.name,
        kind: FileKind::Document,
        caption,
    };
    let chat = &row.chat.chat;
    match parts.telegram.send_file(chat, &file(Text::Html(&body.html))).await {
        Err(error) if is_about_form(&error) => {
            tracing::warn!(outbox.id = row.id, %error, "sending the file with plain words");
            parts.telegram.send_file(chat, &file(Text::Plain(&body.plain))).await
        }
        sent => sent,
    }
}

/// Files as they are meant; where that is refused with plain words below them, and pictures at last as files.
async fn files(parts: &Parts, row: &Row, body: &FilesBody) -> Result<String, SendError> {
    for file in &body.files {
        if !parts.kept.has(&file.kept) {
            return Err(SendError::Other(format!("the kept file of `{}` is gone", file.name)));
        }
    }
    let ways = [(Marked::Html, false), (Marked::Plain, false), (Marked::Plain, true)];
    let mut refused = SendError::Other("there is no file to send".to_owned());
    for (marked, as_documents) in ways {
        let out: Vec<_> = body.files.iter().map(|file| out_file(parts, file, marked, as_documents)).collect();
        let sent = match out.as_slice() {
            [] => break,
            [file] => parts.telegram.send_file(&row.chat.chat, file).await,
            album => parts.telegram.send_album(&row.chat.chat, album).await,
        };
        match sent {
            Err(error) if is_about_form(&error) => {
                tracing::warn!(outbox.id = row.id, %error, "files are refused in this form");
                refused = error;
            }
            sent => return sent,
        }
    }
    Err(refused)
}

#[derive(Clone, Copy)]
enum Marked {
    Html,
    Plain,
}

fn out_file<'a>(parts: &Parts, file: &'a KeptFile, marked: Marked, as_documents: bool) -> OutFile<'a> {
    let kind = match file.kind {
        _ if as_documents => FileKind::Document,
        SendKind::Photo => FileKind::Photo,
        SendKind::Video => FileKind::Video,
        SendKind::Audio => FileKind::Audio,
        SendKind::Voice => FileKind::Voice,
        SendKind::Document => FileKind::Document,
    };
    let caption = match marked {
        Marked::Html => Text::Html(&file.html),
        Marked::Plain => Text::Plain(&file.plain),
    };
    OutFile { content: Content::Path(parts.kept.path(&file.kept)), name: &file.name, kind, caption }
}

/// A text in both forms, and what goes with it.
#[derive(Clone, Copy)]
struct Said<'a> {
    html: &'a str,
    plain: &'a str,
    buttons: &'a [Vec<Button>],
    reply_to: Option<&'a str>,
}

impl<'a> Said<'a> {
    fn message(&self, text: Text<'a>) -> Message<'a> {
        let row = |row: &'a Vec<Button>| {
            row.iter().map(|button| (button.text.as_str(), button.data.as_str())).collect()
        };
        Message { text, buttons: self.buttons.iter().map(row).collect(), reply_to: self.reply_to }
    }

    /// As a new message: with its mark-up, or without when that is refused.
    async fn send(self, parts: &Parts, row: &Row) -> Result<String, SendError> {
        let chat = &row.chat.chat;
        match parts.telegram.send(chat, self.message(Text::Html(self.html))).await {
            Err(error) if is_about_form(&error) => {
                tracing::warn!(chat.key = %chat, outbox.id = row.id, %error, "sending the text without mark-up");
                parts.telegram.send(chat, self.message(Text::Plain(self.plain))).await
            }
            sent => sent,
        }
    }

    /// In the place of a message. One that says so already is as good.
    async fn replace(self, parts: &Parts, row: &Row, id: &str) -> Result<(), SendError> {
        let chat = &row.chat.chat;
        let edited = match parts.telegram.edit(chat, id, self.message(Text::Html(self.html))).await {
            Err(error) if is_about_form(&error) => {
                tracing::warn!(chat.key = %chat, outbox.id = row.id, %error, "sending the text without mark-up");
                parts.telegram.edit(chat, id, self.message(Text::Plain(self.plain))).await
            }
            edited => edited,
        };
        match edited {
            Err(SendError::NotModified) => Ok(()),
            edited => edited,
        }
    }
}

/// Takes a message back as far as that goes.
async fn take_back(parts: &Parts, row: &Row, id: &str) {
    if let Err(error) = parts.telegram.delete(&row.chat.chat, id).await {
        tracing::debug!(outbox.id = row.id, %error, "a live message stays where it is");
    }
}

/// Whether another form of the same may be taken.
pub(super) fn is_about_form(error: &SendError) -> bool {
    matches!(error, SendError::BadEntities(_) | SendError::TooLong | SendError::Other(_))
}

/// Whether the same would be refused again.
fn is_final(error: &SendError) -> bool {
    is_about_form(error) || matches!(error, SendError::NoSuchMessage(_))
}

fn unreadable(error: &LedgerError) -> SendError {
    SendError::Transient(error.to_string())
}
