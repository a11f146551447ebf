//! `argus node` against a gateway that runs.

use std::process::Command;

use argus_testkit::gateway::Gateway;
use argus_testkit::node::Node;
use argus_testkit::programs::clean_environment;
use serde_json::json;

/// Runs `argus node …`; its exit code and what it says on both streams.
async fn node(gateway: &Gateway, args: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_argus"));
    command.arg("node").args(args).env_clear().envs(clean_environment()).env("ARGUS_HOME", gateway.home());
    let ran = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (ran.status.code(), text(ran.stdout), text(ran.stderr))
}

#[tokio::test]
async fn a_machine_is_enrolled_by_one_line_and_listed_renamed_called_and_revoked() {
    let gateway = Gateway::new().start().await;
    let (code, line, words) = node(&gateway, &["enrol", "--id", "mac", "--name", "Ada's Mac"]).await;
    let url = format!("{}/nodes/ws", gateway.url().replacen("http", "ws", 1));
    let start = format!("argus-node-host enrol --url {url} --code ");
    assert_eq!((code, line.lines().count(), line.starts_with(&start)), (Some(0), 1, true), "{line}{words}");
    assert!(words.contains("within 15m") && words.contains("this machine only"), "{words}");
    let typed: Vec<_> = line[start.len()..].split(' ').collect();
    assert_eq!(typed[1..], ["&&", "argus-node-host", "install\n"], "{line}");

    let mut machine = Node::open(gateway.url(), None).await.unwrap();
    machine.send(json!({ "type": "enrol", "code": typed[0], "nodeId": "x" })).await;
    let token = machine.event("node.enrolled").await["token"].as_str().unwrap().to_owned();
    let mut machine = Node::usual(gateway.url(), &token, "mac", "b").await;
    let (_, listed, _) = node(&gateway, &["list"]).await;
    assert!(
        listed.starts_with("mac  connected for ") && listed.ends_with("  Ada's Mac  linux\n"),
        "{listed}"
    );

    let call = node(&gateway, &["invoke", "mac", "system.which", r#"{"bin":"git"}"#]);
    let done = async {
        let request = machine.call().await;
        assert_eq!(request["paramsJSON"], r#"{"bin":"git"}"#);
        machine.answer(&request, json!({ "path": "/usr/bin/git" })).await;
    };
    let (told, ()) = tokio::join!(call, done);
    assert_eq!(told, (Some(0), "{\"path\":\"/usr/bin/git\"}\n".to_owned(), String::new()));
    let (code, told, words) = node(&gateway, &["invoke", "mac", "fs.read"]).await;
    let expected = "argus: mac: UNSUPPORTED: the node `mac` does not take `fs.read`; it takes `system.run`, `system.which`\n";
    assert_eq!((code, &*told, &*words), (Some(1), "", expected));
    let (code, _, words) = node(&gateway, &["invoke", "mac", "system.run", "{"]).await;
    assert!(code == Some(1) && words.contains("no JSON"), "{words}");

    assert_eq!(node(&gateway, &["rename", "mac", "Shelf"]).await.0, Some(0));
    assert!(node(&gateway, &["list"]).await.1.contains("  Shelf  "));
    assert_eq!(node(&gateway, &["revoke", "mac"]).await.0, Some(0));
    assert_eq!(machine.closed().await, Some((1008, "the token was revoked".to_owned())));
    let (_, listed, words) = node(&gateway, &["list"]).await;
    assert!(listed.is_empty() && words.contains("argus node enrol"), "{listed}{words}");
    let (code, _, words) = node(&gateway, &["revoke", "mac"]).await;
    assert!(code == Some(1) && words.contains("no node `mac` is enrolled"), "{words}");
}

#[tokio::test]
async fn a_machine_elsewhere_is_sent_where_it_is_said_and_warned_of_open_lines() {
    let gateway = Gateway::new().start().await;
    let (_, line, words) = node(&gateway, &["enrol", "--url", "wss://argus.example/nodes/ws"]).await;
    assert!(line.starts_with("argus-node-host enrol --url wss://argus.example/nodes/ws --code "), "{line}");
    assert!(!words.contains("Warning"), "{words}");
    let (_, _, words) = node(&gateway, &["enrol", "--url", "ws://10.0.0.7:8080/nodes/ws"]).await;
    assert!(words.contains("Warning: ws:// is not encrypted"), "{words}");
    let (code, line, words) = node(&gateway, &["enrol", "--url", "argus.example"]).await;
    assert!(code == Some(1) && line.is_empty() && words.contains("`--url` takes"), "{words}");
    let (code, _, words) = node(&gateway, &["enrol", "--for", "nobody"]).await;
    assert!(code == Some(1) && words.contains("Unknown session `nobody`"), "{words}");
}
