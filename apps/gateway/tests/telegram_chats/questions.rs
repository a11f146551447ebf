//! What the agent asks of a chat, and how it is answered there: by buttons, and in words.

use argus_testkit::bot_api::{Chat, Sent, User};
use argus_testkit::programs::eventually;
use serde_json::{Value, json};

use crate::stage::Stage;

/// Words by which the agent asks that.
fn asking(method: &str, params: &Value) -> String {
    format!("[ask: {method} {params}]")
}

/// Waits for a message with buttons that says this.
async fn question(stage: &Stage, part: &str) -> Sent {
    let asked = stage.reads(part).await;
    assert!(!asked.buttons().is_empty(), "{asked:?}");
    asked
}

/// Somebody answers a message of the bot in words.
fn answer(stage: &Stage, to: &Sent, text: &str) {
    let me = json!({ "id": stage.api.me().id, "is_bot": true, "first_name": "Argus" });
    let to = json!({ "message_id": to.message_id, "date": 1, "from": me, "text": to.text,
        "chat": { "id": 7, "type": "private", "first_name": "Ada" } });
    let parts = json!({ "text": text, "reply_to_message": to });
    stage.api.push_message(&stage.chat, &stage.ada, &parts);
}

/// What the agent was answered, once it was.
async fn answered(stage: &Stage) -> Value {
    let text = stage.reads("answered: ").await.text;
    serde_json::from_str(text.trim_start_matches("answered: ")).unwrap_or_else(|_| panic!("{text}"))
}

#[tokio::test]
async fn questions_with_options_are_answered_by_button_and_others_in_words() {
    let stage = Stage::set(&[]).await;
    let questions = json!({ "questions": [
        { "id": "colour", "header": "Colour", "question": "Which?", "options": [
            { "label": "Red", "description": "warm" }, { "label": "Blue", "description": "cold" }] },
        { "id": "name", "header": "Name", "question": "How is it called?" }] });
    stage.say(&asking("item/tool/requestUserInput", &questions));
    let form = question(&stage, "Which?").await;
    stage.press(&stage.chat, &stage.ada, &form, "Blue").await;
    let next = stage.shows(&stage.chat, "How is it called?").await;
    assert_eq!(next.message_id, form.message_id, "the same message goes on");
    answer(&stage, &next, "Lagoon");
    let told = answered(&stage).await;
    assert_eq!(
        told,
        json!({ "answers": { "colour": { "answers": ["Blue"] }, "name": { "answers": ["Lagoon"] } } })
    );
    let outcome = stage.shows(&stage.chat, "✅ Answered by Ada").await;
    assert_eq!((outcome.message_id, outcome.buttons().len()), (form.message_id, 0));
    assert_eq!(stage.gateway.turns().len(), 1, "an answer is no message to the agent");
}

#[tokio::test]
async fn a_form_of_a_server_is_filled_and_a_wrong_answer_asked_for_again() {
    let stage = Stage::set(&[]).await;
    let form = json!({ "serverName": "shop", "mode": "form", "message": "About your order", "requestedSchema": {
        "type": "object", "required": ["count", "gift"], "properties": {
            "count": { "type": "integer", "title": "How many", "minimum": 1, "maximum": 9 },
            "gift": { "type": "boolean", "title": "A gift" } } } });
    stage.say(&asking("mcpServer/elicitation/request", &form));
    let shown = question(&stage, "shop asks").await;
    assert!(shown.text.contains("About your order"), "{}", shown.text);
    // The next message goes when the question is noted as sent, by which an answer in words finds it.
    stage.comes_after().await;
    answer(&stage, &shown, "many");
    stage.shows(&stage.chat, "That is no whole number.").await;
    answer(&stage, &shown, "3");
    let next = stage.shows(&stage.chat, "A gift").await;
    stage.press(&stage.chat, &stage.ada, &next, "Yes").await;
    assert_eq!(
        answered(&stage).await,
        json!({ "action": "accept", "content": { "count": 3, "gift": true } })
    );
}

#[tokio::test]
async fn a_change_of_files_names_them_and_is_allowed_for_the_session() {
    let stage = Stage::set(&[]).await;
    stage.say("[change: notes.md] [say: written]");
    let asked = question(&stage, "May I change these files?").await;
    for part in ["new notes.md", "new words"] {
        assert!(asked.text.contains(part), "{part} in {}", asked.text);
    }
    let told = stage.press(&stage.chat, &stage.ada, &asked, "Allow for this session").await;
    assert_eq!(told, "✅ Allowed for this session by Ada");
    stage.reads("written").await;
    stage.shows(&stage.chat, "✅ Allowed for this session by Ada").await;
    assert_eq!(decisions(&stage), ["acceptForSession"]);
}

#[tokio::test]
async fn more_than_the_sandbox_allows_is_asked_for_by_name() {
    let stage = Stage::set(&[]).await;
    let wanted = json!({ "cwd": "/work", "reason": "to publish", "permissions": {
        "network": { "enabled": true }, "fileSystem": { "write": ["/srv/www"] } } });
    stage.say(&asking("item/permissions/requestApproval", &wanted));
    let asked = question(&stage, "May I do more than my sandbox allows?").await;
    for part in ["network", "write /srv/www", "Why: to publish"] {
        assert!(asked.text.contains(part), "{part} in {}", asked.text);
    }
    stage.press(&stage.chat, &stage.ada, &asked, "Allow for this turn").await;
    let told = answered(&stage).await;
    assert_eq!((&told["scope"], &told["permissions"]), (&json!("turn"), &wanted["permissions"]));
}

#[tokio::test]
async fn a_command_is_allowed_always_denied_or_denied_and_the_turn_ended() {
    let stage = Stage::set(&[]).await;
    stage.say("[approve: make one] [say: made one]");
    let asked = question(&stage, "make one").await;
    stage.press(&stage.chat, &stage.ada, &asked, "Always allow").await;
    stage.reads("made one").await;
    stage.say("[approve: make two] [say: went on]");
    let asked = question(&stage, "make two").await;
    stage.press(&stage.chat, &stage.ada, &asked, "❌ Deny").await;
    stage.reads("went on").await;
    stage.say("[approve: make three] [say: never said]");
    let asked = question(&stage, "make three").await;
    stage.press(&stage.chat, &stage.ada, &asked, "Deny and stop").await;
    stage.reads("Stopped.").await;
    let results = results(&stage);
    let always = json!({ "acceptWithExecpolicyAmendment": { "execpolicy_amendment": ["make", "one"] } });
    assert_eq!(
        results,
        [json!({ "decision": always }), json!({ "decision": "decline" }), json!({ "decision": "cancel" })]
    );
    assert!(!stage.said(&stage.chat).concat().contains("never said"));
}

#[tokio::test]
async fn in_a_group_who_asked_or_an_operator_answers_and_nobody_else() {
    let stage = Stage::set(&[("TELEGRAM_ALLOWED_USER_IDS", "7,8,9")]).await;
    let (group, carol) = (Chat::group(-5, "friends"), User::new(9, "Carol"));
    for (turn, who) in [("one", &stage.bob), ("two", &stage.ada)] {
        let text = format!("@argus_test_bot [approve: make {turn}] [say: made {turn}]");
        stage.api.push_text(&group, &stage.bob, &text);
        let asked = question(&stage, &format!("make {turn}")).await;
        let told = stage.press(&group, &carol, &asked, "Allow once").await;
        assert_eq!(told, "Only the person who asked for this work, or an operator, can answer here.");
        let told = stage.press(&group, who, &asked, "Allow once").await;
        assert_eq!(told, format!("✅ Allowed once by {}", who.first_name));
        stage.reads(&format!("made {turn}")).await;
    }
    assert_eq!(decisions(&stage), ["accept", "accept"]);
}

#[tokio::test]
async fn what_nobody_answers_in_time_says_so_and_is_declined() {
    let stage = Stage::set(&[("ARGUS_APPROVAL_TIMEOUT_S", "0.2")]).await;
    stage.say("[approve: make it] [say: went on]");
    stage.reads("went on").await;
    let over = stage.shows(&stage.chat, "⌛ Nobody answered in time; it was declined.").await;
    assert!(over.text.contains("make it") && over.buttons().is_empty(), "{over:?}");
    assert_eq!(decisions(&stage), ["decline"]);
}

#[tokio::test]
async fn what_is_stopped_while_it_asks_needs_no_answer_any_more() {
    let stage = Stage::set(&[]).await;
    stage.say("[approve: make it] [say: never said]");
    let asked = question(&stage, "make it").await;
    stage.say("/stop");
    let over = stage.shows(&stage.chat, "No longer needed.").await;
    assert_eq!((over.message_id, over.buttons().len()), (asked.message_id, 0));
    let late = stage.press(&stage.chat, &stage.ada, &asked, "Allow once").await;
    assert_eq!(late, "No longer needed.");
}

#[tokio::test]
async fn a_question_that_waits_outlives_bot_and_gateway() {
    let mut stage = Stage::set(&[]).await;
    stage.say("[approve: make it] [say: made it]");
    let asked = question(&stage, "make it").await;
    // The next message goes when the question is noted as sent.
    stage.comes_after().await;
    stage.gateway.kill();
    stage.kill_bot();
    stage.gateway.restart().await;
    stage.start_bot();
    stage.press(&stage.chat, &stage.ada, &asked, "Allow once").await;
    stage.reads("made it").await;
    let of_it = || stage.api.sent().iter().filter(|sent| !sent.buttons().is_empty()).count();
    assert_eq!(of_it(), 1, "it is not asked again");
}

/// What the agent was answered so far.
fn results(stage: &Stage) -> Vec<Value> {
    let heard = stage.gateway.heard();
    heard.iter().filter(|frame| !frame["result"]["decision"].is_null()).map(|f| f["result"].clone()).collect()
}

fn decisions(stage: &Stage) -> Vec<String> {
    results(stage).iter().map(|result| result["decision"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn a_page_to_open_is_shown_with_its_address() {
    let stage = Stage::set(&[]).await;
    let link = json!({ "serverName": "shop", "mode": "url", "message": "Sign in", "url": "https://shop.example/in",
        "elicitationId": "e1" });
    stage.say(&asking("mcpServer/elicitation/request", &link));
    let asked = question(&stage, "shop asks you to open a page").await;
    assert!(asked.text.contains("https://shop.example/in"), "{}", asked.text);
    stage.press(&stage.chat, &stage.ada, &asked, "Done").await;
    eventually("the agent is told", async || {
        stage.gateway.heard().iter().any(|frame| frame["result"]["action"] == "accept").then_some(())
    })
    .await;
}
