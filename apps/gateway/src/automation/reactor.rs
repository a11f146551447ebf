//! The one place where facts turn into deeds: outcomes become durable and are delivered, chats are asked, and see that work
//! goes on.

use std::sync::Arc;

use argus_protocol::{SessionId, SubmissionId, ThreadId};
use argus_session::{ChatQuestion, Origin, Progress, QuestionEnd, Settlement};
use async_trait::async_trait;

use super::Pulse;
use super::heartbeat::end_of;
use super::prompt::Prompts;
use crate::delivery::Deliveries;
use crate::sessions::ports::React;
use crate::store::ledger::{Ledger, Settled};

/// Who puts questions to chats. Both are durable when they answer; errors are in words.
#[async_trait]
pub trait AskChats: Send + Sync {
    /// Puts a question of the agent, once; where it has been answered, that answer.
    async fn ask(&self, session: &SessionId, question: &ChatQuestion) -> Result<Option<String>, String>;

    /// Such a question needs no answer any more.
    async fn over(&self, session: &SessionId, key: &str, end: QuestionEnd) -> Result<(), String>;
}

/// Acts on what sessions tell.
pub struct Reactor {
    ledger: Ledger,
    /// Telegram, where there are bots.
    delivery: Option<Deliveries>,
    /// What an outcome says about the prompt that asked for it.
    prompts: Arc<Prompts>,
    /// Puts questions to chats.
    asking: Arc<dyn AskChats>,
    /// Looks what is due, now that a turn ended.
    pulse: Pulse,
}

impl Reactor {
    /// Outcomes go into the ledger, questions and signs of work to the chats and to who writes the prompts.
    pub fn new(
        ledger: Ledger,
        delivery: Option<Deliveries>,
        prompts: Arc<Prompts>,
        asking: Arc<dyn AskChats>,
        pulse: Pulse,
    ) -> Self {
        Self { ledger, delivery, prompts, asking, pulse }
    }
}

#[async_trait]
impl React for Reactor {
    async fn settle(&self, session: &SessionId, settlement: &Settlement) -> Result<(), String> {
        self.prompts.settled(settlement);
        argus_crash_point::here("settle.before_store").await;
        let settled = match end_of(settlement) {
            Some(end) => self.ledger.settle_heartbeat(session, settlement, end).await,
            None => self.ledger.settle(settlement).await,
        };
        let settled = settled.map_err(|error| error.to_string())?;
        argus_crash_point::here("settle.stored").await;
        self.pulse.wake();
        if settled == Settled::Before {
            tracing::info!(session.id = %session, "a turn ended that had ended before; nothing is told twice");
        }
        Ok(())
    }

    async fn ask_chat(&self, session: &SessionId, question: &ChatQuestion) -> Result<Option<String>, String> {
        argus_crash_point::here("ask.before_store").await;
        let asked = self.asking.ask(session, question).await;
        argus_crash_point::here("ask.stored").await;
        asked
    }

    async fn question_over(&self, session: &SessionId, key: &str, end: QuestionEnd) -> Result<(), String> {
        self.asking.over(session, key, end).await
    }

    fn progress(&self, origin: &Origin, submission: &SubmissionId, progress: Progress) {
        if let (Some(delivery), Some(chat)) = (&self.delivery, origin.watcher()) {
            delivery.progress(chat, submission, progress);
        }
    }

    fn turn_running(&self, origin: &Origin, thread: Option<&ThreadId>) {
        if let Some(thread) = thread {
            self.prompts.turn_running(thread);
        }
        if let (Some(delivery), Some(chat)) = (&self.delivery, origin.watcher()) {
            delivery.turn_running(chat);
        }
    }

    fn turn_over(&self, origin: &Origin) {
        if let (Some(delivery), Some(chat)) = (&self.delivery, origin.watcher()) {
            delivery.turn_over(chat);
        }
    }
}
