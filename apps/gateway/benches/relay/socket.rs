//! A client that costs next to nothing: it looks at the heads of frames and reads no JSON.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;

/// Where a relay lets its clients in, and what they have to say there.
#[derive(Clone, Debug)]
pub(crate) struct Door {
    /// Its address.
    pub(crate) address: SocketAddr,
    /// Path and query.
    pub(crate) path: String,
    /// Further lines of the request's head, each with its end.
    pub(crate) head: String,
}

/// How far a client has come, for who sends to it.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// Frames received.
    pub(crate) frames: AtomicU64,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: TcpStream,
    buffer: Vec<u8>,
    from: usize,
    to: usize,
}

/// The head of a frame of a server.
struct Head {
    opcode: u8,
    /// Bytes of the head itself.
    size: usize,
    payload: usize,
}

/// What is read at once, in bytes.
const READ: usize = 64 << 10;

impl Socket {
    /// Connects, and waits until the relay has agreed to speak WebSocket.
    pub(crate) async fn connect(door: &Door) -> io::Result<Self> {
        let mut stream = TcpStream::connect(door.address).await?;
        stream.set_nodelay(true)?;
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: YmVuY2hiZW5jaGJlbmNoYg==\r\n{}\r\n",
            door.path, door.address, door.head
        );
        stream.write_all(request.as_bytes()).await?;
        let mut socket = Self { stream, buffer: vec![0; 1024], from: 0, to: 0 };
        loop {
            let answer = &socket.buffer[..socket.to];
            if let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") {
                if !answer.starts_with(b"HTTP/1.1 101") {
                    return Err(io::Error::other(String::from_utf8_lossy(answer).into_owned()));
                }
                socket.from = end + 4;
                return Ok(socket);
            }
            socket.fill().await?;
        }
    }

    /// Says one text frame that [`frame`] has made.
    pub(crate) async fn say(&mut self, frame: &[u8]) -> io::Result<()> {
        self.stream.write_all(frame).await
    }

    /// The payload of the next text frame.
    pub(crate) async fn next(&mut self) -> io::Result<&[u8]> {
        loop {
            let Some(head) = head(&self.buffer[self.from..self.to])? else {
                self.fill().await?;
                continue;
            };
            let whole = head.size + head.payload;
            if self.to - self.from < whole {
                self.fill().await?;
                continue;
            }
            let payload = self.from + head.size..self.from + whole;
            self.from += whole;
            if head.opcode == TEXT {
                return Ok(&self.buffer[payload]);
            }
        }
    }

    /// Takes that many text frames without looking at them, and tells how far it is.
    pub(crate) async fn skim(&mut self, frames: u64, progress: &Progress, more: &Notify) -> io::Result<()> {
        let (mut taken, mut rest) = (0, 0);
        self.buffer.resize(READ.max(self.buffer.len()), 0);
        loop {
            let before = taken;
            loop {
                let skipped = rest.min(self.to - self.from);
                self.from += skipped;
                rest -= skipped;
                if rest > 0 {
                    break;
                }
                let Some(head) = head(&self.buffer[self.from..self.to])? else { break };
                taken += u64::from(head.opcode == TEXT);
                self.from += head.size;
                rest = head.payload;
            }
            if taken > before {
                progress.frames.fetch_add(taken - before, Ordering::Relaxed);
                more.notify_one();
            }
            if taken >= frames && rest == 0 {
                return Ok(());
            }
            self.fill().await?;
        }
    }

    async fn fill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.from..self.to, 0);
        (self.from, self.to) = (0, self.to - self.from);
        if self.to == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        match self.stream.read(&mut self.buffer[self.to..]).await? {
            0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the relay hung up")),
            count => {
                self.to += count;
                Ok(())
            }
        }
    }
}

const TEXT: u8 = 1;
const CLOSE: u8 = 8;

/// The head that stands here, once it is here whole.
fn head(bytes: &[u8]) -> io::Result<Option<Head>> {
    let [first, second, ..] = bytes else { return Ok(None) };
    let opcode = first & 0x0f;
    if opcode == CLOSE {
        let words = String::from_utf8_lossy(bytes.get(4..).unwrap_or_default()).into_owned();
        return Err(io::Error::other(format!("the relay closed: {words}")));
    }
    let short = usize::from(second & 0x7f);
    let number = |range: std::ops::Range<usize>| {
        bytes.get(range).map(|bytes| bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)))
    };
    let (size, payload) = match short {
        126 => (4, number(2..4)),
        127 => (10, number(2..10)),
        short => (2, Some(short)),
    };
    Ok(payload.map(|payload| Head { opcode, size, payload }))
}

/// A text frame of a client, under a mask that changes nothing.
pub(crate) fn frame(text: &str) -> Vec<u8> {
    let mut frame = vec![0x80 | TEXT];
    match u16::try_from(text.len()) {
        Ok(short @ ..126) => frame.push(0x80 | u8::try_from(short).unwrap_or_default()),
        Ok(longer) => {
            frame.push(0xfe);
            frame.extend(longer.to_be_bytes());
        }
        Err(_) => {
            frame.push(0xff);
            frame.extend((text.len() as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(text.as_bytes());
    frame
}
