//! Jobs on a terminal.

use argus_protocol::node::code;
use serde_json::json;

use crate::stage::{Stage, call, lives, plan, until, value};

async fn types(stage: &Stage, job: &str, text: &str) {
    let written = stage.ask("process.write", json!({"jobId": job, "text": text})).await.unwrap();
    assert_eq!(written, json!({"jobId": job, "bytes": text.len(), "eof": false}));
}

#[tokio::test]
async fn a_terminal_has_the_size_that_it_is_given() {
    let stage = Stage::new();
    let script = "stty -echo; stty size; read x; stty size";
    let job =
        stage.begin_with(json!({"argv": ["sh", "-c", script], "pty": true, "rows": 30, "cols": 100})).await;
    stage.wrote(&job, "30 100").await;
    let resized = stage.ask("process.resize", json!({"jobId": job, "rows": 41, "cols": 132})).await.unwrap();
    assert_eq!(resized, json!({"jobId": job, "rows": 41, "cols": 132}));
    types(&stage, &job, "\n").await;
    assert_eq!(stage.wrote(&job, "41 132").await, "30 100\r\n41 132\r\n");
    let ended = stage.ended(&job).await;
    assert_eq!((&ended["exitCode"], &ended["pty"]), (&json!(0), &json!(true)));
}

#[tokio::test]
async fn control_c_interrupts_what_runs_on_the_terminal() {
    let stage = Stage::new();
    let job = stage.begin_with(json!({"argv": ["sh", "-c", "trap 'echo stopped; exit 9' INT; echo ready; while :; do sleep 0.05; done"], "pty": true})).await;
    stage.wrote(&job, "ready").await;
    types(&stage, &job, "\u{3}").await;
    stage.wrote(&job, "stopped").await;
    assert_eq!(stage.ended(&job).await["exitCode"], 9);
}

#[tokio::test]
async fn all_that_a_terminal_shows_is_kept() {
    let stage = Stage::new();
    let answer = stage.run(json!({"argv": ["sh", "-c", "seq 1 20000; exit 4"], "pty": true})).await.unwrap();
    let expected: usize = (1..=20_000).map(|n: u32| n.to_string().len() + 2).sum();
    assert_eq!((&answer["stdoutBytes"], &answer["exitCode"]), (&json!(expected), &json!(4)));
    assert!(answer["stdout"].as_str().unwrap().ends_with("20000\r\n"));
}

#[tokio::test]
async fn the_end_of_input_can_be_typed() {
    let stage = Stage::new();
    let job = stage.begin_with(json!({"argv": ["cat"], "pty": true})).await;
    types(&stage, &job, "line\n").await;
    stage.ask("process.write", json!({"jobId": job, "eof": true})).await.unwrap();
    assert_eq!(stage.ended(&job).await["exitCode"], 0);
    assert_eq!(stage.wrote(&job, "line").await, "line\r\nline\r\n");
}

#[tokio::test]
async fn a_job_on_a_terminal_can_be_killed_and_is_called_as_it_was_planned() {
    let stage = Stage::new();
    let params = json!({"argv": ["called-otherwise", "-c", "echo \"$0 on $(tty)\"; sleep 600"], "pty": true, "yieldMs": 0});
    let mut planned = plan(&params);
    planned.program = "/bin/sh".into();
    let answer = value(stage.jobs().run(call("system.run", params), planned).await).unwrap();
    let job = answer["jobId"].as_str().unwrap().to_owned();
    let out = stage.wrote(&job, "\n").await;
    assert!(out.starts_with("called-otherwise on /dev/"), "{out}");
    let killed = stage.ask("process.kill", json!({"jobId": job})).await.unwrap();
    assert_eq!(killed["signal"], "SIGHUP");
    until("it is gone", async || stage.jobs().untold().into_iter().find(|exited| exited.job_id == job)).await;
}

#[tokio::test]
async fn a_shell_on_a_terminal_takes_along_all_that_it_began() {
    let stage = Stage::new();
    let job = stage.begin_with(json!({"argv": ["bash", "--norc", "-i"], "pty": true})).await;
    types(&stage, &job, "sleep 600 & echo \"pid=$!=\"\n").await;
    let pid = until("the shell says it", async || {
        let out = stage.wrote(&job, "").await;
        out.split('=').find_map(|word| word.parse::<i64>().ok())
    })
    .await;
    assert!(lives(pid));
    stage.ask("process.kill", json!({"jobId": job})).await.unwrap();
    until("what it began is gone", async || (!lives(pid)).then_some(())).await;
}

#[tokio::test]
async fn what_needs_a_terminal_says_so() {
    let stage = Stage::new();
    let job = stage.begin("sleep 600").await;
    let resize = stage.ask("process.resize", json!({"jobId": job, "rows": 1, "cols": 1})).await.unwrap_err();
    let write = stage.ask("process.write", json!({"jobId": job, "text": "x"})).await.unwrap_err();
    assert_eq!((resize.code.as_str(), write.code.as_str()), (code::BAD_INPUT, code::BAD_INPUT));
    assert_eq!(resize.message, format!("job `{job}`: it runs on no terminal"));
    stage.ask("process.kill", json!({"jobId": job})).await.unwrap();
}
