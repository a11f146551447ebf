//! The life of a submission.

use super::*;

const REQUEST: u64 = (u32::MAX as u64) << 32 | 4;

fn queued(number: u8) -> (Submission, OpenState) {
    (submission(number), OpenState::Queued)
}

fn starting(number: u8, turn: Option<argus_protocol::TurnId>) -> (Submission, OpenState) {
    let submission = Submission { thread: Some(thread("t")), ..submission(number) };
    let state =
        OpenState::Starting { boot: "b".to_owned(), down_seq: 3, request_id: REQUEST, after_seq: 2, turn };
    (submission, state)
}

async fn start(ledger: &Ledger, numbers: &[u8]) -> Result<(), LedgerError> {
    ledger.mark_starting(&ids(numbers), &thread("t"), "b", 3, REQUEST, 2).await
}

#[tokio::test]
async fn a_submission_goes_from_queued_to_settled_and_survives_at_each_step() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    for number in [2, 1, 3] {
        assert_eq!(ledger.submit(new(number)).await.unwrap(), Submitted::New(submission(number)));
    }
    let other = Submission { session: session("r"), ..submission(4) };
    ledger.submit(NewSubmission { submission: other.clone(), idempotency_key: None }).await.unwrap();
    drop(ledger);

    let ledger = desk.open().await;
    assert_eq!(ledger.sessions_with_open_submissions().await.unwrap(), [session("s"), session("r")]);
    start(&ledger, &[2, 1]).await.unwrap();
    drop(ledger);

    let ledger = desk.open().await;
    assert_eq!(open_of_s(&ledger).await, [starting(2, None), starting(1, None), queued(3)]);
    ledger.mark_running(&ids(&[2, 1]), &turn("u1")).await.unwrap();
    let running = |number| starting(number, Some(turn("u1")));
    assert_eq!(open_of_s(&ledger).await, [running(2), running(1), queued(3)]);

    assert_eq!(ledger.settle(&completed(&[2, 1], "done")).await.unwrap(), Settled::Now);
    assert_eq!(open_of_s(&ledger).await, [queued(3)]);
    assert_eq!(waiting(&ledger).await, [("c".to_owned(), "English: done".to_owned())]);
    assert_eq!(ledger.open_submissions(&session("r")).await.unwrap()[0].submission, other);
}

#[tokio::test]
async fn a_repeated_key_stores_nothing_and_tells_what_the_first_became() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    let keyed = |number, name: &str| NewSubmission {
        submission: Submission { session: session(name), ..submission(number) },
        idempotency_key: Some("k".to_owned()),
    };
    ledger.submit(keyed(1, "s")).await.unwrap();
    let known = |phase, turn| Submitted::Repeated(Known { id: id(1), phase, thread: None, turn });
    assert_eq!(ledger.submit(keyed(2, "s")).await.unwrap(), known(Phase::Queued, None));
    start(&ledger, &[1]).await.unwrap();
    ledger.mark_running(&ids(&[1]), &turn("u")).await.unwrap();
    let again = ledger.submit(keyed(2, "s")).await.unwrap();
    let expected =
        Known { id: id(1), phase: Phase::Running, thread: Some(thread("t")), turn: Some(turn("u")) };
    assert_eq!(again, Submitted::Repeated(expected));
    assert_eq!(open_of_s(&ledger).await.len(), 1);
    assert!(matches!(ledger.submit(keyed(3, "other")).await.unwrap(), Submitted::New(_)), "per session");
}

#[tokio::test]
async fn a_turn_is_settled_once() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    ledger.submit(new(1)).await.unwrap();
    assert_eq!(ledger.settle(&completed(&[1], "first")).await.unwrap(), Settled::Now);
    assert_eq!(ledger.settle(&completed(&[1], "second")).await.unwrap(), Settled::Before);
    assert_eq!(ledger.settle(&completed(&[9], "unknown")).await.unwrap(), Settled::Before);
    assert_eq!(waiting(&ledger).await, [("c".to_owned(), "English: first".to_owned())]);
}

#[tokio::test]
async fn what_is_not_open_can_not_be_marked_and_then_none_is() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    for number in [1, 2] {
        ledger.submit(new(number)).await.unwrap();
    }
    ledger.settle(&completed(&[2], "")).await.unwrap();
    let both = ids(&[1, 2]);
    for refused in [
        start(&ledger, &[1, 2]).await,
        ledger.mark_running(&ids(&[1]), &turn("u")).await,
        ledger.mark_queued(&both).await,
    ] {
        assert!(matches!(refused, Err(LedgerError::NotOpen(_))), "{refused:?}");
        assert_eq!(open_of_s(&ledger).await, [queued(1)]);
    }
}

#[tokio::test]
async fn one_whose_turn_did_not_start_waits_again_in_its_place() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    for number in [1, 2] {
        ledger.submit(new(number)).await.unwrap();
    }
    start(&ledger, &[1]).await.unwrap();
    ledger.mark_queued(&ids(&[1])).await.unwrap();
    let again = (Submission { thread: Some(thread("t")), ..submission(1) }, OpenState::Queued);
    assert_eq!(open_of_s(&ledger).await, [again, queued(2)]);
}

#[tokio::test]
async fn a_submission_learns_the_thread_of_its_target() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    ledger.bind_chat(&session("s"), &chat("c"), 0, &thread("bound")).await.unwrap();
    for (number, target, expected) in [
        (1, Target::Main, None),
        (2, Target::Thread { id: thread("named") }, Some(thread("named"))),
        (3, Target::Chat { chat: chat("c"), era: 0 }, Some(thread("bound"))),
        (4, Target::Chat { chat: chat("c"), era: 1 }, None),
    ] {
        let given = Submission { target, ..submission(number) };
        let stored = Submission { thread: expected, ..given.clone() };
        let answer = ledger.submit(NewSubmission { submission: given, idempotency_key: None }).await.unwrap();
        assert_eq!(answer, Submitted::New(stored));
    }
}

#[tokio::test]
async fn a_forgotten_session_fails_what_is_open_and_tells_its_chats() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    let kept = Submission { session: session("kept"), ..submission(9) };
    ledger.submit(NewSubmission { submission: kept, idempotency_key: None }).await.unwrap();
    for number in [1, 2, 3] {
        ledger.submit(new(number)).await.unwrap();
    }
    ledger.settle(&completed(&[1], "done")).await.unwrap();
    start(&ledger, &[2]).await.unwrap();
    ledger.mark_running(&ids(&[2]), &turn("u")).await.unwrap();
    for name in ["s", "kept"] {
        ledger.bind_chat(&session(name), &chat("c"), 1, &thread("t")).await.unwrap();
        ledger.save_handshake(&session(name), 1, "{}").await.unwrap();
        ledger.save_checkpoint(&session(name), "b", 1, "{}").await.unwrap();
    }

    let failed = |number, thread, turn| Settlement {
        submissions: ids(&[number]),
        origin: from_chat("c"),
        thread,
        turn,
        outcome: Outcome::Failed {
            reason: "the session was deleted; send the message again".to_owned(),
            text: String::new(),
        },
        usage: None,
    };
    let settled = ledger.forget_session(&session("s")).await.unwrap();
    assert_eq!(settled, [failed(2, Some(thread("t")), Some(turn("u"))), failed(3, None, None)]);
    assert_eq!(ledger.forget_session(&session("s")).await.unwrap(), []);
    assert_eq!(ledger.sessions_with_open_submissions().await.unwrap(), [session("kept")]);
    for (name, is_there) in [("s", false), ("kept", true)] {
        let name = session(name);
        assert_eq!(ledger.chat_thread(&name, &chat("c"), 1).await.unwrap().is_some(), is_there);
        assert_eq!(ledger.newest_handshake(&name).await.unwrap().is_some(), is_there);
        assert_eq!(ledger.checkpoint(&name, "b").await.unwrap().is_some(), is_there);
    }
    let all: i64 = sqlx::query_scalar("SELECT count(*) FROM outbox").fetch_one(ledger.reads()).await.unwrap();
    assert_eq!(all, 3);
}

#[tokio::test]
async fn one_that_is_told_within_a_turn_is_found_with_the_turn_and_can_wait_again() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    ledger.submit(new(1)).await.unwrap();
    ledger.mark_steering(&id(1), &thread("t"), "b", 3, REQUEST, 2, &turn("u")).await.unwrap();
    assert_eq!(open_of_s(&ledger).await[0].1, starting(1, Some(turn("u"))).1);
    ledger.mark_running(&ids(&[1]), &turn("u")).await.unwrap();
    ledger.mark_queued(&ids(&[1])).await.unwrap();
    assert_eq!(open_of_s(&ledger).await[0].1, OpenState::Queued);
}

#[tokio::test]
async fn only_what_waits_can_be_changed() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    ledger.submit(new(1)).await.unwrap();
    assert!(ledger.amend(&id(1), "other words").await.unwrap());
    assert_eq!(open_of_s(&ledger).await[0].0.text, "other words");
    start(&ledger, &[1]).await.unwrap();
    assert!(!ledger.amend(&id(1), "too late").await.unwrap());
    assert!(!ledger.amend(&id(9), "no such").await.unwrap());
    assert_eq!(open_of_s(&ledger).await[0].0.text, "other words");
}

#[tokio::test]
async fn what_turns_took_is_counted_once_for_each() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    for number in 1..=4 {
        ledger.submit(new(number)).await.unwrap();
    }
    let usage = Some(argus_session::Usage { input: 100, cached: 60, output: 7 });
    ledger.settle(&Settlement { usage, ..completed(&[1, 2], "a") }).await.unwrap();
    ledger.settle(&Settlement { usage, ..completed(&[3], "b") }).await.unwrap();
    ledger.settle(&completed(&[4], "it did not say")).await.unwrap();
    let used = Used { session: session("s"), turns: 2, input: 200, cached: 120, output: 14 };
    assert_eq!(ledger.usage_since(0).await.unwrap(), [used]);
    assert_eq!(ledger.usage_since(u64::MAX).await.unwrap(), []);
}

#[tokio::test]
async fn a_question_that_is_open_wakes_its_session_and_one_that_has_an_end_does_not() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    let insert = |key: &'static str, state: &'static str| {
        ledger.write(move |tx| {
            Box::pin(async move {
                sqlx::query(
                    "INSERT INTO questions (id, session, key, channel, bot, chat_key, asker, method, params, state, \
                     created_ms, expires_ms) VALUES ($1, $2, $1, 'c', '1', 'a', 'u', 'm', '{}', $3, 1, 2)",
                )
                .bind(key)
                .bind(format!("of-{state}"))
                .bind(state)
                .execute(&mut tx.connection)
                .await?;
                Ok(())
            })
        })
    };
    for (key, state) in [("a", "open"), ("b", "answered"), ("c", "over")] {
        insert(key, state).await.unwrap();
    }
    assert_eq!(ledger.sessions_with_open_submissions().await.unwrap(), [session("of-open")]);
    assert_eq!(ledger.open_questions(&session("of-open")).await.unwrap(), ["a"]);
    assert_eq!(ledger.open_questions(&session("of-answered")).await.unwrap(), Vec::<String>::new());
    ledger.forget_session(&session("of-open")).await.unwrap();
    assert_eq!(ledger.sessions_with_open_submissions().await.unwrap(), []);
}
