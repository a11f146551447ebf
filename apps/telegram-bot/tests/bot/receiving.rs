//! Nothing is confirmed before it is handed over, nothing is skipped.

use std::time::Duration;

use argus_telegram_bot::TokenSource;
use argus_testkit::bot_api::{Chat, Fault, User};
use serde_json::json;

use crate::fake_gateway::Answer;
use crate::stage::{LIMIT, Running, Stage};

#[tokio::test]
async fn what_waited_before_the_first_start_is_handed_over_whole_and_confirmed() {
    let stage = Stage::set().await;
    let update = stage.write("hello");
    let _running = stage.run();
    stage.api.wait_confirmed(update + 1, LIMIT).await;
    let message = json!({
        "channel": "telegram", "bot": "4242424242", "chatKey": "9", "chatKind": "private",
        "user": { "id": "9", "name": "Ann", "language": "en" }, "messageId": "1", "text": "hello",
        "attachments": [], "unsupported": [], "replyTo": null, "album": null, "manner": "addressed", "idempotencyKey": format!("telegram:4242424242:{update}"),
    });
    assert_eq!(stage.gateway.log().taken, [message]);
}

#[tokio::test]
async fn updates_whose_numbers_begin_anew_are_confirmed_too() {
    let stage = Stage::set().await;
    let first = stage.write("before the quiet week");
    let _running = stage.run();
    stage.api.wait_confirmed(first + 1, LIMIT).await;
    let from = json!({ "id": 9, "is_bot": false, "first_name": "Ann" });
    let message = json!({ "message_id": 2, "date": 1, "chat": { "id": 9, "type": "private" }, "from": from, "text": "after" });
    stage.api.push_raw(json!({ "update_id": 7, "message": message }));
    assert_eq!(stage.gateway.texts(2).await, ["before the quiet week", "after"]);
    let polls = stage.api.calls_of("getUpdates").len() + 1;
    let calls = stage.api.wait_calls("getUpdates", polls, LIMIT).await;
    assert_eq!(calls.last().unwrap().params["offset"], json!(8));
}

#[tokio::test]
async fn nothing_is_confirmed_while_the_gateway_is_away_and_then_all_comes_in_order() {
    let stage = Stage::set().await;
    stage.gateway.shut();
    let first = stage.write("one");
    let _running = stage.run();
    stage.gateway.wait("a few refusals", |log| log.refused > 3).await;
    stage.write("two");
    let last = stage.write("three");
    assert_eq!((stage.api.confirmed_offset(), stage.api.pending_updates()), (first, 3));
    stage.gateway.open();
    assert_eq!(stage.gateway.texts(3).await, ["one", "two", "three"]);
    stage.api.wait_confirmed(last + 1, LIMIT).await;
    assert_eq!(stage.gateway.log().taken.len(), 3);
}

#[tokio::test]
async fn whatever_may_go_through_later_is_tried_again() {
    let stage = Stage::set().await;
    stage.gateway.answer_next([
        Answer::Status(503),
        Answer::Error(-32001),
        Answer::Error(-32000),
        Answer::Error(-32603),
        Answer::Status(200),
        Answer::Status(404),
        Answer::Error(-32601),
    ]);
    stage.write("one");
    stage.write("two");
    let _running = stage.run();
    assert_eq!(stage.gateway.texts(2).await, ["one", "two"]);
    assert_eq!(stage.gateway.log().refused, 7);
}

#[tokio::test]
async fn a_message_that_the_gateway_can_never_take_does_not_hold_up_the_next() {
    let stage = Stage::set().await;
    stage.gateway.answer_next([Answer::Error(-32602), Answer::Status(413)]);
    stage.write("bad");
    stage.write("too long");
    let last = stage.write("good");
    let _running = stage.run();
    assert_eq!(stage.gateway.texts(1).await, ["good"]);
    stage.api.wait_confirmed(last + 1, LIMIT).await;
}

#[tokio::test]
async fn what_is_not_for_the_bot_is_confirmed_without_being_handed_over() {
    let stage = Stage::set().await;
    let group = Chat::forum(-1001, "team").topic(8);
    stage.api.push_text(&group, &stage.ann, "nobody in particular");
    stage.api.push_message(&group, &stage.ann, &json!({ "new_chat_title": "x" }));
    stage.api.push_text(&group, &User::new(3, "Other").bot(), "@argus_test_bot hi");
    stage.api.push_raw(json!({ "edited_message": { "message_id": 1 } }));
    stage.api.push_text(&group, &stage.ann, "@argus_test_bot hi");
    let last = stage.api.push_text(&group, &stage.ann, "/status");
    let _running = stage.run();
    stage.api.wait_confirmed(last + 1, LIMIT).await;
    let heard: Vec<_> =
        stage.gateway.log().taken.iter().map(|m| (m["chatKey"].clone(), m["text"].clone())).collect();
    assert_eq!(heard, [(json!("-1001:8"), json!("hi")), (json!("-1001:8"), json!("/status"))]);
}

#[tokio::test]
async fn that_all_is_well_is_told_before_the_first_message() {
    let mut stage = Stage::set().await;
    stage.config.pace.poll = Duration::from_mins(10);
    stage.api.fail_next("getUpdates", Fault::DropBeforeAccept);
    let _running = stage.run();
    stage.reported("ok").await;
}

#[tokio::test]
async fn a_second_poller_is_reported_with_what_to_do_and_over_when_it_is_gone() {
    let stage = Stage::set().await;
    stage.api.fail_while("getUpdates", Fault::Conflict);
    let _running = stage.run();
    assert!(stage.reported("conflict").await.contains("another program polls"));
    stage.api.heal("getUpdates");
    stage.reported("ok").await;
    let reports = stage.gateway.log().reports;
    assert!(reports.last().unwrap()["lastPollMs"].as_u64().is_some_and(|at| at > 0), "{reports:?}");
    stage.write("hello");
    assert_eq!(stage.gateway.texts(1).await, ["hello"]);
}

#[tokio::test]
async fn a_refused_bot_token_is_reported_and_tried_again() {
    let stage = Stage::set().await;
    stage.api.fail_while("getMe", Fault::Unauthorized);
    let _running = stage.run();
    assert!(stage.reported("unauthorized").await.contains("TELEGRAM_BOT_TOKEN"));
    stage.api.heal("getMe");
    stage.reported("ok").await;
}

#[tokio::test]
async fn an_unreachable_telegram_never_ends_the_bot() {
    let stage = Stage::set().await;
    for method in ["getMe", "getUpdates"] {
        stage.api.fail_next(method, Fault::DropBeforeAccept);
        stage.api.fail_next(method, Fault::TooManyRequests { retry_after: 0 });
        stage.api.fail_next(method, Fault::ServerError(404));
    }
    let _running = stage.run();
    assert!(!stage.reported("unreachable").await.contains("SECRET"));
    stage.write("hello");
    assert_eq!(stage.gateway.texts(1).await, ["hello"]);
    stage.reported("ok").await;
}

#[tokio::test]
async fn a_poll_that_neither_answers_nor_fails_is_given_up() {
    let stage = Stage::set().await;
    stage.api.fail_next("getUpdates", Fault::Hang(Duration::from_mins(10)));
    let _running = stage.run();
    stage.api.wait_calls("getUpdates", 1, LIMIT).await;
    stage.write("hello");
    assert_eq!(stage.gateway.texts(1).await, ["hello"]);
}

#[tokio::test]
async fn a_batch_whose_answer_was_lost_comes_again() {
    let stage = Stage::set().await;
    stage.write("hello");
    stage.api.fail_next("getUpdates", Fault::DropAfterAccept);
    let _running = stage.run();
    assert_eq!(stage.gateway.texts(1).await, ["hello"]);
}

#[tokio::test]
async fn the_gateways_token_file_may_come_late_and_change() {
    let mut stage = Stage::set().await;
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("token");
    stage.config.gateway_token = TokenSource::File(file.clone());
    let update = stage.write("hello");
    let _running = stage.run();
    stage.api.wait_calls("getUpdates", 1, LIMIT).await;
    std::fs::write(&file, "an-old-token").unwrap();
    stage.gateway.wait("a refused token", |log| log.refused > 0).await;
    assert!(stage.api.confirmed_offset() <= update);
    std::fs::write(&file, "gateway-token\n").unwrap();
    assert_eq!(stage.gateway.texts(1).await, ["hello"]);
}

#[tokio::test]
async fn people_are_offered_the_commands_in_english_and_chinese() {
    let stage = Stage::set().await;
    let _running = stage.run();
    stage.api.wait_calls("setMyCommands", 2, LIMIT).await;
    let calls = stage.api.calls_of("setMyCommands");
    let languages: Vec<_> = calls.iter().map(|call| call.params.get("language_code").cloned()).collect();
    assert_eq!(languages, [None, Some(json!("zh"))]);
    let names: Vec<_> = calls[0].params["commands"]
        .as_array()
        .unwrap()
        .iter()
        .map(|command| command["command"].clone())
        .collect();
    assert_eq!(
        names,
        [
            "start",
            "help",
            "new",
            "stop",
            "status",
            "retry",
            "last",
            "lastresult",
            "threads",
            "where",
            "whoami",
            "model",
            "approvals",
            "busy",
            "lang"
        ]
    );
}

#[tokio::test]
async fn it_works_without_the_list_of_commands() {
    let stage = Stage::set().await;
    stage.api.fail_while("setMyCommands", Fault::BadRequest("no".to_owned()));
    let _running = stage.run();
    stage.write("hello");
    assert_eq!(stage.gateway.texts(1).await, ["hello"]);
}

#[tokio::test]
async fn being_asked_to_stop_ends_it_in_the_middle_of_a_poll() {
    let stage = Stage::set().await;
    let Running { stop, task } = stage.run();
    stage.api.wait_calls("getUpdates", 1, LIMIT).await;
    drop(stop);
    tokio::time::timeout(LIMIT, task).await.unwrap().unwrap().unwrap();
}
