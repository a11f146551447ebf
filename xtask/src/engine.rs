//! The Docker engine that tests run against: the one that answers, else one of this run's own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::engine::own::OwnEngine;
use crate::{debian, workspace};

mod bases;
mod images;
mod own;

pub(crate) use images::Optimised;

/// An engine that answers. One that was started for this run ends with this value.
pub(crate) struct Engine {
    /// Where it listens: `unix:///var/run/docker.sock`.
    url: String,
    client: Client,
    _own: Option<OwnEngine>,
}

/// A `docker` command, and whether it can build with `BuildKit`.
#[derive(Debug)]
struct Client {
    program: PathBuf,
    kit: bool,
}

/// The engine; an error says why there is none and what to do.
pub(crate) fn ensure() -> anyhow::Result<Engine> {
    let answering = places().into_iter().find(|url| answers(url));
    if Client::find().is_none() {
        debian::install("no `docker` command is there", &["docker.io", "iptables"])?;
    }
    let client = Client::find().context("no `docker` command is on the PATH: install Docker")?;
    if let Some(url) = answering {
        println!("── docker: the engine at {url}");
        return Ok(Engine { url, client, _own: None });
    }
    let own = own::start()?;
    println!("── docker: an engine of this run's own at {}", own.url);
    Ok(Engine { url: own.url.clone(), client, _own: Some(own) })
}

/// Sees to it that there is a Compose, as a plugin of `docker` or as a program.
pub(crate) fn ensure_compose() -> anyhow::Result<()> {
    let mut plugin = Command::new("docker");
    plugin.args(["compose", "version"]).stdout(Stdio::null()).stderr(Stdio::null());
    if plugin.status().is_ok_and(|status| status.success()) || workspace::on_path("docker-compose").is_some()
    {
        return Ok(());
    }
    debian::install("there is no Docker Compose", &["docker-compose"])
}

impl Engine {
    /// Where it listens, as `DOCKER_HOST` would name it.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Whether a container runs and reaches what the images are built from; an error says why not.
    pub(crate) fn reaches_packages(&self) -> anyhow::Result<()> {
        let update = ["apt-get", "update", "-qq", "-o", "APT::Update::Error-Mode=any"];
        let mut look = self.docker(["run", "--rm", bases::DEBIAN]);
        quietly(look.args(update))
            .with_context(|| format!("a container of the engine at {} reaches no packages", self.url))
    }

    /// A command of its client.
    fn docker<const N: usize>(&self, arguments: [&str; N]) -> Command {
        let mut command = Command::new(&self.client.program);
        command.arg("--host").arg(&self.url).args(arguments).current_dir(workspace::root());
        command.env("DOCKER_BUILDKIT", if self.client.kit { "1" } else { "0" });
        // Both say the same as `--host`, and some clients refuse two answers.
        command.env_remove("DOCKER_HOST").env_remove("DOCKER_CONTEXT");
        command
    }
}

/// Where an engine may listen, by socket: tests give folders and ports of this machine to containers.
fn places() -> Vec<String> {
    let named = ["ARGUS_TEST_DOCKER", "DOCKER_HOST"].into_iter().filter_map(|name| std::env::var(name).ok());
    let rootless = std::env::var("XDG_RUNTIME_DIR").map(|folder| format!("unix://{folder}/docker.sock"));
    let usual = "unix:///var/run/docker.sock".to_owned();
    named.filter(|url| url.starts_with("unix://")).chain([usual]).chain(rootless).collect()
}

/// Whether an engine answers there: a ping in plain HTTP, since there may be no client yet.
fn answers(url: &str) -> bool {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;
    use std::time::Duration;
    let ping = || -> std::io::Result<String> {
        let mut line = UnixStream::connect(Path::new(url.strip_prefix("unix://").unwrap_or_default()))?;
        line.set_read_timeout(Some(Duration::from_secs(10)))?;
        line.write_all(b"GET /_ping HTTP/1.0\r\n\r\n")?;
        let mut answer = [0; 16];
        let length = line.read(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer[..length]).into_owned())
    };
    ping().is_ok_and(|answer| answer.split(' ').nth(1) == Some("200"))
}

impl Client {
    /// The first `docker` on PATH that builds with `BuildKit`, else the first one.
    fn find() -> Option<Self> {
        let path = std::env::var_os("PATH")?;
        let found = std::env::split_paths(&path).map(|folder| folder.join("docker"));
        let mut found: Vec<_> = found.filter(|file| workspace::is_program(file)).collect();
        let kit = found.iter().position(|program| has_kit(program));
        let chosen = kit.unwrap_or(0);
        (chosen < found.len()).then(|| Self { program: found.swap_remove(chosen), kit: kit.is_some() })
    }
}

/// Up to 20.10 the client has it built in; later ones need a plugin that may not be there.
fn has_kit(program: &Path) -> bool {
    let told = |arguments: &[&str]| {
        let output = Command::new(program).args(arguments).stderr(Stdio::null()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let version = told(&["--version"]).unwrap_or_default();
    major(&version).is_some_and(|major| (19..23).contains(&major)) || told(&["buildx", "version"]).is_some()
}

/// `Docker version 20.10.24+dfsg1, build 297e128` → 20.
fn major(version: &str) -> Option<u32> {
    version.strip_prefix("Docker version ")?.split('.').next()?.parse().ok()
}

/// Runs a command of the set-up without its output; what it complained of is in the error.
fn quietly(command: &mut Command) -> anyhow::Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("`{name}` cannot be started"))?;
    if !output.status.success() {
        let told = String::from_utf8_lossy(&output.stderr);
        bail!("`{name}` failed: {}", told.trim().lines().last().unwrap_or_default());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixListener;

    use super::{answers, major};

    #[test]
    fn a_clients_version_is_read() {
        assert_eq!(major("Docker version 20.10.24+dfsg1, build 297e128"), Some(20));
        assert_eq!(major("Docker version 28.2.2, build e6534b4"), Some(28));
        assert_eq!(major("podman version 4.3.1"), None);
    }

    #[test]
    fn only_a_socket_where_somebody_says_200_is_an_engine() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("docker.sock");
        let url = format!("unix://{}", path.display());
        assert!(!answers(&url));
        let listener = UnixListener::bind(&path).unwrap();
        let serving = std::thread::spawn(move || {
            for answer in ["HTTP/1.0 500 Oh\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\n"] {
                let (mut line, _) = listener.accept().unwrap();
                let mut asked = [0; 64];
                let _ = line.read(&mut asked).unwrap();
                line.write_all(answer.as_bytes()).unwrap();
            }
        });
        assert_eq!([answers(&url), answers(&url)], [false, true]);
        serving.join().unwrap();
    }
}
