//! Introduces layers to each other: what a lower one asks for, answered by the one that has it.

use std::time::Duration;

use argus_protocol::SessionId;
use argus_protocol::token::SigningKey;
use argus_session::{Answer, LaneStatus, Submission, Target};
use async_trait::async_trait;

use crate::automation::intake::Intake;
use crate::chat::ports::{Stopped, Turns};
use crate::sessions::{AskError, Sessions};

/// How long a session may take to answer a question about itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// What chats need of sessions.
pub struct ChatTurns {
    intake: Intake,
    sessions: Sessions,
    /// From which the ids of owners' sessions are derived.
    key: SigningKey,
}

impl ChatTurns {
    /// Over these parts.
    pub fn new(intake: Intake, sessions: Sessions, key: SigningKey) -> Self {
        Self { intake, sessions, key }
    }
}

#[async_trait]
impl Turns for ChatTurns {
    async fn submitted(&self, submission: Submission) {
        self.intake.submitted(submission).await;
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
