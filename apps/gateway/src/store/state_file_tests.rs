//! Tests of `state.json`.

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
        (r#"{"version":1,"sessions":[]}"#, "`sessions` is not an object"),
        (r#"{"version":1,"sessions":{"a":7}}"#, "`sessions.a` is not an object"),
        (r#"{"version":1,"sessions":{"a":{"mainThreadId":7}}}"#, "`sessions.a.mainThreadId`: it is neither"),
        (
            r#"{"version":1,"defaultSessionId":"../x"}"#,
            "`defaultSessionId`: `../x` is not a valid session id",
        ),
    ] {
        std::fs::write(&path, damaged).unwrap();
        let error = StateFile::load(&path).unwrap_err().to_string();
        assert!(error.contains(reason) && error.contains("state.json`"), "{damaged}: {error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), damaged);
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}
