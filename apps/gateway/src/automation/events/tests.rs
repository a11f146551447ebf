//! What becomes of an event between whoever tells it and its queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use argus_protocol::ThreadId;
use argus_session::Submission;
use async_trait::async_trait;
use serde_json::json;

use super::*;
use crate::automation::exits::Exit;
use crate::automation::nodes::{Node, NodeChange};
use crate::automation::ports::Workers;
use crate::automation::{AutomationParts, Pulse};
use crate::store::ledger::{Ledger, QueueWaiting};
use crate::store::state_file::StateFile;

/// Sessions `s` and `other` exist, and `leaving` the first three times that somebody asks; `s` is the default one.
#[derive(Default)]
struct Known(AtomicU64);

#[async_trait]
impl Workers for Known {
    async fn begin(&self, _: Submission) {}

    async fn knows(&self, session: &SessionId) -> bool {
        match session.as_str() {
            "s" | "other" => true,
            "leaving" => self.0.fetch_add(1, Ordering::SeqCst) < 3,
            _ => false,
        }
    }

    async fn list(&self) -> Result<Vec<SessionId>, String> {
        Ok(vec![session("s"), session("other")])
    }

    async fn stored_default(&self) -> Option<SessionId> {
        Some(session("s"))
    }

    async fn default_session(&self) -> Result<SessionId, String> {
        Ok(session("s"))
    }

    async fn ask_agent(&self, _: &SessionId, _: &str, _: Value) -> Result<Value, String> {
        Err("there is no agent".to_owned())
    }
}

struct Desk {
    _dir: tempfile::TempDir,
    ledger: Ledger,
    pulse: Pulse,
    automation: Automation,
    clock: Arc<AtomicU64>,
}

impl Desk {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let time = Arc::new(AtomicU64::new(1000));
        let clock: crate::store::clock::Clock = {
            let time = Arc::clone(&time);
            Arc::new(move || time.load(Ordering::SeqCst))
        };
        let path = dir.path().join("ledger.db");
        let ledger = Ledger::open_with_clock(&path, |_: &_, _| Vec::new(), clock.clone()).await.unwrap();
        let state = Arc::new(StateFile::load(&dir.path().join("state.json")).unwrap());
        state.set_main_thread(&session("s"), Some(&thread("main"))).await.unwrap();
        let pulse = Pulse::default();
        let automation = Automation::new(AutomationParts {
            ledger: ledger.clone(),
            state,
            workers: Arc::new(Known::default()),
            pulse: pulse.clone(),
            config: config(),
            bots: Vec::new(),
            workspaces: crate::workspace::Workspaces::Own { sessions: dir.path().join("sessions") },
            clock,
        });
        Self { _dir: dir, ledger, pulse, automation, clock: time }
    }

    async fn tell(&self, happening: Happening) -> Result<Event, EventError> {
        self.automation.happened(&session("s"), Queue::Main, happening, Source::Caller).await
    }

    async fn refused(&self, happening: Happening) -> String {
        self.tell(happening).await.unwrap_err().to_string()
    }

    /// Whether somebody would look now.
    async fn is_awake(&self) -> bool {
        tokio::time::timeout(Duration::ZERO, self.pulse.woken()).await.is_ok()
    }

    async fn listed(&self, of: &str) -> Vec<String> {
        let listed = self.automation.recent_events(&session(of), 50).await.unwrap();
        listed.into_iter().map(|listed| listed.event.text).collect()
    }
}

fn session(text: &str) -> SessionId {
    text.parse().unwrap()
}

fn thread(text: &str) -> ThreadId {
    text.parse().unwrap()
}

fn said(text: &str) -> Happening {
    Happening { text: text.to_owned(), ..Happening::default() }
}

fn config() -> crate::config::AutomationConfig {
    use crate::config::{AutomationConfig, BeatThread, Budget, ContextMode, HeartbeatConfig, Hours, When};
    AutomationConfig {
        heartbeat: HeartbeatConfig {
            every: None,
            hours: Hours::ALL,
            when: When::Always,
            thread: BeatThread::Main,
            target: argus_protocol::argus::deliver::Deliver::Home,
        },
        zone: argus_schedule::Tz::UTC,
        budget: Budget { turns: 0, tokens: 0 },
        context: ContextMode::Every,
    }
}

#[tokio::test]
async fn an_event_is_durable_and_wakes_who_looks() {
    let desk = Desk::new().await;
    assert!(!desk.is_awake().await);
    let meta = json!({ "a": 1 }).as_object().cloned();
    let happening = Happening { meta: meta.clone(), ..said("  disk full\n") };
    let event = desk.tell(happening).await.unwrap();
    let expected = Event {
        id: event.id.clone(),
        session: session("s"),
        queue: Queue::Main,
        kind: "system".into(),
        text: "disk full".into(),
        meta,
        created_ms: 1000,
    };
    assert_eq!(event, expected);
    assert!(event.id.len() == 32 && event.id.bytes().all(|b| b.is_ascii_hexdigit()));
    assert!(desk.is_awake().await);
    let listed = desk.automation.recent_events(&session("s"), 50).await.unwrap();
    assert_eq!(listed, [Listed { event, standing: Standing::Waiting }]);
}

#[tokio::test]
async fn a_key_that_is_known_answers_its_first_event_and_wakes_nobody() {
    let desk = Desk::new().await;
    let keyed = |text: &str| Happening { key: Some("k".into()), ..said(text) };
    let first = desk.tell(keyed("first")).await.unwrap();
    assert!(desk.is_awake().await);
    assert_eq!(desk.tell(keyed("second")).await.unwrap(), first);
    assert!(!desk.is_awake().await);
    // A blank one names nothing.
    let blank = || Happening { key: Some(" ".into()), ..said("third") };
    assert_ne!(desk.tell(blank()).await.unwrap().id, desk.tell(blank()).await.unwrap().id);
}

#[tokio::test]
async fn the_main_thread_has_one_queue_however_it_is_named() {
    let desk = Desk::new().await;
    for (named, expected) in [
        (Queue::Main, Queue::Main),
        (Queue::Thread(thread("main")), Queue::Main),
        (Queue::Thread(thread("aside")), Queue::Thread(thread("aside"))),
    ] {
        let s = session("s");
        let told = desk.automation.enqueue_event(&s, named, "", "x", None, None, Source::Caller);
        assert_eq!(told.await.unwrap().queue, expected);
    }
}

#[tokio::test]
async fn what_is_no_event_is_refused_with_the_reason() {
    let desk = Desk::new().await;
    let kind = |kind: &str| Happening { kind: kind.into(), ..said("x") };
    let key = |key: &str| Happening { key: Some(key.into()), ..said("x") };
    let kinds = "'kind' must have at most 64 printable characters without brackets";
    let big = Happening { meta: json!({ "a": "x".repeat(16_377) }).as_object().cloned(), ..said("x") };
    for (wrong, words) in [
        (said(" \n"), "Missing 'text'"),
        (said(&"x".repeat(65_537)), "'text' has 65537 bytes, more than 65536"),
        (kind(&"ä".repeat(65)), kinds),
        (kind("a\nb"), kinds),
        (kind("/SOUL]"), kinds),
        (key(&"k".repeat(257)), "'idempotencyKey' has 257 bytes, more than 256"),
        (big, "'meta' has 16385 bytes of JSON, more than 16384"),
    ] {
        assert_eq!(desk.refused(wrong).await, words);
    }
    assert_eq!(desk.listed("s").await, Vec::<String>::new());
    desk.tell(Happening { kind: "ä".repeat(64), key: Some("k".repeat(256)), ..said(&"x".repeat(65_536)) })
        .await
        .unwrap();
}

#[tokio::test]
async fn a_session_that_is_not_there_is_told_nothing() {
    let desk = Desk::new().await;
    let gone = session("gone");
    let told = desk.automation.happened(&gone, Queue::Main, said("x"), Source::Internal).await;
    assert_eq!(told.unwrap_err().to_string(), "Unknown session `gone`");
    assert_eq!(desk.listed("gone").await, Vec::<String>::new());
    assert_eq!(desk.ledger.queues_waiting().await.unwrap(), []);
}

#[tokio::test]
async fn an_event_of_a_session_that_is_being_deleted_is_refused_and_takes_no_other_with_it() {
    let desk = Desk::new().await;
    let leaving = session("leaving");
    let tell = async |text| desk.automation.happened(&leaving, Queue::Main, said(text), Source::Caller).await;
    tell("before").await.unwrap();
    assert_eq!(tell("while it goes").await.unwrap_err().to_string(), "Unknown session `leaving`");
    assert_eq!(desk.listed("leaving").await, ["before"], "it may stay after all");
}

#[tokio::test]
async fn a_node_that_flaps_is_told_of_once_as_it_stands_now() {
    let desk = Desk::new().await;
    let node = |id: &str| Node { id: id.into(), platform: Some("linux".into()), ..Node::default() };
    for (at, id, change) in [
        (1000, "a", NodeChange::Disconnected),
        (2000, "b", NodeChange::Disconnected),
        (3000, "a", NodeChange::Connected),
        (4000, "a", NodeChange::Disconnected),
        (5000, "a", NodeChange::Connected),
    ] {
        desk.clock.store(at, Ordering::SeqCst);
        desk.automation.node_changed(&session("s"), &node(id), change).await.unwrap();
    }
    let told = ["Node connected: a · platform=linux", "Node disconnected: b · platform=linux"];
    assert_eq!(desk.listed("s").await, told);
    let waiting = QueueWaiting {
        session: session("s"),
        queue: Queue::Main,
        count: 2,
        oldest_ms: 1000,
        wakes_at_ms: 31_000,
    };
    assert_eq!(desk.ledger.queues_waiting().await.unwrap(), [waiting]);
}

#[tokio::test]
async fn the_end_of_a_command_is_told_once_and_to_its_own_session() {
    let desk = Desk::new().await;
    let exit = |node: &str, named: Option<&str>, job: &str| Exit {
        node_id: node.into(),
        session: named.map(session),
        job_id: job.into(),
        ..Exit::default()
    };
    for (exit, of) in [
        (exit("runtime:other", Some("s"), "1"), "other"),
        (exit("runtime:other", None, "1"), "other"),
        (exit("laptop", Some("other"), "2"), "other"),
        (exit("laptop", None, "3"), "s"),
    ] {
        assert_eq!(desk.automation.process_exited(&exit).await.unwrap().session, session(of));
    }
    let text = |job: &str| {
        format!(
            "A command in the background has ended.\njobId: {job}\n\
             process.logs with this jobId shows all that it wrote."
        )
    };
    assert_eq!(desk.listed("other").await, [text("1"), text("2")]);
    assert_eq!(desk.listed("s").await, [text("3")]);
    let gone = desk.automation.process_exited(&exit("runtime:gone", None, "4")).await;
    assert_eq!(gone.unwrap_err().to_string(), "Unknown session `gone`");
}
