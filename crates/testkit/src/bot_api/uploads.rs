//! Files that the bot sends: one by one, or as an album.

use std::time::Instant;

use serde_json::{Value, json};

use super::chats::Chat;
use super::entities::{Entity, utf16_len};
use super::methods::{known_chat, known_topic, remember};
use super::params::{Params, Upload};
use super::reading::{Marked, buttons, reply_to};
use super::record::{Preview, Sent, SentFile};
use super::reply::Refusal;
use super::state::State;

/// The longest text below a file, in UTF-16 units after parsing.
const LONGEST_CAPTION: usize = 1024;
/// The largest photo and the largest other file, in bytes.
const LARGEST_PHOTO: usize = 10 * 1024 * 1024;
const LARGEST: usize = 50 * 1024 * 1024;

/// `sendPhoto`, `sendDocument` … of one file.
pub(super) fn send_file(state: &mut State, kind: &str, params: &Params) -> Result<Value, Refusal> {
    let chat = known_chat(state, params)?;
    let topic = known_topic(state, &chat, params)?;
    let file = file(state, kind, kind, params.values.get(kind), params)?;
    let (raw, mode) = (params.text("caption").unwrap_or_default(), params.text("parse_mode"));
    let marked = Marked { raw, parse_mode: mode, entities: params.json("caption_entities") };
    let sent = Sent {
        reply_to: reply_to(state, &chat, params)?,
        reply_markup: buttons(params)?,
        ..message(&chat, topic, marked, file)?
    };
    let message_id = state.next_message(chat.id);
    Ok(remember(state, &chat, Sent { message_id, ..sent }))
}

/// `sendMediaGroup`: all or nothing.
pub(super) fn send_album(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    let chat = known_chat(state, params)?;
    let topic = known_topic(state, &chat, params)?;
    let Some(Value::Array(media)) = params.json("media") else {
        return Err(Refusal::bad_request("can't parse media JSON object"));
    };
    if !(2..=10).contains(&media.len()) {
        return Err(Refusal::bad_request("there must be 2-10 media in an album"));
    }
    let kinds: Vec<_> = media.iter().filter_map(|one| one["type"].as_str()).collect();
    let looked_at = |kind: &&str| ["photo", "video"].contains(kind);
    let alike = kinds.iter().all(looked_at)
        || ["document", "audio"].iter().any(|kind| kinds.iter().all(|other| other == kind));
    if kinds.len() != media.len() || !alike {
        return Err(Refusal::bad_request("media of these types can't be in one album"));
    }
    let reply_to = reply_to(state, &chat, params)?;
    let mut album = Vec::new();
    for (kind, one) in kinds.iter().zip(&media) {
        let file = file(state, kind, "media", one.get("media"), params)?;
        let (raw, mode) = (one["caption"].as_str().unwrap_or_default(), one["parse_mode"].as_str());
        let marked = Marked { raw, parse_mode: mode, entities: one.get("caption_entities").cloned() };
        album.push(message(&chat, topic, marked, file)?);
    }
    let id = format!("1384{:010}", state.sent.len());
    let mut answers = Vec::new();
    for sent in album {
        let message_id = state.next_message(chat.id);
        answers.push(remember(state, &chat, Sent { message_id, reply_to, album: Some(id.clone()), ..sent }));
    }
    Ok(json!(answers))
}

fn message(chat: &Chat, topic: Option<i64>, marked: Marked<'_>, file: SentFile) -> Result<Sent, Refusal> {
    let (raw_text, parse_mode) = (marked.raw.to_owned(), marked.parse_mode.map(str::to_owned));
    let (text, entities): (String, Vec<Entity>) = marked.read()?;
    if utf16_len(&text) > LONGEST_CAPTION {
        return Err(Refusal::bad_request("message caption is too long"));
    }
    Ok(Sent {
        chat_id: chat.id,
        topic,
        message_id: 0,
        text,
        raw_text,
        parse_mode,
        entities,
        reply_to: None,
        preview: Preview::Shown,
        reply_markup: None,
        file: Some(file),
        album: None,
        at: Instant::now(),
    })
}

/// A file as it came: new, or known by its id.
fn file(
    state: &State,
    kind: &str,
    name: &str,
    value: Option<&Value>,
    params: &Params,
) -> Result<SentFile, Refusal> {
    let value = value.cloned().unwrap_or_default();
    let sent = |name: &str, bytes: &bytes::Bytes| SentFile {
        kind: kind.to_owned(),
        name: name.to_owned(),
        bytes: bytes.clone(),
    };
    let file = match params.upload(name, &value) {
        Some(Upload { name, bytes }) => sent(name, bytes),
        None => match value.as_str().and_then(|id| state.files.bytes(id)) {
            Some(bytes) => sent("", &bytes),
            None => return Err(Refusal::bad_request("wrong remote file identifier specified")),
        },
    };
    let largest = if kind == "photo" { LARGEST_PHOTO } else { LARGEST };
    match file.bytes.len() {
        0 => Err(Refusal::bad_request("file must be non-empty")),
        size if size > largest && kind == "photo" => Err(Refusal::bad_request("PHOTO_INVALID_DIMENSIONS")),
        size if size > largest => Err(Refusal::new(413, "Request Entity Too Large".to_owned())),
        _ => Ok(file),
    }
}
