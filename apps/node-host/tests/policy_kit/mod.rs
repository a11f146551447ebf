//! A device with an owner: folders, programs, a policy, and calls that somebody makes.
#![allow(dead_code, reason = "no test file uses all of it")]

use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use argus_node_host::jobs::plan::RunPlan;
use argus_node_host::policy::{Action, Grant, Host, Policy, Question, Source, Verdict};
use argus_node_host::{Asker, Call};
use argus_protocol::node::Fault;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// A device.
pub(crate) struct Device {
    pub(crate) home: PathBuf,
    pub(crate) host: Host,
    _folder: tempfile::TempDir,
}

impl Device {
    /// With `home/bin` as its `PATH`, in which there are the programs `tool`, `other` and `sh`.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().canonicalize().unwrap().join("home");
        for name in ["bin", "tree", "away", "config"] {
            fs::create_dir_all(home.join(name)).unwrap();
            fs::set_permissions(home.join(name), Permissions::from_mode(0o755)).unwrap();
        }
        let env = [("PATH", home.join("bin").into_os_string()), ("HOME", home.clone().into())];
        let mut env: Vec<(OsString, OsString)> = env.map(|(name, value)| (name.into(), value)).into();
        for (name, value) in
            [("LANG", "C"), ("LC_TIME", "C"), ("SECRET", "s3cret"), ("ARGUS_NODE_TOKEN", "t0ken")]
        {
            env.push((name.into(), value.into()));
        }
        let host = Host { env, cwd: home.join("tree"), home: home.clone(), closed: Vec::new() };
        let device = Self { home, host, _folder: folder };
        for name in ["tool", "other", "sh"] {
            device.program(&format!("bin/{name}"));
        }
        device
    }

    /// A path in the home.
    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.home.join(path)
    }

    /// A path in the home, as text.
    pub(crate) fn text(&self, path: &str) -> String {
        self.at(path).to_str().unwrap().to_owned()
    }

    /// Puts a program there that does nothing.
    pub(crate) fn program(&self, path: &str) {
        self.file(path, &format!("#!/bin/sh\n# {path}\n"));
        fs::set_permissions(self.at(path), Permissions::from_mode(0o755)).unwrap();
    }

    /// Puts a file there.
    pub(crate) fn file(&self, path: &str, content: &str) {
        fs::create_dir_all(self.at(path).parent().unwrap()).unwrap();
        fs::write(self.at(path), content).unwrap();
    }

    /// Puts a pipe there that may be executed.
    pub(crate) fn pipe(&self, path: &str) {
        let made = std::process::Command::new("mkfifo").arg("-m755").arg(self.at(path)).status().unwrap();
        assert!(made.success());
    }

    /// Puts a link there.
    pub(crate) fn link(&self, path: &str, target: impl AsRef<Path>) {
        let _ = fs::remove_file(self.at(path));
        symlink(target, self.at(path)).unwrap();
    }

    /// Writes the owner's file; `HOME` in it is the home.
    pub(crate) fn write_policy(&self, text: &str) -> PathBuf {
        let path = self.at("config/policy.toml");
        fs::write(&path, text.replace("HOME", self.home.to_str().unwrap())).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        path
    }

    /// The policy of that file.
    pub(crate) fn policy(&self, text: &str) -> Policy {
        Policy::open(Source::Named(self.write_policy(text)), None, self.host.clone())
    }

    /// The same, and nothing is wrong with it.
    pub(crate) fn good_policy(&self, text: &str) -> Policy {
        let policy = self.policy(text);
        assert_eq!(policy.fault(), None);
        policy
    }

    /// The policy of an owner who wrote nothing.
    pub(crate) fn no_policy(&self, mode: Option<Action>) -> Policy {
        Policy::open(Source::Usual(self.at("config/policy.toml")), mode, self.host.clone())
    }
}

/// A call by session `s1`.
pub(crate) fn call(command: &str, params: Value) -> Call {
    heard(command, params).0
}

/// The same, and what it tells before its answer.
pub(crate) fn heard(command: &str, params: Value) -> (Call, mpsc::Receiver<argus_node_host::Progress>) {
    let (progress, hears) = mpsc::channel(16);
    let call = Call {
        id: "c1".into(),
        command: command.into(),
        params,
        idempotency_key: None,
        asker: Asker { session_id: Some("s1".into()), ticket: None },
        cancel: CancellationToken::new(),
        progress,
    };
    (call, hears)
}

/// What is said of running that.
pub(crate) fn run(policy: &Policy, argv: &[&str]) -> Verdict {
    policy.judge(&call("system.run", serde_json::json!({ "argv": argv })))
}

/// A verdict in a word: `allow`, `ask`, or the fault's code.
pub(crate) fn word(verdict: &Verdict) -> &str {
    match verdict {
        Verdict::Allow(_) => "allow",
        Verdict::Ask(_) => "ask",
        Verdict::Deny(fault) => &fault.code,
    }
}

/// What is run where it is allowed.
pub(crate) fn plan(verdict: Verdict) -> RunPlan {
    match verdict {
        Verdict::Allow(Grant::Run(plan)) => plan,
        other => panic!("not allowed: {other:?}"),
    }
}

/// What the owner is asked.
pub(crate) fn question(verdict: Verdict) -> Question {
    match verdict {
        Verdict::Ask(question) => question,
        other => panic!("not asked: {other:?}"),
    }
}

/// Why it is denied.
pub(crate) fn fault(verdict: Verdict) -> Fault {
    match verdict {
        Verdict::Deny(fault) => fault,
        other => panic!("not denied: {other:?}"),
    }
}
