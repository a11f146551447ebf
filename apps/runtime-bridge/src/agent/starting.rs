//! How the agent is started: its command, its environment, and what it finds of its gateway there.

use std::io;
use std::path::Path;
use std::process::Stdio;

use argus_protocol::bridge::Given;
use serde_json::json;
use tokio::process::Command;

use crate::Settings;
use crate::group::{Group, Pipes};

/// The variable that holds the agent's token. Codex is told its name, so that the token stands in no argument.
const TOKEN: &str = "ARGUS_MCP_TOKEN";
/// The variable that tells other agents where the tools are.
const URL: &str = "ARGUS_MCP_URL";
/// How long Codex waits for a tool, in seconds: a little more than the gateway waits for a command.
const TOOL_SECONDS: u64 = 3700;

/// Starts the agent, or tells in words why it cannot be.
pub(super) fn start(settings: &Settings, given: Option<&Given>) -> Result<(Group, Pipes), String> {
    let program = settings.agent.program();
    if !settings.workspace.is_dir() {
        let workspace = settings.workspace.display();
        return Err(format!(
            "cannot start `{program}`: its folder `{workspace}` is missing and cannot be made"
        ));
    }
    let mut command = Command::new(program);
    command
        .args(settings.agent.arguments())
        .env_clear()
        .envs(settings.environment.iter().map(|(name, value)| (name, value)))
        .current_dir(&settings.workspace)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(given) = given {
        let url = format!("{}/mcp", given.url);
        if is_codex(program) {
            command.args(overrides(&url));
        }
        command.env(TOKEN, &given.mcp_token).env(URL, url);
    }
    let mut group = Group::lead(command).map_err(|error| cannot_start(program, &error))?;
    let pipes = group.pipes().ok_or_else(|| format!("cannot start `{program}`: it has no pipes"))?;
    Ok((group, pipes))
}

fn is_codex(program: &str) -> bool {
    Path::new(program).file_name().is_some_and(|name| name == "codex")
}

/// Codex's configuration for this process alone, so that no file of anybody's is touched. What its tools may do is for the
/// gateway and for the owners of nodes to say: Codex itself would refuse them in every turn in which nobody can be asked.
fn overrides(url: &str) -> [String; 8] {
    let set = |name: &str, value: serde_json::Value| format!("mcp_servers.argus.{name}={value}");
    let flag = || "-c".to_owned();
    [
        flag(),
        set("url", json!(url)),
        flag(),
        set("bearer_token_env_var", json!(TOKEN)),
        flag(),
        set("tool_timeout_sec", json!(TOOL_SECONDS)),
        flag(),
        set("default_tools_approval_mode", json!("approve")),
    ]
}

fn cannot_start(program: &str, error: &io::Error) -> String {
    let reason = match error.kind() {
        io::ErrorKind::NotFound if program.contains('/') => {
            "not found, or the interpreter its first line names is not; check the path in `ARGUS_RUNTIME_CMD` (`APP_SERVER_CMD` of the bridge)"
                .to_owned()
        }
        io::ErrorKind::NotFound => {
            "not found on PATH; install it, or name its path in `ARGUS_RUNTIME_CMD` (`APP_SERVER_CMD` of the bridge)".to_owned()
        }
        io::ErrorKind::PermissionDenied => "not allowed; is it an executable file?".to_owned(),
        _ => error.to_string(),
    };
    format!("cannot start `{program}`: {reason}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codex_is_told_of_its_tools_by_arguments_that_hold_no_token() {
        assert_eq!(
            overrides("http://gateway:8080/mcp").join(" "),
            r#"-c mcp_servers.argus.url="http://gateway:8080/mcp" -c mcp_servers.argus.bearer_token_env_var="ARGUS_MCP_TOKEN" -c mcp_servers.argus.tool_timeout_sec=3700 -c mcp_servers.argus.default_tools_approval_mode="approve""#
        );
        let codex = ["codex", "/usr/local/bin/codex"].map(is_codex);
        let others = ["my-codex", "/codex/run", "sh"].map(is_codex);
        assert_eq!((codex, others), ([true; 2], [false; 3]));
    }
}
