//! Files that are sent: one, or an album of several.

use std::borrow::Cow;
use std::path::PathBuf;

use argus_protocol::ChatKey;
use teloxide_core::RequestError;
use teloxide_core::requests::Requester as _;
use teloxide_core::types::{
    InputFile, InputMedia, InputMediaAudio, InputMediaDocument, InputMediaPhoto, InputMediaVideo, Message,
    ParseMode,
};

use super::{ChatId, SendError, Telegram, Text, error};

/// As what a file is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A picture to look at.
    Photo,
    /// A film.
    Video,
    /// Music.
    Audio,
    /// A voice message.
    Voice,
    /// A file as it is.
    Document,
}

/// A file to send.
#[derive(Clone, Debug)]
pub struct OutFile<'a> {
    /// What it holds.
    pub content: Content,
    /// The name it is sent with.
    pub name: &'a str,
    /// As what.
    pub kind: FileKind,
    /// What stands below it; empty for nothing.
    pub caption: Text<'a>,
}

/// What a file holds.
#[derive(Clone, Debug)]
pub enum Content {
    /// These bytes.
    Bytes(Vec<u8>),
    /// What a file of this machine holds; it is read while it is sent.
    Path(PathBuf),
}

impl OutFile<'_> {
    fn input(&self) -> InputFile {
        let file = match &self.content {
            Content::Bytes(bytes) => InputFile::memory(bytes.clone()),
            Content::Path(path) => InputFile::file(path),
        };
        file.file_name(Cow::Owned(self.name.to_owned()))
    }

    fn caption(&self) -> (Option<String>, Option<ParseMode>) {
        let (text, mode) = self.caption.parts();
        if text.is_empty() { (None, None) } else { (Some(text.to_owned()), mode) }
    }
}

/// Sets what all of these calls have: the topic and the text below the file.
macro_rules! sent {
    ($request:expr, $to:expr, $caption:expr) => {{
        let mut request = $request;
        request.message_thread_id = $to.topic_to_write_in();
        (request.caption, request.parse_mode) = $caption;
        request.await
    }};
}

impl Telegram {
    /// Sends a file, and answers the message's id.
    pub async fn send_file(&self, chat: &ChatKey, file: &OutFile<'_>) -> Result<String, SendError> {
        let to = ChatId::of_key(chat)?;
        let (bot, input, caption) = (&self.uploads, file.input(), file.caption());
        let sent = match file.kind {
            FileKind::Photo => sent!(bot.send_photo(to.chat(), input), to, caption),
            FileKind::Video => sent!(bot.send_video(to.chat(), input), to, caption),
            FileKind::Audio => sent!(bot.send_audio(to.chat(), input), to, caption),
            FileKind::Voice => sent!(bot.send_voice(to.chat(), input), to, caption),
            FileKind::Document => sent!(bot.send_document(to.chat(), input), to, caption),
        };
        taken(sent.map(|message| vec![message]))
    }

    /// Sends 2 to 10 files of kinds that go together as an album, and answers the first message's id.
    pub async fn send_album(&self, chat: &ChatKey, files: &[OutFile<'_>]) -> Result<String, SendError> {
        let to = ChatId::of_key(chat)?;
        let mut request = self.uploads.send_media_group(to.chat(), files.iter().map(media));
        request.message_thread_id = to.topic_to_write_in();
        taken(request.await)
    }
}

fn media(file: &OutFile<'_>) -> InputMedia {
    let (input, (caption, parse_mode)) = (file.input(), file.caption());
    match file.kind {
        FileKind::Photo => {
            InputMedia::Photo(InputMediaPhoto { caption, parse_mode, ..InputMediaPhoto::new(input) })
        }
        FileKind::Video => {
            InputMedia::Video(InputMediaVideo { caption, parse_mode, ..InputMediaVideo::new(input) })
        }
        FileKind::Audio => {
            InputMedia::Audio(InputMediaAudio { caption, parse_mode, ..InputMediaAudio::new(input) })
        }
        FileKind::Voice | FileKind::Document => {
            InputMedia::Document(InputMediaDocument { caption, parse_mode, ..InputMediaDocument::new(input) })
        }
    }
}

fn taken(sent: Result<Vec<Message>, RequestError>) -> Result<String, SendError> {
    match sent {
        Ok(messages) => {
            let first = messages.first().map(|message| message.id.0.to_string());
            first.ok_or_else(|| SendError::Other("it took no message".to_owned()))
        }
        Err(error) => error::accepted(&error).ok_or_else(|| error::judge(error)),
    }
}
