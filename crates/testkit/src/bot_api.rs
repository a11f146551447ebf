//! A Bot API server for tests: it judges as Telegram does, remembers what the bot did, and fails on order.

mod bringing;
mod chats;
mod commands;
mod entities;
mod fault;
mod files;
mod markup;
mod methods;
mod params;
mod people;
mod reading;
mod record;
mod reply;
mod server;
mod state;
mod updates;
mod uploads;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

pub use self::chats::{Chat, ChatKind, User, UserKind};
pub use self::entities::{Entity, EntityKind, utf16_len};
pub use self::fault::Fault;
pub use self::record::{Action, Answered, Call, Commands, Draft, Preview, Sent, SentFile};
use self::server::Bots;
use self::state::State;
use crate::board::Board;
use crate::loopback::Loopback;

/// A running Bot API server with one bot. It serves from a thread of its own until dropped, so the programs under
/// test may come and go, and a test may block.
#[derive(Debug)]
pub struct BotApi {
    board: Arc<Board<State>>,
    url: String,
    bots: Bots,
    /// Held so that it goes on.
    serving: Arc<Loopback>,
}

/// Starting, and what the programs under test are told.
impl BotApi {
    /// Starts a server for the bot with that token, named `@argus_test_bot`.
    pub fn start(token: &str) -> Self {
        Self::start_at(Ipv4Addr::LOCALHOST.into(), token)
    }

    /// The same on another address of this machine, such as the one by which containers reach it.
    pub fn start_at(host: IpAddr, token: &str) -> Self {
        let me = User::new(id_of(token), "Argus").username("argus_test_bot").bot();
        let board = Arc::new(Board::new(State::new(token, me)));
        let bots = Bots::of(token, Arc::clone(&board));
        let serving = Arc::new(Loopback::serve(host, "bot-api", server::router(bots.clone())));
        let url = format!("http://{}", serving.address());
        Self { board, url, bots, serving }
    }

    /// Another bot at the same address, with chats, updates and faults of its own. The server ends with the last of them.
    #[must_use]
    pub fn another(&self, token: &str, username: &str) -> Self {
        let me = User::new(id_of(token), "Other").username(username).bot();
        let board = Arc::new(Board::new(State::new(token, me)));
        self.bots.add(token, Arc::clone(&board));
        Self { board, url: self.url.clone(), bots: self.bots.clone(), serving: Arc::clone(&self.serving) }
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

/// The account that a token is of.
fn id_of(token: &str) -> i64 {
    token.split(':').next().and_then(|id| id.parse().ok()).unwrap_or(1)
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

    /// Every `nth` call of `method` (`*`: any) meets that fault until [`BotApi::heal`].
    pub fn fail_every(&self, method: &str, nth: usize, fault: Fault) {
        self.board.write(|state| state.faults.every(method, nth, fault));
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

    /// The address that updates are to be posted to; empty without one.
    pub fn webhook(&self) -> String {
        self.board.read(|state| state.webhook.clone())
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
