//! What may be done on this machine: its owner decides, in a file and by flags.
//!
//! [`Policy::judge`] says of a call whether it may be done; [`Gate`] asks the owner where it says so, notes every call,
//! and gives the [`Permit`] without which nothing is done.

mod ask;
mod environment;
mod file;
mod folders;
mod gate;
mod held;
mod host;
mod judge;
mod pattern;
pub(crate) mod program;
mod question;
mod rules;
mod run_rule;
pub mod show;
mod terminal;
mod verdict;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use argus_protocol::node::{Fault, code};

pub use ask::{Asks, MOST_QUESTIONS, Reply};
pub use file::{Action, AskBy};
pub use folders::{Below, Folder};
pub use gate::Gate;
pub use host::Host;
pub use pattern::{Arguments, Glob, MORE};
pub use question::{LONGEST_WHAT, Question, summary};
pub use rules::COMMANDS;
pub use terminal::Terminal;
pub use verdict::{Grant, Permit, Verdict};

use crate::call::Call;
use held::Held;
use rules::Rules;

/// Where the owner's word stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Everything is allowed (`--allow-all`): for a machine whose walls are others' work. No file is read.
    Everything,
    /// A file that there may be: without one, the owner is asked.
    Usual(PathBuf),
    /// A file that there must be (`--policy`).
    Named(PathBuf),
}

/// The owner's rules, as they are now. Clones are handles to the same ones.
#[derive(Clone, Debug)]
pub struct Policy(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    source: Source,
    /// What the flag `--mode` says in place of the file.
    mode: Option<Action>,
    host: Host,
    held: Mutex<Held>,
}

impl Policy {
    /// Reads the rules. Where they cannot be read, everything is denied until they can: see [`Policy::fault`].
    pub fn open(source: Source, mode: Option<Action>, host: Host) -> Self {
        let held = Mutex::new(Held::new(&source, mode, &host));
        Self(Arc::new(Inner { source, mode, host, held }))
    }

    /// Says whether a call may be done. Pure, but that it looks for files: the rules' own first, if it was changed.
    pub fn judge(&self, call: &Call) -> Verdict {
        match self.rules() {
            Ok(rules) => judge::judge(&rules, &self.0.host, call),
            Err(fault) => Verdict::Deny(fault),
        }
    }

    /// Why everything is denied, if it is because the file cannot be believed.
    pub fn fault(&self) -> Option<String> {
        self.rules().err().map(|fault| fault.message)
    }

    /// What the rules allow and should perhaps not.
    pub fn warnings(&self) -> Vec<String> {
        self.rules().map(|rules| rules.warnings.clone()).unwrap_or_default()
    }

    /// What is done about a call of which the rules say nothing else.
    pub fn mode(&self) -> Action {
        self.rules().map_or(Action::Deny, |rules| rules.mode)
    }

    /// Where programs are looked for; nowhere, while everything is denied.
    pub fn path(&self) -> OsString {
        self.rules().map(|rules| rules.path.clone()).unwrap_or_default()
    }

    /// What programs get of this process's environment.
    pub fn environment(&self) -> Vec<(OsString, OsString)> {
        let rules = self.rules();
        rules.map(|rules| judge::passed(&rules.env, &rules, &self.0.host)).unwrap_or_default()
    }

    /// What it knows of this process.
    pub fn host(&self) -> &Host {
        &self.0.host
    }

    /// Where below the owner's folders a path of that command (`fs.…`) is.
    pub fn below(&self, command: &str, path: &str) -> Result<Below, Fault> {
        judge::below(&*self.rules()?, &self.0.host, command, path)
    }

    /// The same for a path without links, wherever the caller found it; none: it is outside.
    pub fn below_real(&self, command: &str, real: &Path) -> Option<Below> {
        let rules = self.rules().ok()?;
        let own = match &self.0.source {
            Source::Usual(path) | Source::Named(path) => Some(path),
            Source::Everything => None,
        };
        let closed = own.into_iter().chain(&self.0.host.closed);
        if closed.into_iter().any(|closed| folders::is_in(real, closed)) {
            None
        } else {
            folders::below(judge::opened(&rules, command).0, real)
        }
    }

    /// What is done about a file that has a second name.
    pub fn hard_links(&self) -> Action {
        self.rules().map_or(Action::Deny, |rules| rules.folders.hard_links)
    }

    /// The folders whose files may be read, and those whose files may be written, without links.
    pub fn folders(&self) -> (Vec<PathBuf>, Vec<PathBuf>) {
        let real = |list: &[Folder]| list.iter().filter_map(Folder::real).collect();
        self.rules().map(|rules| (real(&rules.folders.read), real(&rules.folders.write))).unwrap_or_default()
    }

    /// Whether a command can be done at all by these rules, asked or not.
    pub fn offers(&self, command: &str) -> bool {
        // While nothing is believed everything is offered, and refused with the reason.
        self.rules().map_or(true, |rules| {
            let named = rules.of_command(command);
            named != Some(Action::Deny)
                && match command {
                    "fs.write" => !rules.folders.write.is_empty(),
                    command if command.starts_with("fs.") => !rules.folders.read.is_empty(),
                    _ => true,
                }
        })
    }

    fn rules(&self) -> Result<Arc<Rules>, Fault> {
        let mut held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Source::Usual(path) | Source::Named(path) = &self.0.source {
            held.refresh(path, self.0.mode, &self.0.host);
        }
        held.rules.clone().map_err(|why| {
            Fault::new(
                code::DENIED,
                format!("everything is denied on this device until its owner repairs this: {why}"),
            )
        })
    }
}
