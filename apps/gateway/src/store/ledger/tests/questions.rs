//! Questions that chats are asked: kept, followed, forgotten.

use super::*;
use crate::store::ledger::{ChatSettings, NewQuestion, QuestionState};

const DAY: u64 = 24 * 60 * 60 * 1000;

fn chat(key: &str) -> ChatRef {
    ChatRef { channel: "telegram".into(), bot: "1".into(), chat: key.parse().unwrap() }
}

fn question(id: &str, expires_ms: u64) -> NewQuestion {
    NewQuestion {
        id: id.into(),
        session: "s".parse().unwrap(),
        key: id.into(),
        chat: chat("-5"),
        asker: "7".into(),
        method: "m".into(),
        params: "{}".into(),
        item: None,
        expires_ms,
    }
}

async fn put(ledger: &Ledger, new: NewQuestion) -> Seen {
    ledger.write(move |tx| Box::pin(async move { tx.put_question(&new).await })).await.unwrap()
}

#[tokio::test]
async fn a_question_ends_once_and_is_kept_as_long_as_other_rows() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    for (id, expires) in [("a", DAY), ("b", 90 * DAY), ("c", DAY)] {
        assert_eq!(put(&ledger, question(id, expires)).await, Seen::First);
        assert_eq!(put(&ledger, question(id, expires)).await, Seen::Again);
    }
    let ended = ledger.write(|tx| {
        Box::pin(async move {
            tx.end_question("a", Some("yes"), "first").await?;
            tx.end_question("a", Some("no"), "second").await
        })
    });
    ended.await.unwrap();
    let stands = ledger.question("a").await.unwrap().unwrap();
    assert_eq!(
        (stands.state, stands.answer.as_deref(), stands.outcome.as_deref()),
        (QuestionState::Answered, Some("yes"), Some("first"))
    );
    assert_eq!(ledger.prune(2 * DAY, 30).await.unwrap().questions, 0);
    assert_eq!(ledger.prune(40 * DAY, 30).await.unwrap().questions, 2, "also one that expired long ago");
    assert_eq!(ledger.question("b").await.unwrap().unwrap().state, QuestionState::Open);
}

#[tokio::test]
async fn open_questions_and_wishes_follow_a_chat_to_its_other_key() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    put(&ledger, question("a", DAY)).await;
    let wishes = ChatSettings { model: Some("m".into()), open_to_all: true, ..ChatSettings::default() };
    let stored = wishes.clone();
    let set =
        ledger.write(move |tx| Box::pin(async move { tx.set_chat_settings(&chat("-5"), &stored).await }));
    set.await.unwrap();
    for _ in 0..2 {
        ledger.move_chat(&chat("-5"), &"-100".parse().unwrap()).await.unwrap();
    }
    assert_eq!(ledger.question("a").await.unwrap().unwrap().asked.chat, chat("-100"));
    assert_eq!(ledger.chat_settings(&chat("-100")).await.unwrap(), wishes);
    assert_eq!(ledger.open_chats().await.unwrap(), [chat("-100")]);
}
