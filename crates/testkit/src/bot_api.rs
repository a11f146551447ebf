//! A Bot API server for tests: it judges as Telegram does, remembers what the bot did, and fails on order.

mod chats;
mod entities;
mod fault;
mod markup;
mod methods;
mod params;
mod record;
mod reply;
mod server;
mod state;
mod updates;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

pub use self::chats::{Chat, ChatKind, User, UserKind};
pub use self::entities::{Entity, EntityKind, utf16_len};
pub use self::fault::Fault;
pub use self::record::{Action, Answered, Call, Commands, Draft, Preview, Sent};
use self::state::{State, Strangers};
use crate::board::Board;
use crate::loopback::Loopback;

/// A running Bot API server with one bot. It serves from a thread of its own until dropped, so the programs under
/// test may come and go, and a test may block.
#[derive(Debug)]
pub struct BotApi {
    board: Arc<Board<State>>,
    url: String,
    _serving: Loopback,
}

/// Starting, and what the programs under test are told.
impl BotApi {
    /// Starts a server for the bot with that token, named `@argus_test_bot`.
    pub fn start(token: &str) -> Self {
        Self::start_at(Ipv4Addr::LOCALHOST.into(), token)
    }

    /// The same on another address of this machine, such as the one by which containers reach it.
    pub fn start_at(host: IpAddr, token: &str) -> Self {
        let me = User::new(4_242_424_242, "Argus").username("argus_test_bot").bot();
        let board = Arc::new(Board::new(State::new(token, me)));
        let serving = Loopback::serve(host, "bot-api", server::router(Arc::clone(&board)));
        let url = format!("http://{}", serving.address());
        Self { board, url, _serving: serving }
    }

    /// The base to set as `TELEGRAM_API_URL`: calls go to `<url>/bot<token>/<method>`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The bot's token.
    pub fn token(&self) -> String {
        self.board.read(|state| state.token.clone())
    }

    /// The bot's own account.
    pub fn me(&self) -> User {
        self.board.read(|state| state.me.clone())
    }
}

/// What people do.
impl BotApi {
    /// Somebody writes `text` in that chat (and topic). Returns the update's id.
    pub fn push_text(&self, chat: &Chat, from: &User, text: &str) -> i64 {
        self.push_message(chat, from, &json!({ "text": text }))
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

/// What goes wrong.
impl BotApi {
    /// The next call of `method` meets that fault; several are met in the order they were given. `*` is any method.
    pub fn fail_next(&self, method: &str, fault: Fault) {
        self.board.write(|state| state.faults.order(method, fault));
    }

    /// Every call of `method` (`*`: any) meets that fault until [`BotApi::heal`].
    pub fn fail_while(&self, method: &str, fault: Fault) {
        self.board.write(|state| state.faults.stand(method, fault));
    }

    /// Takes back every fault ordered for `method`.
    pub fn heal(&self, method: &str) {
        self.board.write(|state| state.faults.heal(method));
    }

    /// How many faults given by [`BotApi::fail_next`] have not been met yet.
    pub fn faults_waiting(&self, method: &str) -> usize {
        self.board.read(|state| state.faults.waiting(method))
    }
}

/// What the bot did.
impl BotApi {
    /// Every message sent, in order, as it was when sent.
    pub fn sent(&self) -> Vec<Sent> {
        self.board.read(|state| state.sent.clone())
    }

    /// Every message sent to that chat, in order.
    pub fn sent_to(&self, chat: &Chat) -> Vec<Sent> {
        self.board.read(|state| state.sent.iter().filter(|sent| sent.chat_id == chat.id).cloned().collect())
    }

    /// What that chat shows now: edits applied, deleted messages gone, people's own messages left out.
    pub fn shown_in(&self, chat: &Chat) -> Vec<Sent> {
        self.board.read(|state| {
            let range = (chat.id, i64::MIN)..=(chat.id, i64::MAX);
            state.shown.range(range).map(|(_, sent)| sent.clone()).collect()
        })
    }

    /// Every edit, in order, as the message was after it.
    pub fn edits(&self) -> Vec<Sent> {
        self.board.read(|state| state.edits.clone())
    }

    /// Chat and message of everything deleted.
    pub fn deleted(&self) -> Vec<(i64, i64)> {
        self.board.read(|state| state.deleted.clone())
    }

    /// Every draft, in order, each state of it.
    pub fn drafts(&self) -> Vec<Draft> {
        self.board.read(|state| state.drafts.clone())
    }

    /// Every chat action, in order.
    pub fn actions(&self) -> Vec<Action> {
        self.board.read(|state| state.actions.clone())
    }

    /// The commands set, one entry for each language and scope.
    pub fn commands(&self) -> Vec<Commands> {
        self.board.read(|state| state.commands.clone())
    }

    /// Presses of buttons that were acknowledged.
    pub fn answered(&self) -> Vec<Answered> {
        self.board.read(|state| state.answered.clone())
    }

    /// Every call with the right token, met by a fault or not.
    pub fn calls(&self) -> Vec<Call> {
        self.board.read(|state| state.calls.clone())
    }

    /// The calls of one method.
    pub fn calls_of(&self, method: &str) -> Vec<Call> {
        let method = method.to_ascii_lowercase();
        self.board.read(|state| state.calls.iter().filter(|call| call.method == method).cloned().collect())
    }

    /// The highest offset the bot asked with: every update below it is confirmed. Before the first call it is the id
    /// that the first update will have.
    pub fn confirmed_offset(&self) -> i64 {
        self.board.read(|state| state.updates.confirmed())
    }

    /// How many updates the bot has not confirmed.
    pub fn pending_updates(&self) -> usize {
        self.board.read(|state| state.updates.pending())
    }
}

/// Waiting. Each of these panics with what there was instead when `limit` is over.
impl BotApi {
    /// Waits until at least `count` messages are sent in all, and returns them.
    pub async fn wait_sent(&self, count: usize, limit: Duration) -> Vec<Sent> {
        self.wait_until(&format!("{count} messages"), limit, |sent| sent.len() >= count).await
    }

    /// Waits until `enough` of what was sent holds, and returns all that was sent.
    pub async fn wait_sent_until(&self, limit: Duration, enough: impl FnMut(&[Sent]) -> bool) -> Vec<Sent> {
        self.wait_until("the messages asked for", limit, enough).await
    }

    /// Waits until one message holds `part` in its visible text, and returns the first such.
    pub async fn wait_text(&self, part: &str, limit: Duration) -> Sent {
        let fits = |sent: &Sent| sent.text.contains(part);
        let what = format!("a message with {part:?}");
        let all = self.wait_until(&what, limit, |sent| sent.iter().any(fits)).await;
        all.into_iter().find(fits).expect("the wait ended because there is one")
    }

    /// Waits until every update below `offset` is confirmed.
    pub async fn wait_confirmed(&self, offset: i64, limit: Duration) {
        let confirmed =
            self.board.wait(limit, |state| (state.updates.confirmed() >= offset).then_some(())).await;
        assert!(confirmed.is_ok(), "not confirmed up to {offset}, only to {}", self.confirmed_offset());
    }

    /// Waits until `method` was called at least `count` times.
    pub async fn wait_calls(&self, method: &str, count: usize, limit: Duration) -> Vec<Call> {
        let name = method.to_ascii_lowercase();
        let enough = |state: &mut State| {
            (state.calls.iter().filter(|c| c.method == name).count() >= count).then_some(())
        };
        let came = self.board.wait(limit, enough).await;
        let calls = self.calls_of(method);
        assert!(came.is_ok(), "`{method}` was called {} times, not {count}", calls.len());
        calls
    }

    async fn wait_until(
        &self,
        what: &str,
        limit: Duration,
        mut enough: impl FnMut(&[Sent]) -> bool,
    ) -> Vec<Sent> {
        let found = self.board.wait(limit, |state| enough(&state.sent).then(|| state.sent.clone())).await;
        found.unwrap_or_else(|_| {
            let shorts: Vec<_> = self
                .sent()
                .iter()
                .map(|s| (s.chat_id, s.text.chars().take(200).collect::<String>()))
                .collect();
            panic!("{what} did not come within {limit:?}; sent were {shorts:#?}")
        })
    }
}
