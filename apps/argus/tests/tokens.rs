//! `argus token`, as a person types it.

use std::process::{Command, Output};

use argus_testkit::client::Client;
use argus_testkit::gateway::Gateway;
use argus_testkit::programs::clean_environment;

fn token(gateway: &Gateway, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_argus"));
    command.arg("token").args(words).env_clear().envs(clean_environment()).env("ARGUS_HOME", gateway.home());
    command.output().expect("it can be started")
}

/// What it printed, and what it told beside.
fn told(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    (text(&output.stdout), text(&output.stderr))
}

#[tokio::test]
async fn a_token_is_made_used_listed_and_ended() {
    let gateway = Gateway::new().start().await;
    let words =
        ["create", "--scope", "client", "--session", "default", "--ttl", "12h", "--label", "my phone"];
    let made = token(&gateway, &words);
    let (secret, beside) = told(&made);
    assert!(made.status.success(), "{beside}");
    let mut client = Client::connect(gateway.url(), "", &secret).await;
    let expected = format!("for `client:{}`, valid for 12h. It is shown this once.", client.session);
    assert!(beside.contains(&expected) && !beside.contains(&secret), "{beside}");
    let id = beside.split(' ').nth(1).unwrap().to_owned();

    let (list, _) = told(&token(&gateway, &["list"]));
    assert!(list.starts_with(&format!("{id}  client:{}  valid for 12h  made ", client.session)), "{list}");
    assert!(list.ends_with("connected 1  my phone") && !list.contains(&secret), "{list}");

    let (printed, beside) = told(&token(&gateway, &["revoke", &id]));
    assert_eq!((printed.as_str(), beside), ("", format!("The token {id} opens nothing any more.")));
    assert_eq!(client.closed().await, Some((1008, "the token was revoked".to_owned())));
    let (list, _) = told(&token(&gateway, &["list"]));
    assert!(list.contains("s ago  made ") && list.contains("  revoked "), "{list}");
    let again = token(&gateway, &["revoke", &id]);
    assert_eq!(again.status.code(), Some(1));
    assert!(told(&again).1.contains(&format!("there is no valid token `{id}`")));
}

#[tokio::test]
async fn the_operators_token_is_replaced_and_the_new_one_shown_by_the_next_call() {
    let gateway = Gateway::new().start().await;
    let (made, _) = told(&token(&gateway, &["create", "--scope", "operator"]));
    let before = gateway.token();
    assert_eq!(told(&token(&gateway, &[])).0, before);
    let (printed, beside) = told(&token(&gateway, &["rotate", "operator"]));
    assert!(printed.is_empty() && beside.contains("`argus token` shows it"), "{beside}");
    let (after, _) = told(&token(&gateway, &[]));
    assert_ne!(after, before);
    Client::connect(gateway.url(), "", &after).await;
    Client::connect(gateway.url(), "", &made).await;
    assert!(token(&gateway, &["rotate", "key"]).status.success());
    let mut refused = Client::open(gateway.url(), "", &made).await.unwrap();
    assert_eq!(refused.closed().await, Some((1008, "Unauthorized".to_owned())));
    Client::connect(gateway.url(), "", &after).await;
}

#[tokio::test]
async fn a_token_is_made_for_the_tools_of_a_session_and_for_a_node() {
    let gateway = Gateway::new().start().await;
    let (_, beside) = told(&token(&gateway, &["create", "--scope", "mcp", "--session", "default"]));
    assert!(beside.contains("for `mcp:"), "{beside}");
    let (_, beside) = told(&token(&gateway, &["create", "--scope", "node", "--node", "my.mac"]));
    assert!(beside.contains("for `node:my.mac`"), "{beside}");
}

#[tokio::test]
async fn what_is_typed_wrongly_is_said_and_prints_no_token() {
    let gateway = Gateway::new().start().await;
    for (words, complaint) in [
        (&["create"][..], "--scope"),
        (&["create", "--scope", "client"], "--session"),
        (&["create", "--scope", "operator", "--session", "default"], "for no single session"),
        (&["create", "--scope", "root"], "[possible values: client, mcp, node, operator]"),
        (&["create", "--scope", "mcp"], "--session"),
        (&["create", "--scope", "node"], "--node"),
        (
            &["create", "--scope", "node", "--node", "mac", "--session", "default"],
            "one session or for one node",
        ),
        (&["create", "--scope", "operator", "--ttl", "soon"], "expected a time such as 90m"),
        (&["create", "--scope", "client", "--session", "nowhere"], "Unknown session `nowhere`"),
        (&["revoke", "x"], "16 hex digits"),
        (&["rotate", "all"], "[possible values: operator, key]"),
    ] {
        let output = token(&gateway, words);
        let (printed, beside) = told(&output);
        assert!(!output.status.success() && printed.is_empty(), "{words:?}: {printed}");
        assert!(beside.contains(complaint), "{words:?}: {beside}");
    }
}

#[tokio::test]
async fn a_token_that_was_given_as_a_setting_is_not_replaced_by_itself() {
    let gateway = Gateway::new().with("ARGUS_TOKEN", "given").start().await;
    let mut command = Command::new(env!("CARGO_BIN_EXE_argus"));
    command.args(["token", "rotate", "operator"]).env_clear().envs(clean_environment());
    command.env("ARGUS_HOME", gateway.home()).env("ARGUS_TOKEN", "given");
    let output = command.output().expect("it can be started");
    assert_eq!(output.status.code(), Some(1));
    assert!(told(&output).1.contains("comes from ARGUS_TOKEN"), "{output:?}");
}
