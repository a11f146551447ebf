//! Replies to what nobody had asked for go on in its thread.

use argus_protocol::argus::chat::Replied;
use argus_session::{Beat, Outcome, Settlement};

use super::*;
use crate::store::ledger::NewSubmission;

fn named(name: &str) -> Target {
    Target::Named { name: name.into() }
}

fn chat(key: &str) -> ChatRef {
    ChatRef { channel: "telegram".into(), bot: "42".into(), chat: key.parse().unwrap() }
}

fn cron(told: &str) -> Origin {
    Origin::Cron { job: "j".into(), run: "j@1".into(), chat: Some(chat(told)) }
}

fn heartbeat(told: &str) -> Origin {
    Origin::Heartbeat { why: Beat::Due, chat: Some(chat(told)) }
}

/// One row for an outcome, named as delivery names it.
fn told(settlement: &Settlement, _: Language) -> Vec<NewRow> {
    let (Some(chat), Some(first)) = (settlement.origin.chat(), settlement.submissions.first()) else {
        return Vec::new();
    };
    let body = Body::Text(TextBody::of("the disk is full", "the disk is full"));
    vec![NewRow { dedupe_key: format!("{first}:0"), chat: chat.clone(), body }]
}

impl Desk {
    /// Nobody asked for it, and it is open.
    async fn acts(&self, origin: Origin, target: Target) -> Submission {
        let submission = Submission {
            id: crate::clock::new_submission_id(),
            session: session(),
            target,
            thread: None,
            origin,
            text: String::new(),
            attachments: Vec::new(),
        };
        let new = NewSubmission { submission: submission.clone(), idempotency_key: None };
        self.ledger.submit(new).await.unwrap();
        submission
    }

    /// It ends, and a chat is told of it with this message.
    async fn ends(&self, submission: &Submission, chat: &str) -> String {
        let settlement = Settlement {
            submissions: vec![submission.id.clone()],
            origin: submission.origin.clone(),
            thread: None,
            turn: Some("u".parse().unwrap()),
            outcome: Outcome::Completed { text: "the disk is full".into() },
            usage: None,
        };
        self.ledger.settle(&settlement).await.unwrap();
        self.sent(chat).await.expect("it is told").0
    }

    /// Somebody answers a message; where that goes.
    async fn replies(&self, user: &str, chat: &str, to: &str) -> Target {
        let replied = Replied { message_id: to.into(), ours: true, name: String::new(), text: String::new() };
        let reply = Receive { reply_to: Some(replied), ..self.message(user, chat, "tidy up") };
        assert_eq!(self.receive(&reply).await, Disposition::Submitted);
        let submission = self.whole().pop().unwrap();
        let origin =
            Origin::Chat { chat: chat_of(&reply), user: user.into(), message: reply.message_id.clone() };
        assert_eq!(submission.origin, origin, "the answer comes to the chat");
        submission.target
    }
}

#[tokio::test]
async fn a_reply_to_what_nobody_asked_for_goes_on_in_its_thread() {
    let desk = Desk::answering(told).await;
    let aside = Target::Thread { id: "t1".parse().unwrap() };
    for (origin, ran) in [
        (cron("7"), Target::Main),
        (cron("7"), named("cron:j@1")),
        (heartbeat("7"), named("heartbeat")),
        (heartbeat("7"), aside),
    ] {
        let run = desk.acts(origin, ran.clone()).await;
        let message = desk.ends(&run, "7").await;
        assert_eq!(desk.replies("7", "7", &message).await, ran);
        // And so does an answer to what came of that.
        let answer = desk.whole().pop().unwrap();
        let message = desk.ends(&answer, "7").await;
        assert_eq!(desk.replies("7", "7", &message).await, ran);
    }
}

#[tokio::test]
async fn in_a_group_only_operators_go_on_in_the_main_thread() {
    let desk = Desk::made(&["7", "8"], told, |parts| parts.operators = ids(&["7"])).await;
    let run = desk.acts(cron("-5"), Target::Main).await;
    let message = desk.ends(&run, "-5").await;
    assert_eq!(desk.replies("8", "-5", &message).await, target("-5", 0), "it is nothing for everybody there");
    assert_eq!(desk.replies("7", "-5", &message).await, Target::Main);
    let aside = desk.acts(cron("-5"), named("cron:j@1")).await;
    let message = desk.ends(&aside, "-5").await;
    assert_eq!(desk.replies("8", "-5", &message).await, named("cron:j@1"), "that run was told there");
}

#[tokio::test]
async fn any_other_reply_stays_in_the_chats_own_thread() {
    let desk = Desk::answering(told).await;
    let run = desk.acts(cron("7"), named("cron:j@1")).await;
    let message = desk.ends(&run, "7").await;
    // The same id in another chat is another message.
    assert_eq!(desk.replies("7", "-5", &message).await, target("-5", 0));
    assert_eq!(desk.replies("7", "7", "unknown").await, target("7", 0));
    let own = desk.whole().pop().unwrap();
    let message = desk.ends(&own, "7").await;
    assert_eq!(desk.replies("7", "7", &message).await, target("7", 0));
    let of_a_client = desk.acts(Origin::Client { chat: Some(chat("7")) }, Target::Main).await;
    let message = desk.ends(&of_a_client, "7").await;
    assert_eq!(desk.replies("7", "7", &message).await, target("7", 0));
    // What another session did goes on nowhere else.
    let foreign = Submission { session: "other".parse().unwrap(), ..run };
    let foreign = Submission { id: crate::clock::new_submission_id(), ..foreign };
    let new = NewSubmission { submission: foreign.clone(), idempotency_key: None };
    desk.ledger.submit(new).await.unwrap();
    let message = desk.ends(&foreign, "7").await;
    assert_eq!(desk.replies("7", "7", &message).await, target("7", 0));
}

#[tokio::test]
async fn a_stranger_goes_on_with_nothing() {
    let desk = Desk::answering(told).await;
    let run = desk.acts(cron("-5"), Target::Main).await;
    let message = desk.ends(&run, "-5").await;
    let replied = Replied { message_id: message, ours: true, name: String::new(), text: String::new() };
    let reply = Receive { reply_to: Some(replied), ..desk.message("9", "-5", "mine") };
    assert_ne!(desk.receive(&reply).await, Disposition::Submitted);
    assert_eq!(desk.whole(), []);
}

#[tokio::test]
async fn retry_asks_again_where_it_was_asked() {
    let desk = Desk::answering(told).await;
    let run = desk.acts(cron("7"), Target::Main).await;
    let message = desk.ends(&run, "7").await;
    desk.replies("7", "7", &message).await;
    let answer = desk.whole().pop().unwrap();
    desk.ends(&answer, "7").await;
    desk.receive(&desk.message("7", "7", "/retry")).await;
    assert_eq!(desk.submitted().pop(), Some((answer.text, Target::Main)));
    let again = desk.whole().pop().unwrap();
    desk.ends(&again, "7").await;
    desk.receive(&desk.message("7", "7", "go")).await;
    let own = desk.whole().pop().unwrap();
    desk.ends(&own, "7").await;
    desk.receive(&desk.message("7", "7", "/retry")).await;
    assert_eq!(desk.submitted().pop(), Some(("go".to_owned(), target("7", 0))));
}

#[tokio::test]
async fn stop_and_status_reach_what_would_be_told_in_the_chat_and_nobody_elses_work() {
    let desk = Desk::with_operator().await;
    desk.acts(cron("-5"), named("cron:other")).await;
    desk.acts(heartbeat("7"), named("heartbeat")).await;
    desk.acts(cron("7"), named("cron:j@1")).await;
    *locked(&desk.sessions.aside) = Some(named("heartbeat"));
    let status = "I have been working for 0 s, on something scheduled or an answer to it.";
    assert_eq!(desk.says("7", "/status").await, status);
    assert_eq!(desk.says("7", "/stop").await, "I stop what I am doing.");
    let looked = [target("7", 0), named("cron:j@1"), named("heartbeat")];
    assert_eq!(*locked(&desk.sessions.stopped), looked);

    // Where somebody else's turn runs, what waits behind it is no reason to end it.
    let theirs = desk.acts(Origin::Client { chat: None }, Target::Main).await;
    let thread: ThreadId = "t".parse().unwrap();
    desk.ledger.mark_starting(&[theirs.id], &thread, "b", 1, 1, 1).await.unwrap();
    desk.acts(heartbeat("7"), Target::Main).await;
    let open = desk.ledger.open_targets(&session(), &chat("7")).await.unwrap();
    assert_eq!(open, [named("cron:j@1"), named("heartbeat")]);
}
