//! A person's device: the node's program as a process of its own, enrolled at a gateway.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::programs::{self, eventually};

/// A device, in a folder of the gateway's home; its process ends with this value.
pub struct Device {
    id: String,
    folder: PathBuf,
    environment: BTreeMap<OsString, OsString>,
    arguments: Vec<OsString>,
    child: Option<Child>,
}

impl Device {
    /// A device that is called so, with a credential of the gateway; not started yet. It allows everything.
    ///
    /// # Panics
    /// When it cannot be enrolled.
    pub async fn enrolled(gateway: &Gateway, id: &str) -> Self {
        Self::enrolled_by(gateway, id, gateway.url()).await
    }

    /// The same by another way to the gateway: `http://127.0.0.1:…`.
    ///
    /// # Panics
    /// When it cannot be enrolled.
    pub async fn enrolled_by(gateway: &Gateway, id: &str, url: &str) -> Self {
        let code = gateway.rpc("argus/node/enrol", json!({ "nodeId": id })).await;
        let code = code["result"]["code"].as_str().unwrap_or_else(|| panic!("no code: {code}")).to_owned();
        let device = Self::new(gateway, id);
        let told = device.run(&["enrol", "--url", &nodes_url(url)], &[("ARGUS_NODE_CODE", &code)]);
        let words = String::from_utf8_lossy(&told.stderr).into_owned();
        assert!(told.status.success(), "{words}");
        device
    }

    /// A device without a credential.
    ///
    /// # Panics
    /// When its folder cannot be made.
    pub fn new(gateway: &Gateway, id: &str) -> Self {
        let folder = gateway.home().join("devices").join(id);
        fs::create_dir_all(&folder).expect("a folder in the test's own home");
        let mut environment = programs::clean_environment();
        let settings: [(&str, OsString); 3] = [
            ("HOME", folder.clone().into()),
            ("ARGUS_NODE_ID", id.into()),
            ("ARGUS_NODE_STATE_DIR", folder.join("state").into()),
        ];
        environment.extend(settings.map(|(name, value)| (name.into(), value)));
        Self { id: id.to_owned(), folder, environment, arguments: vec!["--allow-all".into()], child: None }
    }

    /// Changes a variable for the next start; an empty value takes it away.
    pub fn set(&mut self, name: &str, value: impl AsRef<OsStr>) {
        if value.as_ref().is_empty() {
            self.environment.remove(OsStr::new(name));
        } else {
            self.environment.insert(name.into(), value.as_ref().into());
        }
    }

    /// The arguments of the next start, instead of `--allow-all`.
    pub fn say(&mut self, arguments: &[&str]) {
        self.arguments = arguments.iter().map(OsString::from).collect();
    }

    /// Runs the program with these words to its end.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn run(&self, words: &[&str], more: &[(&str, &str)]) -> Output {
        let mut command = Command::new(programs::program("argus-node-host"));
        command.args(words).env_clear().envs(&self.environment).envs(more.iter().copied());
        command.stdin(Stdio::null()).output().expect("the node's program can be started")
    }

    /// Starts it.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn spawn(&mut self) {
        let log = File::options().create(true).append(true).open(self.folder.join("log"));
        let log = log.expect("the test's own folder");
        let errors = log.try_clone().expect("a file can be shared");
        let mut command = Command::new(programs::program("argus-node-host"));
        command
            .args(&self.arguments)
            .env_clear()
            .envs(&self.environment)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors);
        self.child = Some(command.spawn().expect("the node's program can be started"));
    }

    /// Starts it and waits until the gateway sees it.
    ///
    /// # Panics
    /// When it does not come.
    pub async fn start(&mut self, gateway: &Gateway) {
        self.spawn();
        self.seen(gateway).await;
    }

    /// Waits until the gateway sees it.
    ///
    /// # Panics
    /// When it does not come, with its log.
    pub async fn seen(&self, gateway: &Gateway) {
        eventually(&format!("`{}` is connected\n{}", self.id, self.log()), async || {
            is_connected(gateway, &self.id).await.then_some(())
        })
        .await;
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its process id.
    ///
    /// # Panics
    /// While it is not started.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("it is started").id()
    }

    /// Ends it as a power cut would. What it runs lives on.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            _ = child.kill();
            _ = child.wait();
        }
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- log of `{}` ---\n{}", self.id, self.log());
        }
    }
}

/// Whether the gateway sees a node of that id.
pub async fn is_connected(gateway: &Gateway, id: &str) -> bool {
    let told = gateway.rpc("argus/node/list", json!({})).await;
    told["result"]["nodes"].as_array().into_iter().flatten().any(|node| node["nodeId"] == id)
}

/// Has a command done on a node: the whole answer of `argus/node/invoke`.
pub async fn invoke(gateway: &Gateway, node: &str, command: &str, params: Value) -> Value {
    let wish = json!({ "node": node, "command": command, "params": params });
    gateway.rpc("argus/node/invoke", wish).await
}

/// Where nodes connect at a gateway.
pub fn nodes_url(url: &str) -> String {
    format!("ws{}/nodes/ws", url.strip_prefix("http").unwrap_or(url))
}
