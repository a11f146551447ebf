//! A model that writes at a steady pace, with the time in each delta.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// 500 deltas in a second.
const EVERY: Duration = Duration::from_millis(2);

/// It serves as long as the benchmark runs.
pub(crate) struct Model {
    address: SocketAddr,
    began: Instant,
    deltas: Arc<AtomicU32>,
}

impl Model {
    pub(crate) async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let model = Self { address: listener.local_addr()?, began: Instant::now(), deltas: Arc::default() };
        let (began, deltas) = (model.began, model.deltas.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let deltas = deltas.clone();
                tokio::spawn(async move { answer(stream, began, deltas.load(Ordering::Relaxed)).await });
            }
        });
        Ok(model)
    }

    /// How many deltas each answer has from now on.
    pub(crate) fn say(&self, deltas: u32) {
        self.deltas.store(deltas, Ordering::Relaxed);
    }

    /// The time that its deltas carry, in microseconds.
    pub(crate) fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// What makes it the agent's model.
    pub(crate) fn codex_config(&self) -> String {
        format!(
            "model = \"gpt-5.2\"\nmodel_provider = \"local\"\n\n[model_providers.local]\nname = \"local\"\n\
             base_url = \"http://{}/v1\"\nwire_api = \"responses\"\n",
            self.address
        )
    }
}

/// Answers one request and hangs up.
async fn answer(mut stream: TcpStream, began: Instant, deltas: u32) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut request = Vec::new();
    let body = loop {
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
        if let Some(end) = memchr::memmem::find(&request, b"\r\n\r\n") {
            break end + 4;
        }
    };
    let head = String::from_utf8_lossy(&request[..body]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    while request.len() < body + length.unwrap_or(0) {
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let start = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type:";
    if !head.starts_with("post") {
        let none = r#"{"object":"list","data":[],"models":[]}"#;
        return stream.write_all(format!("{start} application/json\r\n\r\n{none}").as_bytes()).await;
    }
    stream.write_all(format!("{start} text/event-stream\r\n\r\n").as_bytes()).await?;
    let item = |text: &str| json!({ "type": "message", "role": "assistant", "id": "i-1", "content": [{ "type": "output_text", "text": text }] });
    let event = |kind: &str, mut data: Value| {
        data["type"] = json!(kind);
        format!("event: {kind}\ndata: {data}\n\n")
    };
    let opening = [
        event("response.created", json!({ "response": { "id": "r-1" } })),
        event(
            "response.output_item.added",
            json!({ "item": { "type": "message", "role": "assistant", "id": "i-1", "content": [] } }),
        ),
    ];
    stream.write_all(opening.concat().as_bytes()).await?;
    let mut next = Instant::now();
    for _ in 0..deltas {
        next += EVERY;
        tokio::time::sleep_until(next.into()).await;
        let delta = format!("@{:012} ", began.elapsed().as_micros());
        let data = json!({ "item_id": "i-1", "delta": delta });
        stream.write_all(event("response.output_text.delta", data).as_bytes()).await?;
    }
    let usage = json!({
        "input_tokens": 1, "output_tokens": 1, "total_tokens": 2,
        "input_tokens_details": { "cached_tokens": 0 }, "output_tokens_details": { "reasoning_tokens": 0 },
    });
    let end = [
        event("response.output_item.done", json!({ "item": item("done") })),
        event("response.completed", json!({ "response": { "id": "r-1", "usage": usage } })),
    ];
    stream.write_all(end.concat().as_bytes()).await
}
