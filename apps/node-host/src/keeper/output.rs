//! What a terminal shows, put on disk.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use super::input::STACK;

/// How long a terminal may show nothing before it counts as read to its end.
const QUIET: Duration = Duration::from_millis(150);

/// How long somebody who outlives the job may keep its terminal busy.
const BUSY: Duration = Duration::from_secs(2);

/// How long to wait before a disk that has no room is tried again. The job waits too, as on a terminal that was stopped.
const ROOM: Duration = Duration::from_secs(1);

/// The copying from a terminal to a file.
#[derive(Debug)]
pub(crate) struct Copying {
    steps: Receiver<()>,
}

impl Copying {
    /// Begins it.
    pub(crate) fn begin(mut from: Box<dyn Read + Send>, mut to: impl Write + Send + 'static) -> Self {
        let (step, steps) = sync_channel(1);
        let copying = move || {
            let mut bytes = vec![0; 16 << 10];
            while let Ok(1..) = from.read(&mut bytes).and_then(|n| put(&mut to, &bytes[..n]).map(|()| n)) {
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

/// Writes all of it, however long it takes until there is room.
fn put(to: &mut impl Write, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match to.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => {
                std::thread::sleep(ROOM);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk on which there is room at every second look.
    #[derive(Default)]
    struct Disk {
        looks: u32,
        holds: Vec<u8>,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.looks += 1;
            if self.looks % 2 == 1 {
                return Err(ErrorKind::StorageFull.into());
            }
            self.holds.extend(&bytes[..3.min(bytes.len())]);
            Ok(3.min(bytes.len()))
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_a_terminal_shows_while_a_disk_is_full_is_kept_once_there_is_room() {
        let mut disk = Disk::default();
        put(&mut disk, b"shown").unwrap();
        assert_eq!(disk.holds, b"shown");
    }
}
