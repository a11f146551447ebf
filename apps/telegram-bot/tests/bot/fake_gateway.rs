//! A gateway of a few lines: it remembers what it is told and answers as ordered.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

/// How a message is answered, instead of being taken.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// A JSON-RPC error.
    Error(i32),
    /// Only a status.
    Status(u16),
}

/// What came in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    /// Messages taken.
    pub(crate) taken: Vec<Value>,
    /// How many were not.
    pub(crate) refused: usize,
    /// Presses taken.
    pub(crate) presses: Vec<Value>,
    /// How receiving stands, as reported.
    pub(crate) reports: Vec<Value>,
}

struct Desk {
    log: watch::Sender<Log>,
    answers: Mutex<VecDeque<Answer>>,
    shut: AtomicBool,
    token: String,
}

/// Served until dropped.
pub(crate) struct FakeGateway {
    desk: Arc<Desk>,
    url: String,
    _serving: DropGuard,
}

impl FakeGateway {
    /// Starts one that takes this token.
    pub(crate) async fn start(token: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let desk = Arc::new(Desk {
            log: watch::Sender::new(Log::default()),
            answers: Mutex::default(),
            shut: AtomicBool::new(false),
            token: token.to_owned(),
        });
        let router = Router::new().route("/rpc", post(answer)).with_state(Arc::clone(&desk));
        let stop = CancellationToken::new();
        let serving = axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
        tokio::spawn(serving.into_future());
        Self { desk, url, _serving: stop.drop_guard() }
    }

    /// Its base address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The next messages are answered like this, in this order; later ones are taken.
    pub(crate) fn answer_next(&self, answers: impl IntoIterator<Item = Answer>) {
        self.desk.answers.lock().unwrap().extend(answers);
    }

    /// Takes nothing until [`FakeGateway::open`].
    pub(crate) fn shut(&self) {
        self.desk.shut.store(true, Ordering::SeqCst);
    }

    /// Takes messages again.
    pub(crate) fn open(&self) {
        self.desk.shut.store(false, Ordering::SeqCst);
    }

    /// Waits until `enough` of what came holds.
    pub(crate) async fn wait(&self, what: &str, mut enough: impl FnMut(&Log) -> bool) -> Log {
        let mut log = self.desk.log.subscribe();
        let found = tokio::time::timeout(Duration::from_secs(20), log.wait_for(|log| enough(log))).await;
        let Ok(found) = found else { panic!("{what} did not come, but {:#?}", self.log()) };
        found.unwrap().clone()
    }

    /// The texts taken so far, once there are that many.
    pub(crate) async fn texts(&self, count: usize) -> Vec<String> {
        let log = self.wait(&format!("{count} messages"), |log| log.taken.len() >= count).await;
        log.taken.iter().map(|message| message["text"].as_str().unwrap().to_owned()).collect()
    }

    /// What has come until now.
    pub(crate) fn log(&self) -> Log {
        self.desk.log.borrow().clone()
    }
}

async fn answer(State(desk): State<Arc<Desk>>, headers: HeaderMap, body: String) -> (StatusCode, String) {
    let bearer = format!("Bearer {}", desk.token);
    if headers.get("authorization").and_then(|header| header.to_str().ok()) != Some(&bearer) {
        desk.log.send_modify(|log| log.refused += 1);
        return (StatusCode::UNAUTHORIZED, String::new());
    }
    if desk.shut.load(Ordering::SeqCst) {
        desk.log.send_modify(|log| log.refused += 1);
        return (StatusCode::SERVICE_UNAVAILABLE, String::new());
    }
    let request: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(request["jsonrpc"], "2.0");
    let reply = |member: &str, value: Value| {
        let mut reply = json!({ "jsonrpc": "2.0", "id": request["id"] });
        reply[member] = value;
        reply.to_string()
    };
    match request["method"].as_str().unwrap() {
        "argus/channel/report" => {
            desk.log.send_modify(|log| log.reports.push(request["params"].clone()));
            (StatusCode::OK, reply("result", json!({ "ok": true })))
        }
        "argus/chat/press" => {
            desk.log.send_modify(|log| log.presses.push(request["params"].clone()));
            if request["params"]["data"] == "refuse" {
                let error = json!({ "code": -32602, "message": "as ordered" });
                return (StatusCode::OK, reply("error", error));
            }
            (StatusCode::OK, reply("result", json!({ "ok": true, "notice": "Done", "alert": true })))
        }
        "argus/chat/receive" => match desk.answers.lock().unwrap().pop_front() {
            None => {
                desk.log.send_modify(|log| log.taken.push(request["params"].clone()));
                (StatusCode::OK, reply("result", json!({ "ok": true, "disposition": "submitted" })))
            }
            Some(refusal) => {
                desk.log.send_modify(|log| log.refused += 1);
                match refusal {
                    Answer::Error(code) => {
                        (StatusCode::OK, reply("error", json!({ "code": code, "message": "as ordered" })))
                    }
                    Answer::Status(status) => (StatusCode::from_u16(status).unwrap(), String::new()),
                }
            }
        },
        other => panic!("`{other}` is not expected of the bot"),
    }
}
