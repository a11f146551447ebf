//! Who may talk to us, and who decides on that.

use argus_protocol::argus::pairing::{Approve, Who};

use super::*;

fn who(id: &str) -> Who {
    Who { id: id.into(), bot: None }
}

impl Desk {
    async fn approve(&self, id: &str, operator: bool) -> Result<(), String> {
        let wish = Approve { who: who(id), operator };
        self.chats.approve(&wish).await.map_err(|error| error.to_string())
    }

    async fn revoke(&self, id: &str) -> Result<(), String> {
        self.chats.revoke(&who(id)).await.map_err(|error| error.to_string())
    }

    /// Everybody known, as `id role via`.
    async fn known(&self) -> Vec<String> {
        let people = self.chats.people().await.unwrap();
        people.known.iter().map(|one| format!("{} {} {}", one.id, one.role, one.via)).collect()
    }

    async fn waiting(&self) -> Vec<String> {
        let people = self.chats.people().await.unwrap();
        people.waiting.into_iter().map(|one| one.id).collect()
    }
}

#[tokio::test]
async fn who_wrote_is_let_in_and_told_in_their_language() {
    let desk = Desk::with_operator().await;
    let message = desk.message("1", "1", "hello");
    let user = User { language: Some("zh".into()), ..message.user.clone() };
    desk.receive(&Receive { user, ..message }).await;
    desk.read("1").await;
    assert_eq!(
        (desk.known().await, desk.waiting().await),
        (vec!["7 operator code".into()], vec!["1".into()])
    );
    assert!(desk.approve("2", false).await.unwrap_err().contains("has written to this bot"));
    desk.approve("1", false).await.unwrap();
    assert_eq!(desk.read("1").await.unwrap(), "你已获准加入。直接告诉我你需要什么。");
    assert_eq!(desk.known().await, ["1 user approved", "7 operator code"]);
    assert_eq!(desk.waiting().await, [] as [String; 0]);
    assert_eq!(desk.says("1", "work").await, "Submitted");
    desk.approve("1", false).await.unwrap();
    assert_eq!(desk.sent("1").await, None, "it is no news");
    desk.approve("1", true).await.unwrap();
    assert_eq!(desk.read("1").await.unwrap(), "You are let in, as an operator. Write to me what you need.");
    assert_eq!(desk.says("1", "/sessions").await, "Sessions: 1");
}

#[tokio::test]
async fn who_is_revoked_is_a_stranger_and_the_last_operator_stays() {
    let desk = Desk::with_operator().await;
    assert!(desk.revoke("7").await.unwrap_err().contains("`7` is the last operator"));
    assert!(desk.revoke("1").await.unwrap_err().contains("nobody with the id `1` is known"));
    desk.says("1", "hello").await;
    desk.approve("1", true).await.unwrap();
    desk.read("1").await;
    desk.revoke("7").await.unwrap();
    assert!(desk.says("7", "work").await.starts_with("Hello! We have not met yet"));
    let home = desk.ledger.home_chat().await.unwrap().map(|chat| chat.chat.to_string());
    assert_eq!(home.as_deref(), Some("1"), "nothing of ours goes to them");
    assert!(desk.revoke("1").await.is_err(), "that is the last one now");
    assert_eq!(desk.submitted(), []);
}

#[tokio::test]
async fn home_is_where_an_operator_is_whoever_wrote_first() {
    let desk = Desk::with(&["8"], |parts| parts.operators = ids(&["7"])).await;
    let home = async || desk.ledger.home_chat().await.unwrap().map(|chat| chat.chat.to_string());
    desk.says("8", "hello").await;
    assert_eq!(home().await.as_deref(), Some("8"));
    desk.says("7", "hello").await;
    assert_eq!(home().await.as_deref(), Some("7"));
    desk.says("8", "hello again").await;
    assert_eq!(home().await.as_deref(), Some("7"));
}

#[tokio::test]
async fn who_is_revoked_while_they_are_heard_is_not_let_in_again_by_that() {
    let desk = Desk::with_operator().await;
    desk.says("1", "hello").await;
    desk.approve("1", false).await.unwrap();
    desk.read("1").await;
    // Known when the message is taken up, and not any more when it is noted.
    let message = desk.message("1", "1", "/model");
    let person = desk.chats.0.person(&Spoken::of(&message)).await.unwrap().unwrap();
    desk.revoke("1").await.unwrap();
    desk.chats.0.hear(&message, person).await.unwrap();
    assert_eq!(desk.known().await, ["7 operator code"]);
    desk.sent("1").await;
    assert!(desk.says("1", "work").await.starts_with("Hello! We have not met yet"));
}

#[tokio::test]
async fn sessions_speak_of_themselves_no_more_with_who_is_revoked() {
    let desk = Desk::with_operator().await;
    desk.says("1", "hello").await;
    desk.approve("1", false).await.unwrap();
    for (number, key) in ["7", "-5:2", "1:3", "1"].into_iter().enumerate() {
        let Target::Chat { chat, .. } = target(key, 0) else { panic!("a chat") };
        desk.later(1);
        desk.ledger.bind_chat(&session(), &chat, 0, &format!("t{number}").parse().unwrap()).await.unwrap();
    }
    let chats = async || {
        let chats = desk.ledger.chats_of(&session(), 10).await.unwrap();
        chats.into_iter().map(|chat| chat.chat.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(chats().await, ["1", "1:3", "-5:2", "7"]);
    desk.revoke("1").await.unwrap();
    assert_eq!(chats().await, ["-5:2", "7"]);
}

#[tokio::test]
async fn whom_a_setting_names_is_revoked_there() {
    let desk = Desk::with(&["8"], |parts| {
        parts.operators = ids(&["7"]);
        parts.open_chats = ids(&["-9"]);
    })
    .await;
    for (id, setting) in [
        ("7", "TELEGRAM_OPERATOR_USER_IDS"),
        ("8", "TELEGRAM_ALLOWED_USER_IDS"),
        ("-9", "TELEGRAM_ALLOWED_CHAT_IDS"),
    ] {
        let error = desk.revoke(id).await.unwrap_err();
        assert!(error.contains(setting), "{error}");
    }
    assert_eq!(desk.known().await, ["7 operator list", "8 user list"]);
    let chats = desk.chats.people().await.unwrap().chats;
    assert_eq!(chats.iter().map(|chat| chat.id.as_str()).collect::<Vec<_>>(), ["-9"]);
}

#[tokio::test]
async fn with_named_operators_a_code_makes_no_other_one() {
    let desk = Desk::with(&["8"], |parts| parts.operators = ids(&["7"])).await;
    let code = desk.code().await;
    assert_eq!(desk.says("1", &code).await, "We are paired. Write to me what you need.");
    for (user, role) in [("7", "Role: operator"), ("8", "Role: user"), ("1", "Role: user")] {
        desk.receive(&desk.message(user, user, "/whoami")).await;
        assert!(desk.read(user).await.unwrap().contains(role), "{user}");
    }
}

#[tokio::test]
async fn an_operator_opens_a_group_to_everybody_in_it_and_closes_it() {
    let desk = Desk::with_operator().await;
    assert_eq!(desk.receive(&desk.message("1", "-5:3", "hi")).await, Disposition::Ignored);
    for (chat, command, answer) in [
        ("7", "/pair here", "Send that in the group that you mean."),
        (
            "-5:2",
            "/pair",
            "I show a pairing code in a private chat only. /pair here lets everybody in this group talk to me.",
        ),
        (
            "-5:2",
            "/pair maybe",
            "Send /pair for a code, /pair here in a group to open it to its members, /pair off to close it.",
        ),
        ("-5:2", "/pair here", "Everybody in this group may talk to me now. /pair off takes that back."),
    ] {
        desk.receive(&desk.message("7", chat, command)).await;
        assert_eq!(desk.read(chat).await.as_deref(), Some(answer), "{command}");
    }
    assert_eq!(
        desk.receive(&desk.message("1", "-5:3", "hi")).await,
        Disposition::Submitted,
        "in every topic"
    );
    assert_eq!(desk.receive(&desk.message("1", "-5", "/usage")).await, Disposition::Answered);
    assert_eq!(desk.read("-5").await.unwrap(), "Only an operator may do that.");
    assert_eq!(desk.receive(&desk.message("1", "-6", "hi")).await, Disposition::Ignored, "in no other group");
    assert!(desk.says("1", "and here?").await.starts_with("Hello! We have not met yet"));
    assert_eq!(desk.known().await, ["7 operator code"], "nobody is let in for good");
    desk.receive(&desk.message("7", "-5:2", "/pair off")).await;
    desk.read("-5:2").await;
    assert_eq!(desk.receive(&desk.message("1", "-5:3", "hi")).await, Disposition::Ignored);

    desk.approve("-6", false).await.unwrap();
    assert_eq!(desk.receive(&desk.message("1", "-6", "hi")).await, Disposition::Submitted);
    assert!(desk.approve("-6", true).await.is_err());
    desk.revoke("-6").await.unwrap();
    assert!(desk.revoke("-6").await.unwrap_err().contains("is not open"));
}

#[tokio::test]
async fn an_operator_is_shown_a_code_in_private() {
    let desk = Desk::with_operator().await;
    let told = desk.says("7", "/pair").await;
    let code = desk.code().await;
    assert!(told.contains(&code), "{told}");
    assert_eq!(desk.says("1", &code).await, "We are paired. Write to me what you need.");
}

#[tokio::test]
async fn who_was_operator_by_a_list_of_one_is_no_operator_of_an_open_group() {
    let desk = Desk::new(&["7"]).await;
    desk.receive(&desk.message("7", "7", "/whoami")).await;
    assert!(desk.read("7").await.unwrap().contains("Role: operator"));
    let later = desk.again(&[], |parts| parts.open_chats = ids(&["-5"]));
    let message = desk.message("7", "-5", "/whoami");
    assert_eq!(later.receive(&message).await.unwrap().disposition, Disposition::Answered);
    assert!(desk.read("-5").await.unwrap().contains("Role: user"));
}

#[tokio::test]
async fn who_is_alone_on_the_list_is_no_operator_while_somebody_else_is() {
    let desk = Desk::with_operator().await;
    let later = desk.again(&["8"], |_| {});
    assert_eq!(
        later.receive(&desk.message("8", "8", "/usage")).await.unwrap().disposition,
        Disposition::Answered
    );
    assert_eq!(desk.read("8").await.unwrap(), "Only an operator may do that.");
    let known = desk.again(&["9"], |_| {}).people().await.unwrap().known;
    assert!(known.iter().any(|one| one.id == "9" && one.role == "user"), "nor shown as one");
    let pressed = desk.again(&["9"], |_| {}).press(&desk.pressing("9", "9", "a:never")).await.unwrap();
    assert!(pressed.alert, "nor by a button, before they ever wrote");
}

#[tokio::test]
async fn who_is_named_an_operator_no_more_is_none() {
    let desk = Desk::with(&["7", "8"], |parts| parts.operators = ids(&["7"])).await;
    desk.says("7", "work").await;
    let later = desk.again(&["7", "8"], |parts| parts.operators = ids(&["8"]));
    let message = desk.message("7", "7", "/whoami");
    later.receive(&message).await.unwrap();
    assert!(desk.read("7").await.unwrap().contains("Role: user"));
}

#[tokio::test]
async fn with_several_bots_one_has_to_be_named() {
    let desk = Desk::with(&["7"], |parts| parts.sends_as = ids(&["42", "43"])).await;
    let message = Receive { bot: "43".into(), ..desk.message("1", "1", "hello") };
    assert_eq!(desk.chats.receive(&message).await.unwrap().disposition, Disposition::Answered);
    assert!(desk.approve("1", false).await.unwrap_err().contains("several bots (42, 43)"));
    let named = |bot: &str| Approve { who: Who { id: "1".into(), bot: Some(bot.into()) }, operator: false };
    assert!(desk.chats.approve(&named("44")).await.is_err());
    assert!(desk.chats.approve(&named("42")).await.is_err(), "they wrote to the other one");
    desk.chats.approve(&named("43")).await.unwrap();
    let message = Receive { bot: "43".into(), ..desk.message("1", "1", "work") };
    assert_eq!(desk.chats.receive(&message).await.unwrap().disposition, Disposition::Submitted);
}
