//! The real Codex as a client of `/mcp`, also over a restart of the gateway.

use std::process::Stdio;

use argus_testkit::gateway::Gateway;
use argus_testkit::programs::{PATIENCE, real_codex};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::caller::token_for;

/// A running `codex app-server`.
struct Codex {
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    asked: u64,
}

impl Codex {
    async fn start(gateway: &Gateway, token: &str) -> Option<Self> {
        let url = format!("mcp_servers.argus.url=\"{}/mcp\"", gateway.url());
        let mut command = Command::new(real_codex()?);
        command
            .args(["app-server", "-c", &url, "-c"])
            .arg("mcp_servers.argus.bearer_token_env_var=\"ARGUS_MCP_TOKEN\"")
            .env("ARGUS_MCP_TOKEN", token)
            .env("HOME", gateway.home().join("user"))
            .env("CODEX_HOME", gateway.home().join("codex"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut codex = Self { _child: child, input, output: BufReader::new(output).lines(), asked: 0 };
        let client = json!({ "clientInfo": { "name": "test", "version": "1" }, "capabilities": { "experimentalApi": true } });
        codex.ask("initialize", client).await;
        codex.input.write_all(b"{\"method\":\"initialized\"}\n").await.unwrap();
        Some(codex)
    }

    /// A request's result.
    async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.asked += 1;
        let frame = json!({ "id": self.asked, "method": method, "params": params });
        self.input.write_all(format!("{frame}\n").as_bytes()).await.unwrap();
        let reply = timeout(PATIENCE, async {
            while let Some(line) = self.output.next_line().await.unwrap() {
                let frame: Value = serde_json::from_str(&line).unwrap();
                if frame["id"] == self.asked && frame["method"].is_null() {
                    return frame;
                }
            }
            panic!("codex ended");
        });
        let reply = reply.await.expect("an answer of codex");
        assert!(reply["error"].is_null(), "{method}: {reply}");
        reply["result"].clone()
    }
}

#[tokio::test]
async fn codex_finds_the_tools_and_calls_them_again_after_a_restart_of_the_gateway() {
    let mut gateway = Gateway::new().start().await;
    let own = gateway.client("session=default").await.session;
    let token = token_for(&gateway, &own).await;
    let Some(mut codex) = Codex::start(&gateway, &token).await else { return };
    let started = codex.ask("thread/start", json!({ "cwd": gateway.home() })).await;
    for when in ["before", "after"] {
        let call = json!({ "threadId": started["thread"]["id"], "server": "argus", "tool": "cron", "arguments": { "action": "status" } });
        let result = codex.ask("mcpServer/tool/call", call).await;
        assert_eq!(result["structuredContent"]["sessionId"], own.as_str(), "{when}: {result}");
        if when == "before" {
            assert_eq!(gateway.stop().await, Some(0));
            gateway.restart().await;
        }
    }
}
