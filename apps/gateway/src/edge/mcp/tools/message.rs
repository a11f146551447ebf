//! `message_send`: text and files for a chat, beside the answer of a turn.

use argus_protocol::argus::deliver::Deliver;
use argus_protocol::argus::input::Source;
use argus_protocol::argus::message::{Send, SendFile};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::super::rpc::cron::reach;
use super::super::answer::{Refusal, Told};
use super::{Call, session_property};

pub(super) const DESCRIPTION: &str = "\
Sends text and files of the workspace to a chat (Telegram). Your usual answer goes to the chat by itself at the end of your \
turn: use this for files, and for what is to be said before or beside it. Without `to` it goes to the chat of this \
conversation, or else to the one that last spoke with the session. It is kept and sent in order even if the gateway is \
started anew; the result says that it is on its way, not that it was read.";

/// The longest text, in bytes.
const LONGEST_TEXT: usize = 256 * 1024;

pub(super) fn schema() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "text": { "type": "string", "maxLength": LONGEST_TEXT, "description": "What to say, as Markdown; it comes before the files" },
            "files": {
                "type": "array", "maxItems": 10, "description": "Files to send; several photos and videos become an album",
                "items": {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["path"],
                    "properties": {
                        "path": { "type": "string", "maxLength": 4096, "description": "Where it is: within the workspace, or its whole path there" },
                        "kind": { "type": "string", "enum": ["photo", "video", "audio", "voice", "document"], "description": "As what it is sent. Left out: by the ending of its name" },
                        "caption": { "type": "string", "maxLength": LONGEST_TEXT, "description": "What is said below it, as Markdown" },
                    }
                }
            },
            "to": { "type": "string", "maxLength": 128, "description": "Which chat, such as `telegram:7`: one that speaks with the session. Usually left out" },
            "idempotencyKey": { "type": "string", "maxLength": 256, "description": "The same key again sends nothing again: give one where you may have to try again" },
            "sessionId": session_property(),
        }
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Arguments {
    text: Option<String>,
    files: Option<Vec<SendFile>>,
    to: Option<String>,
    idempotency_key: Option<String>,
}

pub(super) async fn call(call: Call) -> Result<Told, Refusal> {
    let arguments: Arguments = call.read()?;
    let session = call.session().await?;
    let to = arguments.to.as_deref().map(chat).transpose()?;
    let thread = call.thread.clone().filter(|_| to.is_none());
    let Arguments { text, files, idempotency_key, .. } = arguments;
    let message = Send { text, files: files.unwrap_or_default(), to, idempotency_key, session_id: None };
    let sent = call.edge.sending.send_in(&session, thread, message, reach(&call.caller)).await?;
    let words = match sent.messages {
        0 => "Nothing is sent again: there was a message with this idempotencyKey.".to_owned(),
        1 => "It is on its way, as one message.".to_owned(),
        many => format!("It is on its way, as {many} messages."),
    };
    Ok(Told::new(words, &sent))
}

/// The chat that is named.
fn chat(text: &str) -> Result<Source, Refusal> {
    match text.parse::<Deliver>() {
        Ok(Deliver::Chat { channel, bot: None, chat }) => Ok(Source { channel, chat_key: chat }),
        _ => Err(Refusal::argument("to", "must name a chat such as telegram:7, or be left out")),
    }
}
