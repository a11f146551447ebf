//! Everything as it is shipped: the compose file of this repository with the shipped images, in a corner of a real engine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use argus_testkit::bot_api::{BotApi, Chat, User};
use argus_testkit::docker::Docker;
use argus_testkit::model::ModelServer;
use argus_testkit::programs::{self, PATIENCE};
use tempfile::TempDir;

/// A composed system. Everything that was made for it goes with it.
pub(crate) struct Composed {
    /// The Bot API that it speaks to, on this machine.
    pub(crate) api: BotApi,
    /// The model of its agent, on this machine.
    pub(crate) model: ModelServer,
    /// Its corner of the engine.
    pub(crate) docker: Docker,
    home: TempDir,
    environment: PathBuf,
    compose: Vec<String>,
}

impl Composed {
    /// One that does not run yet; says that a test is skipped where there is no engine, no image or no compose.
    pub(crate) fn here() -> Option<Self> {
        let docker = Docker::here()?;
        let tag = shipped()?;
        let Some(compose) = compose() else {
            eprintln!("skipped: neither `docker compose` nor `docker-compose` is there");
            return None;
        };
        let host = docker.own_address();
        let (api, model) = (BotApi::start_at(host, "42:TEST"), ModelServer::start_at(host));
        let home = tempfile::Builder::new().prefix("argus-").tempdir().expect("a folder for the test");
        let settings = [
            ("TELEGRAM_BOT_TOKEN", api.token()),
            ("TELEGRAM_API_URL", api.url().to_owned()),
            ("ARGUS_IMAGE", format!("argus:{tag}")),
            ("ARGUS_RUNTIME_IMAGE", format!("argus-runtime:{tag}")),
            ("ARGUS_HOME_HOST_PATH", home.path().join("home").display().to_string()),
            ("ARGUS_DOCKER_NETWORK", format!("{}-net", docker.name())),
            ("ARGUS_CONTAINER_PREFIX", docker.name().to_owned()),
            ("ARGUS_PUBLISH", "127.0.0.1:0".to_owned()),
            ("DOCKER_SOCK", docker.host().trim_start_matches("unix://").to_owned()),
        ];
        let environment = home.path().join("environment");
        let lines = settings.map(|(name, value)| format!("{name}={value}\n"));
        fs::write(&environment, lines.concat()).expect("the test's own folder");
        Some(Self { api, model, docker, home, environment, compose })
    }

    /// With the model of [`Self::model`] for its agent.
    pub(crate) fn with_model(self) -> Self {
        let folder = self.home().join(".codex");
        fs::create_dir_all(&folder).expect("the test's own folder");
        fs::write(folder.join("config.toml"), self.model.codex_config()).expect("the test's own folder");
        self
    }

    /// Its home, which the engine makes where it is not there.
    pub(crate) fn home(&self) -> PathBuf {
        self.home.path().join("home")
    }

    /// `docker compose --profile tg up`, with the images as they are.
    pub(crate) fn up(&self) {
        self.compose(&["--profile", "tg", "up", "-d", "--no-build"]);
    }

    /// `docker compose down`: its containers go, the home and the volume stay, and so do its sessions.
    pub(crate) fn down(&self) {
        self.compose(&["--profile", "tg", "down"]);
    }

    /// Runs a command of the person's in the gateway's container.
    pub(crate) fn argus(&self, deed: &str) -> String {
        let words: Vec<_> = deed.split(' ').collect();
        self.compose(&[&["exec", "-T", "gateway", "argus"][..], &words].concat())
    }

    /// Where its gateway is reached from this machine.
    pub(crate) fn url(&self) -> String {
        let gateway = self.docker.inspect(&self.container("gateway")).expect("it runs");
        let port = &gateway["NetworkSettings"]["Ports"]["8080/tcp"][0]["HostPort"];
        format!("http://127.0.0.1:{}", port.as_str().expect("its port is published"))
    }

    /// The container of one of its services.
    pub(crate) fn container(&self, service: &str) -> String {
        self.compose(&["ps", "--quiet", service])
    }

    /// What a service's process may do: its user ids, its capabilities, whether it can get new ones.
    pub(crate) fn rights(&self, service: &str) -> [String; 3] {
        // Its image has no shell, and its processes need not be of the namespace that we see.
        let shared = format!("container:{}", self.container(service));
        let look = ["run", "--rm", "--network=none", "--pid", &shared, "debian:bookworm-slim"];
        let status = self.docker.run(&[&look[..], &["cat", "/proc/1/status"]].concat());
        ["Uid:", "CapEff:", "NoNewPrivs:"].map(|name| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
            line.split_whitespace().collect::<Vec<_>>().join(" ")
        })
    }

    /// The containers of its sessions that run.
    pub(crate) fn sessions(&self) -> Vec<String> {
        let prefix = format!("name=^{}-[0-9a-f]+$", self.docker.name());
        let told = self.docker.run(&["ps", "--quiet", "--no-trunc", "--filter", &prefix]);
        told.lines().map(str::to_owned).collect()
    }

    /// Pairs somebody; the chat with them.
    pub(crate) async fn paired(&self) -> (User, Chat) {
        let user = User::new(7, "Ada");
        let chat = Chat::private(&user);
        self.api.push_text(&chat, &user, &format!("/start {}", self.argus("pair")));
        self.api.wait_text("you are the operator", PATIENCE).await;
        (user, chat)
    }

    /// What was said in that chat after the pairing.
    pub(crate) fn said_in(&self, chat: &Chat) -> Vec<String> {
        self.api.sent_to(chat).into_iter().skip(1).map(|sent| sent.text).collect()
    }

    /// Runs compose; what it printed.
    pub(crate) fn compose(&self, arguments: &[&str]) -> String {
        let output = self.try_compose(arguments);
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "compose {arguments:?}: {words}\n{}", self.logs());
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn try_compose(&self, arguments: &[&str]) -> Output {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut command = Command::new(&self.compose[0]);
        command.args(&self.compose[1..]).arg("--project-name").arg(self.docker.name());
        command.arg("--file").arg(root.join("docker-compose.yml")).arg("--env-file").arg(&self.environment);
        command.args(arguments).current_dir(root).env_clear().envs(programs::clean_environment());
        // Where the plugin of a person's own may be.
        command.envs(std::env::var_os("HOME").map(|home| ("HOME", home)));
        command.env("DOCKER_HOST", self.docker.host()).output().expect("compose can be started")
    }

    fn logs(&self) -> String {
        let output = self.try_compose(&["logs", "--no-color", "--tail", "100"]);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for Composed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- log of what is composed ---\n{}", self.logs());
        }
        _ = self.try_compose(&[
            "--profile",
            "tg",
            "--profile",
            "login",
            "down",
            "--volumes",
            "--timeout",
            "1",
        ]);
        self.docker.clean();
        // Its files belong to the users of its containers.
        let (folder, image) = (format!("{}:/x", self.home.path().display()), "debian:bookworm-slim");
        _ = self.docker.try_run(&["run", "--rm", "--volume", &folder, image, "rm", "-rf", "/x/home"]);
    }
}

/// The tag of the shipped images in the engine; otherwise says that a test is skipped.
pub(crate) fn shipped() -> Option<String> {
    let tag = std::env::var("ARGUS_TEST_IMAGES").ok().filter(|tag| !tag.is_empty());
    if tag.is_none() {
        eprintln!("skipped: ARGUS_TEST_IMAGES names no tag of the shipped images");
    }
    tag
}

/// The words that begin a command of compose: its second version, else its first.
fn compose() -> Option<Vec<String>> {
    let known = [vec!["docker", "compose"], vec!["docker-compose"]];
    let found = known.into_iter().find(|words| {
        let version = Command::new(words[0]).args(&words[1..]).arg("version").output();
        version.is_ok_and(|output| output.status.success())
    });
    found.map(|words| words.into_iter().map(str::to_owned).collect())
}
