//! Messages and chats that are not as usual: each ends in a way that people can rely on.

use argus_testkit::app_server::deltas_text;
use argus_testkit::bot_api::{Chat, Fault};
use argus_testkit::programs::{PATIENCE, eventually};
use serde_json::json;

use crate::stage::Stage;

#[tokio::test]
async fn a_huge_text_is_refused_with_the_limit_and_an_empty_one_too() {
    let stage = Stage::set(&[]).await;
    stage.say(&"a".repeat(64 * 1024 + 1));
    stage.reads("That message is too long for me: at most 64 KiB, please.").await;
    stage.say(" \n ");
    stage.reads("There is nothing in that message that I can work on.").await;
    stage.api.push_message(&stage.chat, &stage.ada, &json!({ "pinned_message": {} }));
    stage.comes_after().await;
    assert_eq!(stage.said(&stage.chat).len(), 3);
    assert!(stage.gateway.turns().is_empty());
}

#[tokio::test]
async fn what_cannot_be_read_is_said_and_what_can_be_put_in_words_is_told() {
    let stage = Stage::set(&[]).await;
    for kind in ["dice", "story", "game"] {
        let before = stage.api.sent().len();
        stage.api.push_message(&stage.chat, &stage.ada, &json!({ kind: { "emoji": "🎲", "value": 3 } }));
        let told = stage.api.wait_sent(before + 1, PATIENCE).await.remove(before);
        assert!(told.text.starts_with("Some of what you sent I cannot read."), "{kind}: {}", told.text);
    }
    assert!(stage.gateway.turns().is_empty());
    let place = json!({ "location": { "latitude": 48.2, "longitude": 16.4 } });
    let contact = json!({ "contact": { "phone_number": "+431", "first_name": "Carl" } });
    for (parts, words) in [(place, "[location 48.2,16.4]"), (contact, "[contact Carl +431]")] {
        let before = stage.gateway.turns().len();
        stage.api.push_message(&stage.chat, &stage.ada, &parts);
        assert_eq!(stage.told(before + 1).await[before], words);
        stage.api.wait_sent(4 + before, PATIENCE).await;
    }
}

#[tokio::test]
async fn a_storm_of_refusals_delays_messages_and_neither_loses_nor_doubles_nor_turns_them() {
    let stage = Stage::set(&[]).await;
    stage.api.fail_every("sendMessage", 2, Fault::TooManyRequests { retry_after: 1 });
    let words = ["one", "two", "three"];
    for word in words {
        let text = json!({ "text": word, "to": { "channel": "telegram", "chatKey": "7" } });
        stage.api.know(&stage.chat);
        let reply = stage.gateway.rpc("argus/message/send", text).await;
        assert_eq!(reply["result"]["ok"], true, "{reply}");
    }
    stage.api.wait_sent(3, PATIENCE).await;
    stage.comes_after().await;
    assert_eq!(stage.said(&stage.chat)[..3], words);
    assert_eq!(stage.said(&stage.chat).len(), 4);
}

#[tokio::test]
async fn who_blocks_the_bot_holds_up_nobody_and_is_answered_when_they_come_back() {
    let stage = Stage::set(&[]).await;
    stage.say(&format!("[say: into the void]{}", stage.held("go")));
    stage.turns(1).await;
    stage.api.block(&stage.chat);
    stage.release("go");
    stage.api.wait_calls("sendMessage", 1, PATIENCE).await;
    let his = Chat::private(&stage.bob);
    stage.api.push_text(&his, &stage.bob, "[say: for Bob]");
    stage.reads("for Bob").await;
    stage.api.unblock(&stage.chat);
    stage.say("[say: welcome back]");
    stage.reads("welcome back").await;
    assert_eq!(stage.said(&stage.chat), ["welcome back"], "what waited was given up");
    stage.say("/last");
    stage.api.wait_sent(3, PATIENCE).await;
}

#[tokio::test]
async fn a_deleted_chat_holds_up_nobody() {
    let (stage, group) = (Stage::set(&[]).await, Chat::group(-5, "friends"));
    stage.api.push_text(&group, &stage.ada, &format!("@argus_test_bot [say: gone]{}", stage.held("go")));
    stage.turns(1).await;
    stage.api.delete_chat(&group);
    stage.release("go");
    stage.api.wait_calls("sendMessage", 1, PATIENCE).await;
    stage.say("[say: still here]");
    stage.reads("still here").await;
    assert_eq!(stage.api.sent().len(), 1);
    let ready = stage.ready().await;
    assert_eq!(ready["ok"], true, "{ready}");
}

#[tokio::test]
async fn an_answer_over_the_limit_comes_whole_as_a_document() {
    let stage = Stage::set(&[("TELEGRAM_LONG_ANSWER", "3000")]).await;
    stage.say("[deltas: 400 size 10]");
    let all = stage.api.wait_sent_until(PATIENCE, |sent| sent.iter().any(|one| one.file.is_some())).await;
    let file = all.iter().find_map(|sent| sent.file.clone()).unwrap();
    let whole = deltas_text(400, 10);
    assert!(file.kind == "document" && file.bytes == whole.as_bytes(), "{} {:?}", file.kind, file.bytes);
    assert_eq!(file.name, "answer.md");
    stage.say("[deltas: 200 size 10]");
    let short = deltas_text(200, 10);
    stage.reads(short.trim()).await;
}

#[tokio::test]
async fn readiness_shows_how_long_ago_was_polled_and_sent() {
    let stage = Stage::set(&[]).await;
    stage.say("[say: sent]");
    stage.reads("sent").await;
    eventually("both ages are there", async || {
        let ready = stage.ready().await;
        let ages = [&ready["receivers"][0]["lastPollAgeMs"], &ready["sender"]["lastSendAgeMs"]];
        ages.iter().all(|age| age.is_u64()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_the_agent_does_is_shown_while_it_works_and_is_not_in_its_answer() {
    for (wish, shown) in [("on", true), ("off", false)] {
        let stage = Stage::set(&[
            ("TELEGRAM_STREAMING", "edit"),
            ("TELEGRAM_STREAM_INTERVAL_S", "0.1"),
            ("TELEGRAM_ACTIVITY", wish),
        ])
        .await;
        stage.say("[approve: make it] [say: it is made]");
        let asked = stage.reads("May I run this command?").await;
        if shown {
            let live = stage.shows(&stage.chat, "⚙️").await;
            assert!(live.text.contains("make it"), "{}", live.text);
        }
        stage.press(&stage.chat, &stage.ada, &asked, "Allow once").await;
        eventually("the answer alone", async || {
            stage.api.shown_in(&stage.chat).iter().any(|one| one.text == "it is made").then_some(())
        })
        .await;
        let sent = stage.said(&stage.chat);
        assert_eq!(sent.iter().any(|text| text.contains("⚙️")), shown, "{sent:?}");
    }
}

#[tokio::test]
async fn a_live_message_that_somebody_deleted_costs_no_answer() {
    let stage = Stage::set(&[("TELEGRAM_STREAMING", "edit"), ("TELEGRAM_STREAM_INTERVAL_S", "0.1")]).await;
    stage.say(&format!("[deltas: 40 size 20]{}", stage.held("go")));
    let growing = eventually("it grows", async || stage.api.shown_in(&stage.chat).pop()).await;
    stage.api.remove(&stage.chat, growing.message_id);
    stage.release("go");
    let whole = deltas_text(40, 20);
    let shown = stage.shows(&stage.chat, whole.trim()).await;
    assert_ne!(shown.message_id, growing.message_id);
    assert_eq!(stage.api.shown_in(&stage.chat).len(), 1);
}
