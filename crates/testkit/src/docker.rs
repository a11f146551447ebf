//! A test's own corner of a real container engine: images with our programs, a network, and nothing left at the end.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use data_encoding::HEXLOWER;
use serde_json::Value;
use tokio::net::{UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;

use crate::app_server;
use crate::programs::{self, eventually};

/// What the images of tests are called, before the mark of what is in them.
const IMAGE: &str = "argus-test-runtime";

/// A corner of the engine. Clones are the same corner; with the last one everything in it goes.
#[derive(Clone)]
pub struct Docker(Arc<Corner>);

struct Corner {
    host: String,
    name: String,
}

impl Docker {
    /// A corner of the engine that `ARGUS_TEST_DOCKER` names by its socket's URL; otherwise says that a test is skipped.
    pub fn here() -> Option<Self> {
        let Some(host) = std::env::var("ARGUS_TEST_DOCKER").ok().filter(|host| !host.is_empty()) else {
            eprintln!("skipped: ARGUS_TEST_DOCKER names no container engine");
            return None;
        };
        let mut random = [0; 5];
        getrandom::fill(&mut random).expect("the system gives random bytes");
        Some(Self(Arc::new(Corner { host, name: format!("argus-test-{}", HEXLOWER.encode(&random)) })))
    }

    /// The engine's address.
    pub fn host(&self) -> &str {
        &self.0.host
    }

    /// What is in the corner is called so, or begins so: containers, and the network.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The container of a session of this corner.
    pub fn container(&self, session: &str) -> String {
        format!("{}-{session}", self.0.name)
    }

    /// Runs the engine's own command; what it printed.
    ///
    /// # Panics
    /// When it fails, with its words.
    pub fn run(&self, arguments: &[&str]) -> String {
        let output = self.try_run(arguments);
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "docker {arguments:?}: {words}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// The same, whatever comes of it.
    pub fn try_run(&self, arguments: &[&str]) -> Output {
        self.0.command(arguments).output().expect("the engine's command `docker` is installed")
    }

    /// Runs a shell's words in a container as somebody in it would; both outputs, one after the other.
    pub fn shell(&self, container: &str, words: &str) -> String {
        let output = self.try_run(&["exec", container, "bash", "-c", words]);
        let text = [output.stdout, output.stderr].concat();
        String::from_utf8_lossy(&text).trim().to_owned()
    }

    /// Everything the engine tells of a container, network or image; `None` when it is not there.
    pub fn inspect(&self, name: &str) -> Option<Value> {
        let output = self.try_run(&["inspect", name]);
        let told: Value = serde_json::from_slice(&output.stdout).ok()?;
        told.get(0).cloned()
    }

    /// Waits until a container stands so: `running`, `exited`.
    pub async fn wait_state(&self, container: &str, state: &str) {
        eventually(&format!("{container} is {state}"), async || {
            (self.inspect(container)?["State"]["Status"] == state).then_some(())
        })
        .await;
    }

    /// The image of a runtime whose agent is the scripted one, made from this build's programs.
    ///
    /// # Panics
    /// When it cannot be built.
    pub fn image(&self) -> String {
        let ours = ["argus-runtime-bridge", "argus-node-host"].map(programs::program);
        let files: Vec<_> = ours.into_iter().chain([app_server::binary()]).collect();
        self.build("", &files, "debian:bookworm-slim")
    }

    /// The same with the real codex in it, where there is one.
    pub fn codex_image(&self) -> Option<String> {
        let codex = programs::real_codex()?;
        // What it needs beside itself to put commands behind a wall.
        let resources = codex.parent()?.parent()?.join("codex-resources/bwrap");
        let files: Vec<_> =
            [codex].into_iter().chain(Some(resources).filter(|path| path.is_file())).collect();
        Some(self.build("codex-", &files, &self.image()))
    }

    /// An image of this corner like [`Self::image`], but another one.
    pub fn another_image(&self, name: &str) -> String {
        self.own_image(name, &format!("FROM {}\nLABEL argus.test.mark={}\n", self.image(), self.0.name))
    }

    /// An image of this corner whose containers do nothing but these words of a shell.
    pub fn broken_image(&self, name: &str, words: &str) -> String {
        let entry = serde_json::json!(["sh", "-c", words]);
        self.own_image(name, &format!("FROM debian:bookworm-slim\nENTRYPOINT {entry}\n"))
    }

    fn own_image(&self, name: &str, text: &str) -> String {
        let name = format!("{}-{name}", self.0.name);
        let folder = tempfile::tempdir().expect("a folder for the test");
        fs::write(folder.path().join("Dockerfile"), text).expect("the test's own folder");
        self.run(&["build", "--quiet", "--tag", &name, &folder.path().display().to_string()]);
        name
    }

    /// Builds an image of files on top of another, unless it is there.
    fn build(&self, kind: &str, files: &[PathBuf], base: &str) -> String {
        let names: Vec<_> = files.iter().filter_map(|path| path.file_name()?.to_str()).collect();
        let text = format!(
            "FROM {base}\nCOPY {} /usr/local/bin/\nRUN mkdir -p /root/.argus/workspace && chmod 0755 /root \
             && ln -sfn /root/.argus/workspace /workspace\nWORKDIR /root/.argus/workspace\n\
             ENTRYPOINT [\"/usr/local/bin/argus-runtime-bridge\"]\nLABEL argus.test=1\n",
            names.join(" ")
        );
        let tag = format!("{IMAGE}:{kind}{}", mark(&text, files));
        // Other tests may want the same one at this moment.
        let place = std::env::temp_dir().join("argus-test-image.lock");
        let lock = File::create(place).expect("a file for the lock");
        lock.lock().expect("the lock can be waited for");
        if self.inspect(&tag).is_none() {
            let old = ["--filter", "label=argus.test=1", "--filter", "until=24h"];
            _ = self.try_run(&[&["image", "prune", "--all", "--force"], old.as_slice()].concat());
            let folder = tempfile::tempdir().expect("a folder for the test");
            for (file, name) in files.iter().zip(&names) {
                fs::copy(file, folder.path().join(name)).expect("a program can be copied");
            }
            fs::write(folder.path().join("Dockerfile"), text).expect("the test's own folder");
            self.run(&["build", "--quiet", "--tag", &tag, &folder.path().display().to_string()]);
        }
        tag
    }

    /// Makes this corner's network, unless it is there; the address of this machine in it.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn own_address(&self) -> std::net::IpAddr {
        if self.inspect(&self.0.name).is_none() {
            self.run(&["network", "create", &self.0.name]);
        }
        let told = self.inspect(&self.0.name).expect("the network is there");
        let address = told["IPAM"]["Config"][0]["Gateway"].as_str().expect("it has a gateway");
        address.parse().expect("which is an address")
    }

    /// Removes everything that is in the corner.
    pub fn clean(&self) {
        self.0.clean();
    }
}

impl Corner {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command.args(arguments).env("DOCKER_HOST", &self.host).env("DOCKER_BUILDKIT", "0");
        command
    }

    fn lines(&self, arguments: &[&str]) -> Vec<String> {
        let output = self.command(arguments).output().map(|output| output.stdout).unwrap_or_default();
        String::from_utf8_lossy(&output).lines().map(str::to_owned).collect()
    }

    fn clean(&self) {
        let name = format!("name=^{}", self.name);
        let containers = self.lines(&["ps", "--all", "--quiet", "--no-trunc", "--filter", &name]);
        for container in containers {
            _ = self.command(&["rm", "--force", "--volumes", &container]).output();
        }
        for network in self.lines(&["network", "ls", "--quiet", "--filter", &name]) {
            _ = self.command(&["network", "rm", &network]).output();
        }
        let images = format!("reference={}*", self.name);
        for image in self.lines(&["images", "--quiet", "--filter", &images]) {
            _ = self.command(&["rmi", "--force", &image]).output();
        }
    }
}

impl Drop for Corner {
    fn drop(&mut self) {
        self.clean();
    }
}

/// Tells what goes into an image; a large file by its size and age.
fn mark(text: &str, files: &[PathBuf]) -> String {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    for file in files {
        let told = fs::metadata(file).expect("a program is a file");
        if told.len() > LARGE {
            (told.len(), told.modified().ok()).hash(&mut hasher);
        } else {
            read(file).hash(&mut hasher);
        }
    }
    format!("{:016x}", hasher.finish())
}

/// A file with more bytes than this is not read for its mark.
const LARGE: u64 = 64 << 20;

fn read(file: &Path) -> Vec<u8> {
    fs::read(file).expect("a program can be read")
}

/// A way to the engine that can be closed, so that the engine is away for one test and for nobody else.
pub struct EngineDoor {
    folder: tempfile::TempDir,
    engine: PathBuf,
    open: Option<CancellationToken>,
}

impl EngineDoor {
    /// A door that is shut: nobody listens behind it.
    ///
    /// # Panics
    /// When the engine has no socket of this machine.
    pub fn shut(docker: &Docker) -> Self {
        let engine = docker.host().strip_prefix("unix://").expect("the engine's socket is on this machine");
        let folder = tempfile::Builder::new().prefix("argus-door-").tempdir().expect("a folder for the test");
        Self { folder, engine: engine.into(), open: None }
    }

    /// What leads through this door, for `DOCKER_HOST`.
    pub fn url(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("docker.sock")
    }

    /// Lets everybody through.
    ///
    /// # Panics
    /// When it cannot listen.
    pub fn open(&mut self) {
        let listener = UnixListener::bind(self.socket()).expect("the test's own socket");
        let (shut, engine) = (CancellationToken::new(), self.engine.clone());
        self.open = Some(shut.clone());
        tokio::spawn(shut.clone().run_until_cancelled_owned(async move {
            while let Ok((caller, _)) = listener.accept().await {
                let engine = engine.clone();
                tokio::spawn(shut.clone().run_until_cancelled_owned(async move {
                    let (mut caller, engine) = (caller, UnixStream::connect(engine).await);
                    if let Ok(mut engine) = engine {
                        _ = tokio::io::copy_bidirectional(&mut caller, &mut engine).await;
                    }
                }));
            }
        }));
    }

    /// Cuts everybody off, and lets nobody through.
    pub fn close(&mut self) {
        if let Some(open) = self.open.take() {
            open.cancel();
            _ = fs::remove_file(self.socket());
        }
    }
}

impl Drop for EngineDoor {
    fn drop(&mut self) {
        self.close();
    }
}
