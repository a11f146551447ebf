//! Introduces layers to each other: what a lower one asks for, answered by the one that has it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use argus_protocol::node::{Ask, Exited, NodeInfo};
use argus_protocol::token::SigningKey;
use argus_protocol::{ClientId, SessionId, SubmissionId};
use argus_session::{Answer, ChatQuestion, Haste, Hastened, LaneStatus, QuestionEnd, Submission, Target};
use async_trait::async_trait;
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::Value;

use crate::automation::Automation;
use crate::automation::events::{Event, EventError};
use crate::automation::exits::{Exit, ExitEnd};
use crate::automation::intake::Intake;
use crate::automation::nodes::{Node, NodeChange};
use crate::automation::ports::Workers;
use crate::automation::reactor::AskChats;
use crate::chat::ports::{Machines, SessionLine, Standing, Stopped, Turns};
use crate::chat::{Asking, Chats, OwnerAsked};
use crate::devices::Devices;
use crate::devices::ports::{Change, Facts, NotTold, Owner, Owners};
use crate::sessions::{AskError, KnownRuntime, SessionHandle, Sessions, probe};

/// How long a session may take to answer a question about itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// What chats need of sessions.
pub struct ChatTurns {
    intake: Intake,
    sessions: Sessions,
    /// From which the ids of owners' sessions are derived.
    key: SigningKey,
    /// Numbers clients.
    next_client: Arc<AtomicU64>,
}

impl ChatTurns {
    /// Over these parts.
    pub fn new(intake: Intake, sessions: Sessions, key: SigningKey, next_client: Arc<AtomicU64>) -> Self {
        Self { intake, sessions, key, next_client }
    }

    /// A session that was not deleted meanwhile: nothing wakes one that was.
    async fn known(&self, session: &SessionId) -> Result<SessionHandle, String> {
        if self.sessions.knows(session).await {
            return Ok(self.sessions.get(session));
        }
        Err("the session was deleted".to_owned())
    }
}

#[async_trait]
impl Turns for ChatTurns {
    async fn submitted(&self, submission: Submission) -> BoxFuture<'static, Standing> {
        let Some(answer) = self.intake.submitted(submission).await else {
            return std::future::ready(Standing::Unknown).boxed();
        };
        async move {
            match answer.await {
                Ok(Answer::Started { .. }) => Standing::Runs,
                Ok(Answer::Queued { .. }) => Standing::Waits,
                Ok(_) | Err(_) => Standing::Unknown,
            }
        }
        .boxed()
    }

    async fn stop(&self, session: &SessionId, target: &Target) -> Result<Stopped, String> {
        let handle = self.sessions.get(session);
        match in_time(handle.stop(target.clone())).await? {
            Answer::Stopped { running, waiting } => Ok(Stopped { running, waiting }),
            other => Err(unexpected(&other)),
        }
    }

    async fn status(&self, session: &SessionId, target: &Target) -> Result<LaneStatus, String> {
        let handle = self.sessions.get(session);
        match in_time(handle.status(target.clone())).await? {
            Answer::Status(status) => Ok(status),
            other => Err(unexpected(&other)),
        }
    }

    async fn hasten(
        &self,
        session: &SessionId,
        submission: &SubmissionId,
        how: Haste,
    ) -> Result<Hastened, String> {
        let handle = self.known(session).await?;
        match in_time(handle.hasten(submission.clone(), how)).await? {
            Answer::Hastened(hastened) => Ok(hastened),
            other => Err(unexpected(&other)),
        }
    }

    async fn amend(
        &self,
        session: &SessionId,
        submission: &SubmissionId,
        text: String,
    ) -> Result<bool, String> {
        let handle = self.known(session).await?;
        match in_time(handle.amend(submission.clone(), text)).await? {
            Answer::Amended(amended) => Ok(amended),
            other => Err(unexpected(&other)),
        }
    }

    async fn answer(&self, session: &SessionId, key: &str, result: &str) {
        // Whoever is in its place when it just ended asks again, and is told then.
        for _ in 0..2 {
            let Ok(handle) = self.known(session).await else { return };
            if handle.chat_answers(key.to_owned(), result.to_owned()).await.is_ok() {
                return;
            }
        }
        tracing::warn!(session.id = %session, "an answer waits until the session asks again");
    }

    async fn ask_agent(&self, session: &SessionId, method: &str, params: Value) -> Result<Value, String> {
        let client = ClientId::new(self.next_client.fetch_add(1, Ordering::Relaxed));
        probe::ask(&self.known(session).await?, client, method, &params).await
    }

    async fn sessions(&self) -> Result<Vec<SessionLine>, String> {
        let known = self.sessions.list().await.map_err(|error| error.to_string())?;
        let line = |known: KnownRuntime| SessionLine { session: known.session_id, status: known.status };
        Ok(known.into_iter().map(line).collect())
    }

    async fn default_session(&self) -> Result<SessionId, String> {
        self.sessions.default_session().await
    }

    async fn session_of(&self, owner: &str) -> Result<SessionId, String> {
        let derived = self.key.derive("session", owner).fingerprint();
        let session: SessionId = derived[..12].parse().map_err(|error| format!("no session id: {error}"))?;
        self.sessions.reserve(&session).await.map_err(|error| error.to_string())?;
        Ok(session)
    }
}

/// What automation needs of sessions.
pub struct SessionWorkers {
    /// Brings submissions to them.
    pub intake: Intake,
    /// All of them.
    pub sessions: Sessions,
    /// Numbers clients.
    pub next_client: Arc<AtomicU64>,
}

#[async_trait]
impl Workers for SessionWorkers {
    async fn begin(&self, submission: Submission) {
        // It is told of in the ledger; nobody waits for its beginning.
        drop(self.intake.submitted(submission).await);
    }

    async fn knows(&self, session: &SessionId) -> bool {
        self.sessions.knows(session).await
    }

    async fn list(&self) -> Result<Vec<SessionId>, String> {
        let known = self.sessions.list().await.map_err(|error| error.to_string())?;
        Ok(known.into_iter().map(|known| known.session_id).collect())
    }

    async fn stored_default(&self) -> Option<SessionId> {
        self.sessions.stored_default().await
    }

    async fn default_session(&self) -> Result<SessionId, String> {
        self.sessions.default_session().await
    }

    async fn ask_agent(&self, session: &SessionId, method: &str, params: Value) -> Result<Value, String> {
        if !self.sessions.knows(session).await {
            return Err("the session was deleted".to_owned());
        }
        let client = ClientId::new(self.next_client.fetch_add(1, Ordering::Relaxed));
        probe::ask(&self.sessions.get(session), client, method, &params).await
    }
}

#[async_trait]
impl AskChats for Asking {
    async fn ask(&self, session: &SessionId, question: &ChatQuestion) -> Result<Option<String>, String> {
        Asking::ask(self, session, question).await.map_err(|error| error.to_string())
    }

    async fn over(&self, session: &SessionId, key: &str, end: QuestionEnd) -> Result<(), String> {
        Asking::over(self, session, key, end).await.map_err(|error| error.to_string())
    }
}

/// What nodes need of sessions and of automation.
pub struct NodeFacts {
    /// Tells sessions.
    pub automation: Automation,
    /// All of them.
    pub sessions: Sessions,
}

#[async_trait]
impl Facts for NodeFacts {
    async fn knows(&self, session: &SessionId) -> bool {
        self.sessions.knows(session).await
    }

    async fn stored_default(&self) -> Option<SessionId> {
        self.sessions.stored_default().await
    }

    fn at_work(&self, session: &SessionId) {
        self.sessions.still_at_work(session);
    }

    async fn exited(&self, session: &SessionId, node: &str, exit: &Exited) -> Result<(), NotTold> {
        let end = match (exit.orphaned, exit.timed_out) {
            (true, _) => ExitEnd::Orphaned,
            (false, true) => ExitEnd::TimedOut,
            (false, false) => ExitEnd::Ended,
        };
        let exit = exit.clone();
        let exit = Exit {
            node_id: node.to_owned(),
            session: Some(session.clone()),
            job_id: exit.job_id,
            argv: exit.argv,
            cwd: exit.cwd,
            exit_code: exit.exit_code,
            signal: exit.signal,
            end,
            stdout_tail: exit.stdout_tail,
            stderr_tail: exit.stderr_tail,
        };
        told(self.automation.process_exited(&exit).await)
    }

    async fn changed(
        &self,
        session: &SessionId,
        node: &NodeInfo,
        ip: Option<String>,
        change: Change,
    ) -> Result<(), NotTold> {
        let node = Node {
            id: node.node_id.clone(),
            display_name: node.display_name.clone(),
            platform: node.platform.clone(),
            version: node.version.clone(),
            ip,
        };
        let change = match change {
            Change::Came => NodeChange::Connected,
            Change::Went => NodeChange::Disconnected,
        };
        told(self.automation.node_changed(session, &node, change).await)
    }
}

/// What chats need of nodes.
pub struct NodeOwners(pub Devices);

#[async_trait]
impl Machines for NodeOwners {
    async fn answered(&self, node: &str, ask: &str, allow: bool, by: &str) {
        self.0.answer(node, ask, allow, by);
    }
}

#[async_trait]
impl Owners for Chats {
    async fn ask(&self, node: &str, name: &str, ask: &Ask) -> Result<Owner, String> {
        match self.ask_owner(node, name, ask).await.map_err(|error| error.to_string())? {
            OwnerAsked::Waits => Ok(Owner::Waits),
            OwnerAsked::Answered(allow, by) => Ok(Owner::Answered(allow, by)),
            OwnerAsked::Nobody => Ok(Owner::Nobody),
            OwnerAsked::Full => {
                Err("too many questions of nodes are open, or were asked in the last hour".to_owned())
            }
        }
    }

    async fn not_needed(&self, node: &str, ask: &str) -> Result<(), String> {
        self.owner_is_not_needed(node, ask).await.map_err(|error| error.to_string())
    }

    async fn end_overdue(&self) -> Result<(), String> {
        self.end_overdue_node_asks().await.map_err(|error| error.to_string())
    }
}

fn told(told: Result<Event, EventError>) -> Result<(), NotTold> {
    match told {
        Ok(_) => Ok(()),
        Err(error @ (EventError::Invalid(_) | EventError::Unknown(_))) => {
            Err(NotTold::Never(error.to_string()))
        }
        Err(error) => Err(NotTold::NotNow(error.to_string())),
    }
}

async fn in_time(question: impl Future<Output = Result<Answer, AskError>>) -> Result<Answer, String> {
    match tokio::time::timeout(PATIENCE, question).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err("the session did not answer in time".to_owned()),
    }
}

fn unexpected(answer: &Answer) -> String {
    tracing::error!(?answer, "a session answered something else");
    "the session gave no answer".to_owned()
}
