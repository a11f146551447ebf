//! `argus state`, as a person types it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use argus_testkit::gateway::Gateway;
use argus_testkit::programs::clean_environment;
use serde_json::json;

fn state(home: &Path, deed: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_argus"));
    command.args(["state", deed, "--home"]).arg(home).env_clear().envs(clean_environment());
    command.output().expect("it can be started")
}

/// Its exit code, what it printed, and what it told beside.
fn told(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// A home with these files in the gateway's own folder.
fn home(files: &[(&str, &str)]) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join("gateway")).unwrap();
    for (name, content) in files {
        fs::write(home.path().join("gateway").join(name), content).unwrap();
    }
    home
}

#[test]
fn what_is_in_a_sound_file_is_told() {
    let content = json!({ "version": 1, "defaultSessionId": "a1", "sessions": {
        "a1": { "mainThreadId": "thr_1", "automationPaused": true,
            "cronJobs": [
                { "jobId": "j1", "expr": "0 9 * * *", "text": "x" },
                { "jobId": "j2\u{1b}[2J", "expr": "0 25 * * *", "text": "x", "enabled": false },
            ],
            "systemEventQueues": { "thr_1": [
                { "eventId": "1", "kind": "system", "text": "x", "createdAtMs": 1 }, { "kind": "system" },
            ] } },
        "b2": { "mainThreadId": null } } });
    let home = home(&[("state.json", &content.to_string())]);
    let (code, printed, beside) = told(&state(home.path(), "check"));
    let expected = format!(
        "{}/gateway/state.json can be used: version 1, sessions 2, default session a1\n  \
         session a1: main thread thr_1, jobs 2 (1 enabled), events to take over 1, paused\n    \
         job j2[2J is never due: `0 25 * * *`: the hours: 25 is not within 0 to 23\n  \
         session b2: no main thread, jobs 0 (0 enabled)\n  \
         `sessions.a1.systemEventQueues.thr_1[1]` is kept, and is not told as an event: `eventId` is missing or not text",
        home.path().display()
    );
    assert_eq!((code, printed, beside), (Some(0), expected, String::new()));
}

#[test]
fn a_bad_file_is_told_by_the_place_of_its_fault_and_what_to_do() {
    let job = r#"{"version":1,"sessions":{"a1":{"cronJobs":[{"jobId":"j1","expr":7}]}}}"#;
    for (content, before, reason, help) in [
        (
            job,
            None,
            "`sessions.a1.cronJobs[0].expr`: invalid type: integer `7`",
            "There is no version before",
        ),
        ("{", Some("{}"), "EOF while parsing", "The version before its last change can be used"),
        (r#"{"version":2}"#, Some("["), "has version 2", "cannot be used either"),
    ] {
        let home = home(&[("state.json", content)]);
        if let Some(before) = before {
            fs::write(home.path().join("gateway/state.json.bak"), before).unwrap();
        }
        let (code, printed, beside) = told(&state(home.path(), "check"));
        assert_eq!((code, printed.as_str()), (Some(1), ""), "{beside}");
        for words in ["gateway/state.json`", reason, help, "`argus state restore`"] {
            assert!(beside.contains(words), "{words}: {beside}");
        }
        assert_eq!(fs::read_to_string(home.path().join("gateway/state.json")).unwrap(), content);
    }
}

#[test]
fn where_there_is_no_file_there_is_nothing_to_mend_and_nothing_to_restore() {
    let empty = tempfile::tempdir().unwrap();
    let (code, printed, _) = told(&state(empty.path(), "check"));
    assert_eq!(code, Some(0));
    assert!(printed.ends_with("state.json: a gateway begins anew"), "{printed}");
    let (code, _, beside) = told(&state(empty.path(), "restore"));
    assert!(code == Some(1) && beside.contains("state.json.bak`, and nothing to put in place"), "{beside}");
    assert_eq!(fs::read_dir(empty.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_gateway_that_does_not_start_names_the_command_that_lets_it_start_again() {
    let mut gateway = Gateway::new().start().await;
    // Each makes a version of the file.
    gateway.rpc("argus/automation/pause", json!({})).await;
    let before = fs::read(gateway.home().join("gateway/state.json")).unwrap();
    gateway.rpc("argus/automation/resume", json!({})).await;
    let (code, _, beside) = told(&state(gateway.home(), "restore"));
    let words = format!("is in use by another gateway (process {})", gateway.pid());
    assert!(code == Some(1) && beside.contains(&words), "{beside}");

    gateway.stop().await;
    let file = gateway.home().join("gateway/state.json");
    fs::write(&file, "{").unwrap();
    gateway.spawn();
    assert_eq!(gateway.ended().await, Some(1));
    let log = gateway.log();
    assert!(log.contains("`argus state check`") && log.contains("`argus state restore`"), "{log}");

    let (code, printed, beside) = told(&state(gateway.home(), "restore"));
    assert_eq!(code, Some(0), "{beside}");
    let kept = printed.split(' ').next_back().unwrap().to_owned();
    assert!(kept.contains("/gateway/state.json.bad-"), "{printed}");
    assert_eq!(fs::read_to_string(kept).unwrap(), "{");
    assert_eq!(fs::read(&file).unwrap(), before);
    gateway.restart().await;
    let status = gateway.rpc("argus/automation/status", json!({})).await;
    assert_eq!(status["result"]["paused"], true, "{status}");
}

#[tokio::test]
async fn automation_is_paused_shown_and_resumed() {
    let gateway = Gateway::new().start().await;
    let automation = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_argus"));
        command.arg("automation").args(words).env_clear().envs(clean_environment());
        told(&command.env("ARGUS_HOME", gateway.home()).output().expect("it can be started"))
    };
    let (code, printed, beside) = automation(&["pause", "--json"]);
    assert_eq!(code, Some(0), "{beside}");
    let answer: serde_json::Value = serde_json::from_str(&printed).unwrap();
    let session = answer["sessionId"].as_str().unwrap();
    assert_eq!(answer, json!({ "ok": true, "sessionId": session, "paused": true }));
    let (_, printed, _) = automation(&["status"]);
    assert!(printed.starts_with(&format!("{session}  paused  no event waits")), "{printed}");
    let (_, printed, _) = automation(&["resume", "--session", session]);
    assert_eq!(printed, format!("Session {session} goes on with what it does unasked."));
    let (_, printed, _) = automation(&["status", "--session", session]);
    assert!(printed.starts_with(&format!("{session}  on  no event waits")), "{printed}");
    let (code, _, beside) = automation(&["pause", "--session", "nowhere"]);
    assert!(code == Some(1) && beside.contains("Unknown session `nowhere`"), "{beside}");
}
