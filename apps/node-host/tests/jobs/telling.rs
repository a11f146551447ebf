//! Who is told of a job's end, and until when.

use std::time::Duration;

use argus_node_host::Call;
use argus_node_host::jobs::Limits;
use argus_protocol::node::Exited;
use serde_json::{Value, json};

use crate::stage::{Stage, call, id, until};

fn called(name: &str, params: Value) -> Call {
    Call { id: name.to_owned(), ..call("system.run", params) }
}

fn untold(stage: &Stage) -> Vec<String> {
    stage.jobs().untold().into_iter().map(|exited| exited.job_id).collect()
}

#[tokio::test]
async fn an_end_in_the_background_is_told_until_it_was_heard() {
    let mut stage = Stage::new();
    let mut ended = stage.jobs().ended();
    ended.mark_unchanged();
    let job = stage.begin("echo out; echo err >&2; exit 3").await;
    let meta = stage.ended(&job).await;
    ended.changed().await.unwrap();
    let expected = Exited {
        node_id: None,
        session_id: Some("s1".into()),
        ticket: Some("ticket-of-s1".into()),
        job_id: job.clone(),
        argv: vec!["sh".into(), "-c".into(), "echo out; echo err >&2; exit 3".into()],
        cwd: Some("/".into()),
        exit_code: Some(3),
        started_at_ms: meta["startedAtMs"].as_u64(),
        ended_at_ms: meta["endedAtMs"].as_u64(),
        stdout_tail: "out\n".into(),
        stderr_tail: "err\n".into(),
        ..Exited::default()
    };
    assert_eq!(stage.jobs().untold(), vec![expected.clone()]);
    stage.reopen().await;
    assert_eq!(stage.jobs().untold(), vec![expected]);
    stage.jobs().told(&job);
    assert_eq!(untold(&stage), Vec::<String>::new());
    stage.reopen().await;
    assert_eq!(untold(&stage), Vec::<String>::new());
}

#[tokio::test]
async fn a_result_that_was_heard_has_told_the_end() {
    let mut stage = Stage::new();
    let job = id(&stage.run_call(called("c1", json!({"argv": ["true"]}))).await.unwrap());
    assert_eq!(untold(&stage), Vec::<String>::new());
    stage.jobs().result_delivered("c1");
    stage.reopen().await;
    assert_eq!(untold(&stage), Vec::<String>::new());
    assert_eq!(stage.file(&job, "meta.json")["told"], true);
}

#[tokio::test]
async fn the_end_in_a_result_that_a_restart_lost_is_told() {
    let mut stage = Stage::new();
    let job = id(&stage.run_call(called("c1", json!({"argv": ["true"]}))).await.unwrap());
    stage.reopen().await;
    assert_eq!(untold(&stage), [job]);
}

#[tokio::test]
async fn the_end_in_a_result_that_is_given_up_or_never_heard_is_told() {
    let stage = Stage::with(Limits { delivery: Duration::from_millis(50), ..Limits::default() });
    let given_up = id(&stage.run_call(called("c1", json!({"argv": ["true"]}))).await.unwrap());
    stage.jobs().result_given_up("c1");
    assert_eq!(untold(&stage), std::slice::from_ref(&given_up));
    let mut ended = stage.jobs().ended();
    let lost = id(&stage.run_call(called("c2", json!({"argv": ["true"]}))).await.unwrap());
    ended.mark_unchanged();
    ended.changed().await.unwrap();
    until("it is told", async || (untold(&stage) == [given_up.clone(), lost.clone()]).then_some(())).await;
}

#[tokio::test]
async fn whoever_wants_to_be_told_always_is_told_beside_the_result() {
    let stage = Stage::new();
    let params = json!({"argv": ["true"], "notifyOnExit": true});
    let job = id(&stage.run_call(called("c1", params)).await.unwrap());
    stage.jobs().result_delivered("c1");
    assert_eq!(untold(&stage), [job]);
}

#[tokio::test]
async fn whoever_wants_never_to_be_told_is_not() {
    let mut stage = Stage::new();
    let job = stage.begin_with(json!({"argv": ["true"], "notifyOnExit": false})).await;
    stage.ended(&job).await;
    assert_eq!(untold(&stage), Vec::<String>::new());
    stage.reopen().await;
    assert_eq!(untold(&stage), Vec::<String>::new());
}

#[tokio::test]
async fn a_running_job_cannot_have_been_told_of() {
    let stage = Stage::new();
    let job = stage.begin("sleep 600").await;
    stage.jobs().told(&job);
    stage.jobs().told("no-job");
    stage.jobs().result_delivered("no-call");
    stage.ask("process.kill", json!({"jobId": job})).await.unwrap();
    assert_eq!(untold(&stage), [job]);
}

#[tokio::test]
async fn a_ticket_is_shown_to_nobody() {
    let stage = Stage::new();
    let job = stage.begin("sleep 600").await;
    assert_eq!(stage.file(&job, "meta.json")["ticket"], "ticket-of-s1");
    for (command, params) in [("process.get", json!({"jobId": job})), ("process.list", json!({}))] {
        let shown = stage.ask(command, params).await.unwrap().to_string();
        assert!(!shown.contains("ticket"), "{shown}");
    }
    stage.ask("process.kill", json!({"jobId": job})).await.unwrap();
}

#[tokio::test]
async fn an_end_is_told_also_where_what_the_job_wrote_cannot_be_read() {
    let stage = Stage::new();
    let log = format!("{}/jobs/*/stdout.log", stage.folder.path().display());
    let params =
        json!({"argv": ["sh", "-c", format!("for log in {log}; do rm $log; mkdir $log; done; exit 3")]});
    let fault = stage.run_call(called("c1", params)).await.unwrap_err();
    assert!(fault.message.contains("cannot be read"), "{fault}");
    stage.jobs().result_delivered("c1");
    let told: Vec<_> = stage.jobs().untold().into_iter().map(|e| (e.exit_code, e.stderr_tail)).collect();
    assert_eq!(told, [(Some(3), fault.message)]);
}
