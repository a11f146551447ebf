//! Tests of `state.json`.

mod any_bytes;
mod automation;
mod jobs;
mod restoring;

use super::*;

/// Every field the reference writes, and one that nobody knows.
const REFERENCE: &str = r#"{
  "version": 1,
  "defaultSessionId": "a1b2c3d4e5f6",
  "later": {"x": [1, 2.5, "ü"]},
  "sessions": {
    "a1b2c3d4e5f6": {
      "mainThreadId": "thr_1",
      "cronJobs": [
        { "jobId": "9f0c1d2e3a", "expr": "0 9 * * 1-5", "text": "Morgen", "enabled": true,
          "lastRunAtMs": 1763370000000, "nextRunAtMs": 1763456400000 }
      ],
      "systemEventQueues": {
        "thr_1": [
          { "eventId": "00", "kind": "cron", "text": "早上好", "createdAtMs": 1763370000123, "meta": { "jobId": "9" } }
        ]
      },
      "lastActiveByThread": {
        "thr_1": { "channel": "telegram", "chatKey": "-100123:7", "atMs": 1763370000456 }
      }
    },
    "b": { "mainThreadId": null }
  }
}
"#;

fn session(text: &str) -> SessionId {
    text.parse().unwrap()
}

fn thread(text: &str) -> ThreadId {
    text.parse().unwrap()
}

/// A folder with a file of that content, and its path.
fn on_disk(content: &str) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.json");
    std::fs::write(&path, content).unwrap();
    (dir, path)
}

/// What a file of that content is refused with.
fn refused(content: &str) -> String {
    let (_dir, path) = on_disk(content);
    let error = StateFile::load(&path).map(|_| ()).unwrap_err().to_string();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
    error
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[tokio::test]
async fn a_file_of_the_reference_keeps_every_field_nobody_changed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.json");
    std::fs::write(&path, REFERENCE).unwrap();
    let state = StateFile::load(&path).unwrap();
    assert_eq!(state.default_session().await, Some(session("a1b2c3d4e5f6")));
    assert_eq!(state.main_thread(&session("a1b2c3d4e5f6")).await, Some(thread("thr_1")));
    assert_eq!(state.main_thread(&session("b")).await, None);

    state.set_main_thread(&session("b"), Some(&thread("thr_2"))).await.unwrap();
    let mut expected: Value = serde_json::from_str(REFERENCE).unwrap();
    expected["sessions"]["b"]["mainThreadId"] = json!("thr_2");
    assert_eq!(json(&path), expected);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("{\n  \"") && text.contains("早上好") && text.ends_with("}\n"), "{text}");
    assert_eq!(std::fs::read_to_string(dir.path().join("state.json.bak")).unwrap(), REFERENCE);
}

#[tokio::test]
async fn a_change_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.json");
    let state = StateFile::load(&path).unwrap();
    assert_eq!((state.default_session().await, path.exists()), (None, false));
    state.set_default_session(&session("s1")).await.unwrap();
    state.set_main_thread(&session("s1"), Some(&thread("t"))).await.unwrap();

    let state = StateFile::load(&path).unwrap();
    assert_eq!(state.default_session().await, Some(session("s1")));
    assert_eq!(state.main_thread(&session("s1")).await, Some(thread("t")));

    state.set_main_thread(&session("s1"), None).await.unwrap();
    assert_eq!(StateFile::load(&path).unwrap().main_thread(&session("s1")).await, None);
    state.forget_session(&session("s1")).await.unwrap();
    assert_eq!(json(&path), json!({ "version": 1, "defaultSessionId": null, "sessions": {} }));
}

#[tokio::test]
async fn what_cannot_be_written_is_not_remembered_either() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("gone").join("state.json");
    let state = StateFile::load(&path).unwrap();
    let error = state.set_default_session(&session("s1")).await.unwrap_err().to_string();
    assert!(error.contains("cannot be written"), "{error}");
    assert_eq!(state.default_session().await, None);
}

#[tokio::test]
async fn where_nothing_changed_nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.json");
    StateFile::load(&path).unwrap().forget_session(&session("nobody")).await.unwrap();
    assert!(!path.exists());
    std::fs::write(&path, REFERENCE).unwrap();
    let state = StateFile::load(&path).unwrap();
    state.set_default_session(&session("a1b2c3d4e5f6")).await.unwrap();
    state.set_main_thread(&session("a1b2c3d4e5f6"), Some(&thread("thr_1"))).await.unwrap();
    state.resume(&session("b")).await.unwrap();
    state.resume(&session("nobody")).await.unwrap();
    state.forget_session(&session("nobody")).await.unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), REFERENCE);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn what_a_killed_program_left_half_written_is_harmless() {
    let (dir, path) = on_disk(REFERENCE);
    let half = dir.path().join("state.json.tmp");
    std::fs::write(&half, "{\"version").unwrap();
    let state = StateFile::load(&path).unwrap();
    state.set_main_thread(&session("b"), Some(&thread("t"))).await.unwrap();
    let state = StateFile::load(&path).unwrap();
    assert_eq!((state.main_thread(&session("b")).await, half.exists()), (Some(thread("t")), false));
}

#[tokio::test]
async fn while_the_disk_takes_nothing_memory_stays_with_it_and_then_goes_on() {
    let (dir, path) = on_disk(REFERENCE);
    let state = StateFile::load(&path).unwrap();
    // Works for root too: a folder stands where the temporary file is needed.
    let obstacle = dir.path().join("state.json.tmp");
    std::fs::create_dir(&obstacle).unwrap();
    let error = state.pause(&session("b")).await.unwrap_err().to_string();
    assert!(error.contains("cannot be written, and nothing was changed: "), "{error}");
    assert!(!state.is_paused(&session("b")).await);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), REFERENCE);
    std::fs::remove_dir(&obstacle).unwrap();
    state.pause(&session("b")).await.unwrap();
    assert!(StateFile::load(&path).unwrap().is_paused(&session("b")).await);
}

#[tokio::test]
async fn a_change_whose_caller_went_away_is_whole_on_disk_and_in_memory() {
    let (_dir, path) = on_disk(REFERENCE);
    let state = StateFile::load(&path).unwrap();
    for number in 0..20 {
        let name = thread(&format!("t{number}"));
        let (one, other) = (session("b"), session("c"));
        let gone = state.set_main_thread(&one, Some(&name));
        assert!(futures::FutureExt::now_or_never(gone).is_none(), "it waits for the disk");
        state.set_main_thread(&other, Some(&name)).await.unwrap();
        assert_eq!(state.main_thread(&session("b")).await, Some(name));
        assert_eq!(json(&path), state.whole().await);
    }
}

#[test]
fn a_damaged_file_stops_the_start_and_stays_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.json");
    for (damaged, reason) in [
        ("", "EOF while parsing"),
        (&REFERENCE[..200], "EOF while parsing"),
        ("[]", "it is not an object"),
        (r#"{"version":2,"sessions":{}}"#, "has version 2 and this program knows version 1 only"),
        (r#"{"version":"1"}"#, "has version \"1\""),
        (r#"{"version":1,"sessions":{"a":{},"a":{}}}"#, "`a` stands twice in one object"),
        (r#"{"version":1,"sessions":[]}"#, "`sessions`: it is not an object"),
        (r#"{"version":1,"sessions":{"a":7}}"#, "`sessions.a`: it is not an object"),
        (r#"{"version":1,"sessions":{"a":{"mainThreadId":7}}}"#, "`sessions.a.mainThreadId`: it is neither"),
        (
            r#"{"version":1,"defaultSessionId":"../x"}"#,
            "`defaultSessionId`: `../x` is not a valid session id",
        ),
    ] {
        std::fs::write(&path, damaged).unwrap();
        let error = StateFile::load(&path).unwrap_err().to_string();
        assert!(error.contains(reason) && error.contains("state.json`"), "{damaged}: {error}");
        assert!(error.contains("left untouched") && error.contains("`argus state restore`"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), damaged);
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}
