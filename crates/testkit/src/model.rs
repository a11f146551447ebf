//! A model server that speaks the Responses API, for running the real agent without any account.
//!
//! Without rules it answers by the control words in the last user text: `[say: x]` exactly `x`, `[run: cmd]` a command
//! and then its output, `[outside: cmd]` one that needs leave, `[long: n]` markdown of `n` characters, `[deltas: n size s]`, `[slow: ms]` between deltas,
//! `[think: x]` a reasoning summary, `[hold: gate]` in the middle until the test releases that gate, `[fail: 500]` an
//! HTTP status, `[fail: words]` a failed response in the middle, `[cut]` and `[hang]` in the middle. Anything else is
//! answered by [`echo`].

mod request;
mod script;
mod stream;

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State as Shared};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use self::request::Asked;
pub use self::script::{Failure, Script, Step};
use self::stream::Answer;
use crate::board::Board;
use crate::loopback::Loopback;

/// The longest time anything here waits.
const LONGEST_WAIT: Duration = Duration::from_mins(10);

/// The largest request taken, in bytes.
const LARGEST_REQUEST: usize = 64 * 1024 * 1024;

/// A running model server. It serves from a thread of its own until dropped.
#[derive(Debug)]
pub struct ModelServer {
    board: Arc<Board<State>>,
    url: String,
    _serving: Loopback,
}

#[derive(Debug, Default)]
struct State {
    rules: Vec<(String, Script)>,
    failing_next: VecDeque<Failure>,
    failing: Option<Failure>,
    open_gates: HashSet<String>,
    at_gate: HashMap<String, usize>,
    requests: Vec<Value>,
}

/// What the model says to a text without control words.
pub fn echo(text: &str) -> String {
    format!("You said: {text}")
}

impl ModelServer {
    /// Starts a server.
    pub fn start() -> Self {
        Self::start_at(Ipv4Addr::LOCALHOST.into())
    }

    /// The same on another address of this machine, such as the one by which containers reach it.
    pub fn start_at(host: IpAddr) -> Self {
        let board = Arc::new(Board::new(State::default()));
        let router = Router::new()
            .route("/v1/responses", post(respond))
            .route(
                "/v1/models",
                get(|| async { Json(json!({ "object": "list", "data": [], "models": [] })) }),
            )
            .layer(DefaultBodyLimit::max(LARGEST_REQUEST))
            .with_state(Arc::clone(&board));
        let serving = Loopback::serve(host, "model", router);
        let url = format!("http://{}/v1", serving.address());
        Self { board, url, _serving: serving }
    }

    /// The base URL of the API, ending in `/v1`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A `config.toml` for `$CODEX_HOME` that makes this server the agent's model.
    pub fn codex_config(&self) -> String {
        format!(
            "model = \"gpt-5.2\"\nmodel_provider = \"local\"\n\n[model_providers.local]\nname = \"local\"\n\
             base_url = \"{}\"\nwire_api = \"responses\"\n",
            self.url
        )
    }

    /// The same, and the agent gives up at the first failure instead of trying again for a while.
    pub fn codex_config_without_retries(&self) -> String {
        format!("{}request_max_retries = 0\nstream_max_retries = 0\n", self.codex_config())
    }

    /// When the last user text contains `part`, that script is played. The rule given last wins.
    pub fn on(&self, part: &str, script: Script) {
        self.board.write(|state| state.rules.push((part.to_owned(), script)));
    }

    /// The next request fails; several failures are met in the order they were given.
    pub fn fail_next(&self, failure: Failure) {
        self.board.write(|state| state.failing_next.push_back(failure));
    }

    /// Every request fails until [`ModelServer::heal`].
    pub fn fail_while(&self, failure: Failure) {
        self.board.write(|state| state.failing = Some(failure));
    }

    /// Takes back every ordered failure.
    pub fn heal(&self) {
        self.board.write(|state| {
            state.failing = None;
            state.failing_next.clear();
        });
    }

    /// Closes a gate. Gates are closed from the beginning, so this is only needed after a release.
    pub fn hold(&self, gate: &str) {
        self.board.write(|state| state.open_gates.remove(gate));
    }

    /// Opens a gate for those who wait there, and for all who come later.
    pub fn release(&self, gate: &str) {
        self.board.write(|state| state.open_gates.insert(gate.to_owned()));
    }

    /// Waits until an answer stands at that gate. Panics when `limit` is over.
    pub async fn wait_at(&self, gate: &str, limit: Duration) {
        let standing = |state: &mut State| (*state.at_gate.get(gate)? > 0).then_some(());
        assert!(self.board.wait(limit, standing).await.is_ok(), "nobody came to the gate `{gate}`");
    }

    /// The body of every request to `/v1/responses`, in order.
    pub fn requests(&self) -> Vec<Value> {
        self.board.read(|state| state.requests.clone())
    }

    /// What each request was about: the last user text in it, as the agent sent it.
    pub fn asked(&self) -> Vec<String> {
        self.board.read(|state| state.requests.iter().map(|body| Asked::read(body).text).collect())
    }

    /// Waits until at least `count` requests came, and returns all. Panics when `limit` is over.
    pub async fn wait_requests(&self, count: usize, limit: Duration) -> Vec<Value> {
        let enough = |state: &mut State| (state.requests.len() >= count).then(|| state.requests.clone());
        let came = self.board.wait(limit, enough).await;
        came.unwrap_or_else(|_| panic!("{} requests came, not {count}", self.requests().len()))
    }
}

async fn respond(Shared(board): Shared<Arc<Board<State>>>, Json(body): Json<Value>) -> Response {
    let asked = Asked::read(&body);
    let (number, steps) = board.write(|state| {
        state.requests.push(body);
        let failure = state.failing_next.pop_front().or_else(|| state.failing.clone());
        let steps = match failure {
            Some(failure) => vec![Step::Fail(failure)],
            None => state.script(&asked.text).answer(asked.outputs.len()),
        };
        (state.requests.len(), steps)
    });
    let output = asked.outputs.last().cloned().unwrap_or_default();
    Answer { board, number, steps, output }.begin()
}

impl State {
    fn script(&self, text: &str) -> Script {
        let rule = self.rules.iter().rev().find(|(part, _)| text.contains(part.as_str()));
        rule.map_or_else(|| Script::read(text), |(_, script)| script.clone())
    }
}
