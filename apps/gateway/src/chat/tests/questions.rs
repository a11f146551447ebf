//! Questions of agents: how they are put, who may answer, and what the agent is told.

use argus_session::{ChatQuestion, QuestionEnd};

use super::*;

/// What person 7 is asked in their chat, in the words of the agent's request.
pub(super) fn question(key: &str, method: &str, params: &Value) -> ChatQuestion {
    in_chat("7", key, method, params)
}

pub(super) fn in_chat(chat: &str, key: &str, method: &str, params: &Value) -> ChatQuestion {
    let chat = ChatRef { channel: "telegram".into(), bot: "42".into(), chat: chat.parse().unwrap() };
    ChatQuestion {
        key: key.into(),
        origin: Origin::Chat { chat, user: "7".into(), message: "1".into() },
        method: method.into(),
        params: params.to_string(),
        item: None,
        expires_ms: 20 * DAY,
    }
}

pub(super) fn command() -> Value {
    json!({ "threadId": "t", "turnId": "u", "itemId": "i", "command": "git push", "cwd": "/work",
        "reason": "to share *it*", "proposedExecpolicyAmendment": ["git", "push"],
        "proposedNetworkPolicyAmendments": [{ "host": "a.example", "action": "allow" }] })
}

pub(super) const COMMAND: &str = "item/commandExecution/requestApproval";
pub(super) const FILES: &str = "item/fileChange/requestApproval";
pub(super) const PERMISSIONS: &str = "item/permissions/requestApproval";
pub(super) const INPUT: &str = "item/tool/requestUserInput";
pub(super) const ELICIT: &str = "mcpServer/elicitation/request";

impl Desk {
    fn asking(&self) -> Asking {
        Asking::new(self.ledger.clone())
    }

    pub(super) async fn asks(&self, question: &ChatQuestion) -> Option<String> {
        self.asking().ask(&session(), question).await.unwrap()
    }

    pub(super) fn told(&self) -> Vec<Value> {
        std::mem::take(&mut *locked(&self.sessions.answered)).into_iter().map(|(_, result)| result).collect()
    }

    /// Asks, presses the button with this text, and answers what the agent was told.
    pub(super) async fn decided(&self, question: &ChatQuestion, button: &str) -> (Value, String) {
        assert_eq!(self.asks(question).await, None);
        let (_, _, buttons) = self.asked("7").await;
        let labels: Vec<_> = buttons.iter().map(|button| button.text.clone()).collect();
        let button = buttons.iter().find(|one| one.text == button).unwrap_or_else(|| panic!("{labels:?}"));
        assert!(button.data.len() <= 64, "{}", button.data);
        let pressed = self.presses("7", "7", &button.data).await;
        let (text, left) = self.edited("7").await;
        assert_eq!((left, pressed.alert), (Vec::new(), false));
        let told = self.told();
        assert_eq!(told.len(), 1, "{told:?}");
        let last = text.lines().last().unwrap_or_default().to_owned();
        assert_eq!(pressed.notice.as_ref(), Some(&last));
        (told[0].clone(), last)
    }
}

#[tokio::test]
async fn a_question_shows_what_it_is_about() {
    let desk = Desk::with_operator().await;
    desk.asks(&question("1", COMMAND, &command())).await;
    let (_, text, buttons) = desk.asked("7").await;
    assert_eq!(
        text,
        "May I run this command?\n\ngit push\n\nWhy: to share *it*\n\nIn: /work\n\n\
         “Always” allows every command that begins with git push."
    );
    assert_eq!(buttons.len(), 6);

    let change = json!({ "type": "fileChange", "changes": [
        { "path": "/w/a.txt", "kind": { "type": "update" }, "diff": "-a\n+b" },
        { "path": "/w/c.txt", "kind": { "type": "add" }, "diff": "c" }] });
    let files = ChatQuestion { item: Some(change.to_string()), ..question("2", FILES, &json!({})) };
    desk.asks(&files).await;
    let (_, text, _) = desk.asked("7").await;
    for part in ["change /w/a.txt", "new /w/c.txt", "-a\n+b"] {
        assert!(text.contains(part), "{text}");
    }

    desk.asks(&question("unseen", FILES, &json!({}))).await;
    assert!(
        desk.asked("7").await.1.contains("⚠️ I cannot show you which"),
        "nobody allows it unseen by mistake"
    );

    let wanted = json!({ "cwd": "/w", "permissions": { "network": { "enabled": true }, "fileSystem": { "entries": [
        { "access": "write", "path": { "type": "path", "path": "/etc" } },
        { "access": "read", "path": { "type": "special", "value": { "kind": "root" } } }] } } });
    desk.asks(&question("3", PERMISSIONS, &wanted)).await;
    let (_, text, _) = desk.asked("7").await;
    for part in ["network", "write /etc", "read root", "In: /w"] {
        assert!(text.contains(part), "{text}");
    }
}

#[tokio::test]
async fn whatever_a_press_would_allow_is_in_the_message_or_in_the_file_above() {
    let desk = Desk::with_operator().await;
    let entry = |number: usize| json!({ "access": "write", "path": { "type": "path", "path": format!("/w{number}") } });
    let entries: Vec<_> = (0..25).map(entry).collect();
    let params = json!({ "command": "ls", "cwd": format!("/{}/deep", "d".repeat(400)),
        "additionalPermissions": { "fileSystem": { "entries": entries } },
        "proposedExecpolicyAmendment": [format!("git{}", "a".repeat(400)), "end"] });
    desk.asks(&question("1", COMMAND, &params)).await;
    let Some((_, Body::Document(file))) = desk.sent("7").await else { panic!("a file first") };
    for part in ["ls\n", "write /w24", "aaa end`", "ddd/deep"] {
        assert!(file.text.contains(part), "{}", file.text);
    }
    let (_, text, _) = desk.asked("7").await;
    assert!(text.contains("all of it is in the file above"), "{text}");

    let far = "𝄞".repeat(290);
    let changes: Vec<_> =
        (0..20).map(|n| json!({ "path": format!("/{n}{far}"), "kind": "update", "diff": "x" })).collect();
    let item = json!({ "changes": changes }).to_string();
    let files =
        ChatQuestion { item: Some(item), ..question("2", FILES, &json!({ "grantRoot": "/everything" })) };
    desk.asks(&files).await;
    let Some((_, Body::Document(file))) = desk.sent("7").await else { panic!("a file first") };
    assert!(file.text.contains("For everything below: `/everything`"));
    let (_, text, buttons) = desk.asked("7").await;
    assert!(text.contains("/everything") && argus_chat_markup::utf16_len(&text) <= 4096, "{text}");
    desk.presses("7", "7", &buttons[0].data).await;
    assert!(desk.edited("7").await.0.ends_with("✅ Allowed once by P7"));
}

#[tokio::test]
async fn always_allows_what_the_agent_offers_and_that_is_told() {
    let desk = Desk::with_operator().await;
    let offer = |words: Value| json!({ "acceptWithExecpolicyAmendment": { "execpolicy_amendment": words } });
    let asked = |words: Value| {
        json!({ "command": "git status", "proposedExecpolicyAmendment": ["git", "status"],
            "availableDecisions": ["accept", offer(words)] })
    };
    desk.asks(&question("1", COMMAND, &asked(json!(["rm"])))).await;
    let (_, text, buttons) = desk.asked("7").await;
    assert!(text.ends_with("“Always” allows every command that begins with rm."), "{text}");
    desk.presses("7", "7", &buttons[1].data).await;
    assert_eq!(desk.told(), [json!({ "decision": offer(json!(["rm"])) })]);
    desk.edited("7").await;
    for (key, strange) in [("2", json!([])), ("3", json!([7])), ("4", json!("rm"))] {
        desk.asks(&question(key, COMMAND, &asked(strange))).await;
        let (_, text, buttons) = desk.asked("7").await;
        assert!(!text.contains("Always") && buttons.len() == 3, "{text} {buttons:?}");
    }
    let many: Vec<_> =
        (0..300).map(|n| json!({ "host": format!("h{n}.example"), "action": "allow" })).collect();
    let params = json!({ "command": "ls", "proposedNetworkPolicyAmendments": many });
    desk.asks(&question("5", COMMAND, &params)).await;
    let (_, _, buttons) = desk.asked("7").await;
    let last: Vec<_> = buttons.iter().rev().take(2).map(|button| button.text.as_str()).collect();
    assert_eq!((buttons.len(), last), (22, vec!["⏹ Deny and stop", "❌ Deny"]));
}

#[tokio::test]
async fn nothing_that_is_shown_of_a_question_is_invisible_or_out_of_its_order() {
    let desk = Desk::with_operator().await;
    let hidden = ['\u{7}', '\u{ad}', '\u{61c}', '\u{200b}', '\u{202e}', '\u{2066}', '\u{3164}', '\u{e0041}'];
    let text: String = hidden.iter().collect();
    let seen = |shown: &str| !hidden.iter().any(|c| shown.contains(*c)) && shown.contains("\\u{202e}");
    let long = format!("{text}{}", "x".repeat(5000));
    desk.asks(&question("1", COMMAND, &json!({ "command": long, "reason": text }))).await;
    let Some((_, Body::Document(file))) = desk.sent("7").await else { panic!("a file first") };
    let (_, shown, _) = desk.asked("7").await;
    assert!(seen(&file.text) && seen(&shown), "{shown}");
    let link = json!({ "serverName": text, "mode": "url", "message": text, "url": "https://a.example" });
    let schema =
        json!({ "type": "object", "properties": { "a": { "type": "string", "description": text } } });
    let form = json!({ "serverName": "s", "mode": "form", "message": "m", "requestedSchema": schema });
    for (key, params) in [("2", link), ("3", form)] {
        desk.asks(&question(key, ELICIT, &params)).await;
        let (_, shown, _) = desk.asked("7").await;
        assert!(seen(&shown), "{shown:?}");
    }
    let press = desk.pressing("7", "7", "q:none:no");
    let named =
        Spoken::of_press(&Press { user: User { name: format!("A{text}nn"), ..press.user.clone() }, ..press });
    assert_eq!(named.name(), "Ann");
}

#[tokio::test]
async fn a_huge_command_is_cut_visibly_and_sent_whole_as_a_file() {
    let desk = Desk::with_operator().await;
    let long = format!("begin ``` \u{202e}{}& end", "<&>😀".repeat(20_000));
    desk.asks(&question("1", COMMAND, &json!({ "command": long }))).await;
    let Some((_, Body::Document(file))) = desk.sent("7").await else { panic!("a file first") };
    let visible = long.replace('\u{202e}', "\\u{202e}");
    assert_eq!((file.name.as_str(), file.text.as_str()), ("command.txt", visible.as_str()));
    let (_, text, buttons) = desk.asked("7").await;
    assert!(argus_chat_markup::utf16_len(&text) <= 4096);
    for part in
        ["begin ``` \\u{202e}<&>", "bytes are not shown here", "& end", "all of it is in the file above"]
    {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert_eq!(buttons.len(), 4);
}

#[tokio::test]
async fn permissions_too_many_to_be_shown_are_sent_whole_as_a_file() {
    let desk = Desk::with_operator().await;
    let paths: Vec<_> = (0..60).map(|n| format!("/{n}/{}", "&".repeat(500))).collect();
    let wanted = json!({ "permissions": { "fileSystem": { "write": paths } } });
    desk.asks(&question("1", PERMISSIONS, &wanted)).await;
    let Some((_, Body::Document(file))) = desk.sent("7").await else { panic!("a file first") };
    assert_eq!((file.name.as_str(), file.text.lines().count()), ("permissions.txt", 60));
    let (_, text, buttons) = desk.asked("7").await;
    assert!(argus_chat_markup::utf16_len(&text) <= 4096);
    assert!(text.ends_with("all of it is in the file above."), "{text}");
    assert_eq!(buttons.len(), 4);
}

#[tokio::test]
async fn only_who_asked_or_an_operator_may_answer() {
    let desk = Desk::with(&["7", "8"], |parts| parts.operators = ids(&["9"])).await;
    for (number, (user, may)) in
        [("1", false), ("8", false), ("7", true), ("9", true)].into_iter().enumerate()
    {
        desk.asks(&in_chat("-5", &number.to_string(), COMMAND, &command())).await;
        let (_, _, buttons) = desk.asked("-5").await;
        let pressed = desk.presses(user, "-5", &buttons[0].data).await;
        assert_eq!((pressed.alert, desk.told().len()), (!may, usize::from(may)), "{user}: {pressed:?}");
        if may {
            let (text, _) = desk.edited("-5").await;
            assert!(text.ends_with(&format!("✅ Allowed once by P{user}")), "{text}");
        }
    }
    // In another chat the same button is none.
    desk.asks(&in_chat("-5", "other", COMMAND, &command())).await;
    let (_, _, buttons) = desk.asked("-5").await;
    let pressed = desk.presses("7", "7", &buttons[0].data).await;
    assert_eq!(pressed.notice.as_deref(), Some("This button does nothing any more."));
    assert_eq!(desk.told(), [] as [Value; 0]);
}

#[tokio::test]
async fn the_first_press_counts_and_later_ones_are_told_what_came_of_it() {
    let desk = Desk::with_operator().await;
    desk.asks(&question("1", COMMAND, &command())).await;
    let (_, _, buttons) = desk.asked("7").await;
    let press = desk.pressing("7", "7", &buttons[0].data);
    for _ in 0..2 {
        let pressed = desk.chats.press(&press).await.unwrap();
        assert_eq!(pressed.notice.as_deref(), Some("✅ Allowed once by P7"));
    }
    let denied = buttons.iter().find(|button| button.text == "❌ Deny").unwrap();
    let late = desk.presses("7", "7", &denied.data).await;
    assert_eq!(late.notice.as_deref(), Some("✅ Allowed once by P7"));
    assert_eq!(desk.told(), [json!({ "decision": "accept" })]);
    assert_eq!(desk.edited("7").await.1, []);
    assert_eq!(desk.sent("7").await, None, "one change for one answer");
}

#[tokio::test]
async fn a_question_is_put_once_and_its_answer_outlives_a_restart() {
    let desk = Desk::with_operator().await;
    let asked = question("1", COMMAND, &command());
    desk.asks(&asked).await;
    let (_, _, buttons) = desk.asked("7").await;
    assert_eq!(desk.asks(&asked).await, None);
    assert_eq!(desk.sent("7").await, None, "nobody is asked again");
    desk.presses("7", "7", &buttons[0].data).await;
    desk.edited("7").await;
    assert_eq!(desk.asks(&asked).await.as_deref(), Some(r#"{"decision":"accept"}"#));
    desk.asking().over(&session(), "1", QuestionEnd::Answered).await.unwrap();
    assert_eq!(desk.sent("7").await, None, "what came of it stands there");
    let kept = desk.ledger.write(|tx| Box::pin(async move { tx.question_of(&session(), "1").await }));
    let kept = kept.await.unwrap().unwrap();
    let told = (kept.asked.params.as_str(), kept.asked.item, kept.draft, kept.answer);
    assert_eq!(told, ("", None, None, None), "nobody asks for that any more");
    assert_eq!(kept.outcome.as_deref(), Some("✅ Allowed once by P7"));
}

#[tokio::test]
async fn a_question_that_needs_no_answer_says_why() {
    let desk = Desk::with_operator().await;
    for (key, end, told) in [
        ("1", QuestionEnd::Expired, "⌛ Nobody answered in time; it was declined."),
        ("2", QuestionEnd::Withdrawn, "No longer needed."),
        ("3", QuestionEnd::Answered, "Answered elsewhere."),
    ] {
        desk.asks(&question(key, COMMAND, &command())).await;
        let (_, _, buttons) = desk.asked("7").await;
        for _ in 0..2 {
            desk.asking().over(&session(), key, end).await.unwrap();
        }
        let (text, left) = desk.edited("7").await;
        assert!(text.ends_with(told) && left.is_empty(), "{text}");
        let late = desk.presses("7", "7", &buttons[0].data).await;
        assert_eq!(late.notice.as_deref(), Some(told));
        assert_eq!((desk.told(), desk.sent("7").await), (Vec::new(), None));
    }
    desk.asking().over(&session(), "no such", QuestionEnd::Expired).await.unwrap();
}

#[tokio::test]
async fn an_answer_that_came_too_late_does_not_stand_there_as_if_it_counted() {
    let desk = Desk::with_operator().await;
    desk.asks(&question("1", COMMAND, &command())).await;
    let (_, _, buttons) = desk.asked("7").await;
    desk.presses("7", "7", &buttons[0].data).await;
    assert!(desk.edited("7").await.0.ends_with("✅ Allowed once by P7"));
    let told = "⌛ Nobody answered in time; it was declined.";
    for _ in 0..2 {
        desk.asking().over(&session(), "1", QuestionEnd::Expired).await.unwrap();
    }
    assert!(desk.edited("7").await.0.ends_with(told));
    assert_eq!(desk.sent("7").await, None, "it is said once");
    assert_eq!(desk.presses("7", "7", &buttons[0].data).await.notice.as_deref(), Some(told));
}

#[tokio::test]
async fn what_a_chat_cannot_be_asked_is_declined_and_said() {
    let desk = Desk::with_operator().await;
    for (key, method, params, answer) in [
        ("1", "attestation/generate", json!({}), None),
        ("2", ELICIT, json!({ "mode": "openai/userVerification" }), Some(r#"{"action":"decline"}"#)),
        ("3", INPUT, json!({ "questions": [] }), Some(r#"{"answers":{}}"#)),
        ("4", PERMISSIONS, json!({ "permissions": 7 }), Some(r#"{"permissions":{},"scope":"turn"}"#)),
        ("5", COMMAND, json!({}), Some(r#"{"decision":"decline"}"#)),
    ] {
        assert_eq!(desk.asks(&question(key, method, &params)).await.as_deref(), answer, "{method}");
        let text = desk.read("7").await.unwrap();
        assert!(
            text.contains("asked for something that a chat cannot answer") && text.contains(method),
            "{text}"
        );
    }
    let nobody = ChatQuestion { origin: Origin::Client { chat: None }, ..question("6", COMMAND, &command()) };
    assert_eq!((desk.asks(&nobody).await, desk.sent("7").await), (None, None));
}

#[tokio::test]
async fn questions_are_put_in_the_language_of_who_asked() {
    let desk = Desk::with_operator().await;
    let message = desk.message("7", "7", "/whoami");
    let user = User { language: Some("zh-hans".into()), ..message.user.clone() };
    desk.receive(&Receive { user, ..message }).await;
    desk.read("7").await;
    desk.asks(&question("1", COMMAND, &command())).await;
    let (_, text, buttons) = desk.asked("7").await;
    assert!(text.starts_with("我可以运行此命令吗？"), "{text}");
    assert_eq!(buttons[0].text, "✅ 允许一次");
    desk.presses("7", "7", &buttons[0].data).await;
    assert!(desk.edited("7").await.0.ends_with("✅ P7 允许了一次"));
}

#[tokio::test]
async fn what_is_no_button_of_ours_does_nothing() {
    let desk = Desk::with_operator().await;
    desk.asks(&question("1", COMMAND, &command())).await;
    let (_, _, buttons) = desk.asked("7").await;
    let id = buttons[0].data.split(':').nth(1).unwrap().to_owned();
    assert!(id.len() >= 16);
    for data in ["", "x", "q:AAAAAAAAAAAAAAAA:accept", &format!("q:{id}:approve"), &format!("q:{id}:0.0")] {
        let pressed = desk.presses("7", "7", data).await;
        assert_eq!(pressed.notice.as_deref(), Some("This button does nothing any more."), "{data}");
    }
    let stranger = desk.presses("1", "7", &buttons[0].data).await;
    assert!(stranger.alert && desk.told().is_empty(), "{stranger:?}");
}

#[tokio::test]
async fn a_question_is_put_again_where_its_group_went_and_can_be_answered_there() {
    let desk = Desk::with_operator().await;
    assert_eq!(desk.asks(&in_chat("-5", "1", COMMAND, &command())).await, None);
    let (_, text, _) = desk.asked("-5").await;
    assert_eq!(desk.asks(&in_chat("-5", "2", COMMAND, &command())).await, None);
    let (_, _, over) = desk.asked("-5").await;
    desk.presses("7", "-5", &over[0].data).await;
    desk.edited("-5").await;
    let group = ChatRef { channel: "telegram".into(), bot: "42".into(), chat: "-5".parse().unwrap() };
    for _ in 0..2 {
        desk.ledger.move_chat(&group, &"-1005".parse().unwrap()).await.unwrap();
    }
    let (_, again, buttons) = desk.asked("-1005").await;
    assert_eq!((again, desk.sent("-1005").await), (text, None), "what is over stays");
    desk.presses("7", "-1005", &buttons[0].data).await;
    assert_eq!(desk.told().len(), 2);
    assert!(desk.edited("-1005").await.0.contains("Allowed once"));
}
