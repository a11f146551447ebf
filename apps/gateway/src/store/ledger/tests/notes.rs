//! Notes that messages wait.

use super::*;

async fn note(ledger: &Ledger, number: u8) {
    let body = TextBody::of("waits", "waits");
    let noted =
        ledger.write(move |tx| Box::pin(async move { tx.note_waiting(&id(number), chat("c"), body).await }));
    noted.await.unwrap();
}

/// What the chat is sent, one after the other: texts, and which go again.
async fn sent(ledger: &Ledger) -> Vec<String> {
    let mut told = Vec::new();
    while let Some(row) = ledger.waiting_rows("telegram", "1", 9).await.unwrap().into_iter().next() {
        ledger.mark_sent(row.id, "7").await.unwrap();
        told.push(match row.body {
            Body::Text(body) => body.plain,
            Body::Edit(body) => format!("{}: {}", body.of, body.plain),
            Body::TakeBack(body) => format!("- {}", body.of.join(" ")),
            other => panic!("{other:?}"),
        });
    }
    told
}

async fn waiting_in(desk: &Desk, numbers: &[u8]) -> Ledger {
    let ledger = desk.open().await;
    for number in numbers {
        ledger.submit(new(*number)).await.unwrap();
    }
    ledger
}

fn key(number: u8) -> String {
    note_key(&id(number))
}

#[tokio::test]
async fn the_notes_of_what_waited_go_when_its_turn_begins_all_at_once() {
    let desk = Desk::new();
    let ledger = waiting_in(&desk, &[1, 2, 3]).await;
    note(&ledger, 1).await;
    note(&ledger, 3).await;
    assert_eq!(sent(&ledger).await, ["waits", "waits"]);
    ledger.mark_starting(&ids(&[1, 2, 3]), &thread("t"), "b", 3, 4, 2).await.unwrap();
    assert_eq!(sent(&ledger).await, [format!("- {} {}", key(1), key(3))]);
    note(&ledger, 2).await;
    ledger.settle(&completed(&[1, 2, 3], "done")).await.unwrap();
    assert_eq!(sent(&ledger).await, ["English: done"], "nothing waits, and nothing goes twice");
}

#[tokio::test]
async fn the_note_of_what_ended_without_a_turn_goes_too() {
    let desk = Desk::new();
    let ledger = waiting_in(&desk, &[1]).await;
    note(&ledger, 1).await;
    ledger.settle(&completed(&[1], "stopped")).await.unwrap();
    assert_eq!(
        sent(&ledger).await,
        ["waits".to_owned(), "English: stopped".to_owned(), format!("- {}", key(1))]
    );
}

#[tokio::test]
async fn a_note_that_says_what_came_of_its_buttons_stays() {
    let desk = Desk::new();
    let ledger = waiting_in(&desk, &[1]).await;
    note(&ledger, 1).await;
    let body = EditBody { of: key(1), html: "next".into(), plain: "next".into(), buttons: vec![] };
    let row = NewRow { dedupe_key: format!("{}:p1", key(1)), chat: chat("c"), body: Body::Edit(body) };
    ledger.write(move |tx| Box::pin(async move { tx.put_out(row).await })).await.unwrap();
    ledger.mark_starting(&ids(&[1]), &thread("t"), "b", 3, 4, 2).await.unwrap();
    assert_eq!(sent(&ledger).await, ["waits".to_owned(), format!("{}: next", key(1))]);
}

#[tokio::test]
async fn however_many_messages_wait_few_notes_stand_before_an_answer() {
    let desk = Desk::new();
    let numbers: Vec<u8> = (1..=50).collect();
    let ledger = waiting_in(&desk, &numbers).await;
    for number in numbers {
        note(&ledger, number).await;
    }
    assert_eq!(sent(&ledger).await, ["waits"; 3]);
    note(&ledger, 50).await;
    assert_eq!(sent(&ledger).await, ["waits"], "there is room again");
}
