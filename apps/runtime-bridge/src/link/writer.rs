//! What a gateway is told: kept lines at the pace of its socket, and control lines between them.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use argus_protocol::bridge::FromBridge;
use tokio::io::AsyncWriteExt as _;

use super::Gateway;
use crate::desk::Desk;
use crate::door::Output;
use crate::kept::Form;

/// How much is gathered before it is written; a longer body is written from where it is kept.
const BUFFER_BYTES: usize = 16 * 1024;

/// Writes for as long as the gateway is there; ends with an error only. One that shall leave is told everything there
/// is, or that it was displaced, and then that nothing follows.
pub(super) async fn write(
    desk: &Desk,
    gateway: &Arc<Gateway>,
    output: Output,
    welcome: &FromBridge,
) -> io::Error {
    let mut writer = Writer { output, buffer: Vec::with_capacity(BUFFER_BYTES), said: 0, handed: 0 };
    writer.control(welcome);
    match writer.write(desk, gateway).await {
        Ok(()) => std::future::pending().await,
        Err(error) => error,
    }
}

struct Writer {
    output: Output,
    buffer: Vec<u8>,
    /// The line written last.
    said: u64,
    /// The ack written last.
    handed: u64,
}

impl Writer {
    async fn write(&mut self, desk: &Desk, gateway: &Arc<Gateway>) -> io::Result<()> {
        while !gateway.displaced.load(Ordering::Relaxed) {
            self.controls(desk, gateway);
            self.lines(desk, gateway).await?;
            if !self.buffer.is_empty() {
                self.flush().await?;
            } else if gateway.leaving.is_cancelled() {
                return self.output.shutdown().await;
            } else {
                gateway.news.notified().await;
            }
        }
        self.control(&FromBridge::Displaced {});
        self.flush().await?;
        self.output.shutdown().await
    }

    fn control(&mut self, line: &FromBridge) {
        serde_json::to_writer(&mut self.buffer, line).expect("a control line of texts and numbers is JSON");
        self.buffer.push(b'\n');
    }

    /// Gathers what is owed besides lines.
    fn controls(&mut self, desk: &Desk, gateway: &Gateway) {
        let handed = desk.handed();
        if handed > self.handed {
            self.handed = handed;
            self.control(&FromBridge::Ack { n: handed });
        }
        if gateway.pong.swap(false, Ordering::Relaxed) {
            self.control(&FromBridge::Pong {});
        }
        if gateway.ping.swap(false, Ordering::Relaxed) {
            self.control(&FromBridge::Ping {});
        }
    }

    /// Gathers lines until the buffer is full or there are no more.
    async fn lines(&mut self, desk: &Desk, gateway: &Arc<Gateway>) -> io::Result<()> {
        while self.buffer.len() < BUFFER_BYTES {
            let Some(number) = desk.line_after(gateway, self.said) else { return Ok(()) };
            gateway.writing.store(number, Ordering::Relaxed);
            self.line(desk, number).await?;
            gateway.writing.store(0, Ordering::Relaxed);
            self.said = number;
            if gateway.acknowledged.load(Ordering::Relaxed) >= number {
                desk.acknowledge(gateway, number).map_err(io::Error::other)?;
            }
        }
        Ok(())
    }

    async fn line(&mut self, desk: &Desk, number: u64) -> io::Result<()> {
        let mut offset = 0;
        loop {
            let piece = desk.piece(number, offset).ok_or_else(gone)?;
            if offset == 0 {
                let mark = if piece.form == Form::Frame { ' ' } else { '!' };
                self.buffer.extend_from_slice(format!("{number}{mark}").as_bytes());
            }
            offset += piece.bytes.len() as u64;
            if piece.bytes.len() < BUFFER_BYTES {
                self.buffer.extend_from_slice(&piece.bytes);
            } else {
                self.flush().await?;
                self.output.write_all(&piece.bytes).await?;
            }
            if piece.last {
                self.buffer.push(b'\n');
                return Ok(());
            }
        }
    }

    async fn flush(&mut self) -> io::Result<()> {
        self.output.write_all(&self.buffer).await?;
        self.buffer.clear();
        Ok(())
    }
}

fn gone() -> io::Error {
    io::Error::other("a kept line is gone in the middle of being written")
}
