//! The program as a whole, before a gateway of a test: enrolled, run, killed, ended.

mod link_support;

use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use argus_protocol::node::{Enrolled, ExitAck, FromNode, ToNode};
use link_support::{Gateway, Visit, soon, until};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};
use tokio_tungstenite::tungstenite::Message;

/// A machine of its own.
struct Machine(tempfile::TempDir);

impl Machine {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_argus-node-host"));
        command
            .args(words)
            .env_clear()
            .env("HOME", self.0.path())
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Starts a node that may do everything.
    fn node(&self, gateway: &Gateway) -> Child {
        let mut command =
            self.command(&["--allow-all", "--url", &gateway.url, "--node-id", link_support::NODE]);
        command.env("ARGUS_NODE_TOKEN", "sesame").stderr(Stdio::inherit()).spawn().unwrap()
    }

    async fn enrol(&self, url: &str, code: &str) -> (Option<i32>, String) {
        let mut child = self.command(&["enrol", "--url", url, "--node-id", "mac"]).spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(code.as_bytes()).await;
        let output = soon(child.wait_with_output()).await.unwrap();
        (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    }

    fn credential(&self) -> std::path::PathBuf {
        self.0.path().join(".argus/node-host/credential.json")
    }
}

async fn run(visit: &mut Visit, id: &str, params: Value) {
    visit.call(id, "system.run", params).await;
}

/// The result of a call, whatever else is heard before.
async fn result_of(visit: &mut Visit, id: &str) -> Result<Value, argus_protocol::node::Fault> {
    loop {
        let FromNode::Result(settled) = visit.hear().await else { continue };
        if settled.id != id {
            continue;
        }
        return match settled.error.clone() {
            Some(fault) => Err(fault),
            None => Ok(serde_json::from_str(settled.into_payload().get()).unwrap()),
        };
    }
}

fn signal(node: &Child, signal: rustix::process::Signal) {
    let pid = i32::try_from(node.id().unwrap()).unwrap();
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), signal).unwrap();
}

#[tokio::test]
async fn a_machine_is_enrolled_and_comes_with_its_credential() {
    let (machine, gateway) = (Machine::new(), Gateway::open().await);
    let at_the_door = async {
        let mut visit = gateway.visit().await;
        assert_eq!(visit.authorization, None);
        let FromNode::Enrol(enrol) = visit.hear().await else { panic!("no enrol frame") };
        assert_eq!((enrol.code.as_str(), enrol.node_id.as_str()), ("ABCD-EFGH", "mac"));
        let enrolled = Enrolled { node_id: "chosen".into(), token: "credential".into() };
        visit.say(&ToNode::Enrolled(enrolled)).await;
        while visit.hear_any().await.is_some() {}
    };
    let ((code, said), ()) = tokio::join!(machine.enrol(&gateway.url, "ABCD-EFGH\n"), at_the_door);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("`chosen`") && said.contains("credential.json") && said.contains("install"),
        "{said}"
    );
    assert!(!said.contains("ABCD"), "{said}");
    let mode = std::fs::metadata(machine.credential()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let mut node = machine.command(&[]).spawn().unwrap();
    let mut visit = gateway.visit().await;
    assert_eq!(visit.authorization.as_deref(), Some("Bearer credential"));
    let FromNode::Connect(connect) = visit.hear().await else { panic!("no connect") };
    assert_eq!((connect.node_id.as_str(), connect.policy.as_deref()), ("chosen", Some("ask")));
    assert!(connect.commands.contains(&"system.run".to_owned()), "{connect:?}");
    signal(&node, rustix::process::Signal::TERM);
    assert_eq!(soon(node.wait()).await.unwrap().code(), Some(0));
}

#[tokio::test]
async fn an_enrolment_that_fails_says_why_and_stores_nothing() {
    let machine = Machine::new();
    let (code, said) = machine.enrol("ws://127.0.0.1:1", "code").await;
    assert_eq!((code, said.contains("cannot reach `ws://127.0.0.1:1/nodes/ws`")), (Some(1), true), "{said}");

    let gateway = Gateway::open().await;
    let refuse = async {
        let mut visit = gateway.visit().await;
        let _ = visit.hear().await;
        visit.close(1008).await;
    };
    let ((code, said), ()) = tokio::join!(machine.enrol(&gateway.url, "wrong"), refuse);
    assert_eq!((code, said.contains("refuses: as the test says")), (Some(1), true), "{said}");

    let wrong_scheme = gateway.url.replace("ws:", "wss:");
    let answer = async {
        let mut stream = gateway.knock().await;
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        stream
    };
    let ((code, said), _) = tokio::join!(machine.enrol(&wrong_scheme, "code"), answer);
    assert_eq!((code, said.contains("no encrypted connection")), (Some(1), true), "{said}");

    let (code, said) = machine.enrol("ftp://h", "").await;
    assert_eq!((code, said.contains("`--url`")), (Some(64), true), "{said}");
    let (code, said) = machine.enrol(&gateway.url, "\n").await;
    assert_eq!((code, said.contains("there is no code")), (Some(64), true), "{said}");
    assert!(!machine.credential().exists());
}

#[tokio::test]
async fn all_mistakes_are_named_and_the_exit_code_says_whose_they_are() {
    let machine = Machine::new();
    for (words, told) in [
        (&[][..], &["--url"][..]),
        (&["--url", "ftp://h", "--node-id", "a b"], &["`--url`", "`--node-id`"]),
        (&["--url", "wss://h"], &["no token"]),
        (&["--mode", "perhaps"], &["allow"]),
        (&["--allow-all", "--policy", "x", "--url", "wss://h"], &["--allow-all"]),
    ] {
        let output = soon(machine.command(words).output()).await.unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(64), "{words:?}: {said}");
        assert!(told.iter().all(|told| said.contains(told)), "{words:?}: {said}");
    }
    let output =
        soon(machine.command(&["--help"]).env("ARGUS_NODE_WS_URL", "ws://h?token=sesame").output()).await;
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(!String::from_utf8(output.stdout).unwrap().contains("sesame"));
}

#[tokio::test]
async fn a_subcommand_works_where_variables_of_the_node_are_set() {
    let machine = Machine::new();
    let mut command = machine.command(&["uninstall", "--dry-run"]);
    let output = soon(command.env("ARGUS_NODE_WS_URL", "ws://h").env("ARGUS_NODE_TOKEN", "t").output()).await;
    assert_eq!(output.unwrap().status.code(), Some(0));
}

#[tokio::test]
async fn no_log_tells_the_token() {
    let (machine, gateway) = (Machine::new(), Gateway::open().await);
    let words = ["--allow-all", "--url", &gateway.url, "--log-level", "trace"];
    let node = machine.command(&words).env("ARGUS_NODE_TOKEN", "sesame").spawn().unwrap();
    let (mut visit, _) = gateway.welcome().await;
    assert_eq!(visit.authorization.as_deref(), Some("Bearer sesame"));
    let _ = visit.hear_any().await;
    signal(&node, rustix::process::Signal::TERM);
    while visit.hear_any().await.is_some() {}
    let output = soon(node.wait_with_output()).await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("connected") && !said.contains("sesame"), "{said}");
}

#[tokio::test]
async fn a_program_is_run_without_the_nodes_secrets() {
    let (machine, gateway) = (Machine::new(), Gateway::open().await);
    let _node = machine.node(&gateway);
    let (mut visit, connect) = gateway.welcome().await;
    assert_eq!(connect.policy.as_deref(), Some("allow"));
    run(
        &mut visit,
        "1",
        json!({ "argv": ["/bin/sh", "-c", "env; echo; cat /proc/$PPID/environ | tr '\\0' '\\n'"] }),
    )
    .await;
    let told = result_of(&mut visit, "1").await.unwrap();
    assert_eq!(told["exitCode"], json!(0), "{told}");
    let out = told["stdout"].as_str().unwrap();
    assert!(out.contains("PATH=") && !out.contains("sesame"), "{out}");
}

#[tokio::test]
async fn one_node_uses_a_state_folder() {
    let (machine, gateway) = (Machine::new(), Gateway::open().await);
    let _first = machine.node(&gateway);
    gateway.welcome().await;
    let mut second = machine.node(&gateway);
    assert_eq!(soon(second.wait()).await.unwrap().code(), Some(1));
}

#[tokio::test]
async fn a_job_outlives_a_node_that_is_killed_and_its_end_is_told_by_the_next() {
    let (machine, gateway) = (Machine::new(), Gateway::open().await);
    let go = machine.0.path().join("go");
    let script = format!("echo begun; while [ ! -e '{}' ]; do sleep 0.05; done; echo ended", go.display());
    let mut node = machine.node(&gateway);
    let (mut visit, first) = gateway.welcome().await;
    run(&mut visit, "1", json!({ "argv": ["/bin/sh", "-c", script], "yieldMs": 0 })).await;
    let job = result_of(&mut visit, "1").await.unwrap()["jobId"].as_str().unwrap().to_owned();
    visit.ack("1").await;
    node.kill().await.unwrap();

    let mut node = machine.node(&gateway);
    let (mut visit, second) = gateway.welcome().await;
    assert_ne!(first.boot, second.boot);
    visit.call("2", "process.get", json!({ "jobId": job })).await;
    assert_eq!(result_of(&mut visit, "2").await.unwrap()["job"]["running"], json!(true));
    visit.ack("2").await;
    std::fs::write(&go, "").unwrap();
    let exited = loop {
        if let FromNode::Exited(exited) = visit.hear().await {
            break exited;
        }
    };
    assert_eq!((&exited.job_id, exited.exit_code, exited.orphaned), (&job, Some(0), false));
    assert_eq!(exited.stdout_tail, "begun\nended\n");
    // Not acknowledged: told again by a third.
    node.kill().await.unwrap();
    let _node = machine.node(&gateway);
    let (mut visit, _) = gateway.welcome().await;
    loop {
        if let FromNode::Exited(exited) = visit.hear().await {
            assert_eq!(exited.job_id, job);
            break;
        }
    }
    visit.say(&ToNode::ExitAck(ExitAck { job_id: job.clone() })).await;
    let meta = machine.0.path().join(format!(".argus/node-host/{}/jobs/{job}/meta.json", link_support::NODE));
    until(|| {
        let meta: Value = serde_json::from_slice(&std::fs::read(&meta).unwrap()).unwrap_or_default();
        meta["told"] == json!(true)
    })
    .await;
}

#[tokio::test]
async fn a_node_that_is_told_to_end_answers_those_who_wait_and_leaves_their_jobs_alone() {
    let (machine, gateway) = (Machine::new(), Gateway::open().await);
    let go = machine.0.path().join("go");
    let script = format!("while [ ! -e '{}' ]; do sleep 0.05; done; echo ended", go.display());
    let mut node = machine.node(&gateway);
    let (mut visit, _) = gateway.welcome().await;
    run(&mut visit, "1", json!({ "argv": ["/bin/sh", "-c", script], "yieldMs": 600_000 })).await;
    let FromNode::Job(job) = visit.hear().await else { panic!("no job") };
    signal(&node, rustix::process::Signal::TERM);
    let fault = result_of(&mut visit, "1").await.unwrap_err();
    assert_eq!(fault.job_id.as_ref(), Some(&job.job_id), "{fault}");
    let code = loop {
        if let Message::Close(frame) = visit.hear_any().await.expect("no goodbye") {
            break frame.map(|frame| u16::from(frame.code));
        }
    };
    assert_eq!(code, Some(1001));
    drop(visit);
    assert_eq!(soon(node.wait()).await.unwrap().code(), Some(0));

    std::fs::write(&go, "").unwrap();
    let _node = machine.node(&gateway);
    let (mut visit, _) = gateway.welcome().await;
    let exited = loop {
        if let FromNode::Exited(exited) = visit.hear().await {
            break exited;
        }
    };
    assert_eq!((exited.job_id, exited.exit_code), (job.job_id, Some(0)));
    assert_eq!(exited.stdout_tail, "ended\n");
}

#[tokio::test]
async fn a_node_that_ends_with_its_input_says_what_it_knows_first() {
    let (machine, gateway) = (Machine::new(), Gateway::open().await);
    let words = ["--allow-all", "--end-with-input", "--url", &gateway.url, "--node-id", link_support::NODE];
    let mut command = machine.command(&words);
    let mut node = command.env("ARGUS_NODE_TOKEN", "sesame").stderr(Stdio::inherit()).spawn().unwrap();
    let (mut visit, _) = gateway.welcome().await;
    run(&mut visit, "c", json!({ "argv": ["sleep", "5"], "yieldMs": 60_000 })).await;
    while !matches!(visit.hear().await, FromNode::Job(_)) {}
    drop(node.stdin.take());
    let fault = result_of(&mut visit, "c").await.unwrap_err();
    assert_eq!((fault.code.as_str(), fault.job_id.is_some()), ("FAILED", true), "{fault}");
    while visit.hear_any().await.is_some() {}
    assert_eq!(soon(node.wait()).await.unwrap().code(), Some(0));
}

#[tokio::test]
async fn a_node_that_would_end_with_its_input_ends_when_it_is_told_to_all_the_same() {
    let (machine, gateway) = (Machine::new(), Gateway::open().await);
    let words = ["--allow-all", "--end-with-input", "--url", &gateway.url, "--node-id", link_support::NODE];
    let mut command = machine.command(&words);
    let mut node = command.env("ARGUS_NODE_TOKEN", "sesame").stderr(Stdio::inherit()).spawn().unwrap();
    let (mut visit, _) = gateway.welcome().await;
    let _input = node.stdin.take();
    signal(&node, rustix::process::Signal::TERM);
    while visit.hear_any().await.is_some() {}
    assert_eq!(soon(node.wait()).await.unwrap().code(), Some(0));
}

#[tokio::test]
async fn many_calls_at_once_are_not_as_many_threads() {
    let (machine, gateway) = (Machine::new(), Gateway::open().await);
    let mut node = machine.node(&gateway);
    let (mut visit, _) = gateway.welcome().await;
    let (mut asked, mut answered, mut most) = (0, 0, 0);
    while answered < 600 {
        while asked < 600 && asked - answered < 30 {
            run(&mut visit, &format!("c{asked}"), json!({ "argv": ["true"] })).await;
            asked += 1;
        }
        let FromNode::Result(settled) = visit.hear().await else { continue };
        assert!(settled.ok, "{settled:?}");
        visit.ack(&settled.id).await;
        answered += 1;
        most = most.max(std::fs::read_dir(format!("/proc/{}/task", node.id().unwrap())).unwrap().count());
    }
    assert!(most <= 56, "{most} threads");
    node.kill().await.unwrap();
}
