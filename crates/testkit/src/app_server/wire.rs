//! What the scripted agent writes, one JSON value to a line, in the member order of the real one.

use std::io::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

/// Standard output; a line is written whole, and a reader who does not read makes everybody wait.
#[derive(Default)]
pub(crate) struct Wire {
    turn: Mutex<()>,
}

#[derive(Serialize)]
struct Notification<'a> {
    method: &'a str,
    params: &'a Value,
    #[serde(rename = "emittedAtMs")]
    emitted_at_ms: u64,
}

#[derive(Serialize)]
struct Request<'a> {
    method: &'a str,
    id: i64,
    params: &'a Value,
}

#[derive(Serialize)]
struct Reply<'a> {
    id: &'a Value,
    result: &'a Value,
}

#[derive(Serialize)]
struct ErrorReply<'a> {
    error: ErrorBody<'a>,
    id: &'a Value,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    code: i64,
    message: &'a str,
}

impl Wire {
    pub(crate) async fn notify(&self, method: &str, params: &Value) {
        self.line(&Notification { method, params, emitted_at_ms: unix_ms() }).await;
    }

    pub(crate) async fn ask(&self, id: i64, method: &str, params: &Value) {
        self.line(&Request { method, id, params }).await;
    }

    pub(crate) async fn reply(&self, id: &Value, result: &Value) {
        self.line(&Reply { id, result }).await;
    }

    pub(crate) async fn refuse(&self, id: &Value, message: &str) {
        self.line(&ErrorReply { error: ErrorBody { code: -32600, message }, id }).await;
    }

    /// Writes `bytes` and a line feed, whatever they are. A reader that went away ends the process.
    pub(crate) async fn raw(&self, mut bytes: Vec<u8>) {
        bytes.push(b'\n');
        let _turn = self.turn.lock().await;
        let written = spawn_blocking(move || {
            let mut out = std::io::stdout().lock();
            out.write_all(&bytes).and_then(|()| out.flush())
        });
        if !matches!(written.await, Ok(Ok(()))) {
            std::process::exit(0);
        }
    }

    async fn line(&self, value: &impl Serialize) {
        self.raw(serde_json::to_vec(value).expect("values of this module are serializable")).await;
    }
}

/// Milliseconds since 1970.
pub(crate) fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Unix time in microseconds.
pub(crate) fn unix_us() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros()
}
