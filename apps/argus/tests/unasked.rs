//! `argus cron`, `argus heartbeat` and `argus events` about a gateway that runs, as a person types them.

use std::process::Command;

use argus_testkit::gateway::Gateway;
use argus_testkit::programs::{clean_environment, eventually};
use serde_json::Value;

/// Its exit code, what it printed, and what it told beside.
fn argus(gateway: &Gateway, words: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_argus"));
    command.args(words).env_clear().envs(clean_environment()).env("ARGUS_HOME", gateway.home());
    let output = command.output().expect("it can be started");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// What it printed, where it did what it was told.
fn printed(gateway: &Gateway, words: &[&str]) -> String {
    let (code, printed, beside) = argus(gateway, words);
    assert_eq!(code, Some(0), "{words:?}: {beside}");
    printed
}

fn json(gateway: &Gateway, words: &[&str]) -> Value {
    let printed = printed(gateway, &[words, &["--json"]].concat());
    serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}"))
}

async fn started() -> Gateway {
    Gateway::new().with("ARGUS_HEARTBEAT_SECONDS", "0").start().await
}

#[tokio::test]
async fn a_job_is_added_listed_paused_resumed_run_looked_up_and_removed() {
    let gateway = started().await;
    assert_eq!(argus(&gateway, &["cron", "list"]).2, "No job is scheduled.");
    let told = printed(
        &gateway,
        &["cron", "add", "30 8 * * mon-fri", "[say: good morning]", "--id", "j", "--tz", "Europe/Berlin"],
    );
    let lines: Vec<_> = told.lines().collect();
    assert!(lines.len() == 4 && lines[0] == "j", "{told}");
    assert!(lines[1..].iter().all(|line| line.contains("T08:30:00+0")), "{told}");
    let listed = printed(&gateway, &["cron", "list"]);
    assert!(
        listed.starts_with("j  30 8 * * mon-fri Europe/Berlin  next ")
            && listed.ends_with("[say: good morning]"),
        "{listed}"
    );
    assert!(printed(&gateway, &["cron", "pause", "j"]).starts_with("j  paused"));
    assert!(printed(&gateway, &["cron", "list"]).contains("  paused  "));
    assert!(!printed(&gateway, &["cron", "resume", "j"]).contains("paused"));
    let run = printed(&gateway, &["cron", "run", "j"]);
    assert!(run.starts_with("j@now-"), "{run}");
    let history =
        async || Some(printed(&gateway, &["cron", "history", "j"])).filter(|told| told.contains("done"));
    let history = eventually("the run is over", history).await;
    assert!(history.lines().count() == 1 && history.ends_with(&format!("15 tokens  {run}")), "{history}");
    assert_eq!(argus(&gateway, &["cron", "remove", "j"]).2, "The job j is no more.");
    let (code, _, beside) = argus(&gateway, &["cron", "run", "j"]);
    assert!(code == Some(1) && beside.contains("Job not found"), "{beside}");
    let (code, _, beside) = argus(&gateway, &["cron", "add", "0 25 * * *", "x"]);
    assert!(code == Some(1) && beside.contains("the hours: 25 is not within 0 to 23"), "{beside}");
}

#[tokio::test]
async fn a_heartbeat_is_asked_for_and_told_of() {
    let gateway = started().await;
    let (code, _, beside) = argus(&gateway, &["heartbeat", "now"]);
    assert_eq!((code, beside.as_str()), (Some(0), "A heartbeat begins as soon as its thread is free."));
    let status = json(&gateway, &["heartbeat", "status"]);
    assert!(status["lastAtMs"].is_u64(), "{status}");
    let told = printed(&gateway, &["heartbeat", "status"]);
    let session = status["sessionId"].as_str().unwrap();
    assert!(told.starts_with(&format!("session       {session}")), "{told}");
    assert!(told.contains("none comes of itself (ARGUS_HEARTBEAT_SECONDS is 0)"), "{told}");
}

#[tokio::test]
async fn an_event_is_added_once_and_listed() {
    let gateway = started().await;
    printed(&gateway, &["automation", "pause"]);
    let add = ["events", "add", "the build is done", "--kind", "build", "--key", "build 7"];
    let id = printed(&gateway, &add);
    assert_eq!(printed(&gateway, &add), id, "the same key again changes nothing");
    let listed = json(&gateway, &["events"]);
    let events = listed["events"].as_array().unwrap();
    assert!(events.len() == 1 && events[0]["eventId"] == id.as_str(), "{listed}");
    let told = printed(&gateway, &["events"]);
    assert!(told.starts_with("waiting  20") && told.ends_with("  main  build  the build is done"), "{told}");
}
