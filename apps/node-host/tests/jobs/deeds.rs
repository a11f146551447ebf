//! Calls that are one deed, and how many jobs may run.

use argus_node_host::jobs::Limits;
use argus_node_host::{Asker, Call};
use argus_protocol::node::code;
use serde_json::{Value, json};

use crate::stage::{Stage, call, id};

fn keyed(key: &str, session: Option<&str>, params: Value) -> Call {
    let asker = Asker { session_id: session.map(str::to_owned), ticket: None };
    Call { idempotency_key: Some(key.to_owned()), asker, ..call("system.run", params) }
}

fn counting(stage: &Stage) -> Value {
    let file = stage.folder.path().join("count");
    json!({"argv": ["sh", "-c", "echo x >> \"$COUNT\"; sleep 0.3; echo done"], "env": {"COUNT": file}})
}

fn counted(stage: &Stage) -> usize {
    std::fs::read_to_string(stage.folder.path().join("count")).unwrap().lines().count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_calls_of_one_deed_at_once_are_one_job() {
    let stage = std::sync::Arc::new(Stage::new());
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let stage = std::sync::Arc::clone(&stage);
        calls.spawn(async move { stage.run_call(keyed("k", Some("s1"), counting(&stage))).await.unwrap() });
    }
    let answers = calls.join_all().await;
    assert_eq!(answers.len(), 200);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!((&answers[0]["stdout"], counted(&stage)), (&json!("done\n"), 1));
}

#[tokio::test]
async fn a_repeated_call_gets_the_first_result_also_after_a_restart() {
    let mut stage = Stage::new();
    let first = stage.run_call(keyed("k", Some("s1"), counting(&stage))).await.unwrap();
    let second = stage.run_call(keyed("k", Some("s1"), counting(&stage))).await.unwrap();
    stage.reopen().await;
    let third = stage.run_call(keyed("k", Some("s1"), counting(&stage))).await.unwrap();
    assert_eq!((&second, &third, counted(&stage)), (&first, &first, 1));
}

#[tokio::test]
async fn a_repeated_call_that_does_not_wait_hears_of_an_end_that_was_there_before_it() {
    let stage = Stage::new();
    let params = json!({"argv": ["sh", "-c", "exit 3"], "yieldMs": 0});
    let first = stage.run_call(keyed("k", None, params.clone())).await.unwrap();
    stage.ended(&id(&first)).await;
    let second = stage.run_call(keyed("k", None, params)).await.unwrap();
    assert_eq!(
        (&first["running"], &second["running"], &second["exitCode"]),
        (&json!(true), &json!(false), &json!(3))
    );
    assert_eq!(id(&first), id(&second));
}

#[tokio::test]
async fn a_key_is_of_its_session_only() {
    let stage = Stage::new();
    let mut jobs = std::collections::BTreeSet::new();
    for session in [Some("s1"), Some("s2"), None] {
        jobs.insert(id(&stage.run_call(keyed("k", session, counting(&stage))).await.unwrap()));
    }
    assert_eq!((jobs.len(), counted(&stage)), (3, 3));
}

#[tokio::test]
async fn a_deed_that_could_not_be_begun_can_be_tried_again() {
    let stage = Stage::new();
    let folder = stage.folder.path().join("later");
    let params = json!({"argv": ["pwd"], "cwd": folder});
    let fault = stage.run_call(keyed("k", None, params.clone())).await.unwrap_err();
    assert_eq!(fault.code, code::SPAWN_FAILED);
    std::fs::create_dir(&folder).unwrap();
    assert_eq!(stage.run_call(keyed("k", None, params)).await.unwrap()["exitCode"], 0);
}

#[tokio::test]
async fn a_cancelled_call_leaves_a_job_that_another_call_waits_for() {
    let stage = Stage::new();
    let params = json!({"argv": ["sh", "-c", "sleep 0.5; echo whole"]});
    let (one, other) = (keyed("k", None, params.clone()), keyed("k", None, params));
    let (one, mut hears) = crate::stage::heard(one);
    let cancel = one.cancel.clone();
    let (cancelled, whole, ()) = tokio::join!(stage.run_call(one), stage.run_call(other), async {
        hears.recv().await;
        cancel.cancel();
    });
    assert_eq!(cancelled.unwrap_err().code, code::CANCELLED);
    assert_eq!(whole.unwrap()["stdout"], "whole\n");
}

#[tokio::test]
async fn a_job_for_which_all_calls_are_cancelled_is_ended() {
    let stage = Stage::new();
    let params = json!({"argv": ["sleep", "600"], "yieldMs": 3_600_000});
    let (one, other) = (keyed("k", None, params.clone()), keyed("k", None, params));
    let (one, mut hears) = crate::stage::heard(one);
    let (other, mut hears_too) = crate::stage::heard(other);
    let cancels = [one.cancel.clone(), other.cancel.clone()];
    let (first, second, ()) = tokio::join!(stage.run_call(one), stage.run_call(other), async {
        hears.recv().await;
        hears_too.recv().await;
        cancels.iter().for_each(tokio_util::sync::CancellationToken::cancel);
    });
    let (first, second) = (first.unwrap_err(), second.unwrap_err());
    assert_eq!((first.code.as_str(), second.code.as_str()), (code::CANCELLED, code::CANCELLED));
    assert_eq!(stage.ended(&first.job_id.unwrap()).await["signal"], "SIGTERM");
}

#[tokio::test]
async fn one_job_too_many_is_refused_until_another_has_ended() {
    let stage = Stage::with(Limits { running: 2, ..Limits::default() });
    let (one, other) = (stage.begin("sleep 600").await, stage.begin("sleep 600").await);
    let busy = stage.run(json!({"argv": ["true"]})).await.unwrap_err();
    assert_eq!(busy.code, code::BUSY);
    stage.ask("process.kill", json!({"jobId": one})).await.unwrap();
    assert_eq!(stage.run(json!({"argv": ["true"]})).await.unwrap()["exitCode"], 0);
    stage.ask("process.kill", json!({"jobId": other})).await.unwrap();
}
