//! Where a keeper is asked: a Unix socket in its folder, one request for each connection.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use data_encoding::BASE64;
use portable_pty::MasterPty;

use super::group::Group;
use super::input::{End, NotWritten, Pen, STACK};
use super::keep::Event;
use super::named;
use super::words::{LONGEST_REQUEST, Report, Request, file};

/// How many may ask at once; one more is turned away.
const GUESTS: usize = 16;

/// How long a guest may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(5);

/// All that can be asked of.
pub(crate) struct Door {
    pub(crate) group: Arc<Group>,
    pub(crate) started_at_ms: u64,
    pub(crate) pen: Option<Pen>,
    pub(crate) terminal: Option<Mutex<Box<dyn MasterPty + Send>>>,
    pub(crate) events: SyncSender<Event>,
}

impl Door {
    /// Listens from here on, until the keeper ends.
    pub(crate) fn open(self) -> io::Result<()> {
        // By its name in the folder we are in: the whole path may be longer than an address can be.
        let listener = UnixListener::bind(file::SOCKET)?;
        std::fs::set_permissions(file::SOCKET, std::fs::Permissions::from_mode(0o600))?;
        let (door, guests) = (Arc::new(self), Arc::new(AtomicUsize::new(0)));
        let listening = move || {
            for guest in listener.incoming() {
                let Ok(guest) = guest else {
                    std::thread::sleep(Duration::from_millis(50));
                    continue;
                };
                if guests.fetch_add(1, Ordering::AcqRel) >= GUESTS {
                    guests.fetch_sub(1, Ordering::AcqRel);
                    continue;
                }
                let (door, leaving) = (Arc::clone(&door), Arc::clone(&guests));
                let serving = move || {
                    if let Err(error) = door.serve(&guest) {
                        eprintln!("a request was not served: {error}");
                    }
                    leaving.fetch_sub(1, Ordering::AcqRel);
                };
                if std::thread::Builder::new().stack_size(STACK).spawn(serving).is_err() {
                    guests.fetch_sub(1, Ordering::AcqRel);
                }
            }
        };
        std::thread::Builder::new().stack_size(STACK).spawn(listening)?;
        Ok(())
    }

    fn serve(&self, mut guest: &UnixStream) -> io::Result<()> {
        guest.set_read_timeout(Some(PATIENCE))?;
        guest.set_write_timeout(Some(PATIENCE))?;
        let mut line = String::new();
        BufReader::new(guest.take(LONGEST_REQUEST)).read_line(&mut line)?;
        let request = serde_json::from_str(&line)?;
        let watches = request == Request::Watch;
        let mut answer = serde_json::to_string(&self.answer(request))?;
        answer.push('\n');
        guest.write_all(answer.as_bytes())?;
        if watches {
            // Until it goes, or we do.
            guest.set_read_timeout(None)?;
            let _ = guest.read(&mut [0]);
        }
        Ok(())
    }

    fn answer(&self, request: Request) -> Report {
        let failed = |words: &str| Report::Failed(words.to_owned());
        let done = Report::Running { pid: self.group.pid(), started_at_ms: self.started_at_ms };
        match request {
            Request::Watch => done,
            Request::Kill => match self.events.try_send(Event::Kill) {
                Ok(()) => done,
                Err(_) => failed("it is being ended already"),
            },
            Request::Signal(name) => match named(&name).map(|(_, signal)| self.group.send(signal)) {
                Some(Ok(())) => done,
                Some(Err(error)) => Report::Failed(format!("the signal cannot be sent: {error}")),
                None => Report::Failed(format!("there is no signal `{name}`")),
            },
            Request::Write { base64, eof } => {
                let Some(pen) = &self.pen else {
                    return failed("it reads nothing; begin it with `stdin: \"open\"` or `pty: true`");
                };
                let Ok(bytes) = BASE64.decode(base64.as_bytes()) else { return failed("that is no base64") };
                match pen.write(bytes, if eof { End::Now } else { End::Later }) {
                    Ok(()) => done,
                    Err(NotWritten::Full) => Report::Full,
                    Err(NotWritten::Closed) => failed("it reads nothing any more"),
                }
            }
            Request::Resize(size) => {
                let Some(terminal) = &self.terminal else { return failed("it runs on no terminal") };
                let terminal = terminal.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                match terminal.resize(size.into()) {
                    Ok(()) => done,
                    Err(error) => Report::Failed(format!("the terminal keeps its size: {error}")),
                }
            }
        }
    }
}
