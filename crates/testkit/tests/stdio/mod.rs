//! Drives an app-server over stdio, frame by frame.
#![allow(dead_code, reason = "each test program uses its own part")]

use std::ops::ControlFlow;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(20);

/// A running agent; dropping it kills it.
pub(crate) struct Agent {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
    next: i64,
    /// Every line read.
    pub(crate) seen: Vec<String>,
}

impl Agent {
    pub(crate) fn start(command: &mut Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let stdin = child.stdin.take();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, stdin, lines, next: 1, seen: Vec::new() }
    }

    /// Starts and says hello.
    pub(crate) async fn ready(command: &mut Command) -> Self {
        let mut agent = Self::start(command);
        agent.ok("initialize", hello(true)).await;
        agent.send(&json!({ "method": "initialized" })).await;
        agent
    }

    pub(crate) async fn raw(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(format!("{line}\n").as_bytes()).await.unwrap();
        stdin.flush().await.unwrap();
    }

    pub(crate) async fn send(&mut self, frame: &Value) {
        self.raw(&frame.to_string()).await;
    }

    /// Sends a request and returns its id.
    pub(crate) async fn ask(&mut self, method: &str, params: Value) -> i64 {
        let id = self.next;
        self.next += 1;
        self.send(&json!({ "id": id, "method": method, "params": params })).await;
        id
    }

    /// The next line, or none at the end.
    pub(crate) async fn line(&mut self) -> Option<String> {
        let line = timeout(SOON, self.lines.next_line()).await.expect("a line in time").unwrap()?;
        self.seen.push(line.clone());
        Some(line)
    }

    /// Reads frames, handing each to `look`, until that breaks.
    pub(crate) async fn until<T>(&mut self, mut look: impl FnMut(&Value) -> ControlFlow<T>) -> T {
        loop {
            let line =
                self.line().await.unwrap_or_else(|| panic!("the agent ended; it said {:#?}", self.seen));
            let Ok(frame) = serde_json::from_str(&line) else { continue };
            if let ControlFlow::Break(found) = look(&frame) {
                return found;
            }
        }
    }

    /// The reply to that request: `result` or `error`.
    pub(crate) async fn reply(&mut self, id: i64) -> Result<Value, Value> {
        self.until(|frame| {
            if frame["id"] != id || frame.get("method").is_some() {
                return ControlFlow::Continue(());
            }
            let error = frame.get("error").cloned();
            ControlFlow::Break(error.map_or_else(|| Ok(frame["result"].clone()), Err))
        })
        .await
    }

    pub(crate) async fn call(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        let id = self.ask(method, params).await;
        self.reply(id).await
    }

    pub(crate) async fn ok(&mut self, method: &str, params: Value) -> Value {
        self.call(method, params).await.unwrap_or_else(|error| panic!("`{method}` was refused: {error}"))
    }

    /// The params of the next frame with that method, and the frame's id.
    pub(crate) async fn told(&mut self, method: &str) -> (Value, Value) {
        self.until(|frame| {
            if frame["method"] != method {
                return ControlFlow::Continue(());
            }
            ControlFlow::Break((frame["params"].clone(), frame["id"].clone()))
        })
        .await
    }

    pub(crate) async fn thread(&mut self, cwd: &str) -> String {
        let params = json!({ "cwd": cwd, "approvalPolicy": "never", "sandbox": "danger-full-access" });
        let started = self.ok("thread/start", params).await;
        started["thread"]["id"].as_str().unwrap().to_owned()
    }

    /// Starts a turn and returns its id.
    pub(crate) async fn turn(&mut self, thread: &str, text: &str) -> String {
        let started = self.ok("turn/start", input(thread, text)).await;
        started["turn"]["id"].as_str().unwrap().to_owned()
    }

    /// Reads to the end of the running turn: its status, and its last message.
    pub(crate) async fn ended(&mut self) -> (String, Option<String>) {
        let (params, _) = self.told("turn/completed").await;
        let turn = &params["turn"];
        let text = turn["items"].as_array().and_then(|items| items.last()).map(|item| &item["text"]);
        (turn["status"].as_str().unwrap().to_owned(), text.and_then(Value::as_str).map(str::to_owned))
    }

    /// Plays a whole turn.
    pub(crate) async fn say(&mut self, thread: &str, text: &str) -> (String, Option<String>) {
        self.turn(thread, text).await;
        self.ended().await
    }

    /// Waits for the process's end: its code and its stderr. Closes stdin first.
    pub(crate) async fn exit(mut self) -> (Option<i32>, String) {
        self.stdin = None;
        while self.line().await.is_some() {}
        let status = timeout(SOON, self.child.wait()).await.expect("an exit in time").unwrap();
        let mut stderr = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut stderr).await.unwrap();
        (status.code(), stderr)
    }
}

pub(crate) fn hello(experimental: bool) -> Value {
    json!({ "clientInfo": { "name": "test", "title": "Test", "version": "1" },
        "capabilities": { "experimentalApi": experimental } })
}

pub(crate) fn input(thread: &str, text: &str) -> Value {
    json!({ "threadId": thread, "input": [{ "type": "text", "text": text }] })
}
