//! What both relays relay: a server of lines that answers requests and speaks when it is told to.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, Notify, watch};

use crate::socket::Progress;

/// How far it runs ahead of the slowest client, in frames. A relay lets a client go for which twice as many wait.
const WINDOW: u64 = 4096;
/// What it writes at once, in bytes.
const WRITE: usize = 32 << 10;

/// One server, for one relay.
#[derive(Debug)]
pub(crate) struct Upstream {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    line: watch::Receiver<Option<Line>>,
    /// Told of every request for a turn.
    turns: Arc<Notify>,
}

/// The way to the relay that came last.
type Line = Arc<Mutex<OwnedWriteHalf>>;

impl Upstream {
    /// Starts it.
    pub(crate) async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (came, line) = watch::channel(None);
        let turns = Arc::new(Notify::new());
        let asked = turns.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                _ = stream.set_nodelay(true);
                let (reading, writing) = TcpStream::into_split(stream);
                let writing = Arc::new(Mutex::new(writing));
                came.send_replace(Some(writing.clone()));
                tokio::spawn(answer(reading, writing, asked.clone()));
            }
        });
        Ok(Self { address, line, turns })
    }

    async fn line(&self) -> Line {
        let mut line = self.line.clone();
        let there = line.wait_for(Option::is_some).await.expect("the server runs as long as the benchmark");
        there.clone().expect("it was waited for")
    }

    /// Says `frames` notifications of that size, as fast as every client takes them.
    pub(crate) async fn flood(&self, frames: u64, size: usize, clients: &[Arc<Progress>], more: &Notify) {
        self.say(&notification(size, ""), frames, clients, more).await;
    }

    /// Waits until a turn is asked for, and says so many pieces of its text and its end, as fast as the client takes them.
    pub(crate) async fn turn(&self, deltas: u64, client: &Arc<Progress>, more: &Notify) {
        self.turns.notified().await;
        self.say(DELTA, deltas, std::slice::from_ref(client), more).await;
        self.line().await.lock().await.write_all(TURN_COMPLETED).await.expect("the relay reads");
    }

    async fn say(&self, one: &str, times: u64, clients: &[Arc<Progress>], more: &Notify) {
        let line = self.line().await;
        let at_once = u64::try_from((WRITE / one.len()).max(1)).unwrap_or(1);
        let (mut said, mut line) = (0, line.lock().await);
        while said < times {
            let count = at_once.min(times - said);
            loop {
                let slowest = clients.iter().map(|client| client.frames.load(Ordering::Relaxed)).min();
                if said + count <= slowest.unwrap_or(0) + WINDOW {
                    break;
                }
                more.notified().await;
            }
            let text = one.repeat(usize::try_from(count).unwrap_or(1));
            line.write_all(text.as_bytes()).await.expect("the relay reads");
            said += count;
        }
    }

    /// Says one notification of that size every so often until `end`, each with the time in it (see [`at`]).
    pub(crate) async fn pace(&self, every: Duration, size: usize, began: Instant, end: Instant) -> u64 {
        let line = self.line().await;
        let mut line = line.lock().await;
        let (mut next, mut said) = (Instant::now(), 0);
        while next < end {
            tokio::time::sleep_until(next.into()).await;
            let text = notification(size, &format!("{:012}", began.elapsed().as_micros()));
            line.write_all(text.as_bytes()).await.expect("the relay reads");
            next += every;
            said += 1;
        }
        said
    }
}

/// The time in a notification of [`Upstream::pace`], in microseconds.
pub(crate) fn at(frame: &[u8]) -> Option<u64> {
    let digits = frame.get(AT..AT + 12)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

const START: &str = r#"{"method":"bench/said","params":{"at":""#;
const AT: usize = START.len();

fn notification(size: usize, at: &str) -> String {
    let bare = START.len() + at.len() + r#"","x":""}}"#.len();
    format!("{START}{at}\",\"x\":\"{}\"}}}}\n", "x".repeat(size.saturating_sub(bare)))
}

/// Answers what the relay passes on.
async fn answer(mut reading: OwnedReadHalf, line: Line, turns: Arc<Notify>) {
    let (mut buffer, mut held) = (vec![0; 256 << 10], 0);
    let mut out = Vec::new();
    loop {
        match reading.read(&mut buffer[held..]).await {
            Ok(0) | Err(_) => return,
            Ok(count) => held += count,
        }
        let mut from = 0;
        while let Some(end) = memchr::memchr(b'\n', &buffer[from..held]) {
            reply(&buffer[from..from + end], &mut out, &turns);
            from += end + 1;
        }
        buffer.copy_within(from..held, 0);
        held -= from;
        if held == buffer.len() {
            buffer.resize(held * 2, 0);
        }
        if !out.is_empty() {
            if line.lock().await.write_all(&out).await.is_err() {
                return;
            }
            out.clear();
        }
    }
}

/// The reply to one request: what it asked with, under its id, and behind the number of who asked, if it has one.
fn reply(request: &[u8], out: &mut Vec<u8>, turns: &Notify) {
    let digits = request.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let asker = if digits > 0 { digits + 1 } else { 0 };
    let frame = &request[asker..];
    let Some(rest) = frame.strip_prefix(br#"{"id":"#) else { return };
    let Some(id) = memchr::memchr(b',', rest).map(|end| &rest[..end]) else { return };
    let method =
        memchr::memmem::find(frame, br#""method":""#).map(|at| &frame[at + 10..]).unwrap_or_default();
    let params =
        memchr::memmem::find(frame, br#""params":"#).map_or(&b"{}"[..], |at| &frame[at + 9..frame.len() - 1]);
    let result = match method.iter().position(|byte| *byte == b'"').map(|end| &method[..end]) {
        Some(b"initialize") => {
            br#"{"userAgent":"bench/1","codexHome":"/","platformFamily":"unix","platformOs":"linux"}"#
        }
        Some(b"account/read") => &br#"{"account":null,"requiresOpenaiAuth":false}"#[..],
        Some(b"turn/start") => br#"{"turn":{"id":"u-1","status":"inProgress","items":[]}}"#,
        _ => params,
    };
    out.extend_from_slice(&request[..asker]);
    for piece in [br#"{"id":"#, id, br#","result":"#, result, b"}\n"] {
        out.extend_from_slice(piece);
    }
    if method.starts_with(b"turn/start\"") {
        out.extend_from_slice(TURN_STARTED);
        turns.notify_one();
    }
}

const DELTA: &str = r#"{"method":"item/agentMessage/delta","params":{"threadId":"t-1","turnId":"u-1","itemId":"i-1","delta":"a few words "}}
"#;
const TURN_STARTED: &[u8] =
    br#"{"method":"turn/started","params":{"threadId":"t-1","turn":{"id":"u-1","status":"inProgress","items":[]}}}
"#;
const TURN_COMPLETED: &[u8] =
    br#"{"method":"turn/completed","params":{"threadId":"t-1","turn":{"id":"u-1","status":"completed","items":[]}}}
"#;
