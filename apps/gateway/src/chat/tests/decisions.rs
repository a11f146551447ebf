//! Every kind of question with every decision: what the agent is told.

use super::questions::{COMMAND, ELICIT, FILES, PERMISSIONS, command, question};
use super::*;

/// A request, the button that is pressed, what the agent is told, what the chat reads.
type Case = (&'static str, Value, &'static str, Value, &'static str);

const ONCE: (&str, &str) = ("✅ Allow once", "✅ Allowed once by P7");
const SESSION: (&str, &str) = ("✅ Allow for this session", "✅ Allowed for this session by P7");
const DENY: (&str, &str) = ("❌ Deny", "❌ Denied by P7");
const STOP: (&str, &str) = ("⏹ Deny and stop", "⏹ Denied and stopped by P7");

fn case(method: &'static str, params: &Value, button: (&'static str, &'static str), result: Value) -> Case {
    (method, params.clone(), button.0, result, button.1)
}

fn decided(word: impl Into<Value>) -> Value {
    json!({ "decision": word.into() })
}

fn of_commands() -> Vec<Case> {
    let always = json!({ "acceptWithExecpolicyAmendment": { "execpolicy_amendment": ["git", "push"] } });
    let rule = json!({ "host": "a.example", "action": "allow" });
    let host = json!({ "applyNetworkPolicyAmendment": { "network_policy_amendment": rule } });
    let offered = json!({ "command": "ls", "availableDecisions": ["accept", "somethingNew", "cancel"] });
    let human = json!({ "command": "ls", "kind": "humanCommand", "proposedExecpolicyAmendment": ["ls"] });
    let first = json!({ "command": ["rm", "-r", "a b"], "cwd": "/work" });
    let by_hand = ("✅ Always allow", "✅ Always allowed by P7");
    let by_host = ("✅ Always allow a.example", "✅ a.example always allowed by P7");
    vec![
        case(COMMAND, &command(), ONCE, decided("accept")),
        case(COMMAND, &command(), SESSION, decided("acceptForSession")),
        case(COMMAND, &command(), by_hand, decided(always)),
        case(COMMAND, &command(), by_host, decided(host)),
        case(COMMAND, &command(), DENY, decided("decline")),
        case(COMMAND, &command(), STOP, decided("cancel")),
        case(COMMAND, &offered, ONCE, decided("accept")),
        case(COMMAND, &offered, DENY, decided("decline")),
        case(COMMAND, &human, STOP, decided("cancel")),
        case("execCommandApproval", &first, ONCE, decided("approved")),
        case("execCommandApproval", &first, SESSION, decided("approved_for_session")),
        case("execCommandApproval", &first, DENY, decided("denied")),
        case("execCommandApproval", &first, STOP, decided("abort")),
    ]
}

fn of_others() -> Vec<Case> {
    let wanted = json!({ "network": { "enabled": true }, "fileSystem": { "write": ["/etc"] } });
    let granted = |scope: &str| json!({ "permissions": wanted, "scope": scope });
    let permissions = json!({ "cwd": "/work", "permissions": wanted });
    let patch = json!({ "fileChanges": { "/a": { "type": "add", "content": "x" } } });
    let link = json!({ "serverName": "s", "mode": "url", "message": "Sign in", "url": "https://a.example" });
    let turn = ("✅ Allow for this turn", "✅ Allowed for this turn by P7");
    let done = ("✅ Done", "✅ Done, says P7");
    vec![
        case(FILES, &json!({}), ONCE, decided("accept")),
        case(FILES, &json!({}), SESSION, decided("acceptForSession")),
        case(FILES, &json!({}), DENY, decided("decline")),
        case(FILES, &json!({}), STOP, decided("cancel")),
        case("applyPatchApproval", &patch, ONCE, decided("approved")),
        case("applyPatchApproval", &patch, SESSION, decided("approved_for_session")),
        case("applyPatchApproval", &patch, DENY, decided("denied")),
        case("applyPatchApproval", &patch, STOP, decided("abort")),
        case(PERMISSIONS, &permissions, turn, granted("turn")),
        case(PERMISSIONS, &permissions, SESSION, granted("session")),
        case(PERMISSIONS, &permissions, DENY, json!({ "permissions": {}, "scope": "turn" })),
        case(ELICIT, &link, done, json!({ "action": "accept" })),
        case(ELICIT, &link, DENY, json!({ "action": "decline" })),
    ]
}

#[tokio::test]
async fn every_decision_is_told_to_the_agent_in_the_words_of_its_kind() {
    let desk = Desk::with_operator().await;
    let all = of_commands().into_iter().chain(of_others()).enumerate();
    for (number, (method, params, button, result, outcome)) in all {
        let question = question(&number.to_string(), method, &params);
        assert_eq!(desk.decided(&question, button).await, (result, outcome.to_owned()), "{method} {button}");
    }
    assert!(locked(&desk.sessions.stopped).is_empty(), "the agent ends these turns itself");
}

#[tokio::test]
async fn where_a_denial_does_not_end_the_turn_it_is_stopped() {
    let desk = Desk::with_operator().await;
    let asked = question("1", PERMISSIONS, &json!({ "cwd": "/", "permissions": {} }));
    let (told, _) = desk.decided(&asked, "⏹ Deny and stop").await;
    assert_eq!(told, json!({ "permissions": {}, "scope": "turn" }));
    assert_eq!(*locked(&desk.sessions.stopped), [target("7", 0)]);
}

#[tokio::test]
async fn what_is_stopped_is_the_turn_that_asked_whatever_else_runs() {
    let desk = Desk::with_operator().await;
    let asked = json!({ "threadId": "t", "cwd": "/", "permissions": {} });
    desk.decided(&question("1", PERMISSIONS, &asked), "⏹ Deny and stop").await;
    assert_eq!(*locked(&desk.sessions.stopped), [Target::Thread { id: "t".parse().unwrap() }]);
}
