//! The owner's file, understood: every mistake in it is named, and what is unwise is told.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Component, Path};
use std::time::Duration;

use super::environment::{Environment, Settable, USUAL_PASS, USUAL_SET};
use super::file::{Action, AskBy, Written, WrittenRun};
use super::folders::{Folder, Folders};
use super::host::Host;
use super::pattern::{Arguments, Glob};
use super::run_rule::{Meant, RunRule};

/// How long the owner has to answer, where the file does not say it.
const USUAL_WAIT: Duration = Duration::from_mins(2);
/// The longest an owner may be waited for.
const LONGEST_WAIT_SECONDS: u64 = 3600;
/// The most rules, and the most entries of a list.
const MOST: usize = 1000;

/// All commands a rule can speak of.
pub const COMMANDS: [&str; 18] = [
    "system.run",
    "system.which",
    "system.info",
    "system.notify",
    "process.list",
    "process.get",
    "process.logs",
    "process.kill",
    "process.write",
    "process.resize",
    "process.signal",
    "fs.stat",
    "fs.list",
    "fs.read",
    "fs.write",
    "screen.capture",
    "clipboard.get",
    "clipboard.set",
];

/// What the owner says, ready to be asked.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) mode: Action,
    pub(super) commands: BTreeMap<String, Action>,
    pub(super) run: Vec<RunRule>,
    pub(super) folders: Folders,
    pub(super) path: OsString,
    pub(super) env: Environment,
    pub(super) wait: Duration,
    pub(super) ask_by: Vec<AskBy>,
    /// What is allowed and unwise.
    pub(super) warnings: Vec<String>,
}

impl Rules {
    /// All is allowed: inside walls that are others' work.
    pub(super) fn everything(host: &Host) -> Self {
        let top = || vec![Folder { written: "/".into() }];
        Self {
            mode: Action::Allow,
            commands: BTreeMap::new(),
            run: Vec::new(),
            folders: Folders { cwd: None, read: top(), write: top(), hard_links: Action::Allow },
            path: host.path(),
            env: Environment { pass: vec![Glob::new("**")], set: Settable::Everything },
            wait: USUAL_WAIT,
            ask_by: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Understands the file. All mistakes come together, each with its place.
    pub(super) fn understood(written: &Written, host: &Host) -> Result<Self, Vec<String>> {
        let mut reading = Reading { host, mistakes: Vec::new(), warnings: Vec::new() };
        let folders = Folders {
            cwd: written.folders.cwd.as_ref().map(|list| reading.folders("folders.cwd", list)),
            read: reading.folders("folders.read", &written.folders.read),
            write: reading.folders("folders.write", &written.folders.write),
            hard_links: match written.folders.hard_links {
                Some(Action::Ask) => {
                    reading.mistake("folders.hardLinks", "it is `allow` or `deny`", Action::Deny)
                }
                other => other.unwrap_or(Action::Deny),
            },
        };
        let path = reading.path(written.env.path.as_deref());
        let rules = Self {
            mode: written.mode.unwrap_or(Action::Ask),
            commands: reading.commands(&written.commands),
            run: reading.run(&written.run),
            env: Environment {
                pass: reading.names("env.pass", written.env.pass.as_deref(), &USUAL_PASS),
                set: Settable::These(reading.names("env.set", written.env.set.as_deref(), &USUAL_SET)),
            },
            wait: reading.wait(written.ask.timeout_seconds),
            ask_by: written.ask.by.clone().unwrap_or_else(|| vec![AskBy::Terminal, AskBy::Chat]),
            folders,
            path,
            warnings: Vec::new(),
        };
        let Reading { mistakes, mut warnings, .. } = reading;
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        warnings.extend(rules.unwise());
        Ok(Self { warnings, ..rules })
    }

    /// What the file says of a command itself: its name first, then its group.
    pub(super) fn of_command(&self, command: &str) -> Option<Action> {
        let group = command.split_once('.').map(|(group, _)| format!("{group}.*"));
        let named = self.commands.get(command);
        named.or_else(|| group.and_then(|group| self.commands.get(&group))).copied()
    }

    fn unwise(&self) -> Vec<String> {
        let rules = self.run.iter().enumerate().filter(|(_, rule)| rule.action == Action::Allow);
        rules.flat_map(|(at, rule)| rule.unwise(&self.path, &self.folders.write, at + 1)).collect()
    }
}

/// The file while it is being understood.
struct Reading<'a> {
    host: &'a Host,
    mistakes: Vec<String>,
    warnings: Vec<String>,
}

impl Reading<'_> {
    fn mistake<T>(&mut self, place: &str, what: &str, instead: T) -> T {
        self.mistakes.push(format!("`{place}`: {what}"));
        instead
    }

    fn commands(&mut self, written: &BTreeMap<String, Action>) -> BTreeMap<String, Action> {
        for name in written.keys() {
            let group = name.strip_suffix('*').filter(|group| group.ends_with('.'));
            let known = COMMANDS.iter().any(|own| group.map_or(own == name, |group| own.starts_with(group)));
            if !known {
                let what = "there is no such command; they are `system.*`, `process.*`, `fs.*`, `screen.capture`, \
                            `clipboard.get` and `clipboard.set`";
                self.mistake(&format!("commands.\"{name}\""), what, ());
            }
        }
        written.clone()
    }

    fn run(&mut self, written: &[WrittenRun]) -> Vec<RunRule> {
        if written.len() > MOST {
            self.mistake("run", &format!("there are more than {MOST} rules"), ());
        }
        written.iter().take(MOST).enumerate().filter_map(|(at, rule)| self.run_rule(at + 1, rule)).collect()
    }

    fn run_rule(&mut self, number: usize, written: &WrittenRun) -> Option<RunRule> {
        let place = |key: &str| format!("run rule {number}, {key}");
        let meant = Meant::read(&written.program, self.host);
        let meant = meant.map_err(|why| self.mistake(&place("program"), &why, ())).ok();
        let read = match (&written.args, &written.args_regex) {
            (Some(_), Some(_)) => {
                return self.mistake(&place("args"), "`args` and `argsRegex` exclude each other", None);
            }
            (Some(list), None) => Arguments::globs(list).map(Some).map_err(|why| ("args", why)),
            (None, Some(list)) => Arguments::regexes(list).map(Some).map_err(|why| ("argsRegex", why)),
            (None, None) => Ok(None),
        };
        let arguments = match read {
            Ok(arguments) => arguments,
            Err((key, all)) => {
                for why in &all {
                    self.mistake(&place(key), why, ());
                }
                return None;
            }
        };
        let cwd = written.cwd.as_ref().map(|list| self.folders(&place("cwd"), list));
        Some(RunRule {
            action: written.rule,
            written: written.program.clone(),
            meant: meant?,
            arguments,
            cwd,
        })
    }

    fn folders(&mut self, place: &str, written: &[String]) -> Vec<Folder> {
        if written.len() > MOST {
            self.mistake(place, &format!("there are more than {MOST} entries"), ());
        }
        let mut folders = Vec::new();
        for text in written.iter().take(MOST) {
            let Some(path) = self.host.absolute(text) else {
                self.mistake(place, &format!("`{text}` is neither absolute nor begins with `~/`"), ());
                continue;
            };
            if path.components().any(|part| part == Component::ParentDir) {
                self.mistake(place, &format!("`{text}` has `..` in it"), ());
                continue;
            }
            let folder = Folder { written: path };
            if folder.real().is_none() {
                self.warnings.push(format!("`{place}`: there is no folder `{text}` now"));
            }
            folders.push(folder);
        }
        folders
    }

    fn path(&mut self, written: Option<&str>) -> OsString {
        let Some(text) = written else { return self.host.path() };
        let mut folders = Vec::new();
        for folder in text.split(':') {
            match self.host.absolute(folder).filter(|path| Path::is_absolute(path)) {
                Some(path) => folders.push(path),
                None => {
                    self.mistake(
                        "env.path",
                        &format!("`{folder}` is neither absolute nor begins with `~/`"),
                        (),
                    );
                }
            }
        }
        std::env::join_paths(folders).unwrap_or_default()
    }

    fn names(&mut self, place: &str, written: Option<&[String]>, usual: &[&str]) -> Vec<Glob> {
        let Some(list) = written else { return usual.iter().map(|name| Glob::new(name)).collect() };
        if list.len() > MOST {
            self.mistake(place, &format!("there are more than {MOST} entries"), ());
        }
        for name in list.iter().filter(|name| name.is_empty() || name.contains(['=', '\0'])) {
            self.mistake(place, &format!("`{name}` is no name of a variable"), ());
        }
        list.iter().take(MOST).map(|name| Glob::new(name)).collect()
    }

    fn wait(&mut self, written: Option<u64>) -> Duration {
        match written {
            None => USUAL_WAIT,
            Some(seconds @ 1..=LONGEST_WAIT_SECONDS) => Duration::from_secs(seconds),
            Some(_) => {
                let what = format!("it is 1 to {LONGEST_WAIT_SECONDS}");
                self.mistake("ask.timeoutSeconds", &what, USUAL_WAIT)
            }
        }
    }
}
