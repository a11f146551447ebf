//! The project context of a prompt: the session, and the workspace's own texts.

use std::io;

use argus_protocol::SessionId;

use super::super::heartbeat::FILE as HEARTBEAT;
use super::layout::of_others;
use crate::workspace::Workspace;

/// The workspace files of every prompt, in order.
const FILES: [&str; 3] = ["AGENTS.md", "SOUL.md", "USER.md"];
/// Most of one file that goes into a prompt, in bytes.
const FILE_LIMIT: u64 = 32 << 10;

/// A project context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Context {
    /// What every turn is told.
    usual: Vec<String>,
    /// What only a heartbeat is told.
    heartbeat: Option<String>,
}

/// Whether a turn is a heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum For {
    /// It is one.
    Heartbeat,
    /// It is another.
    Others,
}

impl Context {
    /// Reads it. A file that is not there is left out; one that cannot be read says so.
    pub(super) fn read(session: &SessionId, workspace: &Workspace, turn: For) -> Self {
        let head = format!("[ARGUS]\nsessionId: {session}\nselfNodeId: runtime:{session}\n[/ARGUS]");
        let files = FILES.into_iter().filter_map(|name| block(workspace, name));
        let heartbeat = match turn {
            For::Heartbeat => block(workspace, HEARTBEAT),
            For::Others => None,
        };
        Self { usual: std::iter::once(head).chain(files).collect(), heartbeat }
    }

    /// What every turn is told, to know whether a thread has heard it.
    pub(super) fn usual(&self) -> String {
        self.usual.join("\n\n")
    }

    /// All of it.
    pub(super) fn whole(&self) -> String {
        headed(self.usual.iter().chain(&self.heartbeat))
    }

    /// What must be told also where the usual is known.
    pub(super) fn rest(&self) -> String {
        headed(self.heartbeat.iter())
    }
}

fn headed<'a>(blocks: impl Iterator<Item = &'a String>) -> String {
    let blocks: Vec<_> = blocks.map(String::as_str).collect();
    if blocks.is_empty() { String::new() } else { format!("# Project Context\n\n{}", blocks.join("\n\n")) }
}

fn block(workspace: &Workspace, name: &str) -> Option<String> {
    match head(workspace, name) {
        Ok(text) => Some(format!("[{name}]\n{}\n[/{name}]", of_others(text.trim()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => Some(format!("[{name}]\n(this file cannot be read: {error})\n[/{name}]")),
    }
}

fn head(workspace: &Workspace, name: &str) -> io::Result<String> {
    let head = workspace.head(name, FILE_LIMIT)?;
    let text = String::from_utf8_lossy(&head.bytes).into_owned();
    let left_out = head.length > FILE_LIMIT;
    Ok(if left_out { format!("{text}\n(the rest of {} bytes is left out)", head.length) } else { text })
}
