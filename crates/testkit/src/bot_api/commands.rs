//! The commands that a bot shows.

use serde_json::{Value, json};

use super::entities::utf16_len;
use super::params::Params;
use super::record::Commands;
use super::reply::Refusal;
use super::state::State;

fn scope_of(params: &Params) -> String {
    let scope = params.json("scope");
    let part = |name| scope.as_ref().and_then(|scope| scope.get(name));
    let named = part("type").and_then(Value::as_str).unwrap_or("default");
    part("chat_id").map_or_else(|| named.to_owned(), |chat| format!("{named}:{chat}"))
}

/// `setMyCommands`.
pub(super) fn set_my_commands(state: &mut State, params: &Params) -> Result<Value, Refusal> {
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

/// `getMyCommands`.
pub(super) fn my_commands(state: &State, params: &Params) -> Value {
    let (language, scope) = (params.text("language_code"), scope_of(params));
    let known = state.commands.iter().find(|c| c.language.as_deref() == language && c.scope == scope);
    let list = known.map(|commands| commands.list.as_slice()).unwrap_or_default();
    list.iter()
        .map(|(command, description)| json!({ "command": command, "description": description }))
        .collect()
}
