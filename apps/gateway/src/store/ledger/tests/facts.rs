//! Bindings, link state, people, codes, retention.

use argus_protocol::argus::chat::User;

use super::*;

#[tokio::test]
async fn every_start_has_a_number_of_its_own() {
    let desk = Desk::new();
    for expected in 1..4 {
        assert_eq!(desk.open().await.next_boot().await.unwrap(), expected);
    }
}

#[tokio::test]
async fn each_era_of_a_chat_has_its_own_thread() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    let (s, c) = (session("s"), chat("c"));
    assert_eq!(ledger.chat_era(&s, &c).await.unwrap(), 0);
    ledger.bind_chat(&s, &c, 0, &thread("t0")).await.unwrap();
    let begin = || {
        let (s, c) = (s.clone(), c.clone());
        ledger.write(move |tx| Box::pin(async move { tx.begin_era(&s, &c).await }))
    };
    assert_eq!((begin().await.unwrap(), begin().await.unwrap()), (1, 2));
    ledger.bind_chat(&s, &c, 2, &thread("t2")).await.unwrap();
    ledger.bind_chat(&s, &c, 2, &thread("t2 again")).await.unwrap();
    assert_eq!(ledger.chat_era(&s, &c).await.unwrap(), 2);
    assert_eq!(ledger.chat_era(&s, &chat("other")).await.unwrap(), 0);
    assert_eq!(ledger.chat_era(&session("other"), &c).await.unwrap(), 0);
    let mut threads = Vec::new();
    for era in 0..4 {
        threads.push(ledger.chat_thread(&s, &c, era).await.unwrap());
    }
    assert_eq!(threads, [Some(thread("t0")), None, Some(thread("t2 again")), None]);
}

#[tokio::test]
async fn a_chat_with_another_key_keeps_its_threads_unless_it_has_its_own_there() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    let (s, other, new) = (session("s"), session("other"), "-100".parse().unwrap());
    for (session, key, era, thread) in
        [(&s, "-5", 0, "t0"), (&s, "-5", 1, "t1"), (&other, "-5", 0, "o"), (&other, "-100", 0, "own")]
    {
        ledger.bind_chat(session, &chat(key), era, &thread.parse().unwrap()).await.unwrap();
    }
    for _ in 0..2 {
        assert_eq!(ledger.move_chat(&chat("-5"), &new).await.unwrap(), 0);
        let thread = async |session, era| {
            let thread = ledger.chat_thread(session, &chat("-100"), era).await.unwrap();
            thread.map(|thread| thread.to_string())
        };
        assert_eq!(thread(&s, 0).await.as_deref(), Some("t0"));
        assert_eq!(thread(&s, 1).await.as_deref(), Some("t1"));
        assert_eq!(thread(&other, 0).await.as_deref(), Some("own"));
        assert_eq!(ledger.chat_era(&s, &chat("-100")).await.unwrap(), 1);
    }
    ledger.move_chat(&chat("-100"), &"-200".parse().unwrap()).await.unwrap();
    for (key, first) in [("-5", None), ("-100", Some("-5")), ("-200", Some("-5"))] {
        let known = ledger.first_key(&chat(key)).await.unwrap();
        assert_eq!(known.as_ref().map(argus_protocol::ChatKey::as_str), first, "{key}");
    }
}

#[tokio::test]
async fn the_newest_handshake_is_kept_and_a_checkpoint_for_its_own_life_only() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    let s = session("s");
    assert_eq!(ledger.newest_handshake(&s).await.unwrap(), None);
    ledger.save_handshake(&s, 1, "{\"a\":1}").await.unwrap();
    ledger.save_handshake(&s, 2, "{}").await.unwrap();
    assert_eq!(ledger.newest_handshake(&s).await.unwrap(), Some((2, "{}".to_owned())));

    ledger.save_checkpoint(&s, "b1", 5, "{}").await.unwrap();
    ledger.save_checkpoint(&s, "b1", 6, "[]").await.unwrap();
    let expected = Checkpoint { seq: 6, body: "[]".to_owned() };
    assert_eq!(ledger.checkpoint(&s, "b1").await.unwrap(), Some(expected));
    ledger.save_checkpoint(&s, "b2", 1, "{}").await.unwrap();
    assert_eq!(ledger.checkpoint(&s, "b1").await.unwrap(), None);
}

#[test]
fn a_language_is_known_by_its_tag() {
    for tag in ["zh", "zh-hans", "ZH-TW", "zh_CN"] {
        assert_eq!(Language::of_tag(Some(tag)), Language::Chinese, "{tag}");
    }
    for tag in [None, Some(""), Some("de"), Some("zhx")] {
        assert_eq!(Language::of_tag(tag), Language::English, "{tag:?}");
    }
}

#[tokio::test]
async fn an_answer_speaks_the_language_of_who_asked() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    let know = |id: &str, language: &str| {
        let user = User { id: id.to_owned(), name: String::new(), language: Some(language.to_owned()) };
        ledger.write(move |tx| {
            Box::pin(async move { tx.know("telegram", "1", &user, Role::User, Via::Code).await })
        })
    };
    know("7", "zh-hans").await.unwrap();
    ledger.submit(new(1)).await.unwrap();
    ledger.settle(&completed(&[1], "a")).await.unwrap();
    assert_eq!(waiting(&ledger).await, [("c".to_owned(), "Chinese: a".to_owned())]);
    know("7", "fr").await.unwrap();
    let by_client =
        |key: &str| Settlement { origin: Origin::Client { chat: Some(chat(key)) }, ..completed(&[2], "b") };
    ledger.submit(new(2)).await.unwrap();
    ledger.settle(&by_client("7")).await.unwrap();
    let rows = waiting(&ledger).await;
    assert!(rows.contains(&("7".to_owned(), "English: b".to_owned())), "{rows:?}");
}

#[tokio::test]
async fn a_dead_code_is_none_and_a_new_one_lets_everybody_try_again() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    let code = Code { code: "ABCDEFGH".to_owned(), expires_ms: 2000 };
    let stranger = Stranger { told_ms: 7, tries: 5 };
    let set = code.clone();
    let chat = ChatRef { channel: "telegram".into(), bot: "1".into(), chat: "9".parse().unwrap() };
    let nine = User { id: "9".into(), name: "Nine".into(), language: None };
    let first = ledger.write(move |tx| {
        Box::pin(async move {
            tx.note_stranger(&chat, &nine, stranger).await?;
            tx.set_code(&set).await?;
            Ok((tx.code().await?, tx.stranger("telegram", "1", "9").await?))
        })
    });
    assert_eq!(first.await.unwrap(), (Some(code), Stranger { tries: 0, ..stranger }));
    desk.set_clock(2000);
    let later = ledger.write(|tx| Box::pin(async move { tx.code().await }));
    assert_eq!(later.await.unwrap(), None);
}

#[tokio::test]
async fn what_ended_long_ago_is_let_go_and_what_is_open_stays() {
    let day = 24 * 60 * 60 * 1000;
    let desk = Desk::new();
    let ledger = desk.open().await;
    let note = |key: &'static str| {
        ledger.write(move |tx| Box::pin(async move { tx.note_received("telegram", "1", key).await }))
    };
    for number in 1..4 {
        ledger.submit(new(number)).await.unwrap();
    }
    note("old").await.unwrap();
    ledger.settle(&completed(&[1], "old, sent")).await.unwrap();
    let row = ledger.waiting_rows("telegram", "1", 1).await.unwrap().remove(0);
    ledger.mark_sent(row.id, "5").await.unwrap();
    ledger.settle(&completed(&[2], "old, waits")).await.unwrap();
    desk.set_clock(1000 + 9 * day);
    note("new").await.unwrap();

    let gone = ledger.prune(2000 + 9 * day, 9).await.unwrap();
    assert_eq!(gone, Pruned { submissions: 2, received: 1, outbox: 1, ..Pruned::default() });
    assert_eq!(ledger.prune(2000 + 9 * day, 9).await.unwrap(), Pruned::default());
    assert_eq!(ledger.open_submissions(&session("s")).await.unwrap().len(), 1);
    assert_eq!(waiting(&ledger).await, [("c".to_owned(), "English: old, waits".to_owned())]);
    assert!(ledger.seen("telegram", "1", "new").await.unwrap());
    assert!(!ledger.seen("telegram", "1", "old").await.unwrap());
}
