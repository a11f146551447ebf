//! Rows of the outbox.

use super::*;

fn row(key: &str, chat_key: &str) -> NewRow {
    let body = Body::Text(TextBody::of(format!("<b>{key}</b>"), key));
    NewRow { dedupe_key: key.to_owned(), chat: chat(chat_key), body }
}

async fn put(ledger: &Ledger, row: NewRow) {
    ledger.write(move |tx| Box::pin(async move { tx.put_out(row).await })).await.unwrap();
}

#[tokio::test]
async fn each_chat_shows_its_oldest_row_and_a_row_is_stored_once() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    for (key, chat_key) in [("a1", "a"), ("b1", "b"), ("a2", "a"), ("a1", "elsewhere")] {
        put(&ledger, row(key, chat_key)).await;
    }
    let pair = |chat: &str, text: &str| (chat.to_owned(), text.to_owned());
    assert_eq!(waiting(&ledger).await, [pair("a", "a1"), pair("b", "b1")]);
    assert_eq!(ledger.waiting_rows("telegram", "2", 9).await.unwrap(), []);

    let first = ledger.waiting_rows("telegram", "1", 1).await.unwrap().remove(0);
    let expected = Row {
        id: first.id,
        chat: chat("a"),
        body: Body::Text(TextBody::of("<b>a1</b>", "a1")),
        attempts: 0,
        next_attempt_ms: 1000,
        created_ms: 1000,
    };
    assert_eq!(first, expected);
    ledger.mark_sent(first.id, "77").await.unwrap();
    drop(ledger);
    let ledger = desk.open().await;
    assert_eq!(waiting(&ledger).await, [pair("b", "b1"), pair("a", "a2")]);
}

#[tokio::test]
async fn those_due_first_come_first() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    for key in ["a", "b", "c"] {
        put(&ledger, row(key, key)).await;
    }
    let rows = ledger.waiting_rows("telegram", "1", 9).await.unwrap();
    ledger.postpone(rows[0].id, 5000, "busy").await.unwrap();
    let rows = ledger.waiting_rows("telegram", "1", 9).await.unwrap();
    let due: Vec<_> = rows.iter().map(|r| (r.chat.chat.as_str(), r.attempts, r.next_attempt_ms)).collect();
    assert_eq!(due, [("b", 0, 1000), ("c", 0, 1000), ("a", 1, 5000)]);
}

#[tokio::test]
async fn a_chat_that_is_gone_takes_all_its_rows_with_it() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    for (key, chat_key) in [("a1", "a"), ("a2", "a"), ("b1", "b"), ("c1", "c")] {
        put(&ledger, row(key, chat_key)).await;
    }
    assert_eq!(ledger.fail_chat(&chat("a"), "blocked").await.unwrap(), 2);
    let rows = ledger.waiting_rows("telegram", "1", 9).await.unwrap();
    ledger.mark_failed(rows[0].id, "no").await.unwrap();
    assert_eq!(waiting(&ledger).await, [("c".to_owned(), "c1".to_owned())]);
    assert_eq!(ledger.oldest_waiting_ms("telegram", "1").await.unwrap(), Some(1000));
    assert_eq!(ledger.oldest_waiting_ms("telegram", "2").await.unwrap(), None);
}

#[tokio::test]
async fn delivery_is_woken_after_the_commit_that_put_something_out() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    let (mut grew, mut also) = (ledger.outbox_grew(), ledger.outbox_grew());
    put(&ledger, row("a", "a")).await;
    grew.changed().await.unwrap();
    also.changed().await.unwrap();
    // Neither a row that was there nor one that was undone wakes it.
    put(&ledger, row("a", "a")).await;
    let undone: Result<(), _> = ledger
        .write(|tx| {
            Box::pin(async move {
                tx.put_out(row("b", "b")).await?;
                Err(LedgerError::NotOpen(id(1)))
            })
        })
        .await;
    assert!(undone.is_err());
    assert!(futures::FutureExt::now_or_never(grew.changed()).is_none());
}
