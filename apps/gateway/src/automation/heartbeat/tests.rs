//! When heartbeats begin, and what becomes of them.

mod over_time;

use argus_session::{Outcome, Settlement};

use super::super::stage::{Stage, chat, stage, stage_in};
use super::*;
use crate::config::Budget;
use crate::store::ledger::{BeatOutcome, Body, NewEvent, Row, Source};
use crate::workspace::Workspace;

const MINUTE: u64 = 60_000;
/// Where the clock stands first.
const START: u64 = 1_782_813_600_000;

fn session() -> SessionId {
    "s1".parse().unwrap()
}

fn tasks(stage: &Stage, text: &str) {
    std::fs::write(stage.workspace.join(FILE), text).unwrap();
}

/// One with a task and a first time that is set.
async fn beating(change: impl FnOnce(&mut crate::config::AutomationConfig)) -> Stage {
    let stage = stage(change).await;
    tasks(&stage, "- look\n");
    assert_eq!(stage.look(START).await, Some(START + 30 * MINUTE));
    assert_eq!(stage.begun(), []);
    stage
}

/// What was begun: why, where, and under which key.
fn begun(stage: &Stage) -> Vec<(Beat, Target)> {
    let why = |one: Submission| match one.origin {
        Origin::Heartbeat { why, chat: told } => {
            assert_eq!((told, one.text.as_str()), (Some(chat("7")), ""));
            (why, one.target)
        }
        other => panic!("{other:?}"),
    };
    stage.begun().into_iter().map(why).collect()
}

/// The open submission ends so.
async fn ends(stage: &Stage, outcome: Outcome, turn: Option<&str>) {
    let open = stage.ledger.open_submissions(&session()).await.unwrap();
    let one = open.into_iter().next().unwrap().submission;
    let settlement = Settlement {
        submissions: vec![one.id],
        origin: one.origin,
        thread: None,
        turn: turn.map(|turn| turn.parse().unwrap()),
        outcome,
        usage: None,
    };
    let end = end_of(&settlement).unwrap();
    stage.ledger.settle_heartbeat(&session(), &settlement, end).await.unwrap();
}

fn said(text: &str) -> Outcome {
    Outcome::Completed { text: text.to_owned() }
}

fn failed() -> Outcome {
    Outcome::Failed { reason: "no model".into(), text: String::new() }
}

async fn told(stage: &Stage) -> Vec<String> {
    let mut told = Vec::new();
    // The oldest of a chat at a time.
    while let Some(row) = stage.ledger.waiting_rows("telegram", "1", 9).await.unwrap().pop() {
        let Row { id, body: Body::Text(body), .. } = row else { panic!("a text") };
        told.push(body.plain);
        stage.ledger.mark_sent(id, "1").await.unwrap();
    }
    told
}

async fn happens(stage: &Stage, n: u8, session: &str, queue: Queue, kind: &str) {
    let event = NewEvent {
        id: format!("{n:032x}"),
        session: session.parse().unwrap(),
        queue,
        kind: kind.into(),
        text: "x".into(),
        meta: None,
        dedupe_key: None,
        subject: None,
        source: Source::Caller,
    };
    stage.ledger.enqueue_event(event).await.unwrap();
}

#[tokio::test]
async fn a_due_heartbeat_is_a_submission_and_its_silence_is_not_told() {
    let stage = beating(|_| {}).await;
    let due = START + 30 * MINUTE;
    assert_eq!(stage.look(due - 1).await, Some(due));
    assert_eq!(begun(&stage), []);
    assert_eq!(stage.look(due).await, Some(due + 30 * MINUTE));
    assert_eq!(begun(&stage), [(Beat::Due, Target::Main)]);
    ends(&stage, said("**HEARTBEAT_OK**"), Some("t1")).await;
    assert_eq!(told(&stage).await, [""; 0]);
    let known = stage.ledger.heartbeat(&session()).await.unwrap().unwrap();
    assert_eq!((known.due_ms, known.last_ms), (Some(due + 30 * MINUTE), Some(due)));
    assert_eq!((known.outcome, known.failures), (Some(BeatOutcome::Quiet), 0));
    stage.look(due + 30 * MINUTE).await;
    ends(&stage, said("The disk is full."), Some("t2")).await;
    assert_eq!(told(&stage).await, ["The disk is full."]);
}

#[tokio::test]
async fn an_overdue_one_comes_once_however_often_somebody_looks() {
    let stage = beating(|_| {}).await;
    let late = START + 500 * MINUTE;
    for _ in 0..3 {
        stage.look(late).await;
    }
    assert_eq!(begun(&stage), [(Beat::Due, Target::Main)]);
    ends(&stage, said("HEARTBEAT_OK"), Some("t1")).await;
    assert_eq!(stage.look(late + 1).await, Some(START + 510 * MINUTE));
    assert_eq!(begun(&stage), []);
}

#[tokio::test]
async fn one_that_was_stored_is_not_begun_again_by_the_next_process() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = dir.path().join("w");
    std::fs::create_dir(&workspace).unwrap();
    std::fs::write(workspace.join(FILE), "- look\n").unwrap();
    let open = Workspaces::Shared(Workspace::Open(workspace.clone()));
    let stage = stage_in(dir, workspace, open, |_| {}).await;
    stage.look(START).await;
    stage.look(START + 30 * MINUTE).await;
    assert_eq!(begun(&stage).len(), 1);
    let next = stage.again();
    next.look(START + 31 * MINUTE).await;
    assert_eq!(begun(&next), [], "the intake goes on with what is stored");
}

#[tokio::test]
async fn without_tasks_or_a_shared_session_nothing_begins_and_tasks_choose_the_session() {
    let stage = stage(|_| {}).await;
    tasks(&stage, "# Heartbeat\n\n- [ ]\n");
    assert_eq!(stage.look(START).await, None);
    assert_eq!(stage.desks.default.lock().unwrap().clone(), None);
    tasks(&stage, "- look\n");
    let later = START + MINUTE;
    assert_eq!(stage.look(later).await, Some(later + 30 * MINUTE));
    assert_eq!(stage.desks.default.lock().unwrap().clone(), Some(session()));
}

#[tokio::test]
async fn where_each_session_has_its_own_workspace_each_has_its_own_heartbeat() {
    let dir = tempfile::tempdir().unwrap();
    let sessions = dir.path().join("sessions");
    for (session, text) in [("s1", "- look\n"), ("s2", "# None\n"), ("s3", "- look\n")] {
        std::fs::create_dir_all(sessions.join(session).join("workspace")).unwrap();
        std::fs::write(sessions.join(session).join("workspace").join(FILE), text).unwrap();
    }
    let workspace = sessions.clone();
    let stage = stage_in(dir, workspace, Workspaces::Own { sessions }, |_| {}).await;
    stage.desks.known.lock().unwrap().extend(["s2".parse().unwrap(), "s3".parse().unwrap()]);
    stage.look(START).await;
    stage.look(START + 30 * MINUTE).await;
    let sessions: Vec<_> = stage.begun().into_iter().map(|one| one.session.as_str().to_owned()).collect();
    assert_eq!(sessions, ["s1", "s3"]);
}

#[tokio::test]
async fn it_runs_in_a_thread_of_its_own_where_that_is_set() {
    let stage = beating(|config| config.heartbeat.thread = BeatThread::Own).await;
    stage.look(START + 30 * MINUTE).await;
    assert_eq!(begun(&stage), [(Beat::Due, Target::Named { name: "heartbeat".into() })]);
}

#[tokio::test]
async fn where_nothing_changed_since_a_quiet_one_none_comes() {
    let stage = beating(|config| config.heartbeat.when = When::Changed).await;
    let mut now = START;
    let mut next = async |stage: &Stage| {
        now += 30 * MINUTE;
        stage.look(now).await;
        begun(stage).len()
    };
    assert_eq!(next(&stage).await, 1);
    ends(&stage, said("HEARTBEAT_OK"), Some("t1")).await;
    assert_eq!(next(&stage).await, 0);
    tasks(&stage, "- look again\n");
    assert_eq!(next(&stage).await, 1, "the file is another");
    ends(&stage, said("The disk is full."), Some("t2")).await;
    assert_eq!(next(&stage).await, 1, "it was not quiet");
    ends(&stage, said("HEARTBEAT_OK"), Some("t3")).await;
    assert_eq!(next(&stage).await, 0);
    let asked = Submission {
        id: "e".repeat(32).parse().unwrap(),
        session: session(),
        target: Target::Main,
        thread: None,
        origin: Origin::Client { chat: None },
        text: "hi".into(),
        attachments: Vec::new(),
    };
    stage.ledger.submit(NewSubmission { submission: asked, idempotency_key: None }).await.unwrap();
    assert_eq!(next(&stage).await, 1, "somebody asked something");
}

#[tokio::test]
async fn events_wake_their_own_session_and_thread_also_outside_the_hours_and_without_tasks() {
    let stage = stage(|config| {
        config.heartbeat.hours = crate::config::Hours { from: 0, to: 1 };
        config.heartbeat.every = None;
    })
    .await;
    stage.desks.known.lock().unwrap().insert("s2".parse().unwrap());
    stage.at(START);
    happens(&stage, 1, "s2", Queue::Main, "system").await;
    happens(&stage, 2, "s2", Queue::Thread("t".parse().unwrap()), "process").await;
    happens(&stage, 3, "gone", Queue::Main, "system").await;
    stage.look(START).await;
    let mut woken: Vec<_> =
        stage.begun().into_iter().map(|one| (one.session.as_str().to_owned(), one.target)).collect();
    woken.sort_by_key(|(_, target)| *target != Target::Main);
    let thread = Target::Thread { id: "t".parse().unwrap() };
    assert_eq!(woken, [("s2".to_owned(), Target::Main), ("s2".to_owned(), thread)]);
    stage.look(START + 1).await;
    assert_eq!(stage.begun(), [], "not while these are open");
}

#[tokio::test]
async fn nodes_that_come_and_go_wake_their_session_when_they_have_settled() {
    let stage = stage(|_| {}).await;
    stage.at(START);
    happens(&stage, 1, "s1", Queue::Main, "node").await;
    assert_eq!(stage.look(START).await, Some(START + 30_000));
    assert_eq!(stage.begun(), []);
    stage.look(START + 30_000).await;
    assert_eq!(begun(&stage), [(Beat::Events, Target::Main)]);
}

#[tokio::test]
async fn events_leave_when_the_next_heartbeat_is_due_and_what_it_saw() {
    let stage = beating(|_| {}).await;
    let before = stage.ledger.heartbeat(&session()).await.unwrap().unwrap();
    happens(&stage, 1, "s1", Queue::Main, "system").await;
    stage.look(START + MINUTE).await;
    assert_eq!(begun(&stage), [(Beat::Events, Target::Main)]);
    ends(&stage, said("HEARTBEAT_OK"), Some("t1")).await;
    let after = stage.ledger.heartbeat(&session()).await.unwrap().unwrap();
    assert_eq!((after.due_ms, after.seen), (before.due_ms, before.seen));
    assert_eq!((after.last_ms, after.outcome), (Some(START + MINUTE), Some(BeatOutcome::Quiet)));
}

#[tokio::test]
async fn a_failure_is_told_once_and_rests_the_session_until_one_goes_well() {
    let stage = stage(|_| {}).await;
    stage.at(START);
    happens(&stage, 1, "s1", Queue::Main, "system").await;
    let (mut now, mut pauses) = (START, Vec::new());
    for _ in 0..4 {
        stage.look(now).await;
        assert_eq!(begun(&stage).len(), 1);
        ends(&stage, failed(), None).await;
        let next = stage.look(now).await.unwrap();
        assert_eq!(begun(&stage), []);
        pauses.push(next - now);
        now = next;
    }
    assert_eq!(pauses, [5_000, 10_000, 20_000, 40_000]);
    let words =
        "⚠️ My heartbeat did not finish: no model\n(I say so once, and again only after one went well.)";
    assert_eq!(told(&stage).await, [words]);
    stage.look(now).await;
    ends(&stage, said("HEARTBEAT_OK"), Some("t1")).await;
    happens(&stage, 2, "s1", Queue::Main, "system").await;
    stage.look(now).await;
    ends(&stage, failed(), Some("t2")).await;
    assert_eq!(told(&stage).await, [words]);
}

#[tokio::test]
async fn events_of_a_thread_that_is_no_more_are_for_the_main_one_and_hold_up_nothing_else() {
    let stage = stage(|_| {}).await;
    stage.at(START);
    let gone = Queue::Thread("gone".parse().unwrap());
    happens(&stage, 1, "s1", gone, "process").await;
    stage.look(START).await;
    assert_eq!(begun(&stage), [(Beat::Events, Target::Thread { id: "gone".parse().unwrap() })]);
    let reason = "the agent could not open the thread: no rollout found for thread id gone";
    ends(&stage, Outcome::Failed { reason: reason.into(), text: String::new() }, None).await;
    assert_eq!(told(&stage).await, [""; 0]);
    stage.look(START).await;
    assert_eq!(begun(&stage), [(Beat::Events, Target::Main)]);
    let mains = stage.ledger.open_submissions(&session()).await.unwrap().remove(0).submission.id;
    let carried = stage.ledger.carry_events(&session(), &[Queue::Main], &[mains]).await.unwrap();
    assert_eq!(carried.len(), 1);
}

#[tokio::test]
async fn one_that_the_agent_never_took_is_due_again_and_one_that_failed_there_is_not() {
    let stage = beating(|_| {}).await;
    let due = START + 30 * MINUTE;
    stage.look(due).await;
    ends(&stage, failed(), None).await;
    assert_eq!(stage.look(due).await, Some(due + 5_000));
    stage.look(due + 5_000).await;
    assert_eq!(begun(&stage).len(), 2);
    ends(&stage, failed(), Some("t1")).await;
    assert_eq!(stage.look(due + 5_000).await, Some(due + 5_000 + 30 * MINUTE));
}

#[tokio::test]
async fn what_a_thread_is_to_hear_that_the_agent_does_not_open_is_told_in_the_main_thread() {
    let stage = stage(|_| {}).await;
    let gone = Target::Thread { id: "gone".parse().unwrap() };
    happens(&stage, 1, "s1", Queue::Thread("gone".parse().unwrap()), "system").await;
    let mut now = 0;
    for rest in [5_000, 10_000, 20_000] {
        stage.look(now).await;
        assert_eq!(begun(&stage), [(Beat::Events, gone.clone())]);
        ends(&stage, failed(), None).await;
        now += rest;
    }
    stage.look(now).await;
    assert_eq!(begun(&stage), [(Beat::Events, Target::Main)]);
    assert_eq!(told(&stage).await.len(), 1);
}

#[tokio::test]
async fn nothing_begins_in_a_session_that_does_not_exist_and_its_due_time_stays() {
    let stage = beating(|_| {}).await;
    stage.desks.known.lock().unwrap().clear();
    stage.look(START + 30 * MINUTE).await;
    assert_eq!(begun(&stage), [], "it would be told that it was deleted");
    stage.desks.known.lock().unwrap().insert(session());
    stage.look(START + 31 * MINUTE).await;
    assert_eq!(begun(&stage), [(Beat::Due, Target::Main)]);
}

#[tokio::test]
async fn a_session_that_was_just_deleted_is_not_noted_again() {
    let stage = stage(|_| {}).await;
    tasks(&stage, "- look\n");
    *stage.desks.default.lock().unwrap() = Some(session());
    stage.desks.known.lock().unwrap().clear();
    stage.look(START).await;
    assert_eq!(stage.ledger.heartbeat(&session()).await.unwrap(), None);
}

#[tokio::test]
async fn one_that_was_stopped_says_nothing() {
    let stage = beating(|_| {}).await;
    stage.look(START + 30 * MINUTE).await;
    ends(&stage, Outcome::Interrupted { text: "half".into() }, Some("t1")).await;
    assert_eq!(told(&stage).await, [""; 0]);
    let known = stage.ledger.heartbeat(&session()).await.unwrap().unwrap();
    assert_eq!(known.outcome, Some(BeatOutcome::Stopped));
}

#[tokio::test]
async fn after_one_was_stopped_before_it_began_its_events_rest_for_a_minute() {
    let stage = stage(|_| {}).await;
    happens(&stage, 1, "s1", Queue::Main, "system").await;
    stage.look(1000).await;
    assert_eq!(begun(&stage), [(Beat::Events, Target::Main)]);
    ends(&stage, Outcome::Interrupted { text: String::new() }, None).await;
    stage.look(60_999).await;
    assert_eq!(begun(&stage), [], "whoever said stop meant it");
    stage.look(61_000).await;
    assert_eq!(begun(&stage), [(Beat::Events, Target::Main)]);
}

#[tokio::test]
async fn the_end_of_a_deleted_sessions_heartbeat_is_not_told() {
    let stage = beating(|_| {}).await;
    stage.look(START + 30 * MINUTE).await;
    stage.ledger.forget_session(&session()).await.unwrap();
    assert_eq!(told(&stage).await, [""; 0]);
    assert_eq!(stage.ledger.heartbeat(&session()).await.unwrap(), None);
}

#[tokio::test]
async fn what_may_be_done_unasked_holds_heartbeats_until_midnight_but_none_that_is_asked_for() {
    let stage = beating(|config| config.budget = Budget { turns: 1, tokens: 0 }).await;
    let due = START + 30 * MINUTE;
    stage.look(due).await;
    ends(&stage, said("HEARTBEAT_OK"), Some("t1")).await;
    let midnight = START + 14 * 60 * MINUTE;
    assert_eq!(stage.look(due + 30 * MINUTE).await, Some(midnight));
    assert_eq!(begun(&stage), [(Beat::Due, Target::Main)]);
    let notices = told(&stage).await;
    assert!(notices.len() == 1 && notices[0].contains("1 / 1 turns"), "{notices:?}");
    stage.automation.request_heartbeat(&session()).await.unwrap();
    stage.automation.request_heartbeat(&session()).await.unwrap();
    assert_eq!(begun(&stage), [(Beat::Asked, Target::Main)], "one that is open will do");
    ends(&stage, said("HEARTBEAT_OK"), Some("t2")).await;
    stage.look(midnight).await;
    assert_eq!(begun(&stage), [(Beat::Due, Target::Main)]);
}

#[tokio::test]
async fn a_paused_session_does_nothing_by_itself() {
    let stage = beating(|_| {}).await;
    let parts = &stage.automation.0;
    parts.state.pause(&session()).await.unwrap();
    happens(&stage, 1, "s1", Queue::Main, "system").await;
    assert_eq!(stage.look(START + 30 * MINUTE).await, None);
    assert_eq!(begun(&stage), []);
    parts.state.resume(&session()).await.unwrap();
    stage.look(START + 31 * MINUTE).await;
    assert_eq!(begun(&stage), [(Beat::Due, Target::Main)]);
}

#[tokio::test]
async fn one_that_somebody_asks_for_comes_in_a_pause_too_and_says_nothing_of_when_one_is_due() {
    let stage = stage(|_| {}).await;
    stage.automation.pause(&session()).await.unwrap();
    stage.automation.request_heartbeat(&session()).await.unwrap();
    assert_eq!(begun(&stage), [(Beat::Asked, Target::Main)]);
    assert_eq!(stage.automation.status(&session()).await.unwrap().next_due_at_ms, None);
}

#[tokio::test]
async fn how_heartbeats_stand_is_told() {
    let stage = beating(|config| config.budget = Budget { turns: 9, tokens: 8 }).await;
    let due = START + 30 * MINUTE;
    stage.look(due).await;
    let status = stage.automation.heartbeat_status(&session()).await.unwrap();
    let expected = argus_protocol::argus::heartbeat::Status {
        session_id: session(),
        every_ms: Some(30 * MINUTE),
        next_due_at_ms: Some(due + 30 * MINUTE),
        last_at_ms: Some(due),
        outcome: None,
        failures: 0,
        retry_at_ms: None,
        has_tasks: true,
        open: true,
        turns_today: 1,
        turns_per_day: 9,
        tokens_today: 0,
        tokens_per_day: 8,
    };
    assert_eq!(status, expected);
}
