//! Writes to a job without ever waiting for it: a bounded queue and a thread that may wait.

use std::io::Write;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

/// How many pieces may wait to be read.
const PIECES: usize = 16;

/// How long a piece may wait for room.
const ROOM: Duration = Duration::from_secs(5);

/// The stack of a thread that does next to nothing.
pub(super) const STACK: usize = 128 << 10;

/// What writes to a job.
#[derive(Debug)]
pub(crate) struct Pen {
    pieces: SyncSender<Piece>,
}

type Piece = (Vec<u8>, End);

/// Why something was not written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotWritten {
    /// The job does not read what waits already.
    Full,
    /// The job reads nothing any more.
    Closed,
}

impl Pen {
    /// Writes to a pipe, which ends when it is closed.
    pub(crate) fn new(to: impl Write + Send + 'static) -> Self {
        Self::begin(to, &[])
    }

    /// Writes to a terminal, where a character says that it is the end.
    pub(crate) fn of_terminal(to: impl Write + Send + 'static) -> Self {
        Self::begin(to, &[4])
    }

    fn begin(mut to: impl Write + Send + 'static, end: &'static [u8]) -> Self {
        let (pieces, queue) = sync_channel::<Piece>(PIECES);
        let writing = move || {
            while let Ok((bytes, last)) = queue.recv() {
                let written = to.write_all(&bytes).and_then(|()| match last {
                    End::Now => to.write_all(end),
                    End::Later => Ok(()),
                });
                if written.is_err() || (last == End::Now && end.is_empty()) {
                    return;
                }
            }
        };
        // Where no thread can be had, its end of the queue is gone, and the first piece says so.
        let _ = std::thread::Builder::new().stack_size(STACK).spawn(writing);
        Self { pieces }
    }

    /// Has these bytes written after all before them, and then, where `end` says so, nothing more.
    pub(crate) fn write(&self, bytes: Vec<u8>, end: End) -> Result<(), NotWritten> {
        let mut piece = (bytes, end);
        let until = Instant::now() + ROOM;
        loop {
            match self.pieces.try_send(piece) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Disconnected(_)) => return Err(NotWritten::Closed),
                Err(TrySendError::Full(_)) if Instant::now() >= until => return Err(NotWritten::Full),
                Err(TrySendError::Full(back)) => piece = back,
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Whether something is the last that a job is to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It is.
    Now,
    /// More may come.
    Later,
}
