//! Writes down what was said to everybody, many frames at once, beside the session.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use argus_session::{Input, KeptFrame};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::store::history_file::HistoryFile;

/// What may wait to be written, in bytes, before nothing more is heard of the runtime.
const ROOM: usize = 16 << 20;

/// The way to the file.
#[derive(Debug)]
pub(super) struct Keep {
    frames: mpsc::UnboundedSender<KeptFrame>,
    /// Bytes that wait to be written.
    waiting: Arc<AtomicUsize>,
}

impl Keep {
    /// Starts the writer. It ends when this is dropped, after the last frame.
    pub(super) fn begin(file: HistoryFile, results: mpsc::UnboundedSender<Input>) -> (Self, JoinHandle<()>) {
        let (frames, line) = mpsc::unbounded_channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let writer = tokio::spawn(write(file, line, waiting.clone(), results));
        (Self { frames, waiting }, writer)
    }

    /// Has a frame written.
    pub(super) fn keep(&self, frame: KeptFrame) {
        self.waiting.fetch_add(frame.text.len(), Ordering::Relaxed);
        _ = self.frames.send(frame);
    }

    /// Whether more may be said.
    pub(super) fn has_room(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) < ROOM
    }
}

async fn write(
    mut file: HistoryFile,
    mut line: mpsc::UnboundedReceiver<KeptFrame>,
    waiting: Arc<AtomicUsize>,
    results: mpsc::UnboundedSender<Input>,
) {
    let mut batch = Vec::new();
    while line.recv_many(&mut batch, 1024).await > 0 {
        let number = batch.last().map_or(0, |frame| frame.number);
        let frames = std::mem::take(&mut batch);
        let deed = tokio::task::spawn_blocking(move || {
            let written = file.append(&frames);
            (file, frames, written)
        });
        // A writer that panicked writes nothing more: the bridge keeps the lines.
        let Ok((same, frames, written)) = deed.await else { return };
        file = same;
        if let Err(error) = written {
            tracing::error!(%error, "what was said is not kept any more: clients that come back after a restart miss it");
        }
        waiting.fetch_sub(frames.iter().map(|frame| frame.text.len()).sum(), Ordering::Relaxed);
        batch = frames;
        batch.clear();
        _ = results.send(Input::Kept { number });
    }
}
