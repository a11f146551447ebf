//! The methods of the Bot API that answer at once.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::chats::{Chat, ChatKind};
use super::entities::{Entity, given, trimmed, utf16_len};
use super::markup::parse_html;
use super::params::Params;
use super::record::{Action, Answered, Commands, Draft, Preview, Sent};
use super::reply::Refusal;
use super::state::{State, Strangers};
use super::{files, uploads};

/// The longest text of a message, in UTF-16 units after parsing.
const LONGEST: usize = 4096;

const NOT_MODIFIED: &str = "message is not modified: specified new message content and reply markup are exactly the \
     same as a current content and reply markup of the message";

/// Calls `method` (in lower case), except `getupdates`, which waits.
pub(crate) fn call(state: &mut State, method: &str, params: &Params) -> Result<Value, Refusal> {
    match method {
        "getme" => Ok(me(state)),
        "sendmessage" => send_message(state, params),
        "sendmessagedraft" => send_message_draft(state, params),
        "sendphoto" | "senddocument" | "sendvoice" | "sendaudio" | "sendvideo" | "sendanimation" => {
            uploads::send_file(state, &method[4..], params)
        }
        "sendmediagroup" => uploads::send_album(state, params),
        "getfile" => files::get_file(state, params),
        "editmessagereplymarkup" => edit_buttons(state, params),
        "editmessagetext" => edit_message_text(state, params),
        "deletemessage" => delete_message(state, params),
        "sendchataction" => send_chat_action(state, params),
        "answercallbackquery" => answer_callback_query(state, params),
        "setmycommands" => set_my_commands(state, params),
        "getmycommands" => Ok(my_commands(state, params)),
        "setwebhook" => {
            params.text("url").unwrap_or_default().clone_into(&mut state.webhook);
            Ok(json!(true))
        }
        "deletewebhook" => {
            state.webhook.clear();
            Ok(json!(true))
        }
        "logout" | "close" => Ok(json!(true)),
        "getwebhookinfo" => Ok(json!({ "url": state.webhook, "has_custom_certificate": false,
            "pending_update_count": state.updates.pending() })),
        _ => Err(Refusal::not_found()),
    }
}

/// Seconds since 1970, as the service counts.
pub(crate) fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn me(state: &State) -> Value {
    let mut me = state.me.to_json();
    for (name, value) in [
        ("can_join_groups", true),
        ("can_read_all_group_messages", false),
        ("supports_inline_queries", false),
        ("can_connect_to_business", false),
        ("has_main_web_app", false),
    ] {
        me[name] = json!(value);
    }
    me
}

fn send_message(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    let chat = known_chat(state, params)?;
    let topic = known_topic(state, &chat, params)?;
    let (text, entities) = readable(params)?;
    let reply_to = reply_to(state, &chat, params)?;
    let reply_markup = buttons(params)?;
    let message_id = state.next_message(chat.id);
    let sent = Sent {
        chat_id: chat.id,
        topic,
        message_id,
        text,
        raw_text: params.text("text").unwrap_or_default().to_owned(),
        parse_mode: params.text("parse_mode").map(str::to_owned),
        entities,
        reply_to,
        preview: preview(params),
        reply_markup,
        file: None,
        album: None,
        at: Instant::now(),
    };
    Ok(remember(state, &chat, sent))
}

/// Keeps a message that is taken, and answers with it.
pub(super) fn remember(state: &mut State, chat: &Chat, sent: Sent) -> Value {
    let answer = message_json(state, chat, &sent);
    state.shown.insert((chat.id, sent.message_id), sent.clone());
    state.sent.push(sent);
    answer
}

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

fn edit_buttons(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    let chat = known_chat(state, params)?;
    let message_id = params.number("message_id").unwrap_or_default();
    let Some(before) = state.shown.get(&(chat.id, message_id)).cloned() else {
        return Err(Refusal::bad_request("message to edit not found"));
    };
    let after = Sent { reply_markup: buttons(params)?, at: Instant::now(), ..before.clone() };
    if after.reply_markup == before.reply_markup {
        return Err(Refusal::bad_request(NOT_MODIFIED));
    }
    Ok(edited(state, &chat, after))
}

fn edited(state: &mut State, chat: &Chat, after: Sent) -> Value {
    let mut answer = message_json(state, chat, &after);
    answer["edit_date"] = json!(unix_now());
    state.shown.insert((chat.id, after.message_id), after.clone());
    state.edits.push(after);
    answer
}

fn send_message_draft(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    let chat = known_chat(state, params)?;
    if !matches!(chat.kind, ChatKind::Private { .. }) {
        return Err(Refusal::bad_request("TEXTDRAFT_PEER_INVALID"));
    }
    let topic = params.number("message_thread_id");
    let Some(draft_id) = params.number("draft_id").filter(|id| *id != 0) else {
        return Err(Refusal::bad_request("RANDOM_ID_INVALID"));
    };
    let (text, entities) = readable(params)?;
    state.drafts.push(Draft { chat_id: chat.id, topic, draft_id, text, entities, at: Instant::now() });
    Ok(json!(true))
}

fn edit_message_text(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    let chat = known_chat(state, params)?;
    let message_id = params.number("message_id").unwrap_or_default();
    let Some(before) = state.shown.get(&(chat.id, message_id)).cloned() else {
        return Err(Refusal::bad_request("message to edit not found"));
    };
    if before.file.is_some() {
        return Err(Refusal::bad_request("there is no text in the message to edit"));
    }
    let (text, entities) = readable(params)?;
    let after = Sent {
        text,
        entities,
        raw_text: params.text("text").unwrap_or_default().to_owned(),
        parse_mode: params.text("parse_mode").map(str::to_owned),
        preview: preview(params),
        reply_markup: buttons(params)?,
        at: Instant::now(),
        ..before.clone()
    };
    if (&after.text, &after.entities, &after.reply_markup)
        == (&before.text, &before.entities, &before.reply_markup)
    {
        return Err(Refusal::bad_request(NOT_MODIFIED));
    }
    Ok(edited(state, &chat, after))
}

fn delete_message(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    let chat = known_chat(state, params)?;
    let message_id = params.number("message_id").unwrap_or_default();
    if state.shown.remove(&(chat.id, message_id)).is_none() {
        return Err(Refusal::bad_request("message to delete not found"));
    }
    state.deleted.push((chat.id, message_id));
    Ok(json!(true))
}

fn send_chat_action(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    let chat = known_chat(state, params)?;
    let topic = params.number("message_thread_id");
    let action = params.text("action").unwrap_or_default().to_owned();
    if action.is_empty() {
        return Err(Refusal::bad_request("wrong parameter action in request"));
    }
    state.actions.push(Action { chat_id: chat.id, topic, action, at: Instant::now() });
    Ok(json!(true))
}

fn answer_callback_query(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    let Some(id) = params.text("callback_query_id") else {
        let words = "query is too old and response timeout expired or query ID is invalid";
        return Err(Refusal::bad_request(words));
    };
    let text = params.text("text").map(str::to_owned);
    state.answered.push(Answered { callback_query_id: id.to_owned(), text });
    Ok(json!(true))
}

fn scope_of(params: &Params) -> String {
    let scope = params.json("scope");
    let part = |name| scope.as_ref().and_then(|scope| scope.get(name));
    let named = part("type").and_then(Value::as_str).unwrap_or("default");
    part("chat_id").map_or_else(|| named.to_owned(), |chat| format!("{named}:{chat}"))
}

fn set_my_commands(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    let Some(Value::Array(list)) = params.json("commands") else {
        return Err(Refusal::bad_request("can't parse BotCommand: Expected an Array of BotCommand"));
    };
    let mut read = Vec::new();
    for command in &list {
        let part = |name| command.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (name, description) = (part("command"), part("description"));
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let bare = name.trim_start_matches('/');
        if bare.is_empty() || bare.len() > 32 || !bare.chars().all(plain) {
            return Err(Refusal::bad_request("BOT_COMMAND_INVALID"));
        }
        if description.is_empty() || utf16_len(&description) > 256 {
            return Err(Refusal::bad_request("BOT_COMMAND_DESCRIPTION_INVALID"));
        }
        read.push((bare.to_owned(), description));
    }
    let language = params.text("language_code").map(str::to_owned);
    let scope = scope_of(params);
    state.commands.retain(|known| (&known.language, &known.scope) != (&language, &scope));
    state.commands.push(Commands { language, scope, list: read });
    Ok(json!(true))
}

fn my_commands(state: &State, params: &Params) -> Value {
    let (language, scope) = (params.text("language_code"), scope_of(params));
    let known = state.commands.iter().find(|c| c.language.as_deref() == language && c.scope == scope);
    let list = known.map(|commands| commands.list.as_slice()).unwrap_or_default();
    list.iter()
        .map(|(command, description)| json!({ "command": command, "description": description }))
        .collect()
}

pub(super) fn known_chat(state: &mut State, params: &Params) -> Result<Chat, Refusal> {
    let Some(id) = params.number("chat_id").filter(|id| *id != 0) else {
        return Err(Refusal::bad_request("chat_id is empty"));
    };
    if let Some(supergroup) = state.upgraded.get(&id) {
        return Err(Refusal::migrated(*supergroup));
    }
    if state.blocked.contains(&id) {
        return Err(Refusal::new(403, "Forbidden: bot was blocked by the user".to_owned()));
    }
    if let Some(chat) = state.chats.get(&id) {
        return Ok(chat.clone());
    }
    match state.strangers {
        Strangers::Refused => Err(Refusal::bad_request("chat not found")),
        Strangers::Accepted => {
            let kind = ChatKind::Private { first_name: "stranger".to_owned(), username: None };
            let chat = Chat { id, kind, topic: None };
            state.know(&chat);
            Ok(chat)
        }
    }
}

/// The topic a message names. The general one (1) cannot be named, as in the service.
pub(super) fn known_topic(state: &State, chat: &Chat, params: &Params) -> Result<Option<i64>, Refusal> {
    let Some(topic) = params.number("message_thread_id") else { return Ok(None) };
    let exists = topic != 1 && state.topics.contains(&(chat.id, topic));
    exists.then_some(Some(topic)).ok_or_else(|| Refusal::bad_request("message thread not found"))
}

/// The text as a person reads it, checked.
fn readable(params: &Params) -> Result<(String, Vec<Entity>), Refusal> {
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

fn preview(params: &Params) -> Preview {
    let options = params.json("link_preview_options");
    let old = params.json("disable_web_page_preview");
    let disabled = options.as_ref().and_then(|options| options.get("is_disabled")).or(old.as_ref());
    if disabled.and_then(Value::as_bool) == Some(true) { Preview::Disabled } else { Preview::Shown }
}

fn message_json(state: &State, chat: &Chat, sent: &Sent) -> Value {
    let mut message = json!({
        "message_id": sent.message_id,
        "from": state.me.to_json(),
        "chat": chat.to_json(),
        "date": unix_now(),
    });
    let (text, entities) = if let Some(file) = &sent.file {
        let shown =
            files::shown(&file.kind, &format!("sent-{}", sent.message_id), &file.name, file.bytes.len());
        message[file.kind.as_str()] = shown;
        ("caption", "caption_entities")
    } else {
        ("text", "entities")
    };
    if sent.file.is_none() || !sent.text.is_empty() {
        message[text] = json!(sent.text);
    }
    if let Some(album) = &sent.album {
        message["media_group_id"] = json!(album);
    }
    if !sent.entities.is_empty() {
        message[entities] = sent.entities.iter().map(Entity::to_json).collect();
    }
    if let Some(topic) = sent.topic {
        message["message_thread_id"] = json!(topic);
        message["is_topic_message"] = json!(true);
    }
    if let Some(markup) = sent.reply_markup.as_ref().filter(|m| m.get("inline_keyboard").is_some()) {
        message["reply_markup"] = markup.clone();
    }
    message
}
