use serde_json::{Value, json};

use crate::config::{GroupMode, Groups};
use crate::update::tests::{reading, reading_with, told};

fn read_message(message: Value) -> Option<Value> {
    let mut update = json!({});
    update["message"] = message;
    told(reading(update))
}

fn group(parts: &Value) -> Value {
    let mut message = json!({ "message_id": 5, "date": 0, "chat": { "id": -100, "type": "supergroup" },
        "from": { "id": 9, "is_bot": false, "first_name": "Ann" } });
    message.as_object_mut().unwrap().extend(parts.as_object().unwrap().clone());
    message
}

#[test]
fn a_private_message_is_handed_over_whole() {
    let read = read_message(json!({
        "message_id": 5, "date": 0, "chat": { "id": 9, "type": "private" },
        "from": { "id": 9, "is_bot": false, "first_name": "Ann", "last_name": "Lee", "language_code": "zh-hans" },
        "text": "hello", "reply_to_message": { "message_id": 3 },
        // Newer than any library knows.
        "entities": [{ "type": "of_tomorrow", "offset": 0, "length": 5 }],
    }));
    let expected = json!({
        "channel": "telegram", "bot": "42", "chatKey": "9", "chatKind": "private",
        "user": { "id": "9", "name": "Ann Lee", "language": "zh-hans" },
        "messageId": "5", "text": "hello", "attachments": [], "unsupported": [], "album": null, "manner": "addressed",
        "replyTo": { "messageId": "3", "ours": false, "name": "", "text": "" },
        "idempotencyKey": "telegram:42:7",
    });
    assert_eq!(read, Some(expected));
}

#[test]
fn a_topic_is_part_of_the_chat_and_its_opening_is_no_message_to_answer() {
    let opening = json!({ "message_id": 8, "from": { "id": 42, "is_bot": true, "first_name": "Argus" },
        "forum_topic_created": { "name": "t", "icon_color": 1 } });
    let parts = json!({ "message_thread_id": 8, "is_topic_message": true, "reply_to_message": opening });
    let mut message = group(&parts);
    message["text"] = json!("hello");
    assert_eq!(read_message(message.clone()), None);
    message["text"] = json!("@argus_bot hello");
    let read = read_message(message).unwrap();
    assert_eq!(
        (&read["chatKey"], &read["text"], &read["replyTo"]),
        (&json!("-100:8"), &json!("hello"), &Value::Null)
    );
}

#[test]
fn a_thread_of_answers_outside_a_forum_is_no_topic() {
    let answered = json!({ "message_id": 8, "from": { "id": 42, "is_bot": true, "first_name": "Argus" } });
    let read =
        read_message(group(&json!({ "message_thread_id": 8, "text": "and?", "reply_to_message": answered })));
    let read = read.unwrap();
    assert_eq!((&read["chatKey"], &read["replyTo"]["messageId"]), (&json!("-100"), &json!("8")));
}

#[test]
fn a_group_that_becomes_a_supergroup_is_told_from_both_ends() {
    let moved = json!({ "channel": "telegram", "bot": "42", "from": "-5", "to": "-100" });
    let anonymous = json!({ "id": 1, "is_bot": true, "first_name": "Group" });
    let new = json!({ "migrate_from_chat_id": -5, "from": anonymous });
    let old = json!({ "migrate_to_chat_id": -100, "from": null, "chat": { "id": -5, "type": "group" } });
    assert_eq!(read_message(group(&new)), Some(moved.clone()));
    assert_eq!(read_message(group(&old)), Some(moved));
}

#[test]
fn captions_are_text_and_what_came_with_it_is_said_or_handed_over() {
    let read = read_message(group(&json!({
        "caption": "@argus_bot see", "animation": { "file_id": "a" }, "document": { "file_id": "a" },
        "forward_origin": { "type": "hidden_user", "sender_user_name": "Bob" },
    })));
    let read = read.unwrap();
    assert_eq!(read["text"], json!("[forwarded from Bob]\nsee"));
    assert_eq!(read["attachments"], json!([{ "kind": "video", "source": "a", "mime": "video/mp4" }]));
    let mut private =
        group(&json!({ "dice": { "value": 3 }, "location": { "latitude": 1.5, "longitude": 2.5 } }));
    private["chat"] = json!({ "id": 9, "type": "private" });
    let read = read_message(private).unwrap();
    assert_eq!((&read["text"], &read["unsupported"]), (&json!("[location 1.5,2.5]"), &json!(["dice"])));
}

#[test]
fn an_edit_has_the_same_message_and_another_manner() {
    let edit = |parts: Value| told(reading(json!({ "edited_message": group(&parts) })));
    let read = edit(json!({ "text": "@argus_bot now" })).unwrap();
    assert_eq!(
        (&read["messageId"], &read["text"], &read["manner"]),
        (&json!("5"), &json!("now"), &json!("edited"))
    );
    assert_eq!(edit(json!({ "text": "others" })), None);
    let walk = json!({ "location": { "latitude": 1.5, "longitude": 2.5 }, "reply_to_message": { "message_id": 1, "from": { "id": 42 } } });
    assert_eq!(edit(walk), None);
}

#[test]
fn in_a_group_everything_may_be_heard_but_what_is_for_another_bot() {
    let hear = |text: &str| {
        let groups = Groups { mode: GroupMode::All, overhears: false };
        told(reading_with(json!({ "message": group(&json!({ "text": text })) }), groups))
    };
    for text in ["hi all", "/deploy"] {
        let read = hear(text).unwrap();
        assert_eq!((&read["text"], &read["manner"]), (&json!(text), &json!("addressed")));
    }
    assert_eq!(hear("/stop@other_bot"), None);
}

#[test]
fn what_others_say_is_overheard_where_that_is_wanted_without_its_files() {
    let groups = Groups { mode: GroupMode::Mention, overhears: true };
    let hear = |parts: Value| told(reading_with(json!({ "message": group(&parts) }), groups));
    let read = hear(json!({ "caption": "look", "photo": [{ "file_id": "p" }] })).unwrap();
    assert_eq!(
        (&read["text"], &read["manner"], &read["attachments"]),
        (&json!("look"), &json!("overheard"), &json!([]))
    );
    assert_eq!(hear(json!({ "photo": [{ "file_id": "p" }] })), None);
    assert_eq!(hear(json!({ "text": "@argus_bot hi" })).unwrap()["manner"], json!("addressed"));
}

#[test]
fn a_part_of_an_album_is_handed_over_whoever_it_names() {
    let parts = json!({ "photo": [{ "file_id": "p" }], "media_group_id": "g1" });
    let read = read_message(group(&parts)).unwrap();
    assert_eq!((&read["album"], &read["manner"]), (&json!("g1"), &json!("overheard")));
    assert_eq!(read["attachments"][0]["source"], json!("p"));
}

#[test]
fn a_name_that_is_a_link_counts_as_a_mention() {
    let entity =
        |id: u64| json!([{ "type": "text_mention", "offset": 0, "length": 5, "user": { "id": id } }]);
    let read = read_message(group(&json!({ "text": "Argus, hi", "entities": entity(42) }))).unwrap();
    assert_eq!(read["text"], json!("Argus, hi"));
    assert!(
        read_message(group(&json!({ "caption": "Argus", "caption_entities": entity(42), "voice": {} })))
            .is_some()
    );
    assert_eq!(read_message(group(&json!({ "text": "Bob, hi", "entities": entity(7) }))), None);
}

#[test]
fn what_no_person_says_to_the_bot_is_left_alone() {
    let bot = json!({ "id": 1, "is_bot": true, "first_name": "B" });
    for parts in [
        json!({ "text": "hi all" }),
        json!({ "text": "@argus_bot hi", "from": bot }),
        json!({ "text": "@argus_bot hi", "from": null }),
        json!({ "text": "@argus_bot hi", "chat": { "id": -1, "type": "channel" } }),
        json!({ "new_chat_title": "x" }),
        json!({ "pinned_message": { "message_id": 1 } }),
        json!({ "photo": [] }),
        json!({ "text": "@argus_bot hi", "is_automatic_forward": true }),
        json!({ "message_id": "not a number", "text": "/stop" }),
    ] {
        assert_eq!(read_message(group(&parts)), None, "{parts}");
    }
}
