//! What the agent reads: the person's words, with the workspace's own texts in front where they are new to the thread.

use std::time::Duration;

use argus_protocol::argus::chat::Attachment;
use argus_protocol::{SessionId, ThreadId};
use argus_session::{Origin, Outcome, Preparation, Prompt, Settlement};
use async_trait::async_trait;

use super::given::Given;
use super::wishes;
use crate::media::{Media, Place, Told};
use crate::sessions::ports::PrepareTurn;
use crate::store::ledger::Ledger;
use crate::workspace::{Workspace, Workspaces};

/// The workspace files of a prompt, in order.
const FILES: [&str; 3] = ["AGENTS.md", "SOUL.md", "USER.md"];
/// Most of one file that goes into a prompt, in bytes.
const FILE_LIMIT: u64 = 32 << 10;
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
    /// What chats wish of their turns.
    pub ledger: Ledger,
}

/// Writes prompts from workspaces.
pub struct Prompts {
    workspaces: Workspaces,
    /// The workspace as agents see it.
    seen_as: String,
    media: Option<Media>,
    given: Given,
    /// What chats wish of their turns.
    ledger: Ledger,
}

impl Prompts {
    /// Prompts from these parts.
    pub fn new(parts: PromptsParts) -> Self {
        let PromptsParts { workspaces, seen_as, media, ledger } = parts;
        Self { workspaces, seen_as, media, given: Given::default(), ledger }
    }

    /// The agent took the turn that was asked for there.
    pub fn turn_running(&self, origin: &Origin) {
        self.given.taken(origin);
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
        let Preparation { thread, origin, text, attachments, .. } = preparation;
        let told = self.bring(session, &origin, &attachments).await;
        let parts = std::iter::once(text.trim()).chain(told.lines.iter().map(String::as_str));
        let text = parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n");
        let text = self.write(session, &thread, &origin, &text).await?;
        let prompt = Prompt { text, images: told.images, ..Prompt::default() };
        wishes::grant(&self.ledger, &origin, prompt).await.map_err(|error| error.to_string())
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

    async fn write(
        &self,
        session: &SessionId,
        thread: &ThreadId,
        origin: &Origin,
        text: &str,
    ) -> Result<String, String> {
        let (workspace, session) = (self.workspaces.of(session), session.clone());
        let read = tokio::task::spawn_blocking(move || context(&session, &workspace));
        let context = match tokio::time::timeout(READ_LIMIT, read).await {
            Ok(read) => read.map_err(|error| format!("the workspace could not be read: {error}"))?,
            Err(_) => return Err(format!("the workspace could not be read in {READ_LIMIT:?}")),
        };
        let news = self.given.offer(thread, origin, &context);
        let context = if news { format!("{context}\n\n") } else { String::new() };
        Ok(format!("{context}{text}\n\n{INSTRUCTIONS}"))
    }
}

/// The marker lines are a wire: readers of a thread's history find the person's words by them.
const INSTRUCTIONS: &str = "Instructions:\n\
    - Answer what the person wrote above.\n\
    - Act where acting is asked for; the workspace is yours to work in.\n\
    - End with the answer itself, short and complete: it is all that the person sees.";

fn context(session: &SessionId, workspace: &Workspace) -> String {
    let mut blocks = vec![
        "# Project Context".to_owned(),
        format!("[ARGUS]\nsessionId: {session}\nselfNodeId: runtime:{session}\n[/ARGUS]"),
    ];
    for name in FILES {
        match head(workspace, name) {
            Ok(text) => blocks.push(format!("[{name}]\n{}\n[/{name}]", text.trim())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => blocks.push(format!("[{name}]\n(this file cannot be read: {error})\n[/{name}]")),
        }
    }
    blocks.join("\n\n")
}

fn head(workspace: &Workspace, name: &str) -> std::io::Result<String> {
    let head = workspace.head(name, FILE_LIMIT)?;
    let text = String::from_utf8_lossy(&head.bytes).into_owned();
    let left_out = head.length > FILE_LIMIT;
    Ok(if left_out { format!("{text}\n(the rest of {} bytes is left out)", head.length) } else { text })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: Origin = Origin::Client { chat: None };

    async fn prompts(dir: &std::path::Path) -> Prompts {
        Prompts::new(PromptsParts {
            workspaces: Workspaces::Shared(Workspace::Open(dir.to_owned())),
            seen_as: String::new(),
            media: None,
            ledger: Ledger::open(&dir.join("ledger.db"), |_, _| Vec::new()).await.unwrap(),
        })
    }

    async fn prompt(prompts: &Prompts, thread: &str, text: &str) -> String {
        prompts.write(&"s1".parse().unwrap(), &thread.parse().unwrap(), &ASKED, text).await.unwrap()
    }

    fn ended(outcome: Outcome) -> Settlement {
        Settlement {
            submissions: vec![],
            origin: ASKED,
            thread: Some("t".parse().unwrap()),
            turn: None,
            outcome,
            usage: None,
        }
    }

    #[tokio::test]
    async fn a_thread_is_given_the_context_once_and_again_when_it_changed() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("SOUL.md"), "be kind").unwrap();
        let prompts = prompts(dir.path()).await;
        let first = prompt(&prompts, "t", "hello").await;
        prompts.turn_running(&ASKED);
        assert!(first.starts_with("# Project Context\n\n[ARGUS]\nsessionId: s1\n"), "{first}");
        assert!(first.contains("[SOUL.md]\nbe kind\n[/SOUL.md]\n\nhello\n\nInstructions:"), "{first}");
        assert!(prompt(&prompts, "t", "again").await.starts_with("again\n\nInstructions:"));
        assert!(prompt(&prompts, "u", "again").await.starts_with("# Project Context"));
        std::fs::write(dir.path().join("SOUL.md"), "be brief").unwrap();
        assert!(prompt(&prompts, "t", "again").await.starts_with("# Project Context"));
    }

    #[tokio::test]
    async fn the_turn_after_one_that_was_not_taken_or_failed_carries_the_context_again() {
        let dir = tempfile::tempdir().unwrap();
        let prompts = prompts(dir.path()).await;
        prompt(&prompts, "t", "refused").await;
        assert!(prompt(&prompts, "t", "again").await.starts_with("# Project Context"));
        prompts.turn_running(&ASKED);
        prompts.settled(&ended(Outcome::Completed { text: String::new() }));
        assert!(prompt(&prompts, "t", "and on").await.starts_with("and on"));
        prompts.settled(&ended(Outcome::Failed { reason: "the agent ended".into(), text: String::new() }));
        assert!(prompt(&prompts, "t", "anew").await.starts_with("# Project Context"));
    }

    #[tokio::test]
    async fn a_huge_file_is_shortened() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("USER.md"), "x".repeat((32 << 10) + 1)).unwrap();
        let text = prompt(&prompts(dir.path()).await, "t", "hi").await;
        assert!(text.len() < (33 << 10) && text.contains("(the rest of 32769 bytes is left out)"));
    }

    #[tokio::test]
    async fn a_pipe_or_a_folder_in_a_files_place_holds_nobody_up() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("AGENTS.md")).unwrap();
        let pipe = dir.path().join("SOUL.md");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
        let text = prompt(&prompts(dir.path()).await, "t", "hi").await;
        assert_eq!(text.matches("(this file cannot be read: it is no file)").count(), 2, "{text}");
    }
}
