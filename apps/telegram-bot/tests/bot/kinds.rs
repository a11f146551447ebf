//! Whatever people send reaches the gateway, and whatever nobody knows holds nothing up.

use argus_telegram_bot::{GroupMode, Groups};
use argus_testkit::bot_api::{Chat, User};
use serde_json::{Value, json};

use crate::stage::{LIMIT, Stage};

#[tokio::test]
async fn every_kind_of_message_is_handed_over_in_order() {
    let stage = Stage::set().await;
    let _running = stage.run();
    let file = json!({ "file_id": "f", "file_unique_id": "u", "duration": 1, "width": 1, "height": 1 });
    let place = json!({ "latitude": 1.5, "longitude": 2.5 });
    let parts = [
        json!({ "photo": [file], "caption": "look" }),
        json!({ "document": { "file_id": "f", "file_name": "a.txt", "file_size": 3 } }),
        json!({ "voice": file }),
        json!({ "audio": file }),
        json!({ "video": file }),
        json!({ "video_note": file }),
        json!({ "animation": file }),
        json!({ "sticker": { "file_id": "f", "emoji": "😀" } }),
        json!({ "location": place }),
        json!({ "contact": { "first_name": "Bob", "phone_number": "+49" } }),
        json!({ "dice": { "value": 4, "emoji": "🎲" } }),
        json!({ "of_tomorrow": { "x": 1 } }),
        json!({ "text": "the last" }),
    ];
    for part in &parts {
        stage.api.push_message(&stage.chat, &stage.ann, part);
    }
    let log = stage.gateway.wait("all of them", |log| log.taken.len() >= 12).await;
    let seen: Vec<Value> = log
        .taken
        .iter()
        .map(|one| json!([one["text"], one["attachments"][0]["kind"], one["unsupported"][0]]))
        .collect();
    let expected = json!([
        ["look", "photo", null],
        ["", "document", null],
        ["", "voice", null],
        ["", "audio", null],
        ["", "video", null],
        ["", "video", null],
        ["", "video", null],
        ["", "photo", null],
        ["[location 1.5,2.5]", null, null],
        ["[contact Bob +49]", null, null],
        ["", null, "dice"],
        ["the last", null, null],
    ]);
    assert_eq!(json!(seen), expected);
}

#[tokio::test]
async fn edits_are_handed_over_and_changes_of_our_standing_hold_nothing_up() {
    let stage = Stage::set().await;
    let _running = stage.run();
    let from = json!({ "id": 9, "is_bot": false, "first_name": "Ann" });
    let chat = json!({ "id": 9, "type": "private" });
    stage.api.wait_calls("getUpdates", 1, LIMIT).await;
    stage.api.push_raw(json!({ "my_chat_member": { "chat": chat, "from": from, "new_chat_member": { "status": "kicked" } } }));
    let edited =
        json!({ "message_id": 2, "date": 1, "edit_date": 2, "chat": chat, "from": from, "text": "better" });
    stage.api.push_raw(json!({ "edited_message": edited }));
    let log = stage.gateway.wait("the edit", |log| !log.taken.is_empty()).await;
    assert_eq!((&log.taken[0]["text"], &log.taken[0]["manner"]), (&json!("better"), &json!("edited")));
}

#[tokio::test]
async fn a_press_is_handed_over_and_answered_with_what_the_gateway_says() {
    let stage = Stage::set().await;
    let _running = stage.run();
    let (update, press) = stage.api.push_press(&stage.chat, &stage.ann, 5, "q:1:yes");
    let (_, refused) = stage.api.push_press(&stage.chat, &stage.ann, 5, "refuse");
    stage.api.wait_calls("answerCallbackQuery", 2, LIMIT).await;
    let taken = stage.gateway.log().presses;
    assert_eq!(taken[0]["idempotencyKey"], json!(format!("telegram:4242424242:{update}")));
    assert_eq!((&taken[0]["data"], &taken[0]["messageId"]), (&json!("q:1:yes"), &json!("5")));
    let calls = stage.api.calls_of("answerCallbackQuery");
    let told = |at: usize| {
        let params = &calls[at].params;
        (params["callback_query_id"].clone(), params.get("text").cloned(), params["show_alert"].clone())
    };
    assert_eq!(told(0), (json!(press), Some(json!("Done")), json!(true)));
    assert_eq!(told(1), (json!(refused), None, json!(false)));
}

#[tokio::test]
async fn in_groups_the_settings_say_what_is_heard() {
    let mut stage = Stage::set().await;
    stage.config.reception.groups = Groups { mode: GroupMode::Mention, overhears: true };
    let _running = stage.run();
    let group = Chat::supergroup(-100_123, "Team");
    let bob = User::new(8, "Bob");
    stage.api.push_text(&group, &bob, "lunch?");
    stage.api.push_text(&group, &bob, "@argus_test_bot where?");
    let log = stage.gateway.wait("both", |log| log.taken.len() >= 2).await;
    let seen: Vec<_> = log.taken.iter().map(|one| (one["text"].clone(), one["manner"].clone())).collect();
    assert_eq!(seen, [(json!("lunch?"), json!("overheard")), (json!("where?"), json!("addressed"))]);
}
