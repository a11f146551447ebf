//! Installing as a service: shown first, asked for, written without any token, and taken back.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use argus_node_host::credential::{Credential, Secret};

const FILE: &str = if cfg!(target_os = "macos") {
    "Library/LaunchAgents/io.argus.node.plist"
} else {
    ".config/systemd/user/argus-node.service"
};
const TOOL: &str = if cfg!(target_os = "macos") { "launchctl" } else { "systemctl" };

/// A user's home, with a tool that notes how it was called.
struct Home(tempfile::TempDir);

/// What the program said and did.
#[derive(Debug)]
struct Done {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Home {
    fn enrolled() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        let credential = Credential {
            url: "wss://gateway.example/nodes/ws".into(),
            node_id: "mac".into(),
            token: Secret::new("sesame"),
        };
        credential.store(&home.root()).unwrap();
        let bin = home.0.path().join("bin");
        fs::create_dir(&bin).unwrap();
        let tool = bin.join(TOOL);
        let calls = home.0.path().join("calls");
        fs::write(&tool, format!("#!/bin/sh\necho \"$@\" >> '{}'\n", calls.display())).unwrap();
        fs::set_permissions(tool, fs::Permissions::from_mode(0o755)).unwrap();
        home
    }

    fn root(&self) -> PathBuf {
        self.0.path().join(".argus/node-host")
    }

    fn file(&self) -> Option<String> {
        fs::read_to_string(self.0.path().join(FILE)).ok()
    }

    fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.0.path().join("calls")).unwrap_or_default();
        calls.lines().map(str::to_owned).collect()
    }

    fn run(&self, words: &[&str], typed: &str) -> Done {
        let mut child = Command::new(env!("CARGO_BIN_EXE_argus-node-host"))
            .args(words)
            .env_clear()
            .env("HOME", self.0.path())
            .env("PATH", self.0.path().join("bin"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // One that asks nothing may be gone already.
        let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Done { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

#[test]
fn a_service_is_shown_asked_for_written_and_started() {
    let home = Home::enrolled();
    let done = home.run(&["install", "--", "--display-name", "A & B"], "yes\n");
    assert_eq!(done.code, Some(0), "{done:?}");
    let file = home.file().unwrap();
    assert!(done.out.contains(&file) && done.out.contains(FILE), "{done:?}");
    assert!(file.contains("argus-node-host") && file.contains("--display-name"), "{file}");
    assert!(!file.contains("sesame") && !done.out.contains("sesame"), "{file}");
    if cfg!(target_os = "linux") {
        assert_eq!(
            home.calls(),
            ["daemon-reload", "enable argus-node.service", "restart argus-node.service"]
                .map(|call| format!("--user {call}"))
        );
        for call in home.calls() {
            assert!(done.out.contains(&format!("  systemctl {call}\n")), "{done:?}");
        }
    }
}

#[test]
fn nothing_is_done_without_a_yes() {
    for (words, typed, code) in [
        (&["install"][..], "no\n", 1),
        (&["install"], "", 1),
        (&["install", "--dry-run"], "yes\n", 0),
        (&["uninstall"], "\n", 1),
        (&["uninstall", "--forget", "--dry-run"], "", 0),
    ] {
        let home = Home::enrolled();
        let done = home.run(words, typed);
        assert_eq!((done.code, home.file(), home.calls()), (Some(code), None, vec![]), "{words:?} {done:?}");
        assert!(Credential::load(&home.root()).unwrap().is_some());
    }
}

#[test]
fn where_nothing_starts_services_the_file_is_written_and_the_way_told() {
    let home = Home::enrolled();
    fs::remove_file(home.0.path().join("bin").join(TOOL)).unwrap();
    let done = home.run(&["install", "--yes"], "");
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(home.file().is_some());
    assert!(done.out.contains(&format!("There is no `{TOOL}`")), "{done:?}");
    let told = done.out.rsplit("by hand").next().unwrap();
    assert!(told.contains(TOOL), "{done:?}");
}

#[test]
fn a_tool_that_fails_is_told_in_its_words() {
    let home = Home::enrolled();
    fs::write(home.0.path().join("bin").join(TOOL), "#!/bin/sh\necho no bus >&2\nexit 3\n").unwrap();
    let done = home.run(&["install", "--yes"], "");
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.err.contains(TOOL) && done.err.contains("no bus"), "{done:?}");
}

#[test]
fn uninstalling_keeps_the_credential_unless_it_is_to_be_forgotten() {
    let home = Home::enrolled();
    assert_eq!(home.run(&["install", "--yes"], "").code, Some(0));
    let done = home.run(&["uninstall"], "yes\n");
    assert_eq!((done.code, home.file()), (Some(0), None), "{done:?}");
    assert!(Credential::load(&home.root()).unwrap().is_some());
    // Again, and for good.
    let done = home.run(&["uninstall", "--yes", "--forget"], "");
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.out.contains("was not installed") && done.out.contains("argus node revoke"), "{done:?}");
    assert_eq!(Credential::load(&home.root()), Ok(None));
}

#[test]
fn what_would_not_run_or_would_tell_a_token_is_not_installed() {
    let home = Home::enrolled();
    for flags in [
        &["--token", "sesame"][..],
        &["--token=sesame"],
        &["--url", "ws://h/?token=sesame"],
        &["--no-such-flag"],
        &["--mode", "perhaps"],
        &["--policy", "rules.toml"],
    ] {
        let done = home.run(&[&["install", "--yes", "--"], flags].concat(), "");
        assert_eq!((done.code, home.file()), (Some(64), None), "{done:?}");
    }
    Credential::forget(&home.root()).unwrap();
    let done = home.run(&["install", "--yes"], "");
    assert_eq!((done.code, home.file()), (Some(1), None), "{done:?}");
    assert!(done.err.contains("argus-node-host enrol"), "{done:?}");
    let done = home.run(&["install", "--yes", "--", "--url", "wss://h", "--token-file", "/run/token"], "");
    assert_eq!((done.code, home.file().is_some()), (Some(0), true), "{done:?}");
}
