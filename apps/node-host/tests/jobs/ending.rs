//! How jobs end: by themselves, by a signal, by their time, by their output, by a cancelled call.

use argus_protocol::node::code;
use serde_json::json;

use crate::stage::{Stage, call, heard, id, lives};
use argus_node_host::Progress;
use argus_node_host::jobs::Limits;

#[tokio::test]
async fn killing_says_what_really_ended_the_job() {
    let stage = Stage::new();
    for (script, expected) in [
        ("echo ready; exec sleep 600", json!({"signal": "SIGTERM", "exitCode": null})),
        (
            "trap '' TERM; echo ready; while :; do sleep 1; done",
            json!({"signal": "SIGKILL", "exitCode": null}),
        ),
        (
            "trap 'exit 7' TERM; echo ready; while :; do sleep 0.1; done",
            json!({"signal": null, "exitCode": 7}),
        ),
    ] {
        let job = stage.begin(script).await;
        stage.wrote(&job, "ready").await;
        let mut killed = stage.ask("process.kill", json!({"jobId": job})).await.unwrap();
        assert_eq!(killed["jobId"].take(), json!(job));
        assert_eq!(
            (&killed["signal"], &killed["exitCode"]),
            (&expected["signal"], &expected["exitCode"]),
            "{script}"
        );
        assert_eq!(stage.get(&job).await["cause"], "killed");
        let again = stage.ask("process.kill", json!({"jobId": job})).await.unwrap_err();
        assert_eq!((again.code.as_str(), again.job_id), (code::NOT_RUNNING, Some(job)));
    }
}

#[tokio::test]
async fn a_whole_group_is_ended_with_its_leader() {
    let stage = Stage::new();
    let job =
        stage.begin("sh -c 'trap \"\" TERM; echo $$; while :; do sleep 1; done' & exec sleep 600").await;
    let out = stage.wrote(&job, "\n").await;
    let grandchild: i64 = out.trim().parse().unwrap();
    stage.ask("process.kill", json!({"jobId": job})).await.unwrap();
    assert!(!lives(grandchild), "the grandchild {grandchild} is left");
}

#[tokio::test]
async fn grandchildren_that_go_on_keep_no_job_running_and_are_left_alone() {
    let stage = Stage::new();
    let answer = stage.shell("sleep 600 & echo $!").await;
    assert_eq!((&answer["running"], &answer["exitCode"]), (&json!(false), &json!(0)));
    let grandchild: i64 = answer["stdout"].as_str().unwrap().trim().parse().unwrap();
    assert!(lives(grandchild));
    let ended = std::process::Command::new("kill").arg(grandchild.to_string()).status().unwrap();
    assert!(ended.success());
}

#[tokio::test]
async fn a_job_that_takes_too_long_is_ended_with_its_group() {
    let stage = Stage::new();
    let params = json!({"argv": ["sh", "-c", "sleep 600 & echo $!; wait"], "timeoutMs": 300});
    let answer = stage.run(params).await.unwrap();
    assert_eq!((&answer["timedOut"], &answer["signal"]), (&json!(true), &json!("SIGTERM")));
    assert_eq!((&answer["exitCode"], &answer["cause"]), (&json!(null), &json!("timeout")));
    let grandchild: i64 = answer["stdout"].as_str().unwrap().trim().parse().unwrap();
    assert!(!lives(grandchild));
}

#[tokio::test]
async fn a_time_longer_than_any_clock_of_milliseconds_is_no_short_time() {
    let stage = Stage::new();
    for timeout in [json!(3_000_000_000_u64), json!(u64::MAX / 2), json!(3e9)] {
        let params = json!({"argv": ["sh", "-c", "sleep 0.3; echo lived"], "timeoutMs": timeout});
        let answer = stage.run(params).await.unwrap();
        assert_eq!((&answer["stdout"], &answer["timedOut"]), (&json!("lived\n"), &json!(false)), "{timeout}");
    }
}

#[tokio::test]
async fn a_job_that_writes_too_much_is_ended() {
    let stage = Stage::with(Limits { output: 1 << 20, ..Limits::default() });
    let answer = stage.run(json!({"argv": ["cat", "/dev/zero"], "yieldMs": 60_000})).await.unwrap();
    assert_eq!((&answer["cause"], &answer["timedOut"]), (&json!("outputLimit"), &json!(false)));
    assert_eq!(answer["signal"], "SIGTERM");
}

#[tokio::test]
async fn a_signal_reaches_the_job_and_is_named_as_people_do() {
    let stage = Stage::new();
    let job = stage
        .begin("trap 'echo heard' USR1; trap 'exit 5' INT; echo ready; while :; do sleep 0.05; done")
        .await;
    stage.wrote(&job, "ready").await;
    let sent = stage.ask("process.signal", json!({"jobId": job, "signal": "usr1"})).await.unwrap();
    assert_eq!(sent, json!({"jobId": job, "signal": "SIGUSR1"}));
    stage.wrote(&job, "heard").await;
    let wrong = stage.ask("process.signal", json!({"jobId": job, "signal": "SIGNOPE"})).await.unwrap_err();
    assert_eq!(wrong.code, code::BAD_INPUT);
    stage.ask("process.signal", json!({"jobId": job, "signal": "SIGINT"})).await.unwrap();
    assert_eq!(stage.ended(&job).await["exitCode"], 5);
}

#[tokio::test]
async fn a_cancelled_call_ends_its_job_and_names_it() {
    let stage = Stage::new();
    let (call, mut hears) =
        heard(call("system.run", json!({"argv": ["sleep", "600"], "yieldMs": 3_600_000})));
    let cancel = call.cancel.clone();
    let (answer, job) = tokio::join!(stage.run_call(call), async {
        let Some(Progress::Job(job)) = hears.recv().await else { panic!("no job was named") };
        cancel.cancel();
        job
    });
    let fault = answer.unwrap_err();
    assert_eq!((fault.code.as_str(), fault.job_id.as_ref()), (code::CANCELLED, Some(&job)));
    let ended = stage.get(&job).await;
    assert_eq!((&ended["running"], &ended["signal"]), (&json!(false), &json!("SIGTERM")));
}

#[tokio::test]
async fn a_call_that_is_dropped_ends_its_job() {
    let stage = Stage::new();
    let (call, mut hears) =
        heard(call("system.run", json!({"argv": ["sleep", "600"], "yieldMs": 3_600_000})));
    let job = tokio::select! {
        answer = stage.run_call(call) => panic!("it was answered: {answer:?}"),
        job = hears.recv() => job,
    };
    let Some(Progress::Job(job)) = job else { panic!("no job was named") };
    assert_eq!(stage.ended(&job).await["signal"], "SIGTERM");
}

#[tokio::test]
async fn a_call_that_has_its_answer_leaves_its_job_alone() {
    let stage = Stage::new();
    let call = call("system.run", json!({"argv": ["sleep", "600"], "yieldMs": 0}));
    let cancel = call.cancel.clone();
    let job = id(&stage.run_call(call).await.unwrap());
    cancel.cancel();
    // Would the job be ended, it would be before what is begun and killed after it.
    let later = stage.begin("sleep 600").await;
    stage.ask("process.kill", json!({"jobId": later})).await.unwrap();
    assert_eq!(stage.get(&job).await["running"], true);
    stage.ask("process.kill", json!({"jobId": job})).await.unwrap();
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn no_dead_process_stays() {
    let stage = Stage::new();
    for _ in 0..3 {
        stage.shell("true").await;
    }
    let ours = std::process::id().to_string();
    crate::stage::until("no corpse is ours", async || {
        let told =
            std::process::Command::new("ps").args(["-o", "stat=,args=", "--ppid", &ours]).output().unwrap();
        let told = String::from_utf8(told.stdout).unwrap();
        (!told.lines().any(|line| line.starts_with('Z') && line.contains("argus-node"))).then_some(())
    })
    .await;
}
