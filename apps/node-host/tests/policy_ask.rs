//! Asking the owner, and noting what was said.

mod policy_kit;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use argus_node_host::audit::{Audit, Begun};
use argus_node_host::policy::{AskBy, Asks, Gate, MOST_QUESTIONS, Question, Reply, summary};
use argus_node_host::{Call, Progress};
use argus_protocol::node::Fault;
use async_trait::async_trait;
use policy_kit::{Device, call, heard};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// A place that gives one answer, or waits until the question is over.
struct Place {
    by: AskBy,
    reply: Option<Reply>,
    seen: Mutex<Vec<String>>,
    token: Mutex<Option<CancellationToken>>,
    asked: Notify,
    over: Notify,
}

impl Place {
    fn new(by: AskBy, reply: Option<Reply>) -> Arc<Self> {
        let (asked, over) = (Notify::new(), Notify::new());
        Arc::new(Self { by, reply, seen: Mutex::default(), token: Mutex::default(), asked, over })
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

#[async_trait]
impl Asks for Place {
    fn place(&self) -> AskBy {
        self.by
    }

    async fn put(&self, question: Arc<Question>, over: CancellationToken) -> Reply {
        self.seen.lock().unwrap().push(question.what.lines().next().unwrap_or_default().to_owned());
        *self.token.lock().unwrap() = Some(over.clone());
        self.asked.notify_one();
        if let Some(reply) = &self.reply {
            return reply.clone();
        }
        over.cancelled().await;
        self.over.notify_one();
        Reply::Nobody("over".into())
    }
}

fn gate(device: &Device, policy: &str, places: Vec<Arc<dyn Asks>>) -> Gate {
    Gate::new(device.good_policy(policy), Audit::open(&device.home).unwrap(), places)
}

fn tool() -> (Call, tokio::sync::mpsc::Receiver<Progress>) {
    heard("system.run", json!({ "argv": ["tool", "x"] }))
}

/// The audit's lines, without their times.
fn noted(device: &Device) -> Vec<Value> {
    let text = fs::read_to_string(device.at("audit.log")).unwrap();
    let read = |line: &str| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        let at = line.as_object_mut().unwrap().remove("atMs").unwrap();
        assert!(at.as_u64().unwrap() > 1_600_000_000_000);
        line
    };
    text.lines().map(read).collect()
}

fn code<T>(result: Result<T, Fault>) -> String {
    result.map_or_else(|fault| fault.code, |_| "let".into())
}

#[tokio::test]
async fn the_first_answer_counts_and_the_other_place_is_told_that_it_is_over() {
    let device = Device::new();
    let chat = Place::new(AskBy::Chat, Some(Reply::Yes("Ann".into())));
    let terminal = Place::new(AskBy::Terminal, None);
    let gate = gate(&device, "", vec![terminal.clone(), chat.clone()]);
    let (call, mut progress) = tool();
    let permit = gate.pass(&call).await.unwrap();
    assert_eq!(permit.by.as_deref(), Some("Ann"));
    assert_eq!(permit.plan().unwrap().program, device.at("bin/tool"));
    terminal.over.notified().await;
    assert_eq!((terminal.seen(), chat.seen()), (vec!["tool x".into()], vec!["tool x".into()]));
    assert_eq!(progress.try_recv().unwrap(), Progress::Waiting(Duration::from_mins(2)));
    assert_eq!(progress.try_recv().unwrap(), Progress::GoesOn);
}

#[tokio::test]
async fn a_no_ends_it_and_who_has_nobody_to_ask_is_not_heard() {
    let device = Device::new();
    let nobody = Place::new(AskBy::Chat, Some(Reply::Nobody("nobody is paired".into())));
    let no = Place::new(AskBy::Terminal, Some(Reply::No("at the terminal".into())));
    let both = gate(&device, "", vec![nobody.clone(), no]);
    let fault = both.pass(&tool().0).await.unwrap_err();
    assert_eq!(fault, Fault::new("NOT_APPROVED", "the owner of this device said no (at the terminal)"));
    let alone = gate(&device, "", vec![nobody]);
    let words = "the owner of this device would have to say yes, and nobody can be asked: nobody is paired";
    assert_eq!(alone.pass(&tool().0).await.unwrap_err(), Fault::new("NOT_APPROVED", words));
    let none = gate(&device, "", Vec::new());
    assert_eq!(code(none.pass(&tool().0).await), "NOT_APPROVED");
}

#[tokio::test]
async fn only_the_places_of_the_policy_are_asked() {
    let device = Device::new();
    let chat = Place::new(AskBy::Chat, Some(Reply::Yes("Ann".into())));
    let terminal = Place::new(AskBy::Terminal, Some(Reply::Yes("terminal".into())));
    let gate = gate(&device, "ask.by = ['terminal']", vec![chat.clone(), terminal]);
    assert_eq!(gate.pass(&tool().0).await.unwrap().by.as_deref(), Some("terminal"));
    assert_eq!(chat.seen(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_waited_for_longer_than_the_owner_says() {
    let device = Device::new();
    let silent = Place::new(AskBy::Chat, None);
    let gate = gate(&device, "ask.timeoutSeconds = 5", vec![silent.clone()]);
    let fault = gate.pass(&tool().0).await.unwrap_err();
    assert_eq!(fault, Fault::new("NOT_APPROVED", "nobody said yes in 5 s"));
    silent.over.notified().await;
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_asks_no_longer() {
    let device = Device::new();
    let silent = Place::new(AskBy::Chat, None);
    let gate = gate(&device, "", vec![silent.clone()]);
    let (call, _progress) = tool();
    let cancel = call.cancel.clone();
    let asking = tokio::spawn(async move { gate.pass(&call).await });
    silent.asked.notified().await;
    cancel.cancel();
    assert_eq!(code(asking.await.unwrap()), "CANCELLED");
    silent.over.notified().await;
}

#[tokio::test]
async fn a_call_that_is_dropped_asks_no_longer() {
    let device = Device::new();
    let silent = Place::new(AskBy::Chat, None);
    let gate = gate(&device, "", vec![silent.clone()]);
    let (call, _progress) = tool();
    let asking = tokio::spawn(async move { gate.pass(&call).await });
    silent.asked.notified().await;
    asking.abort();
    assert!(asking.await.unwrap_err().is_cancelled());
    let token = silent.token.lock().unwrap().clone().unwrap();
    assert!(token.is_cancelled(), "also who asks on a thread of its own hears of it");
}

#[tokio::test]
async fn more_questions_than_a_person_can_answer_are_refused() {
    let device = Device::new();
    let silent = Place::new(AskBy::Chat, None);
    let gate = gate(&device, "", vec![silent.clone()]);
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..MOST_QUESTIONS {
        let gate = gate.clone();
        asking.spawn(async move { gate.pass(&tool().0).await });
        silent.asked.notified().await;
    }
    assert_eq!(code(gate.pass(&tool().0).await), "BUSY");
    asking.shutdown().await;
    // There is room again when they are gone.
    let (call, _progress) = tool();
    let asking = tokio::spawn(async move { gate.pass(&call).await });
    silent.asked.notified().await;
    asking.abort();
}

/// A place whose answer comes after something happened.
struct Meanwhile<F>(F);

#[async_trait]
impl<F: Fn() + Send + Sync> Asks for Meanwhile<F> {
    fn place(&self) -> AskBy {
        AskBy::Terminal
    }

    async fn put(&self, _question: Arc<Question>, _over: CancellationToken) -> Reply {
        (self.0)();
        Reply::Yes("Ann".into())
    }
}

#[tokio::test]
async fn a_yes_is_for_what_was_asked_and_not_for_what_it_became() {
    let device = Arc::new(Device::new());
    device.link("bin/nick", "tool");
    let own = Arc::clone(&device);
    let swaps = Meanwhile(move || own.link("bin/nick", "other"));
    let params = json!({ "argv": ["nick"] });
    let swapped = gate(&device, "", vec![Arc::new(swaps)]).pass(&call("system.run", params.clone())).await;
    assert_eq!(code(swapped), "DENIED");
    let own = Arc::clone(&device);
    let forbids = Meanwhile(move || {
        own.write_policy("mode = 'deny' # changed");
    });
    let forbidden = gate(&device, "", vec![Arc::new(forbids)]).pass(&call("system.run", params)).await;
    assert_eq!(code(forbidden), "DENIED");
}

#[tokio::test]
async fn every_call_is_noted_without_contents_values_and_input() {
    let device = Device::new();
    let yes = Place::new(AskBy::Chat, Some(Reply::Yes("Ann".into())));
    let rules = "[folders]\nwrite = ['~/tree']\n[[run]]\nrule = 'deny'\nprogram = 'other'";
    let gate = gate(&device, rules, vec![yes]);
    let secret = "s3cret";
    let ran =
        call("system.run", json!({ "argv": ["tool", "a\nb"], "env": { "X": secret }, "stdinText": secret }));
    gate.pass(&ran).await.unwrap();
    let answer = argus_node_host::call::told(&json!({ "jobId": "j1", "stdout": secret }));
    gate.ended(&ran, &answer);
    let write = call("fs.write", json!({ "path": "~/tree/x", "mode": "create", "content": secret }));
    gate.pass(&write).await.unwrap();
    gate.ended(&write, &Err(Fault::new("FAILED", secret).of_job("j2")));
    gate.pass(&call("system.run", json!({ "argv": ["other"] }))).await.unwrap_err();
    gate.pass(&call("process.write", json!({ "jobId": "j1", "data": secret }))).await.unwrap();
    gate.pass(&call("clipboard.set", json!({ "text": secret }))).await.unwrap();
    let of = |command: &str, what: &str, verdict: &str| json!({ "call": "c1", "session": "s1", "command": command, "what": what, "verdict": verdict });
    let with = |mut line: Value, more: Value| {
        line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        line
    };
    let denied = json!({
        "outcome": "DENIED",
        "why": "the owner of this device does not let `system.run` be done so; its policy decides",
    });
    assert_eq!(
        noted(&device),
        [
            with(of("system.run", "tool $'a\\nb'", "ask"), json!({ "by": "Ann" })),
            json!({ "call": "c1", "outcome": "OK", "jobId": "j1" }),
            of("fs.write", "path='~/tree/x' mode=create", "allow"),
            json!({ "call": "c1", "outcome": "FAILED", "jobId": "j2" }),
            with(of("system.run", "other", "deny"), denied),
            of("process.write", "jobId=j1", "allow"),
            with(of("clipboard.set", "", "ask"), json!({ "by": "Ann" })),
        ]
    );
    let mode = fs::metadata(device.at("audit.log")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!fs::read_to_string(device.at("audit.log")).unwrap().contains(secret));
}

#[tokio::test]
async fn what_cannot_be_noted_is_not_done() {
    let device = Device::new();
    let gate = gate(&device, "mode = 'allow'", Vec::new());
    gate.pass(&tool().0).await.unwrap();
    // The audit is taken away, and something else put in its place.
    fs::remove_file(device.at("audit.log")).unwrap();
    fs::create_dir(device.at("audit.log")).unwrap();
    let fault = gate.pass(&tool().0).await.unwrap_err();
    assert_eq!(fault.code, "FAILED");
    assert!(
        fault.message.starts_with("the audit of this device cannot be written, so nothing is done: "),
        "{fault}"
    );
    fs::remove_dir(device.at("audit.log")).unwrap();
    symlink(device.at("tree/elsewhere"), device.at("audit.log")).unwrap();
    assert_eq!(code(gate.pass(&tool().0).await), "FAILED");
    assert!(!device.at("tree/elsewhere").exists());
    fs::remove_file(device.at("audit.log")).unwrap();
    gate.pass(&tool().0).await.unwrap();
    assert_eq!(noted(&device).len(), 1);
}

#[test]
fn the_audit_begins_a_new_file_when_one_is_full_and_keeps_one_older() {
    let device = Device::new();
    let audit = Audit::open_with(&device.home, 1000).unwrap();
    let write = |number: usize| {
        let call = number.to_string();
        let line = Begun {
            call: &call,
            session: None,
            command: "x",
            what: "",
            verdict: "allow",
            by: None,
            outcome: None,
            why: None,
        };
        audit.begun(&line).unwrap();
    };
    (0..100).for_each(write);
    let read = |name: &str| fs::read_to_string(device.at(name)).unwrap();
    let (old, new) = (read("audit.log.1"), read("audit.log"));
    assert!(old.len() <= 1000 && new.len() <= 1000 && old.len() > 800, "{} {}", old.len(), new.len());
    let numbers: Vec<usize> = (old + &new)
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["call"].as_str().unwrap().parse().unwrap())
        .collect();
    let expected: Vec<usize> = (100 - numbers.len()..100).collect();
    assert_eq!(numbers, expected);
}

#[tokio::test]
async fn no_line_is_long_or_dressed_up_whatever_is_answered_and_called() {
    let device = Device::new();
    let long = "x\u{202e}\n".repeat(100_000);
    let yes = Place::new(AskBy::Chat, Some(Reply::Yes(long.clone())));
    let gate = gate(&device, "", vec![yes]);
    let mut odd = tool().0;
    odd.id.clone_from(&long);
    odd.asker.session_id = Some(long.clone());
    let by = gate.pass(&odd).await.unwrap().by.unwrap();
    assert!(by.starts_with("x\\u202e\\nx") && by.chars().count() < 300, "{by}");
    gate.ended(&odd, &Err(Fault::new("FAILED", &long)));
    device.write_policy(&format!("mode = '{}'", "x".repeat(200_000)));
    assert_eq!(code(gate.pass(&odd).await), "DENIED");
    device.write_policy(&format!("folders.read = [{}]", "'x',".repeat(900)));
    assert_eq!(code(gate.pass(&odd).await), "DENIED");
    let lengths: Vec<usize> = noted(&device).iter().map(|line| line.to_string().chars().count()).collect();
    assert_eq!(lengths.len(), 4);
    assert!(lengths.iter().all(|length| *length < 6000), "{lengths:?}");
}

#[test]
fn a_summary_is_short_whatever_is_called() {
    let argv = vec!["x".repeat(5000); 500];
    let long = summary(&call("system.run", json!({ "argv": argv })));
    assert!(long.chars().count() < 500, "{long}");
    let odd =
        summary(&call("fs.read", json!({ "path": "x".repeat(9000), "offset": [1, 2], "content": "no" })));
    assert!(odd.chars().count() < 500 && !odd.contains("no"), "{odd}");
}
