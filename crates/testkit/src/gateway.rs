//! A whole gateway as a process of its own, on a free port, in a home of its own.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::app_server::{AcceptedTurn, accepted_turns};
use crate::client::Client;
use crate::docker::Docker;
use crate::programs::{self, eventually};

/// A home, and the gateway that runs in it. Everything that was started there ends with it.
pub struct Gateway {
    home: TempDir,
    environment: BTreeMap<OsString, OsString>,
    program: PathBuf,
    arguments: Vec<OsString>,
    child: Option<Child>,
    url: String,
    starts: u32,
    docker: Option<Docker>,
}

impl Gateway {
    /// A gateway that is not started yet, whose agent is the scripted one.
    pub fn new() -> Self {
        let home = tempfile::Builder::new().prefix("argus-").tempdir().expect("a folder for the test");
        let mut environment = programs::clean_environment();
        let path = |name: &str| OsString::from(home.path().join(name));
        let settings: [(&str, OsString); 8] = [
            ("HOME", path("user")),
            ("CODEX_HOME", path("codex")),
            ("ARGUS_HOME", home.path().into()),
            ("ARGUS_BIND", "127.0.0.1:0".into()),
            ("ARGUS_BRIDGE", programs::program("argus-runtime-bridge").into()),
            ("ARGUS_RUNTIME_CMD", crate::app_server::binary().into()),
            ("SCRIPTED_STATE", path("threads")),
            ("SCRIPTED_LOG", path("turns.jsonl")),
        ];
        environment.extend(settings.map(|(name, value)| (name.into(), value)));
        for folder in ["user", "codex"] {
            fs::create_dir(home.path().join(folder)).expect("a folder in the test's own home");
        }
        let program = programs::program("argus-gateway");
        Self {
            home,
            environment,
            program,
            arguments: Vec::new(),
            child: None,
            url: String::new(),
            starts: 0,
            docker: None,
        }
    }

    /// With runtimes in containers of that corner.
    #[must_use]
    pub fn in_docker(mut self, docker: &Docker) -> Self {
        let settings = [
            ("ARGUS_PROVISION_MODE", "docker"),
            ("DOCKER_HOST", docker.host()),
            ("ARGUS_RUNTIME_IMAGE", &docker.image()),
            ("ARGUS_DOCKER_NETWORK", docker.name()),
            ("ARGUS_CONTAINER_PREFIX", docker.name()),
            ("ARGUS_RUNTIME_CMD", "scripted-app-server"),
            ("ARGUS_RUNTIME_ENV", "SCRIPTED_STATE,SCRIPTED_LOG"),
            ("SCRIPTED_STATE", "/root/.argus/threads"),
            ("SCRIPTED_LOG", "/root/.argus/turns.jsonl"),
        ];
        for (name, value) in settings {
            self.set(name, value);
        }
        self.docker = Some(docker.clone());
        self
    }

    /// With a setting.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.set(name, value);
        self
    }

    /// With another program, such as `argus up`.
    #[must_use]
    pub fn run_by(mut self, program: &str, arguments: &[&str]) -> Self {
        self.program = programs::program(program);
        self.arguments = arguments.iter().map(OsString::from).collect();
        self
    }

    /// With a note of every line that an agent is given, for [`Self::heard`].
    ///
    /// # Panics
    /// When the script that takes the notes cannot be written.
    #[must_use]
    pub fn with_wiretap(self) -> Self {
        let (script, heard) = (self.home().join("tapped-agent"), self.home().join("heard.jsonl"));
        let agent = self.environment[OsStr::new("ARGUS_RUNTIME_CMD")].to_string_lossy().into_owned();
        let text = format!("#!/bin/sh\ntee -a '{}' | {agent}\n", heard.display());
        fs::write(&script, text).expect("the test's own folder");
        fs::set_permissions(&script, Permissions::from_mode(0o700)).expect("the test's own file");
        self.with("ARGUS_RUNTIME_CMD", script)
    }

    /// Every line that agents were given so far, with [`Self::with_wiretap`].
    pub fn heard(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.home().join("heard.jsonl")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| json!(line))).collect()
    }

    /// Changes a setting for the next start; an empty value takes it away.
    pub fn set(&mut self, name: &str, value: impl AsRef<OsStr>) {
        if value.as_ref().is_empty() {
            self.environment.remove(OsStr::new(name));
        } else {
            self.environment.insert(name.into(), value.as_ref().into());
        }
    }

    /// With the real codex, speaking to a model server by this configuration; `None` where there is no codex.
    pub fn with_real_codex(self, configuration: &str) -> Option<Self> {
        let codex = programs::real_codex()?;
        fs::write(self.home().join("codex/config.toml"), configuration).expect("the test's own folder");
        Some(self.with("ARGUS_RUNTIME_CMD", format!("{} app-server", codex.display())))
    }

    /// Starts it and waits until it serves.
    ///
    /// # Panics
    /// When it ends instead, with its log.
    pub async fn start(mut self) -> Self {
        self.restart().await;
        self
    }

    /// Starts it again in the same home.
    ///
    /// # Panics
    /// When it ends instead, with its log.
    pub async fn restart(&mut self) {
        if let Some(address) = self.url.strip_prefix("http://").map(str::to_owned) {
            // Where its clients look for it again.
            self.set("ARGUS_BIND", address);
        }
        self.spawn();
        let address = self.home().join("gateway/address");
        let url = eventually("the gateway serves", async || {
            let ended = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten());
            assert!(ended.is_none(), "the gateway ended: {ended:?}\n{}", self.log());
            let url = fs::read_to_string(&address).ok()?.trim().to_owned();
            reqwest::get(format!("{url}/healthz")).await.ok().map(|_| url)
        });
        self.url = url.await;
    }

    /// Starts the process without waiting for anything.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn spawn(&mut self) {
        _ = fs::remove_file(self.home().join("gateway/address"));
        self.starts += 1;
        let log = File::create(self.home().join(format!("gateway-{}.log", self.starts)))
            .expect("the test's own folder");
        let errors = log.try_clone().expect("a file can be shared");
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .env_clear()
            .envs(&self.environment)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors);
        self.child = Some(command.spawn().expect("the gateway can be started"));
    }

    /// Its folder, `ARGUS_HOME`.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// `http://127.0.0.1:…`
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The operator's token.
    ///
    /// # Panics
    /// Before the first start.
    pub fn token(&self) -> String {
        let text =
            fs::read_to_string(self.home().join("gateway/token")).expect("a started gateway has a token");
        text.trim().to_owned()
    }

    /// What this start has logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.home().join(format!("gateway-{}.log", self.starts))).unwrap_or_default()
    }

    /// Its process id.
    ///
    /// # Panics
    /// While it is not started.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("it is started").id()
    }

    /// Ends it as a power cut would. Its runtimes live on.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            _ = child.kill();
            _ = child.wait();
        }
    }

    /// Asks it to stop and waits until it did; its exit code.
    ///
    /// # Panics
    /// When it does not stop.
    pub async fn stop(&mut self) -> Option<i32> {
        let mut child = self.child.take()?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a process id");
        _ = kill_process(pid, Signal::TERM);
        eventually("the gateway stopped", async || child.try_wait().ok().flatten()).await.code()
    }

    /// Waits for the end of a start that cannot succeed; its exit code.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn ended(&mut self) -> Option<i32> {
        let mut child = self.child.take()?;
        eventually("the gateway ended", async || child.try_wait().ok().flatten()).await.code()
    }

    /// Its exit code, where it ended by itself.
    pub fn exit_code(&mut self) -> Option<i32> {
        self.child.as_mut()?.try_wait().ok().flatten()?.code()
    }

    /// The processes of this home whose program's name starts so: `argus-runtime-b`, `scripted-app-se`, `codex`.
    pub fn processes(&self, name: &str) -> Vec<u32> {
        let all = programs::processes_with(self.home());
        all.into_iter().filter(|(_, comm)| comm.starts_with(name)).map(|(pid, _)| pid).collect()
    }

    /// Every input that the scripted agent accepted in this home.
    pub fn turns(&self) -> Vec<AcceptedTurn> {
        accepted_turns(&self.home().join("turns.jsonl"))
    }

    /// A client on `/ws`; `query` such as `session=default`.
    ///
    /// # Panics
    /// When it cannot connect.
    pub async fn client(&self, query: &str) -> Client {
        Client::connect(&self.url, query, &self.token()).await
    }

    /// One call at `POST /rpc`: the whole reply.
    ///
    /// # Panics
    /// When there is no JSON in return.
    pub async fn rpc(&self, method: &str, params: Value) -> Value {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let sent =
            reqwest::Client::new().post(format!("{}/rpc", self.url)).bearer_auth(self.token()).json(&request);
        sent.send().await.expect("the gateway answers").json().await.expect("an answer in JSON")
    }
}

impl Default for Gateway {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.kill();
        programs::kill_all_with(self.home());
        if let Some(docker) = &self.docker {
            docker.clean();
        }
        if std::thread::panicking() {
            eprintln!("--- log of the gateway ---\n{}", self.log());
        }
    }
}
