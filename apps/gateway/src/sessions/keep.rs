//! Writes down what was said to everybody, many frames at once, beside the session.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use argus_session::{Input, KeptFrame};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

use crate::store::history_file::HistoryFile;

/// What may wait to be written, in bytes and in frames: as much as the session itself keeps. Of what is said faster than
/// it can be written, the oldest is not written: it would be overwritten at once.
const BYTES: usize = 8 << 20;
const FRAMES: usize = 16_384;
/// What comes within this time is written together.
const GATHER: Duration = Duration::from_millis(5);

/// The way to the file.
#[derive(Debug)]
pub(super) struct Keep(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    more: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    frames: VecDeque<KeptFrame>,
    bytes: usize,
    over: bool,
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keep {
    /// Starts the writer. It ends when this is dropped, after the last frame.
    pub(super) fn begin(file: HistoryFile, results: mpsc::UnboundedSender<Input>) -> (Self, JoinHandle<()>) {
        let shared = Arc::<Shared>::default();
        let writer = tokio::spawn(write(file, shared.clone(), results));
        (Self(shared), writer)
    }

    /// Has frames written; takes them all.
    pub(super) fn keep(&self, frames: &mut Vec<KeptFrame>) {
        if frames.is_empty() {
            return;
        }
        let mut waiting = self.0.waiting();
        let first = waiting.frames.is_empty();
        waiting.bytes += frames.iter().map(|frame| frame.text.len()).sum::<usize>();
        waiting.frames.extend(frames.drain(..));
        while waiting.bytes > BYTES || waiting.frames.len() > FRAMES {
            let Some(oldest) = waiting.frames.pop_front() else { break };
            waiting.bytes -= oldest.text.len();
        }
        drop(waiting);
        if first {
            self.0.more.notify_one();
        }
    }
}

impl Keep {
    /// Has what waits written now.
    pub(super) fn hurry(&self) {
        self.0.more.notify_one();
    }
}

impl Drop for Keep {
    fn drop(&mut self) {
        self.0.waiting().over = true;
        self.0.more.notify_one();
    }
}

async fn write(mut file: HistoryFile, shared: Arc<Shared>, results: mpsc::UnboundedSender<Input>) {
    loop {
        shared.more.notified().await;
        if !shared.waiting().over {
            // The end is not waited for, nor is anything after a call to hurry.
            _ = tokio::time::timeout(GATHER, shared.more.notified()).await;
        }
        let (frames, over) = {
            let mut waiting = shared.waiting();
            waiting.bytes = 0;
            (std::mem::take(&mut waiting.frames), waiting.over)
        };
        if let Some(number) = frames.back().map(|frame| frame.number) {
            let deed = tokio::task::spawn_blocking(move || {
                let written = file.append(&frames);
                (file, written)
            });
            // A writer that panicked writes nothing more: the bridge keeps the lines.
            let Ok((same, written)) = deed.await else { return };
            file = same;
            if let Err(error) = written {
                tracing::error!(%error, "what was said is not kept any more: clients that come back after a restart miss it");
            }
            _ = results.send(Input::Kept { number });
        }
        if over {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::history_file::Histories;

    fn frame(number: u64, size: usize) -> KeptFrame {
        let text = format!("{{\"x\":\"{}\"}}", "y".repeat(size)).into();
        KeptFrame { number, boot: "b".into(), line: number, text }
    }

    #[tokio::test]
    async fn everything_is_written_before_the_end_and_told() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("s")).unwrap();
        let histories = Histories::new(dir.path().to_owned());
        let session = "s".parse().unwrap();
        let (results, mut told) = mpsc::unbounded_channel();
        let (keep, writer) = Keep::begin(histories.open(&session, "e").1, results);
        keep.keep(&mut vec![frame(1, 10), frame(2, 10)]);
        keep.keep(&mut vec![frame(3, 10)]);
        drop(keep);
        writer.await.unwrap();
        let mut written = 0;
        while let Some(Input::Kept { number }) = told.recv().await {
            written = number;
        }
        let (kept, _) = histories.open(&session, "other");
        assert_eq!((written, kept.first, kept.frames.len()), (3, 1, 3));
    }

    #[tokio::test]
    async fn of_what_is_said_too_fast_the_newest_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("s")).unwrap();
        let histories = Histories::new(dir.path().to_owned());
        let session = "s".parse().unwrap();
        let (results, _told) = mpsc::unbounded_channel();
        let (keep, writer) = Keep::begin(histories.open(&session, "e").1, results);
        // The writer has no turn before all of it is there.
        for number in 1..=40 {
            keep.keep(&mut vec![frame(number, BYTES / 16)]);
        }
        drop(keep);
        writer.await.unwrap();
        let (kept, _) = histories.open(&session, "other");
        assert_eq!((kept.first + kept.frames.len() as u64 - 1, kept.frames.len()), (40, 15));
    }
}
