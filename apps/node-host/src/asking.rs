//! Asks the device's owner through the gateway, in the chat where they are.

use std::sync::Arc;

use argus_protocol::node::Ask;
use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::link::Questions;
use crate::policy::{AskBy, Asks, Question, Reply};

/// The owner's chat, as far as the gateway reaches it.
#[derive(Clone, Debug)]
pub struct InChat(Questions);

impl InChat {
    /// By the link's questions.
    pub fn new(questions: Questions) -> Self {
        Self(questions)
    }
}

#[async_trait]
impl Asks for InChat {
    fn place(&self) -> AskBy {
        AskBy::Chat
    }

    async fn put(&self, question: Arc<Question>, over: CancellationToken) -> Reply {
        let ask = Ask {
            id: question.id.clone(),
            command: question.command.clone(),
            what: question.what.clone(),
            cwd: question.cwd.clone(),
            session_id: question.session_id.clone(),
            expires_in_ms: u64::try_from(question.wait.as_millis()).unwrap_or(u64::MAX),
        };
        let answered = tokio::select! {
            answered = self.0.ask(ask) => answered,
            () = over.cancelled() => return Reply::Nobody("it is over".to_owned()),
        };
        match answered {
            Ok(Some(answer)) if answer.allow => Reply::Yes(answer.by),
            Ok(Some(answer)) => Reply::No(answer.by),
            Ok(None) => Reply::Nobody("nobody answered in the chat in time".to_owned()),
            Err(error) => Reply::Nobody(error.to_string()),
        }
    }
}
