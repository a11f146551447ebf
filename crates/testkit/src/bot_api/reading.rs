//! What a call says of a message: its text, its buttons, what it answers.

use serde_json::{Value, json};

use super::chats::Chat;
use super::entities::{Entity, given, trimmed, utf16_len};
use super::markup::parse_html;
use super::params::Params;
use super::record::Preview;
use super::reply::Refusal;
use super::state::State;

/// The longest text of a message, in UTF-16 units after parsing.
const LONGEST: usize = 4096;

/// The message that this one answers; one that does not exist is an error unless that is allowed.
pub(super) fn reply_to(state: &State, chat: &Chat, params: &Params) -> Result<Option<i64>, Refusal> {
    let reply = params.json("reply_parameters");
    let named = reply.as_ref().and_then(|reply| reply.get("message_id").and_then(Value::as_i64));
    let Some(id) = named.or_else(|| params.number("reply_to_message_id")) else { return Ok(None) };
    if state.was_said(chat.id, id) {
        return Ok(Some(id));
    }
    let allowed = reply.as_ref().and_then(|reply| reply.get("allow_sending_without_reply")).cloned();
    match allowed.or_else(|| params.json("allow_sending_without_reply")) {
        Some(Value::Bool(true)) => Ok(None),
        _ => Err(Refusal::bad_request("message to be replied not found")),
    }
}

/// Buttons and the like, checked as far as a bot can err with them.
pub(super) fn buttons(params: &Params) -> Result<Option<Value>, Refusal> {
    let Some(markup) = params.json("reply_markup") else { return Ok(None) };
    let rows = markup.get("inline_keyboard").and_then(Value::as_array);
    for button in rows.into_iter().flatten().filter_map(Value::as_array).flatten() {
        if button.get("text").and_then(Value::as_str).is_none_or(str::is_empty) {
            return Err(Refusal::bad_request(
                "can't parse inline keyboard button: Text buttons are unallowed",
            ));
        }
        let data = button.get("callback_data").and_then(Value::as_str);
        if data.is_some_and(|data| data.is_empty() || data.len() > 64) {
            return Err(Refusal::bad_request("BUTTON_DATA_INVALID"));
        }
    }
    Ok(Some(markup))
}

/// The text as a person reads it, checked.
pub(super) fn readable(params: &Params) -> Result<(String, Vec<Entity>), Refusal> {
    let Some(raw) = params.text("text") else {
        return Err(Refusal::bad_request("message text is empty"));
    };
    let marked = Marked { raw, parse_mode: params.text("parse_mode"), entities: params.json("entities") };
    let (text, entities) = marked.read()?;
    if text.is_empty() {
        return Err(Refusal::bad_request("message text is empty"));
    }
    if utf16_len(&text) > LONGEST {
        return Err(Refusal::bad_request("message is too long"));
    }
    Ok((text, entities))
}

/// A text and how it is marked.
pub(super) struct Marked<'a> {
    pub(super) raw: &'a str,
    pub(super) parse_mode: Option<&'a str>,
    pub(super) entities: Option<Value>,
}

impl Marked<'_> {
    /// As a person reads it; its length is not looked at.
    pub(super) fn read(self) -> Result<(String, Vec<Entity>), Refusal> {
        let Self { raw, parse_mode, entities } = self;
        let (text, entities) = match parse_mode {
            None => {
                let marked = entities.unwrap_or_else(|| json!([]));
                let entities = given(raw, &marked).map_err(|words| Refusal::bad_request(&words))?;
                (raw.to_owned(), entities)
            }
            Some(mode) if mode.eq_ignore_ascii_case("html") => {
                let unparsable = |words| Refusal::bad_request(&format!("can't parse entities: {words}"));
                let parsed = parse_html(raw).map_err(unparsable)?;
                (parsed.text, parsed.entities)
            }
            Some(_) => return Err(Refusal::bad_request("unsupported parse_mode")),
        };
        Ok(trimmed(&text, entities))
    }
}

/// Whether links show a preview.
pub(super) fn preview(params: &Params) -> Preview {
    let options = params.json("link_preview_options");
    let old = params.json("disable_web_page_preview");
    let disabled = options.as_ref().and_then(|options| options.get("is_disabled")).or(old.as_ref());
    if disabled.and_then(Value::as_bool) == Some(true) { Preview::Disabled } else { Preview::Shown }
}
