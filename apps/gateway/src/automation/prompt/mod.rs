//! What the agent reads: the person's words or what the assistant is to do unasked, with the workspace's own texts in front and
//! the events that happened behind.

mod context;
mod layout;
mod newest;
mod told;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use argus_protocol::argus::chat::Attachment;
use argus_protocol::{SessionId, ThreadId};
use argus_session::{Origin, Outcome, Preparation, Prompt, Settlement};
use async_trait::async_trait;

use self::context::{Context, For};
use self::layout::{Turn, layout, of_others};
use self::newest::{Newest, Writing};
use super::given::Given;
use super::wishes;
use crate::config::ContextMode;
use crate::media::{Media, Place, Told};
use crate::sessions::ports::PrepareTurn;
use crate::store::clock::Clock;
use crate::store::ledger::Ledger;
use crate::store::state_file::StateFile;
use crate::workspace::Workspaces;

/// How long reading the workspace may take; it may be on a network that is away.
const READ_LIMIT: Duration = Duration::from_secs(30);

/// What prompts are written from.
pub struct PromptsParts {
    /// The workspaces, whose files go into prompts.
    pub workspaces: Workspaces,
    /// The workspace as agents see it.
    pub seen_as: String,
    /// What brings the files that chats send.
    pub media: Option<Media>,
    /// What chats wish of their turns, and the events that turns carry.
    pub ledger: Ledger,
    /// Main threads, and jobs that are due.
    pub state: Arc<StateFile>,
    /// How often a thread is told the workspace's texts.
    pub context: ContextMode,
    /// The time, unix milliseconds.
    pub clock: Clock,
}

/// Writes prompts from workspaces.
pub struct Prompts {
    workspaces: Workspaces,
    /// The workspace as agents see it.
    seen_as: String,
    media: Option<Media>,
    given: Given,
    /// What chats wish of their turns, and the events that turns carry.
    ledger: Ledger,
    state: Arc<StateFile>,
    mode: ContextMode,
    clock: Clock,
    newest: Newest,
}

impl Prompts {
    /// Prompts from these parts.
    pub fn new(parts: PromptsParts) -> Self {
        let PromptsParts { workspaces, seen_as, media, ledger, state, context, clock } = parts;
        Self {
            workspaces,
            seen_as,
            media,
            given: Given::default(),
            ledger,
            state,
            mode: context,
            clock,
            newest: Newest::default(),
        }
    }

    /// The agent took a turn of that thread.
    pub fn turn_running(&self, thread: &ThreadId) {
        self.given.taken(thread);
    }

    /// A turn ended so, or never began.
    pub fn settled(&self, settlement: &Settlement) {
        if let (Outcome::Failed { .. }, Some(thread)) = (&settlement.outcome, &settlement.thread) {
            self.given.forget(thread);
        }
    }
}

#[async_trait]
impl PrepareTurn for Prompts {
    async fn prepare(&self, session: &SessionId, preparation: Preparation) -> Result<Prompt, String> {
        let writing = self.newest.begins(&preparation.submissions);
        let told = self.bring(session, &preparation.origin, &preparation.attachments).await;
        let context = self.context(session, &preparation.thread, &preparation.origin).await?;
        let events = self.events(session, &preparation, &writing).await?;
        argus_crash_point::here("prompt.carried").await;
        let text = match &preparation.origin {
            Origin::Chat { .. } | Origin::Client { .. } => {
                let parts =
                    std::iter::once(preparation.text.trim()).chain(told.lines.iter().map(String::as_str));
                let words = parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n");
                layout(&context, Turn::Asked(&of_others(&words)), &events)
            }
            Origin::Heartbeat { why, .. } => layout(&context, Turn::Heartbeat(*why), &events),
            Origin::Cron { job, .. } => {
                layout(&context, Turn::Scheduled(&self.name_of_job(session, job).await), &events)
            }
        };
        let prompt = Prompt { text, images: told.images, ..Prompt::default() };
        wishes::grant(&self.ledger, &preparation.origin, prompt).await.map_err(|error| error.to_string())
    }
}

impl Prompts {
    /// Brings the files that came with what was asked.
    async fn bring(&self, session: &SessionId, origin: &Origin, attachments: &[Attachment]) -> Told {
        match (&self.media, origin.chat()) {
            _ if attachments.is_empty() => Told::default(),
            (Some(media), Some(chat)) => {
                let workspace = self.workspaces.of(session);
                let place = Place { workspace: &workspace, seen_as: &self.seen_as };
                media.bring(place, &chat.bot, attachments).await
            }
            _ => Told {
                lines: vec![
                    "[files came that nobody can bring you: the chat's channel is not set any more]"
                        .to_owned(),
                ],
                images: Vec::new(),
            },
        }
    }

    /// What goes before everything else of a turn; empty where the thread has heard it.
    async fn context(
        &self,
        session: &SessionId,
        thread: &ThreadId,
        origin: &Origin,
    ) -> Result<String, String> {
        let (workspace, session) = (self.workspaces.of(session), session.clone());
        let turn = match origin {
            Origin::Heartbeat { .. } => For::Heartbeat,
            Origin::Chat { .. } | Origin::Client { .. } | Origin::Cron { .. } => For::Others,
        };
        let read = tokio::task::spawn_blocking(move || Context::read(&session, &workspace, turn));
        let context = match tokio::time::timeout(READ_LIMIT, read).await {
            Ok(read) => read.map_err(|error| format!("the workspace could not be read: {error}"))?,
            Err(_) => return Err(format!("the workspace could not be read in {READ_LIMIT:?}")),
        };
        Ok(match self.mode {
            ContextMode::Every => context.whole(),
            ContextMode::Changed if self.given.offer(thread, &context.usual()) => context.whole(),
            ContextMode::Changed => context.rest(),
        })
    }
}
