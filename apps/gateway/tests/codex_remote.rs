//! Codex's own terminal as a client, with a second client that watches the same session.

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;

use argus_testkit::client::Client;
use argus_testkit::gateway::Gateway;
use argus_testkit::model::{ModelServer, Script};
use argus_testkit::programs::real_codex;
use argus_testkit::terminal::Terminal;
use serde_json::{Value, json};

/// A gateway with the real agent, and somebody who watches its default session.
struct Scene {
    model: ModelServer,
    gateway: Gateway,
    watcher: Client,
    codex: PathBuf,
}

impl Scene {
    /// `None` where there is no codex, which is said.
    async fn set() -> Option<Self> {
        let codex = real_codex()?;
        let model = ModelServer::start();
        // The terminal has every first message given a title, by a turn of its own.
        model.on("Generate a concise", Script::new().say("A title"));
        let gateway = Gateway::new();
        let trusted = gateway.home().join("workspace");
        let trust = format!("\n[projects.\"{}\"]\ntrust_level = \"trusted\"\n", trusted.display());
        let gateway = gateway.with_real_codex(&(model.codex_config() + &trust))?.start().await;
        fs::create_dir(gateway.home().join("terminal")).expect("the test's own folder");
        let mut watcher = gateway.client("session=default&handler=0").await;
        watcher.initialize().await;
        Some(Self { model, gateway, watcher, codex })
    }

    /// A terminal with the agent's own client in it; `None` where there is no tmux, which is said.
    async fn sit_down(&self, more: &[&str]) -> Option<Terminal> {
        let terminal = self.start(more)?;
        terminal.shows("Ask Codex to do anything").await;
        Some(terminal)
    }

    fn start(&self, more: &[&str]) -> Option<Terminal> {
        let url = self.gateway.url().replacen("http", "ws", 1);
        let workspace = self.gateway.home().join("workspace");
        let place = ["--remote", &url, "--remote-auth-token-env", "ARGUS_TOKEN"];
        let arguments = [more, &place].concat();
        let home = self.gateway.home().join("terminal");
        let token = self.gateway.token();
        let environment = [
            ("HOME", home.as_os_str()),
            ("CODEX_HOME", home.as_os_str()),
            ("ARGUS_TOKEN", OsStr::new(&token)),
        ];
        Terminal::start(&self.codex, &arguments, &environment, &workspace)
    }

    /// The turn that this text began is over: its thread and its status.
    async fn over(&mut self, thread: &Value) -> String {
        let ended = self.watcher.wait("the turn to end", |frame| {
            frame["method"] == "turn/completed" && frame["params"]["threadId"] == *thread
        });
        ended.await["params"]["turn"]["status"].as_str().unwrap_or_default().to_owned()
    }

    /// The next command that is over in that thread, whether it ran or not.
    async fn command(&mut self, thread: &Value) -> Value {
        let over = self.watcher.wait("the command to be over", |frame| {
            let params = &frame["params"];
            frame["method"] == "item/completed"
                && params["threadId"] == *thread
                && params["item"]["type"] == "commandExecution"
        });
        over.await["params"]["item"].clone()
    }

    /// The thread in which somebody said this.
    async fn thread_of(&mut self, text: &str) -> Value {
        let said = self.watcher.wait("the person's message", |frame| {
            let item = &frame["params"]["item"];
            frame["method"] == "item/completed"
                && item["type"] == "userMessage"
                && item["content"][0]["text"] == text
        });
        said.await["params"]["threadId"].clone()
    }
}

/// What the terminal asks before a command.
const QUESTION: &str = "Would you like to run the following command?";

async fn say(terminal: &Terminal, text: &str) {
    terminal.pastes(text);
    terminal.shows(text).await;
    terminal.presses("Enter");
}

#[tokio::test]
async fn the_terminal_chats_and_another_client_watches() {
    let Some(mut scene) = Scene::set().await else { return };
    let Some(terminal) = scene.sit_down(&[]).await else { return };
    say(&terminal, "hello there").await;
    terminal.shows("You said: hello there").await;
    let thread = scene.thread_of("hello there").await;
    let delta = scene.watcher.wait("the answer as it grows", |frame| {
        frame["method"] == "item/agentMessage/delta" && frame["params"]["threadId"] == thread
    });
    assert!(delta.await["params"]["delta"].as_str().is_some_and(|text| text.starts_with("You said")));
    assert_eq!(scene.over(&thread).await, "completed");
    assert!(scene.model.asked().contains(&"hello there".to_owned()));
}

#[tokio::test]
async fn a_command_runs_when_the_terminal_allows_it_and_not_when_it_declines() {
    let Some(mut scene) = Scene::set().await else { return };
    let Some(terminal) = scene.sit_down(&[]).await else { return };
    let made = scene.gateway.home().join("workspace/made.txt");
    say(&terminal, "[outside: touch made.txt]").await;
    let thread = scene.thread_of("[outside: touch made.txt]").await;
    terminal.shows(QUESTION).await;
    assert!(!made.exists(), "it runs before it was allowed");
    terminal.presses_away("y", QUESTION).await;
    scene.watcher.notification("serverRequest/resolved").await;
    let ran = scene.command(&thread).await;
    assert_eq!((&ran["status"], &ran["exitCode"]), (&json!("completed"), &json!(0)), "{ran}");
    assert_eq!(scene.over(&thread).await, "completed");
    assert!(made.exists());

    say(&terminal, "[outside: touch other.txt]").await;
    terminal.shows_where("the second question", |screen| screen.contains("$ touch other.txt")).await;
    terminal.presses_away("Escape", QUESTION).await;
    scene.watcher.notification("serverRequest/resolved").await;
    let ran = scene.command(&thread).await;
    assert_eq!(ran["status"], "declined", "{ran}");
    assert_eq!(scene.over(&thread).await, "interrupted");
    assert!(!scene.gateway.home().join("workspace/other.txt").exists());
}

#[tokio::test]
async fn escape_ends_the_running_turn() {
    let Some(mut scene) = Scene::set().await else { return };
    let Some(terminal) = scene.sit_down(&[]).await else { return };
    say(&terminal, "[say: never said to the end] [hold: gate]").await;
    terminal.shows("• never said").await;
    let thread = scene.thread_of("[say: never said to the end] [hold: gate]").await;
    terminal.presses("Escape");
    assert_eq!(scene.over(&thread).await, "interrupted");
    terminal.shows("Conversation interrupted").await;
    scene.model.release("gate");
    say(&terminal, "go on").await;
    terminal.shows("You said: go on").await;
}

#[tokio::test]
async fn an_earlier_thread_is_resumed() {
    let Some(mut scene) = Scene::set().await else { return };
    let Some(terminal) = scene.sit_down(&[]).await else { return };
    say(&terminal, "remember the walrus").await;
    terminal.shows("You said: remember the walrus").await;
    let thread = scene.thread_of("remember the walrus").await;
    assert_eq!(scene.over(&thread).await, "completed");
    drop(terminal);
    let thread = thread.as_str().unwrap_or_default().to_owned();
    let Some(terminal) = scene.sit_down(&["resume", &thread]).await else { return };
    terminal.shows("You said: remember the walrus").await;
    say(&terminal, "and now the carpenter").await;
    terminal.shows("You said: and now the carpenter").await;
    assert_eq!(scene.thread_of("and now the carpenter").await, thread);
    drop(terminal);
    let Some(terminal) = scene.start(&["resume"]) else { return };
    terminal.shows("remember the walrus").await;
    terminal.presses("Enter");
    terminal.shows("You said: and now the carpenter").await;
}

#[tokio::test]
async fn the_terminal_comes_back_by_itself_when_the_gateway_does() {
    let Some(mut scene) = Scene::set().await else { return };
    let Some(terminal) = scene.sit_down(&[]).await else { return };
    say(&terminal, "[say: before-the-gateway-died-and-after-it] [hold: gate]").await;
    terminal.shows("• before-the-gateway").await;
    scene.gateway.kill();
    terminal.shows("Reconnecting").await;
    scene.model.release("gate");
    scene.gateway.restart().await;
    let screen = terminal.shows("before-the-gateway-died-and-after-it\n").await;
    assert_eq!(screen.matches("• before-the-gateway").count(), 1, "{screen}");
    say(&terminal, "still there?").await;
    let screen = terminal.shows("You said: still there?").await;
    assert_eq!(screen.matches("• before-the-gateway").count(), 1, "{screen}");
}
