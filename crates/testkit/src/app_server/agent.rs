//! The scripted agent's memory: who said hello, which threads are loaded, which requests wait for an answer.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::shapes::Load;
use super::store::{NotTaken, Store, Thread, Writer};
use super::wire::Wire;
use super::{AcceptedTurn, TurnEntry};

/// One process of the scripted agent.
pub(crate) struct Agent {
    pub(crate) wire: Wire,
    pub(crate) store: Store,
    log: Option<PathBuf>,
    times: Option<PathBuf>,
    state: Mutex<State>,
}

/// What changes while it runs.
pub(crate) struct State {
    pub(crate) client: Client,
    pub(crate) loaded: BTreeMap<String, Loaded>,
    waiting: HashMap<i64, oneshot::Sender<Value>>,
    next_request: i64,
}

/// Whether somebody has said hello.
pub(crate) enum Client {
    /// Nobody yet.
    Awaited,
    /// Somebody, with these wishes.
    Known {
        /// Notifications it does not want.
        muted: HashSet<String>,
        /// Whether it gets what is experimental.
        experimental: bool,
    },
}

/// A thread in memory.
pub(crate) struct Loaded {
    pub(crate) thread: Thread,
    pub(crate) load: Load,
    pub(crate) running: Option<Running>,
    /// Held by the turn that writes to the wire, so that the next one's frames come after it.
    pub(crate) order: Arc<tokio::sync::Mutex<()>>,
    _writer: Writer,
}

/// A turn that goes on.
pub(crate) struct Running {
    pub(crate) turn: String,
    pub(crate) interrupt: CancellationToken,
    /// What it has been given and has not yet looked at.
    pub(crate) inputs: VecDeque<Vec<Value>>,
}

impl Agent {
    pub(crate) fn new(store: Store, log: Option<PathBuf>, times: Option<PathBuf>) -> Self {
        let state = State {
            client: Client::Awaited,
            loaded: BTreeMap::new(),
            waiting: HashMap::new(),
            next_request: 0,
        };
        Self { wire: Wire::default(), store, log, times, state: Mutex::new(state) }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a notification unless the client does not want it.
    pub(crate) async fn notify(&self, method: &str, params: Value) {
        let wanted = match &self.state().client {
            Client::Awaited => true,
            Client::Known { muted, experimental } => {
                !muted.contains(method) && (*experimental || method != "thread/readState/changed")
            }
        };
        if method == "turn/completed" {
            self.note_time(method);
        }
        if wanted {
            self.wire.notify(method, &params).await;
        }
    }

    /// Notes and tells how a thread stands.
    pub(crate) async fn status(&self, thread: &str, load: Load) {
        if let Some(loaded) = self.state().loaded.get_mut(thread) {
            loaded.load = load;
        }
        self.notify("thread/status/changed", json!({ "threadId": thread, "status": load.to_json() })).await;
    }

    /// Asks the client something; the whole answering frame comes through the receiver.
    pub(crate) async fn ask(&self, method: &str, params: Value) -> (i64, oneshot::Receiver<Value>) {
        let (sender, receiver) = oneshot::channel();
        let id = {
            let mut state = self.state();
            let id = state.next_request;
            state.next_request += 1;
            state.waiting.insert(id, sender);
            id
        };
        self.wire.ask(id, method, &params).await;
        (id, receiver)
    }

    /// Stops waiting for the answer to that request.
    pub(crate) fn forget(&self, request: i64) {
        self.state().waiting.remove(&request);
    }

    /// Takes the client's answer; a late or doubled one is ignored, as the real one does.
    pub(crate) fn answered(&self, frame: Value) {
        let waiting = frame["id"].as_i64().and_then(|id| self.state().waiting.remove(&id));
        if let Some(waiting) = waiting {
            let _ = waiting.send(frame);
        }
    }

    /// Puts a thread into memory.
    pub(crate) fn load(&self, thread: Thread) -> Result<(), NotTaken> {
        let writer = self.store.writer(&thread.id)?;
        let loaded =
            Loaded { load: Load::Idle, running: None, order: Arc::default(), _writer: writer, thread };
        self.state().loaded.insert(loaded.thread.id.clone(), loaded);
        Ok(())
    }

    /// Changes a loaded thread and stores it.
    pub(crate) fn change(&self, thread: &str, change: impl FnOnce(&mut Thread)) {
        let mut state = self.state();
        let Some(loaded) = state.loaded.get_mut(thread) else { return };
        change(&mut loaded.thread);
        loaded.thread.updated_at = super::wire::unix_ms() / 1000;
        if let Err(error) = self.store.write(&loaded.thread) {
            eprintln!("the thread `{thread}` could not be stored: {error}");
        }
    }

    /// Writes down when something happened, for benchmarks.
    fn note_time(&self, what: &str) {
        if let Some(path) = &self.times {
            append(path, format!("{what} {}\n", super::wire::unix_us()).as_bytes());
        }
    }

    /// Writes an accepted turn into the log that tests count.
    pub(crate) fn log(&self, entry: TurnEntry, thread: &str, turn: &str, text: &str) {
        self.note_time("turn/start");
        let Some(path) = &self.log else { return };
        let accepted = AcceptedTurn {
            entry,
            thread: thread.to_owned(),
            turn: turn.to_owned(),
            text: text.to_owned(),
            process: std::process::id(),
        };
        let mut line = serde_json::to_vec(&accepted).expect("an accepted turn is serializable");
        line.push(b'\n');
        append(path, &line);
    }
}

fn append(path: &std::path::Path, line: &[u8]) {
    let opened = OpenOptions::new().create(true).append(true).open(path);
    if let Err(error) = opened.and_then(|mut file| file.write_all(line)) {
        eprintln!("the log `{}` could not be written: {error}", path.display());
    }
}
