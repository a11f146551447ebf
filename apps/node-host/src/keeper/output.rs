//! What a terminal shows, put on disk.

use std::fs::File;
use std::io::{Read, Write as _};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use super::input::STACK;

/// How long a terminal may show nothing before it counts as read to its end.
const QUIET: Duration = Duration::from_millis(150);

/// How long somebody who outlives the job may keep its terminal busy.
const BUSY: Duration = Duration::from_secs(2);

/// The copying from a terminal to a file.
#[derive(Debug)]
pub(crate) struct Copying {
    steps: Receiver<()>,
}

impl Copying {
    /// Begins it.
    pub(crate) fn begin(mut from: Box<dyn Read + Send>, mut to: File) -> Self {
        let (step, steps) = sync_channel(1);
        let copying = move || {
            let mut bytes = vec![0; 16 << 10];
            while let Ok(1..) = from.read(&mut bytes).and_then(|n| to.write_all(&bytes[..n]).map(|()| n)) {
                let _ = step.try_send(());
            }
        };
        if let Err(error) = std::thread::Builder::new().stack_size(STACK).spawn(copying) {
            eprintln!("what the terminal shows cannot be kept: {error}");
        }
        Self { steps }
    }

    /// Waits until all is on disk that was there when the job ended.
    pub(crate) fn finish(&self) {
        let until = Instant::now() + BUSY;
        while self.steps.recv_timeout(QUIET).is_ok() && Instant::now() < until {}
    }
}
