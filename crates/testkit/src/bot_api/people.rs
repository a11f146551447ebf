//! What people do: they write, change what they wrote, send files, press buttons, stop the bot.

use bytes::Bytes;
use serde_json::{Value, json};

use super::chats::{Chat, ChatKind, User};
use super::entities::utf16_len;
use super::state::Strangers;
use super::{BotApi, files, methods};

/// What people do.
impl BotApi {
    /// Somebody writes `text` in that chat (and topic). Returns the update's id.
    pub fn push_text(&self, chat: &Chat, from: &User, text: &str) -> i64 {
        self.push_message(chat, from, &json!({ "text": text }))
    }

    /// Somebody changes a message that they wrote. Returns the update's id.
    pub fn push_edit(&self, chat: &Chat, from: &User, message_id: i64, text: &str) -> i64 {
        self.board.write(|state| {
            let now = methods::unix_now();
            state.updates.push(json!({ "edited_message": {
                "message_id": message_id, "from": from.to_json(), "chat": chat.to_json(), "date": now, "edit_date": now,
                "text": text,
            } }))
        })
    }

    /// Keeps a file as if somebody had sent it, and answers its file id.
    pub fn store_file(&self, bytes: impl Into<Bytes>) -> String {
        let bytes = bytes.into();
        self.board.write(|state| state.files.store(bytes))
    }

    /// The service has lost a file: its id means nothing any more.
    pub fn lose_file(&self, file_id: &str) {
        self.board.write(|state| state.files.forget(file_id));
    }

    /// The parts of a message that carries a file: `photo`, `document`, `voice`, `audio`, `video`, `animation`. More
    /// (`caption`, `mime_type` inside …) may be put into it. For [`BotApi::push_message`] and [`BotApi::push_album`].
    pub fn file_parts(&self, kind: &str, name: &str, bytes: impl Into<Bytes>) -> Value {
        let bytes = bytes.into();
        let size = bytes.len();
        let id = self.store_file(bytes);
        json!({ kind: files::shown(kind, &id, name, size) })
    }

    /// Somebody sends several files as one album: a message for each, with the same group. Returns the updates' ids.
    pub fn push_album(&self, chat: &Chat, from: &User, group: &str, parts: &[Value]) -> Vec<i64> {
        let push = |part: &Value| {
            let mut part = part.clone();
            part["media_group_id"] = json!(group);
            self.push_message(chat, from, &part)
        };
        parts.iter().map(push).collect()
    }

    /// The number of the newest message in a chat, the people's and the bot's together.
    pub fn last_message(&self, chat: &Chat) -> i64 {
        self.board.read(|state| state.last_said(chat.id))
    }

    /// Somebody deletes a message of the bot.
    pub fn remove(&self, chat: &Chat, message_id: i64) {
        self.board.write(|state| state.shown.remove(&(chat.id, message_id)));
    }

    /// The person stops the bot: whatever it says there is refused with 403.
    pub fn block(&self, chat: &Chat) {
        self.board.write(|state| state.blocked.insert(chat.id));
    }

    /// The person lets the bot speak again.
    pub fn unblock(&self, chat: &Chat) {
        self.board.write(|state| state.blocked.remove(&chat.id));
    }

    /// The chat is deleted: nobody finds it any more.
    pub fn delete_chat(&self, chat: &Chat) {
        self.board.write(|state| state.chats.remove(&chat.id));
    }

    /// Somebody sends a message made of `parts` (`text`, `caption`, `photo`, `reply_to_message` …). A text that begins
    /// with `/` gets its `bot_command` entity, as clients do.
    pub fn push_message(&self, chat: &Chat, from: &User, parts: &Value) -> i64 {
        self.board.write(|state| {
            state.know(chat);
            let mut message = json!({
                "message_id": state.next_message(chat.id),
                "from": from.to_json(),
                "chat": chat.to_json(),
                "date": methods::unix_now(),
            });
            if let Some(topic) = chat.topic.filter(|topic| *topic != 1) {
                message["message_thread_id"] = json!(topic);
                message["is_topic_message"] = json!(true);
            }
            for (name, value) in parts.as_object().into_iter().flatten() {
                message[name] = value.clone();
            }
            let text = message.get("text").and_then(Value::as_str).unwrap_or_default();
            if let Some(command) = text.split_whitespace().next().filter(|_| text.starts_with('/')) {
                let length = utf16_len(command);
                message["entities"] = json!([{ "type": "bot_command", "offset": 0, "length": length }]);
            }
            state.updates.push(json!({ "message": message }))
        })
    }

    /// The group becomes a supergroup with the id `to` (it starts with -100), which is returned. Both chats get their
    /// service message, and the old one takes nothing any more.
    pub fn upgrade(&self, group: &Chat, to: i64) -> Chat {
        let title = match &group.kind {
            ChatKind::Group { title } | ChatKind::Supergroup { title } | ChatKind::Forum { title } => title,
            ChatKind::Private { first_name, .. } => first_name,
        };
        let supergroup = Chat::supergroup(to, title);
        let anonymous = User::new(1_087_968_824, "Group").username("GroupAnonymousBot").bot();
        self.push_message(group, &anonymous, &json!({ "migrate_to_chat_id": to }));
        self.push_message(&supergroup, &anonymous, &json!({ "migrate_from_chat_id": group.id }));
        self.board.write(|state| state.upgraded.insert(group.id, to));
        supergroup
    }

    /// Somebody presses a button of a message that the bot sent. Returns the update's id and the press's.
    pub fn push_press(&self, chat: &Chat, from: &User, message_id: i64, data: &str) -> (i64, String) {
        self.board.write(|state| {
            let press = state.next_press();
            let update = state.updates.push(json!({ "callback_query": {
                "id": press,
                "from": from.to_json(),
                "message": { "message_id": message_id, "chat": chat.to_json(), "from": state.me.to_json(),
                    "date": methods::unix_now(), "text": state.shown.get(&(chat.id, message_id))
                        .map(|sent| sent.text.clone()).unwrap_or_default() },
                "chat_instance": "1",
                "data": data,
            } }));
            (update, press)
        })
    }

    /// Any update; `update_id` is filled in when it is missing. Chats in it are not made known by this.
    pub fn push_raw(&self, update: Value) -> i64 {
        self.board.write(|state| state.updates.push(update))
    }

    /// The bot may write to that chat (and topic) without anybody having written there.
    pub fn know(&self, chat: &Chat) {
        self.board.write(|state| state.know(chat));
    }

    /// From now on messages to chats nobody has written from are accepted instead of refused.
    pub fn accept_unknown_chats(&self) {
        self.board.write(|state| state.strangers = Strangers::Accepted);
    }
}
