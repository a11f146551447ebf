//! Questions that are answered one after the other, and answers in words.

use argus_protocol::argus::chat::Replied;
use argus_session::ChatQuestion;

use super::questions::{COMMAND, ELICIT, INPUT, command, in_chat, question};
use super::*;

/// A form that every answer is pressed or written into: `>` begins a reply, anything else is a button's text.
async fn filled(desk: &Desk, question: &ChatQuestion, answers: &[&str]) -> (Vec<Value>, Vec<String>) {
    assert_eq!(desk.asks(question).await, None);
    let (message, _, mut buttons) = desk.asked("7").await;
    let mut told = Vec::new();
    for answer in answers {
        if let Some(text) = answer.strip_prefix('>') {
            let replied =
                Replied { message_id: message.clone(), ours: true, name: String::new(), text: String::new() };
            let reply = Receive { reply_to: Some(replied), ..desk.message("7", "7", text) };
            assert_eq!(desk.receive(&reply).await, Disposition::Answered, "{answer}");
        } else {
            let labels: Vec<_> = buttons.iter().map(|button| button.text.clone()).collect();
            let button =
                buttons.iter().find(|one| one.text == *answer).unwrap_or_else(|| panic!("{labels:?}"));
            let pressed = desk.presses("7", "7", &button.data).await;
            told.extend(pressed.notice);
        }
        match desk.sent("7").await {
            Some((_, Body::Edit(EditBody { plain, buttons: rows, .. }))) => {
                told.push(plain);
                buttons = rows.into_iter().flatten().collect();
            }
            Some((_, Body::Text(TextBody { plain, .. }))) => told.push(plain),
            _ => {}
        }
    }
    assert_eq!(desk.submitted(), [], "an answer is no work");
    (desk.told(), told)
}

#[tokio::test]
async fn several_questions_are_answered_one_after_the_other_in_one_message() {
    let desk = Desk::with_operator().await;
    let params = json!({ "isBlocking": true, "questions": [
        { "id": "colour", "header": "Colour", "question": "Which?", "options": [
            { "label": "Red", "description": "like blood" }, { "label": "Blue", "description": "" }] },
        { "id": "size", "header": "Size", "question": "How big?", "isOther": true,
          "options": [{ "label": "Small", "description": "" }] },
        { "id": "key", "header": "Key", "question": "The key?", "isSecret": true }] });
    let (told, seen) =
        filled(&desk, &question("1", INPUT, &params), &["Blue", ">enormous", "> hunter2 "]).await;
    let expected = json!({ "answers": { "colour": { "answers": ["Blue"] }, "size": { "answers": ["enormous"] },
        "key": { "answers": ["hunter2"] } } });
    assert_eq!(told, [expected]);
    assert!(seen[0].contains("Colour: Blue") && seen[0].contains("Question 2 of 3"), "{}", seen[0]);
    assert!(
        seen[1].contains("Size: enormous") && seen[1].contains("stays readable in this chat"),
        "{}",
        seen[1]
    );
    assert!(seen[2].ends_with("✅ Answered by P7") && !seen.concat().contains("hunter2"), "{}", seen[2]);

    let (told, seen) = filled(&desk, &question("2", INPUT, &params), &["Red", "❌ Do not answer"]).await;
    assert_eq!(told, [json!({ "answers": {} })]);
    assert!(seen[1].ends_with("❌ Not answered, says P7"), "{seen:?}");
}

#[tokio::test]
async fn a_form_of_a_server_takes_what_its_schema_allows() {
    let desk = Desk::with_operator().await;
    let form = |properties: Value, required: Value| {
        json!({ "serverName": "shop", "mode": "form", "message": "Please", "requestedSchema":
            { "type": "object", "properties": properties, "required": required } })
    };
    let accepted = |content: Value| json!({ "action": "accept", "content": content });
    let colours = json!({ "type": "array", "items": { "type": "string", "enum": ["a", "b", "c"] }, "minItems": 2, "maxItems": 2 });
    let titled = json!({ "type": "string", "oneOf": [{ "const": "x", "title": "The X" }] });
    for (number, (schema, required, answers, content)) in [
        (json!({ "type": "boolean" }), true, vec!["Yes"], Some(json!(true))),
        (json!({ "type": "boolean" }), false, vec!["Skip"], None),
        (titled, true, vec!["The X"], Some(json!("x"))),
        (
            json!({ "type": "string", "enum": ["p", "q"], "enumNames": ["P", "Q"] }),
            true,
            vec!["Q"],
            Some(json!("q")),
        ),
        (
            json!({ "type": "integer", "minimum": 1, "maximum": 9 }),
            true,
            vec![">x", ">2.5", ">10", ">9"],
            Some(json!(9)),
        ),
        (json!({ "type": "number" }), true, vec![">2.5"], Some(json!(2.5))),
        (
            json!({ "type": "string", "minLength": 2, "maxLength": 3 }),
            true,
            vec![">a", ">abcd", ">ab"],
            Some(json!("ab")),
        ),
        (
            json!({ "type": "string", "format": "email" }),
            true,
            vec![">me", ">me@a.example"],
            Some(json!("me@a.example")),
        ),
        (
            json!({ "type": "string", "format": "date" }),
            true,
            vec![">2026-13-01", ">2026-12-01"],
            Some(json!("2026-12-01")),
        ),
        (
            json!({ "type": "string", "format": "uri" }),
            true,
            vec![">here", ">https://a.example"],
            Some(json!("https://a.example")),
        ),
        (json!({ "type": "string", "default": "usual" }), true, vec!["usual"], Some(json!("usual"))),
        (
            colours,
            true,
            vec!["☐ c", "✔ That is all", "☐ a", "☐ b", "☑ b", "✔ That is all"],
            Some(json!(["a", "c"])),
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let required = if required { json!(["it"]) } else { json!([]) };
        let asked = question(&number.to_string(), ELICIT, &form(json!({ "it": schema }), required));
        let (told, seen) = filled(&desk, &asked, &answers).await;
        let content = content.map_or_else(|| json!({}), |value| json!({ "it": value }));
        assert_eq!(told, [accepted(content)], "{schema}: {seen:?}");
        assert!(seen.last().unwrap().ends_with("✅ Answered by P7"), "{seen:?}");
    }
    let nothing = question("n", ELICIT, &form(json!({}), json!([])));
    assert_eq!(filled(&desk, &nothing, &["✅ Accept"]).await.0, [accepted(json!({}))]);
    let whole = form(json!({ "it": { "type": "boolean" } }), json!([]));
    let declined = filled(&desk, &question("d", ELICIT, &whole), &["❌ Do not answer"]).await.0;
    assert_eq!(declined, [json!({ "action": "decline" })]);
    let cancelled = filled(&desk, &question("c", ELICIT, &whole), &["⏹ Cancel"]).await.0;
    assert_eq!(cancelled, [json!({ "action": "cancel" })]);
}

#[tokio::test]
async fn a_reply_is_an_answer_only_to_what_can_be_answered_in_words() {
    let desk = Desk::with(&["7", "8"], |_| {}).await;
    let reply = |user: &str, message: &str, text: &str| {
        let replied =
            Replied { message_id: message.into(), ours: true, name: String::new(), text: String::new() };
        Receive { reply_to: Some(replied), ..desk.message(user, "-5", text) }
    };
    desk.asks(&in_chat("-5", "1", COMMAND, &command())).await;
    let (message, _, _) = desk.asked("-5").await;
    assert_eq!(desk.receive(&reply("7", &message, "why?")).await, Disposition::Submitted);

    let words = json!({ "questions": [{ "id": "a", "question": "Which name?" }] });
    desk.asks(&in_chat("-5", "2", INPUT, &words)).await;
    let (message, text, _) = desk.asked("-5").await;
    assert!(text.ends_with("Reply to this message with your answer."), "{text}");
    assert_eq!(desk.receive(&reply("8", &message, "Rex")).await, Disposition::Answered);
    assert!(desk.read("-5").await.unwrap().starts_with("Only the person who asked"));
    assert_eq!(desk.receive(&reply("7", &message, "/whoami")).await, Disposition::Answered);
    desk.read("-5").await;
    assert_eq!(desk.told(), [] as [Value; 0]);
    let answer = reply("7", &message, "Rex");
    assert_eq!(desk.receive(&answer).await, Disposition::Answered);
    assert_eq!(desk.receive(&answer).await, Disposition::Repeated);
    assert_eq!(desk.told(), [json!({ "answers": { "a": { "answers": ["Rex"] } } })]);
    desk.edited("-5").await;
    assert_eq!(
        desk.receive(&reply("7", &message, "and now?")).await,
        Disposition::Submitted,
        "it is answered"
    );
}
