//! Telegram brings updates: where it does so, who may, and that none is taken before the gateway has it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use argus_protocol::token::Secret;
use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::routing::post;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use serde::{Deserialize, Serialize};
use teloxide::RequestError;
use teloxide::requests::{JsonRequest, Payload, Request as _};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinSet;

use crate::config::{Pace, Webhook};
use crate::poll::Fault;
use crate::receiver::Receiver;
use crate::update::{KINDS, Me, Update};

/// Longest update, in bytes.
const LONGEST: usize = 1024 * 1024;
/// How many are served at once.
const AT_ONCE: usize = 64;
/// How many connections there are at once; one more waits for its turn.
const MOST_CALLERS: usize = 256;
/// How long to wait after a connection could not be taken, so that another may end meanwhile.
const PAUSE: Duration = Duration::from_millis(500);
/// How long one call of Telegram may take.
const CALL: Duration = Duration::from_secs(20);

/// Where one bot's updates come in.
pub(crate) struct Door {
    receiver: Arc<Receiver>,
    me: OnceLock<Me>,
    /// One update after the other, in the order in which they came.
    turn: Mutex<()>,
    /// When an update was taken last, unix seconds.
    taken: AtomicI64,
}

/// All doors, and what opens them.
pub(crate) struct Doors {
    by_bot: HashMap<u64, Arc<Door>>,
    secret: Secret,
    pace: Pace,
    room: Semaphore,
}

#[derive(Serialize)]
struct SetWebhook {
    url: String,
    secret_token: String,
    allowed_updates: [&'static str; KINDS.len()],
    max_connections: u8,
}

impl Payload for SetWebhook {
    type Output = bool;

    const NAME: &'static str = "SetWebhook";
}

#[derive(Serialize)]
struct GetWebhookInfo {}

/// How deliveries stand.
#[derive(Debug, Deserialize)]
struct WebhookInfo {
    #[serde(default)]
    url: String,
    last_error_date: Option<i64>,
    last_error_message: Option<String>,
}

impl Payload for GetWebhookInfo {
    type Output = WebhookInfo;

    const NAME: &'static str = "GetWebhookInfo";
}

/// Takes the place where Telegram, or the proxy before us, brings updates.
pub(crate) async fn listen(hook: &Webhook) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(hook.bind).await;
    let wrong = || format!("cannot listen on {}; set TELEGRAM_WEBHOOK_BIND to a free address", hook.bind);
    let listener = listener.with_context(wrong)?;
    tracing::info!(address = %hook.bind, "Telegram brings messages here");
    Ok(listener)
}

/// Serves until it is dropped. Who is slow with the head of a request is let go, whether they know the secret or not.
pub(crate) async fn serve(listener: TcpListener, doors: Doors) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(doors.pace.reading);
    let router = Router::new().route("/telegram/{bot}", post(knock)).with_state(Arc::new(doors));
    let service = TowerToHyperService::new(router);
    let mut callers = JoinSet::new();
    loop {
        while callers.try_join_next().is_some() {}
        if callers.len() >= MOST_CALLERS {
            callers.join_next().await;
        }
        match listener.accept().await {
            Ok((stream, _)) => {
                let call = http.serve_connection(TokioIo::new(stream), service.clone());
                callers.spawn(async move {
                    if let Err(error) = call.await {
                        tracing::debug!(%error, "a connection broke off");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

impl Doors {
    pub(crate) fn new(doors: Vec<Arc<Door>>, secret: Secret, pace: Pace) -> Self {
        let by_bot = doors.into_iter().map(|door| (door.receiver.id(), door)).collect();
        Self { by_bot, secret, pace, room: Semaphore::new(AT_ONCE) }
    }
}

/// One update is brought. 200 means that it is taken for good; with anything else Telegram brings it again.
async fn knock(State(doors): State<Arc<Doors>>, Path(bot): Path<String>, request: Request) -> StatusCode {
    let shown =
        request.headers().get("x-telegram-bot-api-secret-token").and_then(|value| value.to_str().ok());
    if !shown.is_some_and(|shown| doors.secret.matches(shown)) {
        return StatusCode::FORBIDDEN;
    }
    let Some(door) = bot.parse().ok().and_then(|id: u64| doors.by_bot.get(&id)) else {
        return StatusCode::NOT_FOUND;
    };
    let Ok(_place) = doors.room.try_acquire() else { return StatusCode::SERVICE_UNAVAILABLE };
    let body = match tokio::time::timeout(doors.pace.reading, to_bytes(request.into_body(), LONGEST)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return StatusCode::PAYLOAD_TOO_LARGE,
        Err(_) => return StatusCode::REQUEST_TIMEOUT,
    };
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(&body) else {
        return StatusCode::BAD_REQUEST;
    };
    let Ok(update) = serde_json::from_value::<Update>(value) else {
        tracing::warn!("what was brought is no update; it is left alone");
        return StatusCode::OK;
    };
    match tokio::time::timeout(doors.pace.patience, door.take(&update)).await {
        Ok(true) => StatusCode::OK,
        Ok(false) | Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

impl Door {
    pub(crate) fn new(receiver: Arc<Receiver>) -> Self {
        Self { receiver, me: OnceLock::new(), turn: Mutex::new(()), taken: AtomicI64::new(0) }
    }

    /// Hands an update over; `false` while we do not know who we are.
    async fn take(&self, update: &Update) -> bool {
        let Some(me) = self.me.get() else { return false };
        let _turn = self.turn.lock().await;
        self.receiver.hand_over(update, me).await;
        self.taken.store(now(), Ordering::Relaxed);
        self.receiver.teller.answered();
        true
    }

    /// Asks Telegram to bring updates, and from time to time how that goes.
    pub(crate) async fn keep_open(&self, hook: &Webhook) {
        let me = self.receiver.meet().await;
        _ = self.me.set(me);
        tokio::join!(self.receiver.announce(), self.watch(hook));
    }

    async fn watch(&self, hook: &Webhook) {
        let Ok(url) = hook.url.join(&format!("telegram/{}", self.receiver.id())) else { return };
        self.receiver.insist(|| self.set(url.as_str(), &hook.secret)).await;
        loop {
            let info = self.receiver.insist(|| self.inquire()).await;
            if info.url != url.as_str() {
                tracing::warn!(
                    bot.id = self.receiver.id(),
                    "another webhook was set for the bot; ours is set again"
                );
                self.receiver.insist(|| self.set(url.as_str(), &hook.secret)).await;
            }
            match trouble(info, now(), self.taken.load(Ordering::Relaxed), self.receiver.pace.inquire) {
                Some(fault) => self.receiver.teller.failed(&fault),
                None => self.receiver.teller.answered(),
            }
            tokio::time::sleep(self.receiver.pace.inquire).await;
        }
    }

    async fn set(&self, url: &str, secret: &Secret) -> Result<(), Fault> {
        let wish = SetWebhook {
            url: url.to_owned(),
            secret_token: secret.reveal().to_owned(),
            allowed_updates: KINDS,
            // One after the other, so that they keep their order.
            max_connections: 1,
        };
        call(JsonRequest::new(self.receiver.bot().clone(), wish)).await.map(drop)
    }

    async fn inquire(&self) -> Result<WebhookInfo, Fault> {
        call(JsonRequest::new(self.receiver.bot().clone(), GetWebhookInfo {})).await
    }
}

/// Telegram's last error, where it is new and nothing was brought since. Times are unix seconds.
fn trouble(info: WebhookInfo, now: i64, taken: i64, inquire: Duration) -> Option<Fault> {
    let at = info.last_error_date?;
    let recent = inquire.saturating_mul(2).max(Duration::from_mins(2));
    let recent = i64::try_from(recent.as_secs()).unwrap_or(i64::MAX);
    let new = at > now.saturating_sub(recent) && at >= taken;
    new.then(|| Fault::Deliveries(info.last_error_message.unwrap_or_else(|| "no reason is given".to_owned())))
}

async fn call<P>(request: JsonRequest<P>) -> Result<P::Output, Fault>
where
    P: Payload + Serialize + Send + 'static,
    P::Output: for<'a> Deserialize<'a> + Send,
{
    match tokio::time::timeout(CALL, request.send()).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(RequestError::Api(error))) => {
            let words = error.to_string();
            Err(match Fault::from(RequestError::Api(error)) {
                Fault::Unreachable(_) => Fault::HookRefused(words),
                known => known,
            })
        }
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(Fault::Unreachable("it did not answer in time".to_owned())),
    }
}

fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_deliveries_counts_while_it_is_new_and_nothing_was_brought_since() {
        let told = |at: Option<i64>, taken: i64| {
            let error = at.map(|_| "Connection refused".to_owned());
            let info = WebhookInfo { url: String::new(), last_error_date: at, last_error_message: error };
            trouble(info, 10_000, taken, Duration::from_mins(1))
        };
        let fault = Some(Fault::Deliveries("Connection refused".to_owned()));
        assert_eq!(told(None, 0), None);
        assert_eq!(told(Some(9_990), 0), fault);
        assert_eq!(told(Some(9_990), 9_991), None);
        assert_eq!(told(Some(9_000), 0), None);
    }
}
