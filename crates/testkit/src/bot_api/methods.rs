//! The methods of the Bot API that answer at once.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::chats::{Chat, ChatKind};
use super::commands::{my_commands, set_my_commands};
use super::entities::Entity;
use super::params::Params;
use super::reading::{buttons, preview, readable, reply_to};
use super::record::{Action, Answered, Draft, Sent};
use super::reply::Refusal;
use super::state::{State, Strangers};
use super::{files, uploads};

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
        "deletemessages" => delete_messages(state, params),
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

/// Those that are there.
fn delete_messages(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    let chat = known_chat(state, params)?;
    let ids = params.json("message_ids").unwrap_or_default();
    for id in ids.as_array().into_iter().flatten().filter_map(Value::as_i64) {
        if state.shown.remove(&(chat.id, id)).is_some() {
            state.deleted.push((chat.id, id));
        }
    }
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
