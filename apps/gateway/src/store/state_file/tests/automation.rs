//! What the reference left for automation, and its pause.

use std::collections::BTreeSet;

use super::*;

fn event(id: &str, text: &str, created_ms: u64) -> FormerEvent {
    let (id, text) = (id.to_owned(), text.to_owned());
    FormerEvent { id, kind: "system".into(), text, meta: None, created_ms }
}

/// Two queues, and among their entries some that lack what they need.
fn with_queues() -> String {
    json!({ "version": 1, "sessions": { "s": { "mainThreadId": "m", "automationPaused": null,
        "systemEventQueues": {
            "m": [
                { "eventId": "2", "kind": "system", "text": "two", "createdAtMs": "20" },
                { "eventId": "3", "kind": "system", "createdAtMs": 30, "meta": {} },
                { "kind": "system", "createdAtMs": 30 },
                { "eventId": "1", "kind": "system", "text": "one", "createdAtMs": 10 },
                "x",
            ],
            "o": [{ "eventId": "4", "kind": "system", "text": "four", "createdAtMs": 40 }],
            "empty": [],
            "": [{ "eventId": "5", "kind": "system", "text": "five", "createdAtMs": 50 }],
        },
        "lastActiveByThread": {
            "m": { "channel": "TG", "chatKey": "-100123:7", "atMs": "5" },
            "o": { "channel": "telegram", "chatKey": "7", "atMs": 0 },
        } } } })
    .to_string()
}

#[tokio::test]
async fn queues_of_the_reference_are_read_and_emptied_and_what_is_bad_in_them_stays() {
    let (_dir, path) = on_disk(&with_queues());
    let state = StateFile::load(&path).unwrap();
    let three = FormerEvent { meta: Some(Map::new()), ..event("3", "", 30) };
    let queue = |name: &str, events: Vec<FormerEvent>| FormerQueue {
        session: session("s"),
        thread: thread(name),
        events,
    };
    let expected = [
        queue("m", vec![event("2", "two", 20), three, event("1", "one", 10)]),
        queue("o", vec![event("4", "four", 40)]),
    ];
    assert_eq!(state.former_queues().await, expected);

    state.empty_former_queues().await.unwrap();
    assert_eq!(state.former_queues().await, []);
    let left = json!({ "m": [{ "kind": "system", "createdAtMs": 30 }, "x"], "empty": [],
        "": [{ "eventId": "5", "kind": "system", "text": "five", "createdAtMs": 50 }] });
    assert_eq!(json(&path)["sessions"]["s"]["systemEventQueues"], left);
    assert_eq!(std::fs::read_to_string(path.with_extension("json.bak")).unwrap(), with_queues());
}

#[test]
fn what_a_queue_or_a_last_chat_lacks_is_told_by_its_place() {
    let (_dir, path) = on_disk(&with_queues());
    let found = survey(&path, std::time::SystemTime::UNIX_EPOCH).unwrap().unwrap();
    assert_eq!(found.sessions[0].to_take_over, 4);
    let of_thread = "".parse::<ThreadId>().unwrap_err();
    let expected = [
        format!("`sessions.s.systemEventQueues.` is kept, and none of its events is told: {of_thread}"),
        "`sessions.s.systemEventQueues.m[2]` is kept, and is not told as an event: `eventId` is missing or not text"
            .to_owned(),
        "`sessions.s.systemEventQueues.m[4]` is kept, and is not told as an event: it is not an object".to_owned(),
        "`sessions.s.lastActiveByThread.o` is kept, and nothing is sent there: `atMs` is not a time in milliseconds"
            .to_owned(),
    ];
    assert_eq!(found.warnings, expected);
}

#[tokio::test]
async fn the_last_chat_of_a_thread_is_read() {
    let (_dir, path) = on_disk(&with_queues());
    let state = StateFile::load(&path).unwrap();
    let last = state.last_active(&session("s"), &thread("m")).await;
    assert_eq!(last, Some(("TG".to_owned(), "-100123:7".parse().unwrap())));
    assert_eq!(state.last_active(&session("s"), &thread("o")).await, None);
    assert_eq!(state.last_active(&session("x"), &thread("m")).await, None);
}

#[test]
fn members_of_automation_that_are_of_another_kind_are_refused() {
    for (member, value, reason) in [
        ("systemEventQueues", json!([]), "`sessions.s.systemEventQueues`: it is not an object"),
        ("systemEventQueues", json!({ "t": {} }), "`sessions.s.systemEventQueues.t`: it is not a list"),
        ("lastActiveByThread", json!(7), "`sessions.s.lastActiveByThread`: it is not an object"),
        ("automationPaused", json!("yes"), "`sessions.s.automationPaused`: it is neither true nor false"),
    ] {
        let error = refused(&json!({ "sessions": { "s": { member: value } } }).to_string());
        assert!(error.contains(reason), "{error}");
    }
}

#[tokio::test]
async fn a_pause_lasts_until_it_is_ended() {
    let (_dir, path) = on_disk(REFERENCE);
    let state = StateFile::load(&path).unwrap();
    let (one, other) = (session("a1b2c3d4e5f6"), session("new"));
    state.pause(&one).await.unwrap();
    state.pause(&other).await.unwrap();
    let state = StateFile::load(&path).unwrap();
    assert_eq!(state.paused_sessions().await, BTreeSet::from([one.clone(), other.clone()]));
    assert!(state.is_paused(&one).await && !state.is_paused(&session("b")).await);
    state.resume(&one).await.unwrap();
    state.forget_session(&other).await.unwrap();
    assert_eq!(StateFile::load(&path).unwrap().paused_sessions().await, BTreeSet::new());
    assert_eq!(json(&path), serde_json::from_str::<Value>(REFERENCE).unwrap());
}

#[tokio::test]
async fn a_forgotten_session_takes_its_jobs_with_it_and_no_others() {
    let (_dir, path) = on_disk(REFERENCE);
    let state = StateFile::load(&path).unwrap();
    state.forget_session(&session("b")).await.unwrap();
    let mut expected: Value = serde_json::from_str(REFERENCE).unwrap();
    expected["sessions"].as_object_mut().unwrap().remove("b");
    assert_eq!(json(&path), expected);
    state.forget_session(&session("a1b2c3d4e5f6")).await.unwrap();
    assert_eq!(
        (json(&path)["sessions"].clone(), json(&path)["defaultSessionId"].clone()),
        (json!({}), Value::Null)
    );
}
