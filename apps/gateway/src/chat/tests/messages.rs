//! Pairing, texts and the first commands.

use tokio_util::sync::CancellationToken;

use super::*;

const STRANGER: &str = "Hello! We have not met yet, so I cannot work for you. If this is your Argus, send me the \
     pairing code that argus pair shows.";

#[tokio::test]
async fn a_stranger_gets_one_line_a_day_and_reaches_nothing() {
    let desk = Desk::with_operator().await;
    assert_eq!(desk.says("1", "hello there").await, STRANGER);
    for text in ["hello again", "/help", "/status", "/stop", "/new", "/start", ""] {
        assert_eq!(desk.says("1", text).await, "Ignored", "{text}");
    }
    assert_eq!(desk.says("2", "/start").await, STRANGER, "another person");
    desk.later(DAY);
    assert_eq!(desk.says("1", "still here").await, STRANGER);
    let in_group = desk.message("1", "-5", "let me in");
    assert_eq!(desk.receive(&in_group).await, Disposition::Ignored);
    assert_eq!(desk.read("-5").await, None);
    assert_eq!((desk.submitted(), locked(&desk.sessions.stopped).len()), (Vec::new(), 0));
}

#[tokio::test]
async fn the_first_to_pair_is_the_operator_and_their_chat_the_home() {
    let desk = Desk::new(&[]).await;
    let first = desk.chats.pairing_code().await.unwrap();
    assert_eq!(first.paired, 0);
    assert_eq!(desk.chats.pairing_code().await.unwrap(), first, "one at a time");
    let typed = format!("/start {}-{}", first.code[..4].to_lowercase(), &first.code[4..]);
    assert_eq!(
        desk.says("7", &typed).await,
        "We are paired: you are the operator. Write to me what you need."
    );
    assert_eq!(
        desk.says("1", &first.code).await,
        "That code is not right, or it is too old; argus pair shows the present one. Tries left: 4."
    );

    let second = desk.chats.pairing_code().await.unwrap();
    assert_eq!(second.paired, 1);
    assert_ne!(second.code, first.code);
    assert_eq!(
        desk.says("2", &format!("/pair {}", second.code)).await,
        "We are paired. Write to me what you need."
    );
    let person = async |id: &str| desk.ledger.person("telegram", "42", id).await.unwrap().map(|p| p.role);
    assert_eq!(person("7").await, Some(Role::Operator));
    assert_eq!(person("2").await, Some(Role::User));
    assert_eq!(person("1").await, None);
    let home = desk.ledger.home_chat().await.unwrap().map(|chat| chat.chat.to_string());
    assert_eq!(home, Some("7".to_owned()));
    assert_eq!(
        desk.says("7", &format!("/pair {}", desk.code().await)).await,
        "We are paired already; no code is needed."
    );
}

#[tokio::test]
async fn a_code_dies_after_its_time_and_after_five_tries_of_one_person() {
    let desk = Desk::new(&[]).await;
    let code = desk.code().await;
    for left in ["4", "3", "2", "1"] {
        let answer = desk.says("1", "AAAA AAAA").await;
        assert!(answer.ends_with(&format!("Tries left: {left}.")), "{answer}");
    }
    assert!(desk.says("1", "/pair aaaaaaaa").await.contains("That was the last try"));
    assert_eq!(desk.says("1", &code).await, "Ignored", "the right one comes too late");
    desk.later(14 * 60 * 1000);
    let next = desk.code().await;
    assert_ne!(next, code, "what dies soon is not handed out");
    assert!(desk.says("2", &code).await.starts_with("That code is not right, or it is too old"));
    desk.later(15 * 60 * 1000);
    assert!(desk.says("2", &next).await.starts_with("That code is not right, or it is too old"));
    let last = desk.code().await;
    assert!(desk.says("1", &last).await.starts_with("We are paired"), "a new code can be tried again");
}

#[tokio::test]
async fn a_text_of_somebody_known_becomes_a_submission_of_their_chat() {
    let desk = Desk::with_operator().await;
    let message = desk.message("7", "7", "do /that");
    assert_eq!(desk.receive(&message).await, Disposition::Submitted);
    let stored = desk.ledger.open_submissions(&session()).await.unwrap();
    let told = locked(&desk.sessions.submitted).clone();
    assert_eq!(stored.iter().map(|o| &o.submission).collect::<Vec<_>>(), told.iter().collect::<Vec<_>>());
    let expected = Submission {
        id: told[0].id.clone(),
        session: session(),
        target: target("7", 0),
        thread: None,
        origin: Origin::Chat {
            chat: chat_of(&message),
            user: "7".into(),
            message: message.message_id.clone(),
        },
        text: "do /that".into(),
        attachments: Vec::new(),
    };
    assert_eq!(told, [expected]);

    let in_group = desk.message("7", "-5:3", "/unknown command");
    assert_eq!(desk.receive(&in_group).await, Disposition::Submitted);
    assert_eq!(desk.submitted()[1], ("P7: /unknown command".to_owned(), target("-5:3", 0)));
    assert_eq!(desk.read("7").await, None);
}

#[tokio::test]
async fn the_same_message_again_has_no_second_effect() {
    let desk = Desk::with_operator().await;
    for (user, text, first) in [
        ("7", "work", Disposition::Submitted),
        ("7", "/help", Disposition::Answered),
        ("7", "/stop", Disposition::Answered),
        ("7", "/new", Disposition::Answered),
        ("1", "hello", Disposition::Answered),
        ("2", "AAAAAAAA", Disposition::Answered),
    ] {
        let message = desk.message(user, user, text);
        assert_eq!(desk.receive(&message).await, first, "{text}");
        assert_eq!(desk.receive(&message).await, Disposition::Repeated, "{text}");
    }
    let chat = ChatRef { channel: "telegram".into(), bot: "42".into(), chat: "7".parse().unwrap() };
    assert_eq!(desk.ledger.chat_era(&session(), &chat).await.unwrap(), 1);
    assert_eq!((desk.submitted().len(), locked(&desk.sessions.stopped).len()), (1, 1));
    let mut answers = 0;
    while desk.read("7").await.is_some() {
        answers += 1;
    }
    assert_eq!(answers, 3);
}

#[tokio::test]
async fn new_begins_an_era_and_stop_and_status_reach_what_still_runs_before_it() {
    let desk = Desk::with_operator().await;
    let chat = chat_of(&desk.message("7", "7", ""));
    let thread: ThreadId = "thr_1".parse().unwrap();
    desk.ledger.bind_chat(&session(), &chat, 0, &thread).await.unwrap();
    let place = desk.receive(&desk.message("7", "7", "/where")).await;
    assert_eq!(
        (place, desk.read("7").await),
        (Disposition::Answered, Some("Session: a1b2c3d4e5f6\nChat: 7\nThread: thr_1".to_owned()))
    );
    assert_eq!(desk.says("7", "/status").await, "I have been working for 0 s.");
    assert_eq!(
        desk.says("7", "/new").await,
        "A new thread begins with your next message. What still runs goes on, and its answer comes here."
    );
    assert_eq!(desk.says("7", "go").await, "Submitted");
    assert_eq!(desk.submitted(), [("go".to_owned(), target("7", 1))]);
    desk.receive(&desk.message("7", "7", "/where")).await;
    assert!(desk.read("7").await.unwrap().ends_with("Thread: none yet"));
    assert_eq!(desk.says("7", "/status").await, "I have been working for 0 s, on what came before /new.");
    assert_eq!(desk.says("7", "/stop").await, "I stop what I am doing.");
    assert_eq!(*locked(&desk.sessions.stopped), [target("7", 1), target("7", 0)]);
    desk.says("7", "/new").await;
    assert_eq!(desk.says("7", "/stop").await, "Nothing is running.");
}

#[tokio::test]
async fn stop_and_status_reach_what_still_runs_however_many_threads_began_since() {
    let desk = Desk::with_operator().await;
    assert_eq!(desk.says("7", "go").await, "Submitted");
    for _ in 0..3 {
        desk.says("7", "/new").await;
    }
    assert_eq!(desk.says("7", "/status").await, "I have been working for 0 s, on what came before /new.");
    assert_eq!(desk.says("7", "/stop").await, "I stop what I am doing.");
    assert_eq!(*locked(&desk.sessions.stopped), [target("7", 3), target("7", 2), target("7", 0)]);
}

#[tokio::test]
async fn stop_reaches_what_runs_in_a_group_that_became_a_supergroup_meanwhile() {
    let desk = Desk::with_operator().await;
    assert_eq!(desk.receive(&desk.message("7", "7", "go")).await, Disposition::Submitted);
    let moved = chat_of(&desk.message("7", "7", ""));
    desk.ledger.move_chat(&moved, &"-1007".parse().unwrap()).await.unwrap();
    desk.receive(&desk.message("7", "-1007", "/stop")).await;
    assert_eq!(desk.read("-1007").await.unwrap(), "I stop what I am doing.");
    assert_eq!(locked(&desk.sessions.stopped).last(), Some(&target("7", 0)));
}

#[tokio::test]
async fn somebody_on_the_list_needs_no_pairing_and_is_known_as_long_as_it_names_them() {
    let desk = Desk::new(&["7", "8"]).await;
    assert_eq!(desk.says("8", "work").await, "Submitted");
    desk.receive(&desk.message("8", "8", "/whoami")).await;
    assert_eq!(desk.read("8").await.unwrap(), "Name: P8\nId: 8\nRole: user\nChat: 8");
    assert_eq!(desk.ledger.home_chat().await.unwrap().unwrap().chat.as_str(), "8");
    assert_eq!(desk.ledger.paired().await.unwrap(), 0, "nobody has paired");
    // One of them pairs all the same, and becomes the operator at home.
    let code = desk.code().await;
    assert!(desk.says("7", &format!("/pair {code}")).await.contains("you are the operator"));
    assert_eq!(desk.ledger.home_chat().await.unwrap().unwrap().chat.as_str(), "7");
    assert_eq!(desk.says("8", "ABCDEFGH").await, "Submitted", "a text of eight letters is a text");

    let shorter = desk.again(&[], |_| {});
    for (user, expected) in [("7", Disposition::Submitted), ("8", Disposition::Answered)] {
        let message = desk.message(user, user, "after a restart");
        assert_eq!(shorter.receive(&message).await.unwrap().disposition, expected, "{user}");
    }
    assert_eq!(desk.read("8").await.as_deref(), Some(STRANGER));
}

#[tokio::test]
async fn the_scope_decides_whose_session_a_message_goes_to() {
    for (scope, expected) in [
        (Scope::Shared, ["a1b2c3d4e5f6"; 3]),
        (Scope::User, ["user-telegram-42-7", "user-telegram-42-8", "user-telegram-42-7"]),
        (Scope::Chat, ["chat-telegram-42-7", "chat-telegram-42-8", "chat-telegram-42--5"]),
    ] {
        let desk = Desk::new(&["7", "8"]).await;
        let chats = desk.again(&["7", "8"], |parts| parts.scope = scope);
        for (user, chat) in [("7", "7"), ("8", "8"), ("7", "-5")] {
            chats.receive(&desk.message(user, chat, "work")).await.unwrap();
        }
        let sessions =
            locked(&desk.sessions.submitted).iter().map(|s| s.session.to_string()).collect::<Vec<_>>();
        assert_eq!(sessions, expected, "{scope:?}");
    }
}

#[tokio::test]
async fn a_chat_with_another_key_keeps_the_session_of_its_own() {
    let desk = Desk::new(&["7"]).await;
    let chats = desk.again(&["7"], |parts| parts.scope = Scope::Chat);
    let (from, to) = ("-5".parse().unwrap(), "-100".parse().unwrap());
    chats.moved(&Moved { channel: "telegram".into(), bot: "42".into(), from, to }).await.unwrap();
    chats.receive(&desk.message("7", "-100", "work")).await.unwrap();
    let session = locked(&desk.sessions.submitted)[0].session.to_string();
    assert_eq!(session, "chat-telegram-42--5");
}

#[tokio::test]
async fn a_list_of_one_names_the_operator() {
    let desk = Desk::new(&["7"]).await;
    desk.receive(&desk.message("7", "7", "/whoami")).await;
    assert_eq!(desk.read("7").await.unwrap(), "Name: P7\nId: 7\nRole: operator\nChat: 7");
}

#[tokio::test]
async fn what_cannot_be_read_is_told_politely() {
    let desk = Desk::with_operator().await;
    let nothing = "There is nothing in that message that I can work on. Please write to me what you need.";
    assert_eq!(desk.says("7", " \n").await, nothing);
    let dice = Receive { unsupported: vec!["dice".into()], ..desk.message("7", "7", "") };
    let unread = "Some of what you sent I cannot read. Please write to me what you need.";
    assert_eq!(
        (desk.receive(&dice).await, desk.read("7").await.as_deref()),
        (Disposition::Answered, Some(unread))
    );
    let captioned = Receive { unsupported: vec!["dice".into()], ..desk.message("7", "7", "look") };
    assert_eq!(desk.receive(&captioned).await, Disposition::Submitted);
    let note = "Some of what you sent I cannot read. I work on the rest.";
    assert_eq!(desk.read("7").await.as_deref(), Some(note));
    let long = desk.says("7", &"x".repeat(LONGEST_TEXT + 1)).await;
    assert!(long.starts_with("That message is too long for me: at most 64 KiB"), "{long}");
    assert_eq!(desk.says("7", &"x".repeat(LONGEST_TEXT)).await, "Submitted");
    assert_eq!(desk.says("7", "/stop@other_bot").await, "Ignored");
    assert_eq!(desk.submitted().len(), 2);
}

#[tokio::test]
async fn files_go_along_and_those_that_are_too_large_are_told() {
    let desk = Desk::with_operator().await;
    let photo = Receive { attachments: vec![a_picture()], ..desk.message("7", "7", "") };
    assert_eq!((desk.receive(&photo).await, desk.read("7").await), (Disposition::Submitted, None));
    let large = Attachment { size: Some((1 << 20) + 1), ..a_picture() };
    let alone = Receive { attachments: vec![large.clone()], ..desk.message("7", "7", "") };
    let told = "A file is too large for me: at most 1 MB, please. Please write to me what you need.";
    assert_eq!(
        (desk.receive(&alone).await, desk.read("7").await.as_deref()),
        (Disposition::Answered, Some(told))
    );
    let both = Receive { attachments: vec![large, a_picture()], ..desk.message("7", "7", "look") };
    let told = "A file is too large for me: at most 1 MB, please. I work on the rest.";
    assert_eq!(
        (desk.receive(&both).await, desk.read("7").await.as_deref()),
        (Disposition::Submitted, Some(told))
    );
    let files: Vec<_> = desk.whole().into_iter().map(|one| one.attachments).collect();
    assert_eq!(files, [[a_picture()], [a_picture()]]);
}

#[tokio::test]
async fn nothing_of_a_strangers_album_is_kept() {
    let desk = Desk::with_operator().await;
    for chat in ["1", "-5"] {
        let part = |text: &str| Receive { album: Some("a".into()), ..desk.message("1", chat, text) };
        let told = [desk.receive(&part("a secret")).await, desk.receive(&part("another")).await];
        let first = if chat == "1" { Disposition::Answered } else { Disposition::Ignored };
        assert_eq!(told, [first, Disposition::Ignored]);
    }
    assert_eq!(desk.ledger.albums().await.unwrap(), []);
}

#[tokio::test]
async fn what_somebody_says_after_an_album_comes_after_it() {
    let desk = Desk::new(&["7", "8"]).await;
    let part = |user: &str, album: &str, text: &str| Receive {
        attachments: vec![a_picture()],
        album: Some(album.into()),
        ..desk.message(user, user, text)
    };
    for message in [part("7", "a", "look"), part("8", "b", "another's"), part("7", "a", "")] {
        assert_eq!(desk.receive(&message).await, Disposition::Submitted);
    }
    assert_eq!(desk.says("7", "what is it?").await, "Submitted");
    let said: Vec<_> = desk.whole().into_iter().map(|one| (one.text, one.attachments.len())).collect();
    assert_eq!(said, [("look".to_owned(), 2), ("what is it?".to_owned(), 0)]);
    assert_eq!(desk.ledger.albums().await.unwrap().len(), 1, "another's may grow");
}

#[tokio::test]
async fn an_album_is_one_submission_whenever_it_is_passed_on() {
    let desk = Desk::with_operator().await;
    let part = |text: &str| Receive {
        attachments: vec![a_picture()],
        album: Some("a".into()),
        ..desk.message("7", "7", text)
    };
    let parts = [part("look"), part("")];
    for part in &parts {
        assert_eq!(desk.receive(part).await, Disposition::Submitted);
        assert_eq!(desk.receive(part).await, Disposition::Submitted, "the same part again");
    }
    assert!(desk.submitted().is_empty(), "it is not whole yet");
    // As after a restart: what is kept is found again.
    let stop = CancellationToken::new();
    let gathering = tokio::spawn({
        let (chats, stop) = (desk.chats.clone(), stop.clone());
        async move { chats.gather_albums(stop).await }
    });
    let found = tokio::time::timeout(std::time::Duration::from_secs(20), async {
        while desk.submitted().is_empty() || !desk.ledger.albums().await.unwrap().is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    });
    found.await.expect("the album is passed on");
    stop.cancel();
    gathering.await.unwrap();
    let [submission] = &desk.whole()[..] else { panic!("one submission: {:?}", desk.submitted()) };
    assert_eq!((submission.text.as_str(), submission.attachments.len()), ("look", 2));
    for part in &parts {
        assert_eq!(desk.receive(part).await, Disposition::Repeated);
    }
}

#[tokio::test]
async fn what_others_say_in_a_group_is_told_once_with_the_next_message_to_us() {
    let desk = Desk::with_operator().await;
    let overheard = |text: &str| Receive {
        manner: Manner::Overheard,
        chat_kind: ChatKind::Group,
        ..desk.message("8", "-5", text)
    };
    for text in ["one", "two", "three"] {
        assert_eq!(desk.receive(&overheard(text)).await, Disposition::Ignored);
    }
    for text in ["where?", "and when?"] {
        let message = Receive { chat_kind: ChatKind::Group, ..desk.message("7", "-5", text) };
        assert_eq!(desk.receive(&message).await, Disposition::Submitted);
    }
    let texts: Vec<_> = desk.submitted().into_iter().map(|(text, _)| text).collect();
    assert_eq!(texts, ["[said in the group before]\n> P8: two\n> P8: three\n\nP7: where?", "P7: and when?"]);
}

#[tokio::test]
async fn people_are_answered_in_their_language() {
    let desk = Desk::new(&["7"]).await;
    let chinese = |text: &str| {
        let message = desk.message("7", "7", text);
        Receive { user: User { language: Some("zh-hans".into()), ..message.user.clone() }, ..message }
    };
    desk.receive(&chinese("/stop")).await;
    assert_eq!(desk.read("7").await.unwrap(), "我正在停止当前的工作。");
    let known = desk.ledger.person("telegram", "42", "7").await.unwrap().unwrap();
    assert_eq!((known.language.as_deref(), known.name.as_str()), (Some("zh-hans"), "P7"));
    let stranger = Receive { user: User { id: "1".into(), ..chinese("").user }, ..chinese("你好") };
    desk.receive(&stranger).await;
    assert!(desk.read("7").await.unwrap().starts_with("你好！我们还不认识"));
}

#[tokio::test]
async fn without_a_session_nothing_is_stored_and_the_same_message_may_come_again() {
    let desk = Desk::with_operator().await;
    *locked(&desk.sessions.broken) = Some("the disk is full".to_owned());
    let message = desk.message("7", "7", "work");
    let error = desk.chats.receive(&message).await.unwrap_err().to_string();
    assert_eq!(error, "there is no session for the message: the disk is full");
    *locked(&desk.sessions.broken) = None;
    assert_eq!(desk.receive(&message).await, Disposition::Submitted);
}

#[tokio::test]
async fn what_is_no_message_is_refused() {
    let desk = Desk::new(&[]).await;
    let nameless = Receive { idempotency_key: " ".into(), ..desk.message("7", "7", "x") };
    let error = desk.chats.receive(&nameless).await.unwrap_err();
    assert_eq!(error.to_string(), "'idempotencyKey' must have 1 to 256 bytes");
}

#[tokio::test]
async fn what_nobody_could_ever_be_answered_is_not_taken() {
    let desk = Desk::with_operator().await;
    let message = desk.message("7", "7", "hello");
    let other_bot = Receive { bot: "43".into(), ..message.clone() };
    let other_channel = Receive { channel: "matrix".into(), ..message.clone() };
    for message in [other_bot, other_channel] {
        let error = desk.chats.receive(&message).await.unwrap_err().to_string();
        assert!(error.contains("no answer would arrive: start it with the TELEGRAM_BOT_TOKEN"), "{error}");
    }
    assert_eq!(desk.receive(&message).await, Disposition::Submitted, "nothing was noted of it");
}
