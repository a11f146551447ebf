//! Nothing is told where nobody may hear it any more, or where no bot could tell it.

use argus_protocol::argus::chat::User;
use argus_protocol::argus::deliver::Deliver;
use argus_session::{ChatRef, Origin, Submission, Target};

use super::super::stage::{Stage, chat, stage};
use crate::clock::new_submission_id;
use crate::store::ledger::{NewSubmission, Role, Via};

/// The session, which is the default one.
async fn staged() -> Stage {
    let stage = stage(|_| {}).await;
    *stage.desks.default.lock().unwrap() = Some("s1".parse().unwrap());
    stage
}

/// A chat speaks with the session, and who it belongs to is known where it is a private one.
async fn speaks(stage: &Stage, chat: &ChatRef, at: u64) {
    stage.at(at);
    let (user, of) = (chat.chat.as_str().split(':').next().unwrap_or_default().to_owned(), chat.clone());
    let known = stage.ledger.write(move |tx| {
        Box::pin(async move {
            let user = User { id: user, name: String::new(), language: None };
            tx.know(&of.channel, &of.bot, &user, Role::Operator, Via::Code).await?;
            if !tx.has_home_chat().await? {
                tx.set_home_chat(&of).await?;
            }
            Ok(())
        })
    });
    known.await.unwrap();
    let thread = format!("t{at}").parse().unwrap();
    stage.ledger.bind_chat(&"s1".parse().unwrap(), chat, 0, &thread).await.unwrap();
    let submission = Submission {
        id: new_submission_id(),
        session: "s1".parse().unwrap(),
        target: Target::Chat { chat: chat.clone(), era: 0 },
        thread: None,
        origin: Origin::Chat { chat: chat.clone(), user: "7".into(), message: at.to_string() },
        text: "hi".into(),
        attachments: Vec::new(),
    };
    stage.ledger.submit(NewSubmission { submission, idempotency_key: None }).await.unwrap();
}

async fn forget(stage: &Stage, user: &'static str) {
    let forgotten =
        stage.ledger.write(move |tx| Box::pin(async move { tx.forget("telegram", "1", user).await }));
    forgotten.await.unwrap();
}

async fn place(stage: &Stage, place: Deliver) -> Option<String> {
    let place = stage.automation.place(&"s1".parse().unwrap(), &place).await.unwrap();
    place.map(|chat| format!("{}@{}", chat.bot, chat.chat))
}

#[tokio::test]
async fn who_is_revoked_is_told_nothing_more() {
    let stage = staged().await;
    for (at, key) in [(1, "7:3"), (2, "8"), (3, "7")] {
        speaks(&stage, &chat(key), at).await;
    }
    assert_eq!(place(&stage, Deliver::Home).await.as_deref(), Some("1@7:3"));
    assert_eq!(place(&stage, Deliver::Last).await.as_deref(), Some("1@7"));
    forget(&stage, "7").await;
    assert_eq!(place(&stage, Deliver::Home).await.as_deref(), Some("1@8"));
    assert_eq!(place(&stage, Deliver::Last).await.as_deref(), Some("1@8"));
    forget(&stage, "8").await;
    assert_eq!(place(&stage, Deliver::Home).await, None);
    assert_eq!(place(&stage, Deliver::Last).await, None);
}

#[tokio::test]
async fn where_a_bot_is_no_more_nothing_waits_for_it() {
    let stage = staged().await;
    let former = ChatRef { bot: "0".into(), ..chat("7") };
    speaks(&stage, &former, 1).await;
    assert_eq!(place(&stage, Deliver::Home).await, None);
    assert_eq!(place(&stage, Deliver::Last).await, None);
    let named = "telegram@0:7".parse().unwrap();
    assert_eq!(place(&stage, named).await, None);
    speaks(&stage, &chat("7"), 2).await;
    speaks(&stage, &former, 3).await;
    assert_eq!(place(&stage, Deliver::Home).await.as_deref(), Some("1@7"));
    assert_eq!(place(&stage, Deliver::Last).await.as_deref(), Some("1@7"));
}
