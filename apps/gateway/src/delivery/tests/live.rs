//! Turns that are shown while they run.

use argus_protocol::SubmissionId;
use argus_session::{Activity, Progress};

use super::*;

fn showing(streaming: Streaming) -> LiveConfig {
    LiveConfig { streaming, ..quiet() }
}

fn turn(number: u8) -> SubmissionId {
    format!("{number:032x}").parse().unwrap()
}

fn writes(delta: &str) -> Progress {
    Progress::Writes { item: "a".into(), delta: delta.into() }
}

impl Desk {
    fn says(&self, chat: &str, number: u8, delta: &str) {
        self.delivery.progress(&chat_of(chat), &turn(number), writes(delta));
    }

    async fn answer(&self, chat: &str, number: u8, text: &str) {
        let body = TextBody { live: Some(turn(number)), ..TextBody::of(text, text) };
        self.put_out(chat, &format!("{chat} answer {number}"), Body::Text(body)).await;
        self.until(|health| health.oldest_waiting_ms.is_none()).await;
    }

    fn shown(&self, chat: i64) -> Vec<String> {
        let chat = Chat::private(&User::new(chat, "P"));
        self.api.shown_in(&chat).into_iter().map(|sent| sent.text).collect()
    }

    async fn shows(&self, chat: i64, text: &str) {
        let what = format!("chat {chat} shows {text:?}");
        eventually(&what, async || (self.shown(chat) == [text]).then_some(())).await;
    }
}

#[tokio::test]
async fn an_answer_grows_in_one_message_which_becomes_the_answer() {
    let mut desk = Desk::showing(generous(), showing(Streaming::Edit)).await;
    desk.start();
    desk.delivery.turn_running(&chat_of("1"));
    desk.delivery.progress(&chat_of("1"), &turn(1), Progress::Does(Activity::Runs("make".into())));
    desk.shows(1, "⚙️ make").await;
    desk.says("1", 1, "One");
    desk.shows(1, "One").await;
    desk.says("1", 1, " and two");
    desk.shows(1, "One and two").await;
    desk.says("2", 2, "Another");
    desk.shows(2, "Another").await;
    desk.answer("1", 1, "One and two and three").await;
    desk.delivery.turn_over(&chat_of("1"));
    assert_eq!(desk.shown(1), ["One and two and three"]);
    assert_eq!(texts(&desk.api.sent(), 1).len(), 1);
    // What comes after that goes as ever.
    desk.put("1", "next").await;
    desk.delivered([1]).await;
    assert_eq!(desk.shown(1), ["One and two and three", "next"]);
}

#[tokio::test]
async fn the_message_that_shows_a_turn_is_found_again_after_a_restart() {
    let mut desk = Desk::showing(generous(), showing(Streaming::Edit)).await;
    desk.start();
    desk.says("1", 1, "One");
    desk.says("2", 2, "Two");
    desk.shows(1, "One").await;
    desk.shows(2, "Two").await;
    desk.restart().await;
    desk.says("1", 1, "One and on");
    desk.shows(1, "One and on").await;
    desk.answer("1", 1, "whole").await;
    desk.answer("2", 2, "also whole").await;
    assert_eq!((desk.shown(1), desk.shown(2)), (vec!["whole".to_owned()], vec!["also whole".to_owned()]));
    // The same answer once more, as after a kill before it was noted: it stands there already.
    desk.put_out(
        "1",
        "again",
        Body::Text(TextBody { live: Some(turn(1)), ..TextBody::of("whole", "whole") }),
    )
    .await;
    desk.delivered([1]).await;
    assert_eq!(desk.shown(1), ["whole"]);
}

#[tokio::test]
async fn where_the_message_cannot_be_changed_the_answer_comes_as_a_new_one() {
    let mut desk = Desk::showing(generous(), showing(Streaming::Edit)).await;
    desk.start();
    desk.says("1", 1, "One");
    desk.shows(1, "One").await;
    desk.api.fail_while("editMessageText", Fault::BadRequest("message can't be edited".to_owned()));
    desk.says("1", 1, " more");
    desk.api.wait_calls("editMessageText", 1, LIMIT).await;
    desk.says("1", 1, " and more");
    desk.answer("1", 1, "whole").await;
    assert_eq!(desk.shown(1), ["whole"]);
    assert_eq!(desk.api.deleted(), [(1, 1)]);
}

#[tokio::test]
async fn a_private_chat_has_a_draft_and_a_group_an_edited_message() {
    let mut desk = Desk::showing(generous(), showing(Streaming::Auto)).await;
    let group = Chat::group(-5, "g");
    desk.api.know(&group);
    desk.start();
    desk.says("1", 1, "**One**");
    let drafts =
        || desk.api.drafts().into_iter().map(|draft| (draft.chat_id, draft.text)).collect::<Vec<_>>();
    eventually("a draft", async || (drafts().len() == 1).then_some(())).await;
    desk.says("1", 1, " two");
    eventually("another state of it", async || (drafts().len() == 2).then_some(())).await;
    assert_eq!(drafts(), [(1, "One".to_owned()), (1, "One two".to_owned())]);
    let ids: Vec<_> = desk.api.drafts().into_iter().map(|draft| draft.draft_id).collect();
    assert!(ids[0] == ids[1] && ids[0] != 0, "{ids:?}");
    desk.says("-5", 2, "to all");
    desk.api.wait_sent(1, LIMIT).await;
    desk.answer("1", 1, "One two three").await;
    desk.answer("-5", 2, "to all of you").await;
    assert_eq!(desk.shown(1), ["One two three"]);
    assert_eq!(desk.api.shown_in(&group).into_iter().map(|s| s.text).collect::<Vec<_>>(), ["to all of you"]);
}

#[tokio::test]
async fn where_drafts_are_refused_a_message_is_edited_from_then_on() {
    for (streaming, live) in [(Streaming::Auto, vec!["One"]), (Streaming::Draft, vec![])] {
        let mut desk = Desk::showing(generous(), showing(streaming)).await;
        desk.api.fail_while("sendMessageDraft", Fault::BadRequest("TEXTDRAFT_PEER_INVALID".to_owned()));
        desk.start();
        desk.says("1", 1, "One");
        desk.api.wait_calls("sendMessageDraft", 1, LIMIT).await;
        if !live.is_empty() {
            desk.api.wait_sent(1, LIMIT).await;
        }
        desk.answer("1", 1, "whole").await;
        desk.says("1", 2, "Two");
        desk.answer("1", 2, "whole too").await;
        assert_eq!(desk.shown(1), ["whole", "whole too"]);
        assert_eq!(desk.api.calls_of("sendMessageDraft").len(), 1, "{streaming:?}");
    }
}

#[tokio::test]
async fn nothing_is_shown_where_that_is_off_and_after_the_turn_is_over() {
    let mut desk = Desk::new(generous()).await;
    desk.start();
    desk.says("1", 1, "One");
    desk.answer("1", 1, "whole").await;
    assert_eq!(desk.api.calls_of("sendMessage").len(), 1);
    let mut slow =
        Desk::showing(generous(), LiveConfig { interval: LIMIT * 9, ..showing(Streaming::Edit) }).await;
    slow.start();
    slow.says("1", 1, "One");
    slow.shows(1, "One").await;
    slow.says("1", 1, " more");
    slow.delivery.turn_over(&chat_of("1"));
    slow.answer("1", 1, "whole").await;
    assert_eq!((slow.shown(1), slow.api.edits().len()), (vec!["whole".to_owned()], 1));
}

#[tokio::test]
async fn a_refusal_while_it_is_shown_holds_the_chat_and_never_costs_the_answer() {
    let mut desk = Desk::showing(generous(), showing(Streaming::Edit)).await;
    desk.start();
    desk.says("1", 1, "One");
    desk.shows(1, "One").await;
    desk.api.fail_next("editMessageText", Fault::TooManyRequests { retry_after: 1 });
    desk.says("1", 1, " skipped");
    desk.api.wait_calls("editMessageText", 1, LIMIT).await;
    desk.api.fail_next("editMessageText", Fault::TooManyRequests { retry_after: 1 });
    desk.api.fail_next("editMessageText", Fault::DropAfterAccept);
    desk.answer("1", 1, "whole").await;
    assert_eq!(desk.shown(1), ["whole"]);
    assert_eq!(texts(&desk.api.sent(), 1).len(), 1);
}

#[tokio::test]
async fn while_a_message_waits_for_a_chat_nothing_else_is_shown_there() {
    let mut desk = Desk::showing(generous(), showing(Streaming::Edit)).await;
    desk.api.fail_while("sendMessage", Fault::DropBeforeAccept);
    desk.put("1", "first").await;
    desk.start();
    desk.api.wait_calls("sendMessage", 2, LIMIT).await;
    desk.says("1", 1, "One");
    desk.api.wait_calls("sendMessage", 4, LIMIT).await;
    let tried: Vec<_> =
        desk.api.calls_of("sendMessage").into_iter().map(|call| call.params["text"].clone()).collect();
    assert!(tried.iter().all(|text| text == "first"), "{tried:?}");
    desk.api.heal("sendMessage");
    desk.answer("1", 1, "whole").await;
    assert_eq!(texts(&desk.api.sent(), 1)[0], "first");
}

#[tokio::test]
async fn however_many_turns_are_shown_there_is_room_for_messages() {
    let mut desk = Desk::showing(generous(), showing(Streaming::Draft)).await;
    desk.api.fail_while("sendMessageDraft", Fault::Hang(LIMIT * 9));
    desk.start();
    for number in 100..140 {
        desk.says(&number.to_string(), number, "One");
    }
    desk.api.wait_calls("sendMessageDraft", 8, LIMIT).await;
    desk.put("1", "whole").await;
    assert_eq!(desk.delivered([1]).await, [["whole"]]);
}

#[tokio::test]
async fn what_could_not_be_shown_is_shown_later_though_nothing_new_comes() {
    for fault in [Fault::TooManyRequests { retry_after: 1 }, Fault::DropBeforeAccept] {
        let mut desk = Desk::showing(generous(), showing(Streaming::Edit)).await;
        desk.start();
        desk.says("1", 1, "One");
        desk.shows(1, "One").await;
        desk.api.fail_next("editMessageText", fault);
        desk.says("1", 1, " and two");
        desk.shows(1, "One and two").await;
    }
}
