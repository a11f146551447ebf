//! The yardstick: lines of one TCP upstream to every WebSocket client, frames of clients up, and nothing else.
//!
//! It reads no JSON, keeps nothing, numbers nothing and asks for no token. What a client says goes up behind the
//! client's number and a space; what comes back with such a head is for that client, everything else for all.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};

use argus_jsonl::{Line, LineCodec};
use bytes::Bytes;
use futures::{SinkExt as _, StreamExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::accept_async_with_config;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_util::codec::{FramedRead, FramedWrite};

/// What may wait for one client, in frames; a client for which more waits is let go.
const QUEUE: usize = 8192;
/// What may wait for the upstream, in frames.
const UP: usize = 256;
/// What is taken from a queue at once.
const BATCH: usize = 128;
/// What is read of the upstream at once, in bytes.
const READ: usize = 64 << 10;
/// The longest line.
const LINE: usize = 64 << 20;

type Clients = Arc<RwLock<HashMap<u64, mpsc::Sender<Bytes>>>>;

/// Serves until it is killed; prints its port first.
pub(crate) async fn serve(upstream: SocketAddr) -> io::Result<()> {
    let stream = TcpStream::connect(upstream).await?;
    stream.set_nodelay(true)?;
    let (down, up) = stream.into_split();
    let clients = Clients::default();
    let (said, line) = mpsc::channel(UP);
    tokio::spawn(speak(up, line));
    tokio::spawn(hear(down, clients.clone()));
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
    let listener = socket.listen(1024)?;
    println!("{}", listener.local_addr()?.port());
    for number in 1.. {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (clients, said) = (clients.clone(), said.clone());
        tokio::spawn(async move {
            _ = converse(stream, number, &clients, said).await;
            clients.write().unwrap_or_else(PoisonError::into_inner).remove(&number);
        });
    }
    Ok(())
}

/// The upstream's lines to those they are for.
async fn hear(down: OwnedReadHalf, clients: Clients) {
    let mut lines = FramedRead::with_capacity(down, LineCodec::new(LINE), READ);
    while let Some(Ok(Line::Text(line))) = lines.next().await {
        let digits = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let mut slow = Vec::new();
        let known = clients.read().unwrap_or_else(PoisonError::into_inner);
        if digits == 0 {
            slow.extend(known.iter().filter(|(_, to)| to.try_send(line.clone()).is_err()).map(|(id, _)| *id));
        } else {
            let number = std::str::from_utf8(&line[..digits]).ok().and_then(|number| number.parse().ok());
            if let Some((id, to)) = number.and_then(|number: u64| known.get_key_value(&number)) {
                slow.extend(to.try_send(line.slice(digits + 1..)).is_err().then_some(*id));
            }
        }
        drop(known);
        for id in slow {
            clients.write().unwrap_or_else(PoisonError::into_inner).remove(&id);
        }
    }
}

/// What clients say to the upstream.
async fn speak(up: OwnedWriteHalf, mut line: mpsc::Receiver<Bytes>) {
    let mut out = FramedWrite::new(up, LineCodec::new(LINE));
    let mut batch = Vec::with_capacity(BATCH);
    while line.recv_many(&mut batch, BATCH).await > 0 {
        for line in batch.drain(..) {
            if out.feed(line).await.is_err() {
                return;
            }
        }
        if out.flush().await.is_err() {
            return;
        }
    }
}

/// One client, from its upgrade to its end.
async fn converse(
    stream: TcpStream,
    number: u64,
    clients: &Clients,
    said: mpsc::Sender<Bytes>,
) -> Result<(), tokio_tungstenite::tungstenite::Error> {
    let config = WebSocketConfig::default().read_buffer_size(4096);
    let mut socket = accept_async_with_config(stream, Some(config)).await?;
    let (sender, mut queue) = mpsc::channel(QUEUE);
    clients.write().unwrap_or_else(PoisonError::into_inner).insert(number, sender);
    socket.send(Message::Text(Utf8Bytes::from_static(r#"{"method":"bare/session"}"#))).await?;
    let mut batch = Vec::new();
    loop {
        tokio::select! {
            count = queue.recv_many(&mut batch, BATCH) => {
                if count == 0 {
                    return Ok(());
                }
                for frame in batch.drain(..) {
                    socket.feed(Message::Text(Utf8Bytes::try_from(frame).unwrap_or_default())).await?;
                }
                socket.flush().await?;
            }
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    let line = [number.to_string().as_bytes(), b" ", text.as_bytes()].concat();
                    _ = said.send(line.into()).await;
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error),
                None => return Ok(()),
            },
        }
    }
}
