//! A node's jobs in a folder of their own, and the calls that a test makes of them.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use argus_node_host::jobs::{Jobs, JobsConfig, Limits, RunPlan};
use argus_node_host::{Answer, Asker, Call, Command, Progress};
use argus_protocol::node::Fault;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Stage {
    pub(crate) folder: tempfile::TempDir,
    limits: Limits,
    jobs: Option<Jobs>,
}

pub(crate) fn config(state: &Path, limits: Limits) -> JobsConfig {
    let keeper = vec![env!("CARGO_BIN_EXE_argus-node-host").into(), "job-keeper".into()];
    JobsConfig { folder: state.join("jobs"), node_id: "desk".into(), keeper, limits }
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self::with(Limits::default())
    }

    pub(crate) fn with(limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let jobs = Jobs::open(config(folder.path(), limits)).unwrap();
        Self { folder, limits, jobs: Some(jobs) }
    }

    /// In a folder in which something is already; nothing is open yet.
    pub(crate) fn in_folder(folder: tempfile::TempDir, limits: Limits) -> Self {
        Self { folder, limits, jobs: None }
    }

    pub(crate) fn take(&mut self, jobs: Jobs) {
        self.jobs = Some(jobs);
    }

    pub(crate) fn jobs(&self) -> &Jobs {
        self.jobs.as_ref().unwrap()
    }

    pub(crate) async fn close(&mut self) {
        if let Some(jobs) = self.jobs.take() {
            jobs.stop().await;
        }
    }

    pub(crate) async fn reopen(&mut self) {
        self.close().await;
        self.jobs = Some(Jobs::open(config(self.folder.path(), self.limits)).unwrap());
    }

    pub(crate) fn job(&self, id: &str) -> PathBuf {
        self.folder.path().join("jobs").join(id)
    }

    pub(crate) fn file(&self, id: &str, name: &str) -> Value {
        serde_json::from_slice(&std::fs::read(self.job(id).join(name)).unwrap()).unwrap()
    }

    pub(crate) async fn run(&self, params: Value) -> Result<Value, Fault> {
        value(self.jobs().run(call("system.run", params.clone()), plan(&params)).await)
    }

    pub(crate) async fn run_call(&self, call: Call) -> Result<Value, Fault> {
        let plan = plan(&call.params);
        value(self.jobs().run(call, plan).await)
    }

    pub(crate) async fn shell(&self, script: &str) -> Value {
        self.run(json!({"argv": ["sh", "-c", script]})).await.unwrap()
    }

    /// Starts a script and does not wait for it; its id.
    pub(crate) async fn begin(&self, script: &str) -> String {
        self.begin_with(json!({"argv": ["sh", "-c", script]})).await
    }

    pub(crate) async fn begin_with(&self, mut params: Value) -> String {
        params["yieldMs"] = json!(0);
        id(&self.run(params).await.unwrap())
    }

    pub(crate) async fn ask(&self, command: &str, params: Value) -> Result<Value, Fault> {
        value(self.jobs().call(call(command, params)).await)
    }

    pub(crate) async fn get(&self, id: &str) -> Value {
        self.ask("process.get", json!({"jobId": id})).await.unwrap()["job"].take()
    }

    /// What is known of a job once it has ended, and who waits for ends was told to look.
    pub(crate) async fn ended(&self, id: &str) -> Value {
        until("the job ends", async || {
            let logs = self.ask("process.logs", json!({"jobId": id})).await.unwrap();
            (logs["running"] == false).then_some(())
        })
        .await;
        self.get(id).await
    }

    /// What a job has written, once that is there.
    pub(crate) async fn wrote(&self, id: &str, text: &str) -> String {
        until(text, async || {
            let logs = self.ask("process.logs", json!({"jobId": id})).await.unwrap();
            Some(logs["stdout"].as_str().unwrap().to_owned()).filter(|out| out.contains(text))
        })
        .await
    }
}

pub(crate) fn call(command: &str, params: Value) -> Call {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
    let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    Call {
        id: format!("call-{number}"),
        command: command.to_owned(),
        params,
        idempotency_key: None,
        asker: Asker { session_id: Some("s1".into()), ticket: Some("ticket-of-s1".into()) },
        cancel: CancellationToken::new(),
        progress: mpsc::channel(8).0,
    }
}

/// The same call, and what is heard before its answer.
pub(crate) fn heard(call: Call) -> (Call, mpsc::Receiver<Progress>) {
    let (progress, hears) = mpsc::channel(8);
    (Call { progress, ..call }, hears)
}

/// Runs what is asked for as it is: by the tests' own `PATH`, in the folder that is named or `/`.
pub(crate) fn plan(params: &Value) -> RunPlan {
    let argv: Vec<String> = params["argv"]
        .as_array()
        .map(|words| words.iter().map(|word| word.as_str().unwrap().to_owned()).collect())
        .unwrap_or_default();
    let name = argv.first().cloned().unwrap_or_default();
    let path = std::env::var_os("PATH").unwrap();
    let found = std::env::split_paths(&path).map(|folder| folder.join(&name)).find(|file| file.is_file());
    let mut env = vec![("PATH".into(), path)];
    if let Some(more) = params["env"].as_object() {
        env.extend(more.iter().map(|(name, value)| (name.into(), value.as_str().unwrap().into())));
    }
    RunPlan {
        program: found.unwrap_or_else(|| name.into()),
        argv,
        cwd: params["cwd"].as_str().unwrap_or("/").into(),
        env,
    }
}

pub(crate) fn value(answer: Answer) -> Result<Value, Fault> {
    answer.map(|raw| serde_json::from_str(raw.get()).unwrap())
}

pub(crate) fn id(answer: &Value) -> String {
    answer["jobId"].as_str().unwrap().to_owned()
}

/// Waits until it is there.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "it never came: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Whether a process of that number is there and no mere corpse.
pub(crate) fn lives(pid: i64) -> bool {
    let told =
        std::process::Command::new("ps").args(["-o", "stat=", "-p", &pid.to_string()]).output().unwrap();
    let state = String::from_utf8(told.stdout).unwrap();
    !state.trim().is_empty() && !state.trim().starts_with('Z')
}
