//! Messages that come while a turn runs, and messages that change.

use super::*;

impl Desk {
    /// Person 7 says something that has to wait; its submission.
    async fn waits(&self, chats: &Chats, chat: &str) -> SubmissionId {
        *locked(&self.sessions.standing) = Some(Standing::Waits);
        let message = self.message("7", chat, "and this");
        assert_eq!(chats.receive(&message).await.unwrap().disposition, Disposition::Submitted);
        // What is told of it comes from a task of its own.
        for _ in 0..200 {
            if self.ledger.oldest_waiting_ms("telegram", "42").await.unwrap().is_some() {
                break;
            }
            if !locked(&self.sessions.hastened).is_empty() && locked(&self.sessions.haste).is_none() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        locked(&self.sessions.submitted).last().unwrap().id.clone()
    }

    fn hastened(&self) -> Vec<(SubmissionId, Haste)> {
        std::mem::take(&mut locked(&self.sessions.hastened))
    }
}

#[tokio::test]
async fn a_message_that_waits_is_told_so_with_a_way_to_hurry_it() {
    for (button, how, hastened, told) in [
        ("↪ Tell it now", Haste::Steer, Hastened::Steered, "↪ I was told at once."),
        (
            "⏹ Interrupt",
            Haste::Interrupt,
            Hastened::Interrupting,
            "⏹ I stop what I am doing, and this comes next.",
        ),
        ("↪ Tell it now", Haste::Steer, Hastened::NotWaiting, "This does not wait any more."),
        (
            "⏹ Interrupt",
            Haste::Interrupt,
            Hastened::NothingRuns,
            "Nothing runs that it waits for; it comes in a moment.",
        ),
    ] {
        let desk = Desk::with_operator().await;
        let id = desk.waits(&desk.chats, "7").await;
        let message = locked(&desk.sessions.submitted)[0].origin.clone();
        let Some((_, Body::Text(note))) = desk.sent("7").await else { panic!("a note") };
        let Origin::Chat { message, .. } = message else { panic!("a chat") };
        assert_eq!((note.plain.as_str(), note.reply_to), ("⏳ This waits until I am done.", Some(message)));
        assert_eq!(desk.hastened(), [], "it waits, as the deployment has it");
        *locked(&desk.sessions.haste) = Some(Ok(hastened));
        let button = note.buttons.iter().flatten().find(|one| one.text == button).unwrap();
        let press = desk.pressing("7", "7", &button.data);
        assert_eq!(desk.chats.press(&press).await.unwrap().notice.as_deref(), Some(told));
        assert_eq!(desk.hastened(), [(id, how)]);
        assert_eq!(desk.edited("7").await, (told.to_owned(), vec![]));
        desk.chats.press(&press).await.unwrap();
        assert_eq!(desk.sent("7").await, None, "one change for one press");
    }
}

#[tokio::test]
async fn where_the_session_does_not_answer_the_press_says_so_and_the_note_stays() {
    let desk = Desk::with_operator().await;
    desk.waits(&desk.chats, "7").await;
    let (_, _, buttons) = desk.asked("7").await;
    *locked(&desk.sessions.haste) = Some(Err("the session ended".to_owned()));
    let pressed = desk.presses("7", "7", &buttons[0].data).await;
    assert!(pressed.alert && pressed.notice.unwrap().contains("the session ended"));
    assert_eq!(desk.sent("7").await, None);
}

#[tokio::test]
async fn a_chat_or_the_deployment_may_want_it_otherwise() {
    for (word, deployment, how) in [
        (None, WhileRunning::Steer, Haste::Steer),
        (Some("steer"), WhileRunning::Queue, Haste::Steer),
        (Some("interrupt"), WhileRunning::Steer, Haste::Interrupt),
    ] {
        let desk = Desk::with_operator().await;
        let chats = desk.again(&[], |parts| parts.while_running = deployment);
        if let Some(word) = word {
            desk.receive(&desk.message("7", "7", "/busy")).await;
            let (_, _, buttons) = desk.asked("7").await;
            let button = buttons.iter().find(|button| button.data == format!("w:{word}")).unwrap();
            assert!(desk.presses("7", "7", &button.data).await.notice.unwrap().starts_with("While I work: "));
        }
        let id = desk.waits(&chats, "7").await;
        assert_eq!(desk.hastened(), [(id, how)]);
        assert_eq!(desk.sent("7").await, None, "there is nothing to say");
    }
    let desk = Desk::with_operator().await;
    let chats = desk.again(&[], |parts| parts.while_running = WhileRunning::Steer);
    *locked(&desk.sessions.haste) = Some(Ok(Hastened::NothingRuns));
    desk.waits(&chats, "7").await;
    let (_, text, buttons) = desk.asked("7").await;
    assert_eq!(text, "⏳ I could not be told at once; this waits until I am done.");
    assert_eq!(buttons.len(), 2);
}

#[tokio::test]
async fn only_who_wrote_it_or_an_operator_hurries_a_message() {
    let desk = Desk::with(&["7", "8"], |parts| parts.operators = ids(&["9"])).await;
    desk.waits(&desk.chats, "-5").await;
    let (_, _, buttons) = desk.asked("-5").await;
    for (user, chat, may) in [("8", "-5", false), ("1", "-5", false), ("7", "7", false), ("9", "-5", true)] {
        desk.presses(user, chat, &buttons[0].data).await;
        assert_eq!(desk.hastened().len(), usize::from(may), "{user} in {chat}");
    }
}

#[tokio::test]
async fn a_message_that_changes_while_it_waits_is_read_as_it_is_now() {
    let desk = Desk::with_operator().await;
    let message = desk.message("7", "7", "buy mlk");
    desk.receive(&message).await;
    let id = locked(&desk.sessions.submitted)[0].id.clone();
    let edit = |text: &str, key: &str| Receive {
        manner: Manner::Edited,
        text: text.into(),
        idempotency_key: key.into(),
        ..message.clone()
    };
    assert_eq!(desk.receive(&edit("buy milk", "e1")).await, Disposition::Answered);
    assert_eq!(desk.receive(&edit("buy milk", "e1")).await, Disposition::Repeated);
    assert_eq!(desk.receive(&edit("buy milk", "e2")).await, Disposition::Ignored, "nothing is new");
    assert_eq!(*locked(&desk.sessions.amended), [(id.clone(), "buy milk".to_owned())]);
    let open = desk.ledger.open_submissions(&session()).await.unwrap();
    assert_eq!((open.len(), open[0].submission.text.as_str()), (1, "buy milk"));
    assert_eq!(desk.sent("7").await, None);

    let thread: ThreadId = "t".parse().unwrap();
    desk.ledger.mark_starting(std::slice::from_ref(&id), &thread, "b", 1, 1, 1).await.unwrap();
    for (text, key) in [("buy bread", "e3"), ("buy wine", "e4")] {
        assert_eq!(desk.receive(&edit(text, key)).await, Disposition::Answered);
    }
    let Some((_, Body::Text(told))) = desk.sent("7").await else { panic!("a text") };
    assert!(told.plain.starts_with("I am working on the earlier wording already."), "{}", told.plain);
    assert_eq!(told.reply_to.as_deref(), Some(message.message_id.as_str()));
    assert_eq!(desk.sent("7").await, None, "it is said once");
    assert_eq!(desk.ledger.open_submissions(&session()).await.unwrap()[0].submission.text, "buy milk");
    assert_eq!(desk.submitted().len(), 1);

    // What was no work before, or is somebody else's, stays so.
    let other = Receive { message_id: "99".into(), ..edit("/new", "e5") };
    assert_eq!(desk.receive(&other).await, Disposition::Ignored);
}
