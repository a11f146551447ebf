//! A terminal that a test sits at: tmux with a server of its own, keys in, screen out.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::programs::{clean_environment, eventually};

/// How long a key that had no effect is waited for.
const AGAIN: Duration = Duration::from_secs(2);

/// A program in a terminal. It ends with this value.
pub struct Terminal {
    /// Holds the server's socket.
    folder: TempDir,
    program: PathBuf,
}

impl Terminal {
    /// Starts a program in a terminal of 120 by 50; `None` where there is no tmux, which is said.
    ///
    /// # Panics
    /// When tmux is there and does not work.
    pub fn start(
        program: &Path,
        arguments: &[&str],
        environment: &[(&str, &OsStr)],
        folder: &Path,
    ) -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let tmux = std::env::split_paths(&path).map(|folder| folder.join("tmux")).find(|file| file.is_file());
        let Some(tmux) = tmux else {
            eprintln!("skipped: there is no tmux");
            return None;
        };
        let socket = tempfile::Builder::new().prefix("argus-tmux-").tempdir().expect("a folder for the test");
        let terminal = Self { folder: socket, program: tmux };
        // What a program says last stays on the screen.
        let mut start = terminal.tmux(&["-f", "/dev/null", "start-server", ";"]);
        start.args(["set-option", "-g", "remain-on-exit", "on", ";"]);
        start.args(["new-session", "-d", "-x", "120", "-y", "50"]);
        // The server takes its environment from who starts it, and gives it to its programs.
        start.env_clear().envs(clean_environment()).envs(environment.iter().copied());
        start.env("LANG", "C.UTF-8").env("TERM", "screen-256color").current_dir(folder);
        let status = start.arg("--").arg(program).args(arguments).status().expect("tmux can be started");
        assert!(status.success(), "tmux: {status}");
        Some(terminal)
    }

    /// What stands on the screen, without empty lines.
    pub fn screen(&self) -> String {
        let output = self.tmux(&["capture-pane", "-p"]).output().expect("tmux can be started");
        let text = String::from_utf8_lossy(&output.stdout);
        text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
    }

    /// Waits until the screen shows this, and gives the screen.
    ///
    /// # Panics
    /// When it does not; what it shows instead is told with the end of the test.
    pub async fn shows(&self, text: &str) -> String {
        self.shows_where(text, |screen| screen.contains(text)).await
    }

    /// Waits until this is true of the screen, and gives the screen.
    ///
    /// # Panics
    /// When it does not become true; what it shows instead is told with the end of the test.
    pub async fn shows_where(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let what = format!("the screen shows {what}");
        eventually(&what, async || Some(self.screen()).filter(|screen| wanted(screen))).await
    }

    /// Pastes a text: typed as fast as a test does, its last key could be taken for a part of it.
    pub fn pastes(&self, text: &str) {
        self.run(&["set-buffer", "--", text]);
        self.run(&["paste-buffer", "-p", "-d"]);
    }

    /// Presses a key, by tmux's name for it: `Enter`, `Escape`, `y`.
    pub fn presses(&self, key: &str) {
        self.run(&["send-keys", key]);
    }

    /// Presses a key, again from time to time, until the screen shows this no more: a question that has just come up
    /// may take no key yet.
    ///
    /// # Panics
    /// When it goes on showing it.
    pub async fn presses_away(&self, key: &str, text: &str) {
        let mut pressed = None;
        let what = format!("`{key}` makes `{text}` go away");
        eventually(&what, async || {
            if !self.screen().contains(text) {
                return Some(());
            }
            if pressed.is_none_or(|at: Instant| at.elapsed() > AGAIN) {
                self.presses(key);
                pressed = Some(Instant::now());
            }
            None
        })
        .await;
    }

    fn run(&self, arguments: &[&str]) {
        let status = self.tmux(arguments).status().expect("tmux can be started");
        assert!(status.success(), "tmux {arguments:?}: {status}; does its program still run?");
    }

    fn tmux(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("-S").arg(self.folder.path().join("socket")).args(arguments);
        command
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the terminal's screen ---\n{}", self.screen());
        }
        _ = self.tmux(&["kill-server"]).output();
    }
}
