//! What people send besides words: fetched when a turn is prepared, laid into the workspace, and told to the agent.

mod incoming;
mod naming;
mod transcript;

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use argus_protocol::argus::chat::{Attachment, AttachmentKind};
use tokio::time::Instant;

use self::incoming::{Incoming, fetch, is_image};
use self::transcript::transcribe;
use crate::config::Transcriber;
use crate::telegram::Files;
use crate::workspace::Workspace;

/// The folder in the workspace where files of people are.
const INBOX: &str = "inbox";
/// Most files of one turn.
const MOST: usize = 40;
/// How long all files of one turn may take.
const LIMIT: Duration = Duration::from_mins(6);

/// Brings files to agents.
#[derive(Debug)]
pub struct Media {
    bots: HashMap<String, Files>,
    limit: u64,
    transcriber: Option<Transcriber>,
    folder: PathBuf,
}

/// What the agent is told of files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// In words, below what the person wrote.
    pub lines: Vec<String>,
    /// Pictures to look at, by their paths as the agent sees them.
    pub images: Vec<String>,
}

/// One file that is in the workspace.
struct Staged {
    /// Its path as the agent sees it.
    path: String,
    length: u64,
    /// Whether the agent can look at it.
    image: bool,
    /// What it says, or why that is not known.
    words: Option<Result<String, String>>,
}

/// Where an agent's files are.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// For us.
    pub workspace: &'a Workspace,
    /// For the agent: the path of the same folder.
    pub seen_as: &'a str,
}

impl Media {
    /// Media of these bots, by their ids. A file may have `limit` bytes; on its way it is in `folder`, which is ours alone
    /// and emptied here.
    pub fn new(
        bots: HashMap<String, Files>,
        limit: u64,
        transcriber: Option<Transcriber>,
        folder: PathBuf,
    ) -> std::io::Result<Self> {
        incoming::clear(&folder)?;
        Ok(Self { bots, limit, transcriber, folder })
    }

    /// Brings what was sent to that bot, in order. What cannot be brought is told to the agent instead.
    pub async fn bring(&self, place: Place<'_>, bot: &str, attachments: &[Attachment]) -> Told {
        let mut told = Told::default();
        let until = Instant::now() + LIMIT;
        for (number, attachment) in attachments.iter().enumerate() {
            let what = naming::what(attachment);
            if number == MOST {
                let left = attachments.len() - MOST;
                told.lines
                    .push(format!("[{left} more files came and were left out: at most {MOST} at once]"));
                break;
            }
            let staged = match tokio::time::timeout_at(until, self.stage(place, bot, attachment)).await {
                Ok(staged) => staged,
                Err(_) => Err("it took too long to fetch".to_owned()),
            };
            match staged {
                Ok(staged) => tell(&mut told, attachment, &what, staged),
                Err(reason) => {
                    tracing::warn!(reason, "a file that came with a message could not be brought");
                    let missing =
                        format!("[{what} came, but could not be brought to you: {reason}. Tell the person]");
                    told.lines.push(missing);
                }
            }
        }
        told
    }

    /// Lays one file into the workspace, unless it is there.
    async fn stage(&self, place: Place<'_>, bot: &str, attachment: &Attachment) -> Result<Staged, String> {
        if attachment.size.is_some_and(|size| size > self.limit) {
            return Err(too_large(self.limit));
        }
        let date = naming::date(crate::clock::unix_ms());
        let name = naming::file_name(attachment);
        let path = format!("{}/{INBOX}/{date}/{name}", place.seen_as.trim_end_matches('/'));
        let speaks = attachment.kind == AttachmentKind::Voice && self.transcriber.is_some();
        let image = naming::may_be_image(attachment);
        if !speaks && let Some(length) = place.workspace.length_of(&[INBOX, &date], &name) {
            let head = place.workspace.head(&format!("{INBOX}/{date}/{name}"), 12);
            let image = image && head.is_ok_and(|head| is_image(&head.bytes));
            return Ok(Staged { path, length, image, words: None });
        }
        let files = self.bots.get(bot).ok_or("the bot it was sent to is not set any more")?;
        let incoming = Incoming::new(&self.folder, &name).map_err(|error| error.to_string())?;
        let length = fetch(files, &attachment.source, self.limit, &incoming).await?;
        let words = match (&self.transcriber, speaks) {
            (Some(transcriber), true) => {
                Some(transcribe(transcriber, incoming.path(), attachment.mime.as_deref()).await)
            }
            _ => None,
        };
        let image = image && incoming.is_image();
        let workspace = place.workspace.clone();
        let laid = tokio::task::spawn_blocking(move || {
            let mut content = incoming.open()?;
            workspace.put(&[INBOX, &date], &name, &mut content)
        });
        let laid = laid.await.map_err(|error| error.to_string())?;
        laid.map_err(|error| format!("it cannot be laid into the workspace: {error}"))?;
        argus_crash_point::here("media.staged").await;
        Ok(Staged { path, length, image, words })
    }
}

fn tell(told: &mut Told, attachment: &Attachment, what: &str, staged: Staged) {
    let Staged { path, length, image, words } = staged;
    let kind =
        attachment.mime.as_deref().map(|mime| format!("{}, ", naming::one_line(mime))).unwrap_or_default();
    told.lines.extend(words.map(|words| match words {
        Ok(words) => format!("[voice message, transcribed] {words}"),
        Err(reason) => format!("[a voice message came that could not be transcribed: {reason}]"),
    }));
    told.lines.push(format!("[{what}: {path} ({kind}{length} bytes)]"));
    if image {
        told.images.push(path);
    }
}

fn too_large(limit: u64) -> String {
    format!("it is larger than {} MB", limit >> 20)
}

#[cfg(test)]
mod tests;
