//! Whether the agent can be started and can reach its model, and the command that mends what is missing.

use std::path::Path;

use argus_gateway::app::{AgentProbe, App};
use argus_gateway::config::{Config, ProvisionMode};

/// How the agent stands, for a person.
pub(crate) enum Agent {
    /// It serves, and its model provider knows us.
    Serves { name: String },
    /// It serves, but cannot sign in at its model provider.
    SignedOut { name: String, mend: String },
    /// It does not.
    Missing { reason: String, mend: String },
}

/// Starts the default session's agent and asks it.
pub(crate) async fn ask(app: &App, config: &Config) -> Agent {
    if config.mode == ProvisionMode::Static {
        return probe(app, "upstream", "sign the agent in where it runs".to_owned()).await;
    }
    let command = &config.runtime_cmd;
    let program =
        shell_words::split(command).ok().and_then(|words| words.into_iter().next()).unwrap_or_default();
    let name =
        Path::new(&program).file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if let Some(missing) = missing_program(command) {
        let mend = if name == "codex" {
            "npm install -g @openai/codex"
        } else {
            "set ARGUS_RUNTIME_CMD to an installed agent"
        };
        return Agent::Missing { reason: format!("`{missing}` is not installed"), mend: mend.to_owned() };
    }
    probe(app, &name, format!("{} login", shell_words::quote(&program))).await
}

async fn probe(app: &App, name: &str, sign_in: String) -> Agent {
    match app.probe_agent().await {
        Ok(AgentProbe { version, credentials: true }) => Agent::Serves { name: format!("{name} {version}") },
        Ok(AgentProbe { version, credentials: false }) => {
            Agent::SignedOut { name: format!("{name} {version}"), mend: sign_in }
        }
        Err(reason) => Agent::Missing { reason, mend: "argus status".to_owned() },
    }
}

/// The command's program where it cannot be found.
fn missing_program(command: &str) -> Option<String> {
    let program = shell_words::split(command).ok()?.into_iter().next()?;
    let found = if program.contains('/') {
        Path::new(&program).is_file()
    } else {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|folder| folder.join(&program).is_file())
    };
    (!found).then_some(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_looked_for_as_it_would_be_started() {
        assert_eq!(missing_program("sh -c true"), None);
        assert_eq!(missing_program("/bin/sh"), None);
        assert_eq!(missing_program("no-such-agent app-server"), Some("no-such-agent".to_owned()));
        assert_eq!(missing_program("'/no such/agent' x"), Some("/no such/agent".to_owned()));
    }
}
