//! Asks an Argus gateway's agent something and prints the answer as it grows, whatever happens to the connection.
//!
//! Needs `futures`, `serde_json`, `tokio`, `tokio-tungstenite` and `anyhow`. In this repository:
//! `ARGUS_TOKEN=… cargo run --example ask -- "What is in this folder?"`
//!
//! `ARGUS_URL` is `ws://127.0.0.1:8080/ws` unless set. `ARGUS_APPROVE=yes` lets the agent do what it asks about;
//! otherwise it is refused.

use std::io::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{env, process};

use anyhow::{Context as _, bail};
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The gateway pings every 20 seconds; without a word for this long it is gone.
const SILENCE: Duration = Duration::from_secs(45);

/// One question, and how far it came. It outlives every connection.
struct Question {
    url: String,
    token: String,
    decision: &'static str,
    text: String,
    /// The same key again is the same question.
    key: String,
    /// The newest number we heard, and its numbering.
    after: Option<u64>,
    epoch: Option<String>,
    /// A thread was asked for, and its reply is due.
    opening: bool,
    thread: Option<String>,
    asked: bool,
    status: Option<String>,
}

impl Question {
    /// Connects as often as it takes; the status of the turn.
    async fn ask(mut self) -> anyhow::Result<String> {
        let mut pause = Duration::from_millis(200);
        loop {
            let after = self.after.map(|number| number.to_string()).unwrap_or_default();
            let epoch = self.epoch.as_deref().unwrap_or_default();
            let query = format!("session=default&client=ask-{}&after={after}&epoch={epoch}", self.key);
            let mut request = format!("{}?{query}", self.url).into_client_request()?;
            request.headers_mut().insert("authorization", format!("Bearer {}", self.token).parse()?);
            if let Ok((socket, _)) = connect_async(request).await {
                pause = Duration::from_millis(200);
                self.talk(socket).await?;
            }
            if let Some(status) = self.status {
                println!();
                return Ok(status);
            }
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(5));
        }
    }

    /// Over one connection, until the turn is over or the connection ends.
    async fn talk(&mut self, mut socket: Socket) -> anyhow::Result<()> {
        let about = json!({ "name": "ask_rs", "title": "ask.rs", "version": "1.0" });
        send(
            &mut socket,
            json!({ "id": "hello", "method": "initialize", "params": { "clientInfo": about } }),
        )
        .await;
        while let Ok(Some(Ok(message))) = timeout(SILENCE, socket.next()).await {
            match message {
                Message::Text(text) => self.take(&mut socket, &serde_json::from_str(&text)?).await?,
                Message::Close(Some(close)) if u16::from(close.code) == 1008 => bail!("{}", close.reason),
                _ => {}
            }
            if self.status.is_some() {
                _ = socket.close(None).await;
                break;
            }
        }
        Ok(())
    }

    async fn take(&mut self, socket: &mut Socket, frame: &Value) -> anyhow::Result<()> {
        let (id, params) = (&frame["id"], &frame["params"]);
        self.after = frame["argusSeq"].as_u64().or(self.after);
        match (frame["method"].as_str(), frame.get("error")) {
            (Some("argus/session"), _) => {
                // The first number to come back with is the one that is told here.
                if self.epoch.as_deref() != params["epoch"].as_str() {
                    self.epoch = params["epoch"].as_str().map(str::to_owned);
                    self.after = params["seq"].as_u64();
                }
                // Known from before, we get the replies that are due; otherwise they are lost.
                self.opening &= params["returned"] == true;
            }
            (Some("argus/gap"), _) => eprintln!("\n[frames {} to {} are gone]", params["from"], params["to"]),
            (Some(method), _) if !id.is_null() => {
                let answer = if method.ends_with("/requestApproval") {
                    json!({ "id": id, "result": { "decision": self.decision } })
                } else {
                    json!({ "id": id, "error": { "code": -32601, "message": "not here" } })
                };
                send(socket, answer).await;
            }
            (Some(method), _) if params["threadId"].as_str() == self.thread.as_deref() => match method {
                "item/agentMessage/delta" => {
                    print!("{}", params["delta"].as_str().unwrap_or_default());
                    std::io::stdout().flush()?;
                }
                "turn/completed" => self.status = params["turn"]["status"].as_str().map(str::to_owned),
                _ => {}
            },
            (Some(_), _) => {}
            (None, Some(error)) if error["code"] == -32001 => {
                // Too much is waiting: once more in a moment.
                sleep(Duration::from_millis(500)).await;
                self.opening &= id != "thread";
                self.go_on(socket).await;
            }
            (None, Some(error)) => bail!("{id}: {}", error["message"]),
            (None, None) => {
                match id.as_str() {
                    Some("hello") => send(socket, json!({ "method": "initialized" })).await,
                    Some("thread") if self.thread.is_none() => {
                        self.thread = frame["result"]["thread"]["id"].as_str().map(str::to_owned);
                    }
                    Some("ask") => self.asked = true,
                    _ => {}
                }
                self.go_on(socket).await;
            }
        }
        Ok(())
    }

    async fn go_on(&mut self, socket: &mut Socket) {
        if let Some(thread) = &self.thread {
            if !self.asked {
                let params = json!({ "text": self.text, "threadId": thread, "idempotencyKey": self.key });
                send(socket, json!({ "id": "ask", "method": "argus/input/enqueue", "params": params })).await;
            }
        } else if !self.opening {
            self.opening = true;
            send(socket, json!({ "id": "thread", "method": "thread/start", "params": {} })).await;
        }
    }
}

/// What cannot be sent shows as the end of the connection.
async fn send(socket: &mut Socket, frame: Value) {
    _ = socket.send(Message::text(frame.to_string())).await;
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let approve = env::var("ARGUS_APPROVE").is_ok_and(|word| word == "yes");
    let question = Question {
        url: env::var("ARGUS_URL").unwrap_or_else(|_| "ws://127.0.0.1:8080/ws".to_owned()),
        token: env::var("ARGUS_TOKEN").context("set ARGUS_TOKEN")?,
        decision: if approve { "accept" } else { "decline" },
        text: env::args().nth(1).context("say what to ask")?,
        key: format!("{}-{}", process::id(), SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos()),
        after: None,
        epoch: None,
        opening: false,
        thread: None,
        asked: false,
        status: None,
    };
    let status = question.ask().await?;
    process::exit(i32::from(status != "completed"));
}
