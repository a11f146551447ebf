//! The official tests of the protocol and its inspector, run against the gateway.
//!
//! `cargo xtask test` installs both and names their folder in `ARGUS_TEST_MCP_PACKAGES`. Neither can send a token in every
//! mode, so both come in through a door of the test's own that adds it to each request.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use argus_testkit::gateway::Gateway;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

use super::caller::token_for;

/// The scenarios for servers that need nothing but what the gateway has. `docs/MCP.md` says of each other one why not.
const APPLY: [&str; 5] =
    ["server-initialize", "ping", "tools-list", "server-sse-multiple-streams", "dns-rebinding-protection"];

/// Where the packages are, and Node to run them with; a word on what is left out where they are not.
fn packages() -> Option<(PathBuf, PathBuf)> {
    let Some(folder) = std::env::var_os("ARGUS_TEST_MCP_PACKAGES").map(PathBuf::from) else {
        eprintln!("skipped: ARGUS_TEST_MCP_PACKAGES names no folder (`cargo xtask test` installs it)");
        return None;
    };
    let modules = folder.join("node_modules");
    let node = std::fs::read_dir(&modules).ok()?.flatten().map(|entry| entry.path().join("bin/node"));
    let node = node.into_iter().find(|node| node.is_file()).expect("a Node among the packages");
    Some((modules.join("@modelcontextprotocol"), node))
}

/// A door to `/mcp` that adds the token to every request; each connection is for one.
async fn door(gateway: &Gateway, token: String) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (at, to) = (listener.local_addr().unwrap(), gateway.url().trim_start_matches("http://").to_owned());
    tokio::spawn(async move {
        while let Ok((mut from, _)) = listener.accept().await {
            let (to, token) = (to.clone(), token.clone());
            tokio::spawn(async move {
                let (mut head, mut piece) = (Vec::new(), [0; 4096]);
                let end = loop {
                    if let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n") {
                        break end;
                    }
                    match from.read(&mut piece).await {
                        Ok(count @ 1..) => head.extend_from_slice(&piece[..count]),
                        _ => return,
                    }
                };
                let rest = head.split_off(end);
                let text = String::from_utf8(head).unwrap();
                let kept = text.split("\r\n").filter(|line| {
                    let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
                    !["connection", "authorization"].contains(&name.as_str())
                });
                let own = format!("connection: close\r\nauthorization: Bearer {token}");
                let head = kept.chain([own.as_str()]).collect::<Vec<_>>().join("\r\n");
                let mut onward = TcpStream::connect(to).await.unwrap();
                onward.write_all(head.as_bytes()).await.unwrap();
                onward.write_all(&rest).await.unwrap();
                _ = copy_bidirectional(&mut from, &mut onward).await;
            });
        }
    });
    at
}

/// A gateway, and the address of `/mcp` behind the door.
async fn served() -> (Gateway, String) {
    let gateway = Gateway::new().start().await;
    let own = gateway.client("session=default").await.session;
    let at = door(&gateway, token_for(&gateway, &own).await).await;
    (gateway, format!("http://{at}/mcp"))
}

async fn run(node: &Path, script: &Path, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(node).arg(script).args(arguments).kill_on_drop(true).output().await.unwrap();
    let text =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).join("\n");
    (output.status.success(), text)
}

#[tokio::test]
async fn the_scenarios_of_the_official_suite_that_apply_pass() {
    let Some((packages, node)) = packages() else { return };
    let (_gateway, url) = served().await;
    let script = packages.join("conformance/dist/index.js");
    for scenario in APPLY {
        let (passed, text) = run(&node, &script, &["server", "--url", &url, "--scenario", scenario]).await;
        assert!(passed, "{scenario}:\n{text}");
    }
}

#[tokio::test]
async fn the_documents_list_of_scenarios_is_the_suites() {
    let Some((packages, node)) = packages() else { return };
    let (listed, text) = run(&node, &packages.join("conformance/dist/index.js"), &["list", "--server"]).await;
    assert!(listed, "{text}");
    let document = include_str!("../../../../docs/MCP.md");
    let scenarios: Vec<_> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(scenarios.len() > 20, "{text}");
    for scenario in scenarios {
        let row = document.lines().find(|line| line.starts_with(&format!("| `{scenario}` |")));
        let row = row.unwrap_or_else(|| panic!("docs/MCP.md says nothing of `{scenario}`"));
        assert_eq!(row.contains("| passes |"), APPLY.contains(&scenario), "{row}");
    }
}

#[tokio::test]
async fn the_inspector_lists_and_calls_the_tools() {
    let Some((packages, node)) = packages() else { return };
    let (gateway, _) = served().await;
    let own = gateway.client("session=default").await.session;
    let header = format!("Authorization: Bearer {}", token_for(&gateway, &own).await);
    let url = format!("{}/mcp", gateway.url());
    let script = packages.join("inspector/clients/launcher/build/index.js");
    let ask = async |more: &[&str], succeeds: bool| -> Value {
        let usual = ["--cli", &url, "--transport", "http", "--header", &header, "--method"];
        let (done, text) = run(&node, &script, &[&usual[..], more].concat()).await;
        assert_eq!(done, succeeds, "{text}");
        let json = &text[text.find('{').unwrap_or_else(|| panic!("{text}"))..];
        serde_json::Deserializer::from_str(json).into_iter().next().unwrap().unwrap()
    };
    let tools = ask(&["tools/list"], true).await;
    let names: Vec<_> =
        tools["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["nodes_list", "node_invoke", "cron", "message_send", "heartbeat", "sessions_list"]);
    let status = ask(&["tools/call", "--tool-name", "cron", "--tool-arg", "action=status"], true).await;
    assert_eq!(status["structuredContent"]["sessionId"], own.as_str(), "{status}");
    let refused =
        ask(&["tools/call", "--tool-name", "node_invoke", "--tool-arg", "command=system.info"], false).await;
    assert_eq!(refused["isError"], true, "{refused}");
}
