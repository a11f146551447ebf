//! What follows from `state.json`: events taken over from the reference, its last chat, the pause.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use argus_protocol::argus::automation::{Lane, Pause, Runtime, State, Status};
use argus_protocol::argus::deliver::Deliver;
use argus_protocol::{SessionId, ThreadId};
use argus_schedule::Tz;
use argus_session::{ChatRef, Origin, Submission, Target};
use async_trait::async_trait;
use serde_json::{Value, json};

use super::ports::Workers;
use super::{Automation, AutomationParts, Pulse};
use crate::config::{AutomationConfig, BeatThread, Budget, ContextMode, HeartbeatConfig, Hours, When};
use crate::store::ledger::{Ledger, NewHeartbeat, NewSubmission, Queue};
use crate::store::state_file::StateFile;
use crate::workspace::{Workspace, Workspaces};

/// No session does anything.
struct Nobody;

#[async_trait]
impl Workers for Nobody {
    async fn begin(&self, _: Submission) {}

    async fn knows(&self, _: &SessionId) -> bool {
        true
    }

    async fn list(&self) -> Result<Vec<SessionId>, String> {
        Ok(Vec::new())
    }

    async fn stored_default(&self) -> Option<SessionId> {
        None
    }

    async fn default_session(&self) -> Result<SessionId, String> {
        Err("there is none".to_owned())
    }

    async fn ask_agent(&self, _: &SessionId, _: &str, _: Value) -> Result<Value, String> {
        Err("nobody is there".to_owned())
    }
}

/// A folder with both files; its clock stands at 1000.
struct Desk {
    dir: tempfile::TempDir,
}

impl Desk {
    fn with(state: &Value) -> Self {
        let desk = Self { dir: tempfile::tempdir().unwrap() };
        std::fs::write(desk.state(), state.to_string()).unwrap();
        desk
    }

    fn state(&self) -> PathBuf {
        self.dir.path().join("state.json")
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.state()).unwrap()).unwrap()
    }

    async fn open(&self) -> (Automation, Ledger) {
        let clock: crate::store::clock::Clock = Arc::new(|| 1000);
        let path = self.dir.path().join("ledger.db");
        let ledger = Ledger::open_with_clock(&path, |_, _| Vec::new(), clock.clone()).await.unwrap();
        let heartbeat = HeartbeatConfig {
            every: None,
            hours: Hours::ALL,
            when: When::Always,
            thread: BeatThread::Main,
            target: Deliver::Home,
        };
        let automation = Automation::new(AutomationParts {
            ledger: ledger.clone(),
            state: Arc::new(StateFile::load(&self.state()).unwrap()),
            workers: Arc::new(Nobody),
            pulse: Pulse::default(),
            config: AutomationConfig {
                heartbeat,
                zone: Tz::UTC,
                budget: Budget { turns: 0, tokens: 0 },
                context: ContextMode::Every,
            },
            bots: vec!["1".to_owned()],
            workspaces: Workspaces::Shared(Workspace::Open(self.dir.path().to_owned())),
            clock,
        });
        (automation, ledger)
    }
}

fn session(text: &str) -> SessionId {
    text.parse().unwrap()
}

fn thread(text: &str) -> ThreadId {
    text.parse().unwrap()
}

fn id(number: usize) -> String {
    format!("{number:032x}")
}

fn former(number: usize, text: &str) -> Value {
    json!({ "eventId": id(number), "kind": "system", "text": text, "createdAtMs": 100 + number })
}

/// What waits in a queue: id, text and time.
async fn waiting(ledger: &Ledger, of: &str, queue: Queue) -> Vec<(String, String, u64)> {
    let listed = ledger.recent_events(&session(of), 5000).await.unwrap();
    let events = listed.into_iter().map(|listed| listed.event).filter(|event| event.queue == queue);
    events.map(|event| (event.id, event.text, event.created_ms)).collect()
}

fn told(number: usize, text: &str) -> (String, String, u64) {
    (id(number), text.to_owned(), 100 + number as u64)
}

#[tokio::test]
async fn events_of_the_reference_wait_in_the_ledger_as_they_were() {
    let desk = Desk::with(&json!({ "version": 1, "sessions": {
        "s": { "mainThreadId": "m", "cronJobs": [], "systemEventQueues": {
            "m": [former(2, "two"), former(1, "one"), { "eventId": "short", "kind": "node", "createdAtMs": 7 }],
            "o": [former(3, "three")] } },
        // The same id in another session.
        "t": { "mainThreadId": null, "systemEventQueues": { "m": [former(1, "another")] } },
    } }));
    let (automation, ledger) = desk.open().await;
    automation.take_over_events().await.unwrap();
    let of_main = waiting(&ledger, "s", Queue::Main).await;
    assert_eq!(of_main[..2], [told(2, "two"), told(1, "one")]);
    let (own_id, text, at) = &of_main[2];
    assert_eq!((own_id.len(), text.as_str(), *at), (32, "", 7));
    assert_eq!(waiting(&ledger, "s", Queue::Thread(thread("o"))).await, [told(3, "three")]);
    let other = waiting(&ledger, "t", Queue::Thread(thread("m"))).await;
    assert_eq!((other.len(), other[0].1.as_str(), other[0].2), (1, "another", 101));
    assert_ne!(other[0].0, id(1));
    assert_eq!(
        desk.json()["sessions"]["s"],
        json!({ "mainThreadId": "m", "cronJobs": [], "systemEventQueues": {} })
    );
}

#[tokio::test]
async fn a_taking_over_that_was_broken_off_doubles_nothing() {
    let state = json!({ "version": 1, "sessions": {
        "s": { "mainThreadId": "m", "systemEventQueues": { "m": [former(1, "one"), former(2, "two")] } },
        "t": { "mainThreadId": "m", "systemEventQueues": { "m": [former(1, "another"), former(3, "three")] } },
    } });
    let desk = Desk::with(&state);
    for _ in 0..3 {
        let (automation, ledger) = desk.open().await;
        automation.take_over_events().await.unwrap();
        ledger.close().await;
        // As it is when the program was killed before the file was written.
        std::fs::write(desk.state(), state.to_string()).unwrap();
    }
    let (_, ledger) = desk.open().await;
    let texts = async |of| -> Vec<_> {
        waiting(&ledger, of, Queue::Main).await.into_iter().map(|(_, text, _)| text).collect()
    };
    assert_eq!(texts("s").await, ["one", "two"]);
    assert_eq!(texts("t").await, ["another", "three"]);
}

#[tokio::test]
async fn of_too_many_events_the_newest_are_kept_and_one_tells_of_the_others() {
    let events: Vec<_> = (0..2500).map(|number| former(number, &format!("event {number}"))).collect();
    let desk = Desk::with(&json!({ "version": 1, "sessions": {
        "s": { "mainThreadId": "m", "systemEventQueues": { "m": events } } } }));
    let (automation, ledger) = desk.open().await;
    automation.take_over_events().await.unwrap();
    assert_eq!(ledger.waiting_events().await.unwrap(), [(session("s"), 2000)]);
    let all = waiting(&ledger, "s", Queue::Main).await;
    let texts: Vec<_> = all[..2].iter().map(|(_, text, at)| (text.as_str(), *at)).collect();
    assert_eq!(texts, [("501 events omitted", 601), ("event 501", 601)]);
    assert_eq!(all.last(), Some(&told(2499, "event 2499")));
}

#[tokio::test]
async fn where_nothing_waits_in_the_file_it_is_not_written() {
    let desk =
        Desk::with(&json!({ "version": 1, "sessions": { "s": { "systemEventQueues": { "m": [] } } } }));
    let before = std::fs::read(desk.state()).unwrap();
    let (automation, _ledger) = desk.open().await;
    automation.take_over_events().await.unwrap();
    assert_eq!(std::fs::read(desk.state()).unwrap(), before);
}

#[tokio::test]
async fn until_a_chat_speaks_with_it_a_session_is_at_home_where_the_reference_was_spoken_to() {
    let desk = Desk::with(&json!({ "version": 1, "sessions": {
        "s": { "mainThreadId": "m", "lastActiveByThread": {
            "m": { "channel": "TG", "chatKey": "-100123:7", "atMs": 5 },
            "o": { "channel": "telegram", "chatKey": "8", "atMs": 9 } } },
        "t": { "mainThreadId": "m", "lastActiveByThread": { "m": { "channel": "smoke", "chatKey": "9", "atMs": 5 } } },
    } }));
    let (automation, ledger) = desk.open().await;
    let chat =
        |key: &str| Some(ChatRef { channel: "telegram".into(), bot: "1".into(), chat: key.parse().unwrap() });
    assert_eq!(automation.place(&session("s"), &Deliver::Home).await.unwrap(), chat("-100123:7"));
    assert_eq!(automation.place(&session("t"), &Deliver::Home).await.unwrap(), None);
    ledger.bind_chat(&session("s"), &chat("-5").unwrap(), 0, &thread("m")).await.unwrap();
    assert_eq!(automation.place(&session("s"), &Deliver::Home).await.unwrap(), chat("-5"));
}

/// Submission `number` of session `s` for a target.
fn submission(number: u8, target: Target) -> NewSubmission {
    let submission = Submission {
        id: format!("{number:032x}").parse().unwrap(),
        session: session("s"),
        target,
        thread: None,
        origin: Origin::Client { chat: None },
        text: "hi".to_owned(),
        attachments: Vec::new(),
    };
    NewSubmission { submission, idempotency_key: None }
}

#[tokio::test]
async fn how_it_stands_tells_lanes_pauses_events_and_what_is_due() {
    let state = json!({ "version": 1, "defaultSessionId": null, "sessions": {
        "s": { "mainThreadId": "m", "systemEventQueues": { "m": [former(1, "one")] }, "cronJobs": [
            { "jobId": "a", "expr": "@daily", "text": "", "enabled": false, "nextRunAtMs": 5 },
            { "jobId": "b", "expr": "@daily", "text": "", "nextRunAtMs": 70 },
            { "jobId": "c", "expr": "@daily", "text": "", "nextRunAtMs": 60 } ] },
        "t": { "mainThreadId": null } } });
    let desk = Desk::with(&state);
    let (automation, ledger) = desk.open().await;
    automation.take_over_events().await.unwrap();
    let other = || Target::Thread { id: thread("a") };
    let named = || Target::Named { name: "heartbeat".to_owned() };
    for (number, target) in [(1, Target::Main), (2, Target::Main), (3, other()), (4, other()), (5, named())] {
        ledger.submit(submission(number, target)).await.unwrap();
    }
    let first = [format!("{:032x}", 1).parse().unwrap()];
    ledger.mark_starting(&first, &thread("m"), "b", 0, 1, 0).await.unwrap();
    let paused = |paused| Pause { ok: true, session_id: session("s"), paused };
    assert_eq!(automation.pause(&session("s")).await.unwrap(), paused(true));

    let lane = |id: Option<&str>, busy, followup_depth| Lane {
        session_id: session("s"),
        thread_id: id.map(thread),
        busy,
        followup_depth,
    };
    let of_s = Status { session_id: session("s"), paused: true, waiting_events: 1, next_due_at_ms: Some(60) };
    let of_t = Status { session_id: session("t"), paused: false, waiting_events: 0, next_due_at_ms: None };
    let expected = State {
        ok: true,
        persisted: desk.json(),
        runtime: Runtime {
            lanes: vec![lane(None, false, 1), lane(Some("a"), false, 2), lane(Some("m"), true, 1)],
        },
        sessions: vec![of_s.clone(), of_t],
    };
    assert_eq!(automation.state().await.unwrap(), expected);
    assert_eq!(automation.status(&session("s")).await.unwrap(), of_s);

    let asked = NewHeartbeat { new: submission(6, Target::Main), due_ms: None, sees: None };
    ledger.begin_heartbeat(asked).await.unwrap();
    assert_eq!(automation.status(&session("s")).await.unwrap(), of_s, "none is due that has no time yet");

    assert_eq!(automation.resume(&session("s")).await.unwrap(), paused(false));
    assert!(!automation.status(&session("s")).await.unwrap().paused);
    assert_eq!(automation.0.state.paused_sessions().await, BTreeSet::new());
}
