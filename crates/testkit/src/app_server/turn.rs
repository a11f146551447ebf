//! Plays one turn: the notifications of the real agent, in its order, with what the text asks for in between.

mod tell;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use self::tell::WillRetry;
use super::agent::Agent;
use super::fresh_id;
use super::plan::{Ask, Event, Plan, Reply, input_text};
use super::shapes::{self, Items, Load};
use super::store::Status;
use super::wire::unix_ms;
use crate::prompt::in_deltas;

/// How often a held turn looks whether its file is there.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// How a turn ended before its text was out.
enum Ended {
    /// Somebody interrupted it, perhaps while it waited for that request's answer.
    Interrupted { unanswered: Option<i64> },
    /// It failed with that message.
    Failed(String),
}

/// A turn being played.
pub(crate) struct Playing {
    pub(crate) agent: Arc<Agent>,
    pub(crate) thread: String,
    pub(crate) turn: String,
    pub(crate) interrupt: CancellationToken,
}

/// The answer to the request that started a turn, when it is not sent at once.
pub(crate) struct Owed {
    pub(crate) when: Reply,
    pub(crate) id: Value,
    pub(crate) result: Value,
}

impl Playing {
    /// Plays the turn to its end. Inputs that come meanwhile (a steered turn) are played in the same one.
    pub(crate) async fn run(self, owed: Option<Owed>) {
        let order = {
            let state = self.agent.state();
            let Some(loaded) = state.loaded.get(&self.thread) else { return };
            Arc::clone(&loaded.order)
        };
        let _mine = order.lock().await;
        let began = Instant::now();
        self.agent.status(&self.thread, Load::Active).await;
        self.agent.notify("turn/started", self.turn_params(Items::NotLoaded)).await;
        self.pay(owed.as_ref(), Reply::AfterStart).await;
        let mut padding = 0;
        let end = loop {
            let Some(input) = self.next_input() else { break Ok(()) };
            let plan = Plan::read(&input_text(&input));
            padding = padding.max(plan.padding);
            if let Err(ended) = self.play(&plan, input).await {
                break Err(ended);
            }
        };
        self.finish(end, began.elapsed(), padding).await;
        self.pay(owed.as_ref(), Reply::AfterEnd).await;
    }

    async fn pay(&self, owed: Option<&Owed>, now: Reply) {
        if let Some(Owed { id, result, .. }) = owed.filter(|owed| owed.when == now) {
            self.agent.wire.reply(id, result).await;
        }
    }

    /// The next input; without one the turn takes no more.
    fn next_input(&self) -> Option<Vec<Value>> {
        let mut state = self.agent.state();
        let loaded = state.loaded.get_mut(&self.thread)?;
        let input = loaded.running.as_mut()?.inputs.pop_front();
        if input.is_none() {
            loaded.running = None;
        }
        input
    }

    async fn play(&self, plan: &Plan, input: Vec<Value>) -> Result<(), Ended> {
        let said = shapes::user_message(&fresh_id(), input);
        self.start_item(&said).await;
        self.complete_item(said).await;
        if let Some(command) = &plan.approve {
            self.approve_command(command).await?;
        }
        if let Some(path) = &plan.change {
            self.approve_change(path).await?;
        }
        let deltas = match &plan.ask {
            Some(ask) => in_deltas(&self.ask(ask).await?),
            None => plan.deltas(&self.thread, &self.turn),
        };
        let message = fresh_id();
        if !deltas.is_empty() {
            self.start_item(&shapes::agent_message(&message, "")).await;
        }
        let middle = deltas.len() / 2;
        for (n, delta) in deltas.iter().enumerate() {
            if n == middle {
                self.midway(plan).await?;
            }
            if n > 0 {
                self.pause(plan.pace).await?;
            }
            let params =
                json!({ "threadId": self.thread, "turnId": self.turn, "itemId": message, "delta": delta });
            self.agent.notify("item/agentMessage/delta", params).await;
        }
        if deltas.is_empty() {
            return self.midway(plan).await;
        }
        self.complete_item(shapes::agent_message(&message, &deltas.concat())).await;
        Ok(())
    }

    async fn midway(&self, plan: &Plan) -> Result<(), Ended> {
        for event in &plan.midway {
            match event {
                Event::Hold(file) => {
                    while !file.exists() {
                        self.pause(LOOK_EVERY).await?;
                    }
                }
                Event::Die(code) => std::process::exit(*code),
                Event::Garbage => self.agent.wire.raw(b"this line is no JSON {".to_vec()).await,
                Event::Big(bytes) => {
                    let params = json!({ "threadId": self.thread, "message": "x".repeat(*bytes) });
                    self.agent.notify("warning", params).await;
                }
                Event::Stderr(line) => eprintln!("{line}"),
                Event::Retry(message) => {
                    self.agent.notify("error", self.error(message, WillRetry::Yes)).await;
                }
                Event::Fail(message) => return Err(Ended::Failed(message.clone())),
                Event::Hang => {
                    self.interrupt.cancelled().await;
                    return Err(Ended::Interrupted { unanswered: None });
                }
                Event::HangHard => std::future::pending().await,
            }
        }
        Ok(())
    }

    /// Sends the client a request, and words its answer.
    async fn ask(&self, ask: &Ask) -> Result<String, Ended> {
        let mut params = json!({ "threadId": self.thread, "turnId": self.turn });
        for (name, value) in &ask.params {
            params[name] = value.clone();
        }
        let (_, answer) = self.answered(&ask.method, params).await?;
        let came = answer.get("result").or_else(|| answer.get("error"));
        Ok(format!("answered: {}", came.unwrap_or(&Value::Null)))
    }

    /// Sends the client a request and waits for its answer, or for an interrupt.
    async fn answered(&self, method: &str, params: Value) -> Result<(i64, Value), Ended> {
        let (request, answer) = self.agent.ask(method, params).await;
        tokio::select! {
            answer = answer => Ok((request, answer.unwrap_or_default())),
            () = self.interrupt.cancelled() => {
                self.agent.forget(request);
                Err(Ended::Interrupted { unanswered: Some(request) })
            }
        }
    }

    /// Asks whether a command may run, and shows what came of it. Nothing is really run.
    async fn approve_command(&self, command: &str) -> Result<(), Ended> {
        let cwd =
            self.agent.state().loaded.get(&self.thread).map(|l| l.thread.cwd.clone()).unwrap_or_default();
        let item = shapes::command(&format!("call_{}", fresh_id()), command, &cwd);
        let params = shapes::approval(&self.thread, &self.turn, &item);
        self.approve(item, "item/commandExecution/requestApproval", params).await
    }

    /// Asks whether a file may be written, and shows what came of it. Nothing is really written.
    async fn approve_change(&self, path: &str) -> Result<(), Ended> {
        let item = shapes::change(&format!("call_{}", fresh_id()), path);
        let params = shapes::change_approval(&self.thread, &self.turn, &item);
        self.approve(item, "item/fileChange/requestApproval", params).await
    }

    async fn approve(&self, mut item: Value, method: &str, params: Value) -> Result<(), Ended> {
        self.agent.status(&self.thread, Load::WaitingOnApproval).await;
        self.start_item(&item).await;
        let (request, answer) = self.answered(method, params).await?;
        self.tell_resolved(request).await;
        let decision = &answer["result"]["decision"];
        let accepted = matches!(decision.as_str(), Some("accept" | "acceptForSession"))
            || decision.get("acceptWithExecpolicyAmendment").is_some();
        item["status"] = json!(match decision.as_str() {
            _ if accepted => "completed",
            Some("decline" | "cancel") => "declined",
            _ => "failed",
        });
        if accepted {
            if item["type"] == "commandExecution" {
                item["exitCode"] = json!(0);
                item["durationMs"] = json!(1);
            }
            self.agent.status(&self.thread, Load::Active).await;
            self.complete_item(item).await;
        } else {
            self.complete_item(item).await;
            self.agent.status(&self.thread, Load::Active).await;
        }
        if decision == "cancel" {
            return Err(Ended::Interrupted { unanswered: None });
        }
        Ok(())
    }

    async fn finish(&self, end: Result<(), Ended>, took: Duration, padding: usize) {
        let (status, error) = match &end {
            Ok(()) => (Status::Completed, None),
            Err(Ended::Interrupted { .. }) => (Status::Interrupted, None),
            Err(Ended::Failed(message)) => (Status::Failed, Some(shapes::failure(message))),
        };
        self.agent.change(&self.thread, |thread| {
            if let Some(turn) = thread.turns.iter_mut().find(|turn| turn.id == self.turn) {
                turn.status = status;
                turn.error = error;
                turn.completed_at = Some(unix_ms() / 1000);
                turn.duration_ms = u64::try_from(took.as_millis()).ok();
            }
        });
        if let Some(loaded) = self.agent.state().loaded.get_mut(&self.thread)
            && loaded.running.as_ref().is_some_and(|running| running.turn == self.turn)
        {
            loaded.running = None;
        }
        match end {
            Ok(()) => {
                self.tell_usage().await;
                self.agent.status(&self.thread, Load::Idle).await;
                self.tell_completed(Items::Summary, padding).await;
            }
            Err(Ended::Interrupted { unanswered }) => {
                self.agent.status(&self.thread, Load::Idle).await;
                self.tell_completed(Items::NotLoaded, padding).await;
                if let Some(request) = unanswered {
                    self.tell_resolved(request).await;
                }
            }
            Err(Ended::Failed(message)) => {
                self.agent.status(&self.thread, Load::SystemError).await;
                self.agent.notify("error", self.error(&message, WillRetry::No)).await;
                self.tell_completed(Items::NotLoaded, padding).await;
            }
        }
    }

    async fn pause(&self, time: Duration) -> Result<(), Ended> {
        if time.is_zero() && !self.interrupt.is_cancelled() {
            return Ok(());
        }
        tokio::select! {
            () = tokio::time::sleep(time) => Ok(()),
            () = self.interrupt.cancelled() => Err(Ended::Interrupted { unanswered: None }),
        }
    }
}
