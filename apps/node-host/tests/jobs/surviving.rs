//! Jobs, their output and their ends, when programs are killed.
#![cfg(target_os = "linux")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use argus_node_host::Call;
use argus_node_host::jobs::{Jobs, Limits};
use serde_json::{Value, json};

use crate::stage::{Stage, call, config, id, lives, plan, until, value};

const STATE: &str = "ARGUS_TEST_JOBS_STATE";
const SCRIPT: &str = "ARGUS_TEST_JOBS_SCRIPT";

/// Another process that has the jobs of a folder, and has begun one.
struct Node {
    process: Child,
    job: String,
}

impl Node {
    fn start(state: &Path, script: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "surviving::a_node_that_is_to_be_killed", "--ignored", "--nocapture"]);
        command.env(STATE, state).env(SCRIPT, script).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let out = BufReader::new(process.stdout.take().unwrap());
        let job = out
            .lines()
            .map(Result::unwrap)
            .find_map(|line| line.split_once("the job is ").map(|(_, job)| job.trim().to_owned()));
        Self { process, job: job.unwrap() }
    }

    /// Ends it like a machine that loses its power, as far as it can tell.
    fn kill(mut self) -> String {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.job.clone()
    }
}

#[tokio::test]
#[ignore = "no test by itself: the others of this file run it as a process, with `--ignored --exact`"]
async fn a_node_that_is_to_be_killed() {
    let (state, script) = (std::env::var_os(STATE).unwrap(), std::env::var(SCRIPT).unwrap());
    let jobs = Jobs::open(config(Path::new(&state), Limits::default())).unwrap();
    let params = json!({"argv": ["sh", "-c", script], "yieldMs": 0});
    let answer = value(jobs.run(deed(params.clone()), plan(&params)).await).unwrap();
    println!("the job is {}", id(&answer));
    std::future::pending::<()>().await;
}

#[tokio::test]
#[ignore = "no test by itself: the others of this file run it as a process, with `--ignored --exact`"]
async fn a_node_that_is_to_be_killed_while_it_begins_jobs() {
    let (state, script) = (std::env::var_os(STATE).unwrap(), std::env::var(SCRIPT).unwrap());
    let jobs = Jobs::open(config(Path::new(&state), Limits::default())).unwrap();
    let params = json!({"argv": ["sh", "-c", script], "yieldMs": 0});
    loop {
        value(jobs.run(call("system.run", params.clone()), plan(&params)).await).unwrap();
    }
}

#[tokio::test]
async fn a_node_killed_at_any_moment_leaves_no_job_in_between() {
    for jobs in [1, 2, 3, 5, 8, 13] {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "surviving::a_node_that_is_to_be_killed_while_it_begins_jobs", "--ignored"]);
        command.env(STATE, folder.path()).env(SCRIPT, "echo whole; exit 7").stdout(Stdio::null());
        let mut node = command.spawn().unwrap();
        let mut stage = Stage::in_folder(folder, Limits::default());
        let begun = || std::fs::read_dir(stage.job("")).map_or(0, Iterator::count);
        // One more than the jobs is there: the folder's lock.
        while begun() <= jobs {
            std::thread::yield_now();
        }
        node.kill().unwrap();
        node.wait().unwrap();
        stage.reopen().await;
        let list = until("all have ended", async || {
            let list = stage.ask("process.list", json!({})).await.unwrap();
            let list = list["jobs"].as_array().unwrap().clone();
            list.iter().all(|job| job["running"] == false).then_some(list)
        })
        .await;
        assert!(list.len() + 1 >= jobs, "{list:?}");
        for job in &list {
            let out = std::fs::read_to_string(stage.job(job["jobId"].as_str().unwrap()).join("stdout.log"));
            let found = (job["exitCode"].as_i64(), job["orphaned"].as_bool(), out.ok());
            let whole = (Some(7), Some(false), Some("whole\n".to_owned()));
            // One whose keeper had no order yet when the node was killed.
            let never_begun = (None, Some(true), None);
            assert!(found == whole || found == never_begun, "{found:?}");
        }
    }
}

fn deed(params: Value) -> Call {
    Call { idempotency_key: Some("deed".into()), ..call("system.run", params) }
}

fn keeper_of(stage: &Stage, job: &str) -> i64 {
    let folder = stage.job(job).canonicalize().unwrap();
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let path = entry.unwrap().path();
        let pid: i64 = path.file_name()?.to_str()?.parse().ok()?;
        let named = std::fs::read(path.join("cmdline")).ok()?;
        let named = String::from_utf8_lossy(&named).contains("job-keeper");
        (named && std::fs::read_link(path.join("cwd")).ok()? == folder).then_some(pid)
    });
    let found: Vec<i64> = processes.collect();
    assert_eq!(found.len(), 1, "keepers of {job}: {found:?}");
    found[0]
}

fn kill_9(pid: i64) {
    assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
}

async fn killed_in_the_middle_of(script: &str) -> (Stage, String) {
    let folder = tempfile::tempdir().unwrap();
    let node =
        Node::start(folder.path(), &script.replace("GO", &folder.path().join("go").display().to_string()));
    let stage = Stage::in_folder(folder, Limits::default());
    until("the job writes", async || {
        std::fs::metadata(stage.job(&node.job).join("stdout.log")).ok().filter(|found| found.len() > 0)
    })
    .await;
    let job = node.kill();
    (stage, job)
}

#[tokio::test]
async fn a_killed_node_loses_neither_output_nor_exit_of_a_job_that_ends_meanwhile() {
    let script = "seq 1 1000; until [ -e GO ]; do sleep 0.02; done; seq 1001 50000; echo late >&2; exit 7";
    let (mut stage, job) = killed_in_the_middle_of(script).await;
    assert!(!stage.job(&job).join("exit.json").exists());
    std::fs::write(stage.folder.path().join("go"), "").unwrap();
    until("the keeper notes the end", async || stage.job(&job).join("exit.json").exists().then_some(()))
        .await;
    stage.reopen().await;
    let lines: Vec<String> = (1..=50_000).map(|n: u32| n.to_string()).collect();
    let all = lines.join("\n") + "\n";
    assert_eq!(std::fs::read_to_string(stage.job(&job).join("stdout.log")).unwrap(), all);
    let ended = stage.get(&job).await;
    assert_eq!(
        (&ended["exitCode"], &ended["orphaned"], &ended["running"]),
        (&json!(7), &json!(false), &json!(false))
    );
    assert_eq!(ended["stdoutBytes"], all.len());
    let told: Vec<_> =
        stage.jobs().untold().into_iter().map(|e| (e.job_id, e.exit_code, e.stderr_tail)).collect();
    assert_eq!(told, [(job, Some(7), "late\n".to_owned())]);
}

#[tokio::test]
async fn a_job_of_a_killed_node_is_adopted_and_kept_like_ones_own() {
    let script = "echo begun; until [ -e GO ]; do sleep 0.02; done; echo more; exit 4";
    let (mut stage, job) = killed_in_the_middle_of(script).await;
    stage.reopen().await;
    let pid = until("its process is known", async || stage.get(&job).await["pid"].as_i64()).await;
    assert!(lives(pid));
    let adopted = stage.get(&job).await;
    assert_eq!((&adopted["running"], &adopted["orphaned"]), (&json!(true), &json!(false)));
    assert_eq!(stage.jobs().untold(), vec![]);
    std::fs::write(stage.folder.path().join("go"), "").unwrap();
    assert_eq!(stage.ended(&job).await["exitCode"], 4);
    assert_eq!(stage.wrote(&job, "more").await, "begun\nmore\n");
    let told: Vec<_> = stage.jobs().untold().into_iter().map(|e| (e.job_id, e.exit_code)).collect();
    assert_eq!(told, [(job, Some(4))]);
}

#[tokio::test]
async fn a_call_that_is_repeated_after_a_kill_waits_for_the_first_job() {
    let script = "echo begun; until [ -e GO ]; do sleep 0.02; done; exit 4";
    let (mut stage, job) = killed_in_the_middle_of(script).await;
    stage.reopen().await;
    let repeated = stage.run_call(deed(json!({"argv": ["echo", "another"], "yieldMs": 60_000})));
    let (answer, ()) = tokio::join!(repeated, async {
        std::fs::write(stage.folder.path().join("go"), "").unwrap();
    });
    let answer = answer.unwrap();
    assert_eq!((id(&answer), &answer["stdout"], &answer["exitCode"]), (job, &json!("begun\n"), &json!(4)));
}

#[tokio::test]
async fn an_adopted_job_can_be_killed() {
    let (mut stage, job) = killed_in_the_middle_of("echo begun; exec sleep 600").await;
    stage.reopen().await;
    let killed = stage.ask("process.kill", json!({"jobId": job})).await.unwrap();
    assert_eq!(killed["signal"], "SIGTERM");
}

#[tokio::test]
async fn a_node_that_ends_in_peace_leaves_its_jobs_running() {
    let mut stage = Stage::new();
    let (call, mut hears) = crate::stage::heard(call("system.run", json!({"argv": ["sleep", "600"]})));
    let jobs = stage.jobs().clone();
    let params = call.params.clone();
    let waiting = tokio::spawn(async move { jobs.run(call, plan(&params)).await.map(drop) });
    let Some(argus_node_host::Progress::Job(job)) = hears.recv().await else { panic!("no job was named") };
    stage.jobs().stop().await;
    let fault = waiting.await.unwrap().unwrap_err();
    assert_eq!(fault.job_id, Some(job.clone()));
    stage.reopen().await;
    assert_eq!(stage.get(&job).await["running"], true);
    stage.ask("process.kill", json!({"jobId": job})).await.unwrap();
}

#[tokio::test]
async fn a_job_whose_keeper_is_killed_is_orphaned_and_told() {
    let stage = Stage::new();
    let job = stage.begin("echo begun; exec sleep 600").await;
    stage.wrote(&job, "begun").await;
    let pid = stage.get(&job).await["pid"].as_i64().unwrap();
    kill_9(keeper_of(&stage, &job));
    let ended = stage.ended(&job).await;
    assert_eq!(
        (&ended["orphaned"], &ended["exitCode"], &ended["signal"]),
        (&json!(true), &json!(null), &json!(null))
    );
    assert!(ended["endedAtMs"].is_number());
    let told: Vec<_> =
        stage.jobs().untold().into_iter().map(|e| (e.job_id, e.orphaned, e.stdout_tail)).collect();
    assert_eq!(told, [(job, true, "begun\n".to_owned())]);
    kill_9(pid);
}

#[tokio::test]
async fn a_job_whose_keeper_was_killed_while_no_node_was_there_is_orphaned() {
    let (mut stage, job) = killed_in_the_middle_of("echo begun; echo $$ >&2; exec sleep 600").await;
    kill_9(keeper_of(&stage, &job));
    stage.reopen().await;
    let found = stage.ended(&job).await;
    assert_eq!((&found["running"], &found["orphaned"]), (&json!(false), &json!(true)));
    let pid = std::fs::read_to_string(stage.job(&job).join("stderr.log")).unwrap();
    kill_9(pid.trim().parse().unwrap());
}

#[tokio::test]
async fn a_keeper_that_nobody_listens_to_keeps_its_job() {
    use std::io::Write as _;
    let mut stage = Stage::in_folder(tempfile::tempdir().unwrap(), Limits::default());
    let job = "00000000-0000-4000-8000-000000000007";
    let folder = stage.job(job);
    std::fs::create_dir_all(&folder).unwrap();
    let meta =
        json!({"version": 1, "jobId": job, "argv": ["sh"], "cwd": "/", "running": true, "told": false});
    std::fs::write(folder.join("meta.json"), meta.to_string()).unwrap();
    let lock = std::fs::File::create(folder.join("keeper.log")).unwrap();
    lock.lock().unwrap();
    let words = |text: &str| json!({"Unix": text.as_bytes()});
    let order = json!({
        "program": words("/bin/sh"), "argv": ["sh", "-c", "echo begun; read x; echo $x; exit 6"], "cwd": words("/"),
        "env": [], "input": "Open", "timeout_ms": null, "output_limit": 1_000_000,
    });
    // As it was when its node was killed right after giving the order.
    let mut command = Command::new(env!("CARGO_BIN_EXE_argus-node-host"));
    command.arg("job-keeper").current_dir(&folder).env_clear().stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut keeper = command.stderr(lock).spawn().unwrap();
    drop(command);
    drop(keeper.stdout.take());
    keeper.stdin.take().unwrap().write_all(order.to_string().as_bytes()).unwrap();
    stage.reopen().await;
    assert_eq!(stage.wrote(job, "begun").await, "begun\n");
    until("it can be written to", async || {
        stage.ask("process.write", json!({"jobId": job, "text": "heard\n"})).await.ok()
    })
    .await;
    assert_eq!(stage.ended(job).await["exitCode"], 6);
    assert_eq!(stage.wrote(job, "heard").await, "begun\nheard\n");
    assert!(keeper.wait().unwrap().success());
}

#[tokio::test]
async fn a_keeper_holds_nothing_secret_and_leads_its_own_session() {
    let stage = Stage::new();
    let params = json!({"argv": ["sh", "-c", "echo begun; exec sleep 600"], "env": {"TOKEN": "very-secret"}});
    let job = stage.begin_with(params).await;
    stage.wrote(&job, "begun").await;
    let keeper = keeper_of(&stage, &job);
    assert_eq!(std::fs::read(format!("/proc/{keeper}/environ")).unwrap(), b"");
    assert!(
        !String::from_utf8_lossy(&std::fs::read(format!("/proc/{keeper}/cmdline")).unwrap())
            .contains("secret")
    );
    let stat = std::fs::read_to_string(format!("/proc/{keeper}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    // The group and the session of a process, after its state and its parent.
    assert_eq!((fields[2], fields[3]), (keeper.to_string().as_str(), keeper.to_string().as_str()));
    stage.ask("process.kill", json!({"jobId": job})).await.unwrap();
}
