//! The machine as the link sees it: every call is judged, then done by the command that it names, then noted.

use std::collections::BTreeSet;

use argus_protocol::node::{Connect, Exited, Fault, code};
use async_trait::async_trait;
use serde_json::Value;
use tokio::sync::watch;

use crate::clipboard::Clipboard;
use crate::fs::Files;
use crate::info::Info;
use crate::jobs::Jobs;
use crate::link::Machine;
use crate::notify::Notify;
use crate::policy::{Action, Gate, Policy};
use crate::screen::Screen;
use crate::which::Which;
use crate::{Answer, Call, Command};

/// All that can be done on this machine.
pub struct Host {
    policy: Policy,
    gate: Gate,
    jobs: Jobs,
    which: Which,
    info: Info,
    notify: Notify,
    files: Files,
    screen: Screen,
    clipboard: Clipboard,
    session_id: Option<String>,
}

impl Host {
    /// By the owner's rules, and through that gate; `session_id` is the session of jobs of which nobody says for whom.
    pub fn new(policy: Policy, gate: Gate, jobs: Jobs, session_id: Option<String>) -> Self {
        Self {
            gate,
            jobs,
            which: Which::new(policy.clone()),
            info: Info::new(policy.clone(), env!("CARGO_PKG_VERSION")),
            notify: Notify::new(policy.clone()),
            files: Files::new(policy.clone()),
            screen: Screen::new(policy.clone()),
            clipboard: Clipboard::new(policy.clone()),
            policy,
            session_id,
        }
    }

    /// Who does a command; none: nobody knows it.
    fn group(&self, command: &str) -> Option<&dyn Command> {
        let group: &dyn Command = match command {
            "system.run" => &self.jobs,
            "system.which" => &self.which,
            "system.info" => &self.info,
            "system.notify" => &self.notify,
            "screen.capture" => &self.screen,
            command if command.starts_with("process.") => &self.jobs,
            command if command.starts_with("fs.") => &self.files,
            command if command.starts_with("clipboard.") => &self.clipboard,
            _ => return None,
        };
        Some(group)
    }

    async fn pass_and_do(&self, call: Call) -> Answer {
        let Some(group) = self.group(&call.command) else {
            let shown: String = call.command.chars().filter(|c| !c.is_control()).take(100).collect();
            return Err(Fault::new(code::UNSUPPORTED, format!("there is no command `{shown}` here")));
        };
        let permit = self.gate.pass(&call).await?;
        // What is noted of its end: not what it was called with, which may be large.
        let noted = without_params(&call);
        let answer = match (call.command.as_str(), permit.plan()) {
            ("system.run", Some(plan)) => self.jobs.run(call, plan).await,
            ("system.run", None) => {
                Err(Fault::new(code::FAILED, "the policy lets it be run and does not say what"))
            }
            _ => group.call(call).await,
        };
        self.gate.ended(&noted, &answer);
        answer
    }
}

fn without_params(call: &Call) -> Call {
    Call {
        id: call.id.clone(),
        command: call.command.clone(),
        params: Value::Null,
        idempotency_key: None,
        asker: call.asker.clone(),
        cancel: call.cancel.clone(),
        progress: call.progress.clone(),
    }
}

#[async_trait]
impl Machine for Host {
    fn introduce(&self, connect: Connect) -> Connect {
        let groups: [&dyn Command; 7] =
            [&self.jobs, &self.which, &self.info, &self.notify, &self.files, &self.screen, &self.clipboard];
        let names = groups.into_iter().flat_map(Command::names);
        let commands: BTreeSet<&str> = names.filter(|name| self.policy.offers(name)).collect();
        let caps: BTreeSet<&str> = commands.iter().filter_map(|name| name.split('.').next()).collect();
        let policy = match self.policy.mode() {
            Action::Allow => "allow",
            Action::Ask => "ask",
            Action::Deny => "deny",
        };
        Connect {
            caps: caps.into_iter().map(str::to_owned).collect(),
            commands: commands.into_iter().map(str::to_owned).collect(),
            policy: Some(policy.to_owned()),
            ..connect
        }
    }

    async fn call(&self, call: Call) -> Answer {
        self.pass_and_do(call).await
    }

    async fn untold(&self) -> Vec<Exited> {
        let usual = |exited: Exited| {
            let session_id = exited.session_id.or_else(|| self.session_id.clone());
            Exited { session_id, ..exited }
        };
        self.jobs.untold().into_iter().map(usual).collect()
    }

    fn ended(&self) -> watch::Receiver<u64> {
        self.jobs.ended()
    }

    async fn told(&self, job_id: &str) {
        self.jobs.told(job_id);
    }

    async fn result_delivered(&self, call_id: &str) {
        self.jobs.result_delivered(call_id);
    }

    fn at_work(&self) -> usize {
        self.jobs.at_work()
    }

    fn result_given_up(&self, call_id: &str) {
        self.jobs.result_given_up(call_id);
    }
}
