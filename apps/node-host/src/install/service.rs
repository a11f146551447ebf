//! The service as a file, and the commands that start and end it: systemd's and launchd's.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};

use super::system::Line;

/// The name that launchd knows.
const LABEL: &str = "io.argus.node";
/// The name that systemd knows.
const UNIT: &str = "argus-node.service";

/// What the service starts.
#[derive(Clone, Debug)]
pub(super) struct Service {
    pub(super) program: PathBuf,
    pub(super) words: Vec<String>,
    pub(super) state_dir: Option<PathBuf>,
    /// Where commands are found: what starts services knows few places.
    pub(super) path: Option<OsString>,
}

/// Who starts services of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Manager {
    /// systemd, with this user's folder of settings.
    Systemd { config: PathBuf },
    /// launchd, with this user's home folder and number.
    Launchd { home: PathBuf, uid: u32 },
}

impl Manager {
    /// The one of this system.
    pub(super) fn of_this_user() -> anyhow::Result<Self> {
        let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let home =
            folder("HOME").context("there is no `HOME`, so there is no place for the service's file")?;
        if cfg!(target_os = "macos") {
            return Ok(Self::Launchd { home, uid: rustix::process::getuid().as_raw() });
        }
        Ok(Self::Systemd { config: folder("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config")) })
    }

    /// Where the file stands.
    pub(super) fn path(&self) -> PathBuf {
        match self {
            Self::Systemd { config } => config.join("systemd/user").join(UNIT),
            Self::Launchd { home, .. } => home.join("Library/LaunchAgents").join(format!("{LABEL}.plist")),
        }
    }

    /// What stands in it.
    pub(super) fn text(&self, service: &Service) -> anyhow::Result<String> {
        let mut words = vec![text(service.program.as_os_str().to_owned())?];
        for word in &service.words {
            words.push(text(OsString::from(word))?);
        }
        let state = service.state_dir.clone().map(|dir| ("ARGUS_NODE_STATE_DIR", dir.into_os_string()));
        let mut variables = Vec::new();
        for (name, value) in service.path.clone().map(|path| ("PATH", path)).into_iter().chain(state) {
            variables.push((name, text(value)?));
        }
        match self {
            Self::Systemd { .. } => Ok(unit(&words, &variables)),
            Self::Launchd { home, .. } => {
                let log = text(home.join("Library/Logs/argus-node.log").into_os_string())?;
                Ok(plist(&words, &variables, &log))
            }
        }
    }

    /// Makes a changed file count where one was started already.
    pub(super) fn renew(&self) -> Vec<Line> {
        match self {
            Self::Systemd { .. } => Vec::new(),
            Self::Launchd { .. } => self.stop(),
        }
    }

    /// Starts it, now and from now on.
    pub(super) fn start(&self) -> Vec<Line> {
        match self {
            Self::Systemd { .. } => vec![
                Line::new("systemctl", ["--user", "daemon-reload"]),
                Line::new("systemctl", ["--user", "enable", UNIT]),
                Line::new("systemctl", ["--user", "restart", UNIT]),
            ],
            Self::Launchd { uid, .. } => {
                let (domain, path) = (format!("gui/{uid}"), self.path().display().to_string());
                vec![Line::new("launchctl", ["bootstrap", &domain, &path])]
            }
        }
    }

    /// Ends it, now and from now on.
    pub(super) fn stop(&self) -> Vec<Line> {
        match self {
            Self::Systemd { .. } => vec![Line::new("systemctl", ["--user", "disable", "--now", UNIT])],
            Self::Launchd { uid, .. } => {
                vec![Line::new("launchctl", ["bootout", &format!("gui/{uid}/{LABEL}")])]
            }
        }
    }

    /// After its file is gone.
    pub(super) fn after_removal(&self) -> Vec<Line> {
        match self {
            Self::Systemd { .. } => vec![Line::new("systemctl", ["--user", "daemon-reload"])],
            Self::Launchd { .. } => Vec::new(),
        }
    }

    /// What else a person may want to know.
    pub(super) fn advice(&self) -> &'static str {
        match self {
            Self::Systemd { .. } => {
                "For a machine on which nobody logs in: `loginctl enable-linger`. Its log: `journalctl --user -u argus-node`."
            }
            Self::Launchd { .. } => "Its log: `~/Library/Logs/argus-node.log`.",
        }
    }
}

/// A word that can stand in a file of lines.
fn text(word: OsString) -> anyhow::Result<String> {
    let word = word.into_string().map_err(|word| anyhow::anyhow!("`{}` is no text", word.display()))?;
    ensure!(!word.chars().any(char::is_control), "`{}` holds a line break or the like", word.escape_debug());
    Ok(word)
}

/// Jobs outlive the node that began them, so only the node itself is ended (`KillMode`).
fn unit(words: &[String], variables: &[(&str, String)]) -> String {
    // `%` begins a specifier; `$` a variable, but in ExecStart only; the path itself is not searched for either.
    let quoted = |word: &str| {
        let inside = word.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%");
        format!("\"{inside}\"")
    };
    let command: Vec<String> = words.iter().map(|word| quoted(word).replace('$', "$$")).collect();
    let set = lines(variables.iter().map(|(name, value)| {
        let variable = quoted(&format!("{name}={value}"));
        format!("Environment={variable}")
    }));
    format!(
        "[Unit]\nDescription=Argus node\nStartLimitIntervalSec=0\n\n[Service]\nExecStart={}\n{set}Restart=always\n\
         RestartSec=5\nRestartPreventExitStatus=64\nKillMode=process\n\n[Install]\nWantedBy=default.target\n",
        command.join(" ")
    )
}

/// Jobs outlive the node that began them (`AbandonProcessGroup`).
fn plist(words: &[String], variables: &[(&str, String)], log: &str) -> String {
    let string = |word: &str| format!("<string>{}</string>", escaped(word));
    let arguments = lines(words.iter().map(|word| format!("    {}", string(word))));
    let set = lines(variables.iter().map(|(name, value)| format!("    <key>{name}</key>{}", string(value))));
    let log = string(log);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \
         \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n<plist version=\"1.0\">\n<dict>\n  \
         <key>Label</key><string>{LABEL}</string>\n  <key>ProgramArguments</key>\n  <array>\n{arguments}  </array>\n  \
         <key>EnvironmentVariables</key>\n  <dict>\n{set}  </dict>\n  <key>RunAtLoad</key><true/>\n  \
         <key>KeepAlive</key><true/>\n  <key>ThrottleInterval</key><integer>10</integer>\n  \
         <key>AbandonProcessGroup</key><true/>\n  <key>StandardErrorPath</key>{log}\n  \
         <key>StandardOutPath</key>{log}\n</dict>\n</plist>\n"
    )
}

/// Each with the end of its line.
fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.fold(String::new(), |text, line| text + &line + "\n")
}

fn escaped(word: &str) -> String {
    word.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service() -> Service {
        Service {
            program: "/opt/a b/argus \"x\" 100%$HOME<&>".into(),
            words: vec!["node-host".into(), "--display-name=A & B\\".into()],
            state_dir: Some("/s%d".into()),
            path: Some("/bin:/usr/bin".into()),
        }
    }

    #[test]
    fn a_unit_says_exactly_what_is_to_be_started() {
        let manager = Manager::Systemd { config: "/h/.config".into() };
        assert_eq!(manager.path(), PathBuf::from("/h/.config/systemd/user/argus-node.service"));
        let text = manager.text(&service()).unwrap();
        let lines: Vec<&str> = text.lines().filter(|line| line.starts_with('E')).collect();
        assert_eq!(
            lines,
            [
                r#"ExecStart="/opt/a b/argus \"x\" 100%%$$HOME<&>" "node-host" "--display-name=A & B\\""#,
                r#"Environment="PATH=/bin:/usr/bin""#,
                r#"Environment="ARGUS_NODE_STATE_DIR=/s%%d""#,
            ]
        );
        assert!(text.contains("\nKillMode=process\n") && text.contains("\nRestart=always\n"), "{text}");
    }

    #[test]
    fn a_launch_agent_says_exactly_what_is_to_be_started() {
        let manager = Manager::Launchd { home: "/Users/a".into(), uid: 501 };
        assert_eq!(manager.path(), PathBuf::from("/Users/a/Library/LaunchAgents/io.argus.node.plist"));
        let text = manager.text(&service()).unwrap();
        let strings: Vec<&str> = text.lines().filter(|line| line.starts_with("    ")).collect();
        assert_eq!(
            strings,
            [
                "    <string>/opt/a b/argus \"x\" 100%$HOME&lt;&amp;&gt;</string>",
                "    <string>node-host</string>",
                "    <string>--display-name=A &amp; B\\</string>",
                "    <key>PATH</key><string>/bin:/usr/bin</string>",
                "    <key>ARGUS_NODE_STATE_DIR</key><string>/s%d</string>",
            ]
        );
        assert!(text.contains("<key>AbandonProcessGroup</key><true/>"), "{text}");
        let start: Vec<String> = manager.start().iter().map(ToString::to_string).collect();
        assert_eq!(start, ["launchctl bootstrap gui/501 /Users/a/Library/LaunchAgents/io.argus.node.plist"]);
    }

    #[test]
    fn a_word_that_would_be_a_line_of_its_own_is_refused() {
        let service = Service { words: vec!["a\nExecStartPre=/bin/evil".into()], ..service() };
        assert!(Manager::Systemd { config: "/c".into() }.text(&service).is_err());
        assert!(Manager::Launchd { home: "/h".into(), uid: 1 }.text(&service).is_err());
    }
}
