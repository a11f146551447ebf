//! What `argus up` prints: where to connect, the pairing code, and what is missing with the command that mends it.

use std::net::SocketAddr;

use argus_gateway::config::Config;
use argus_protocol::argus::pairing::PairingCode;

use crate::agent::Agent;

/// Where clients connect.
pub(crate) fn listening(address: SocketAddr, config: &Config) -> String {
    let token = match (&config.token, &config.token_file) {
        (Some(_), _) => "$ARGUS_TOKEN".to_owned(),
        (None, Some(file)) => format!("in {}", file.display()),
        (None, None) => format!("in {}", config.home.join("gateway/token").display()),
    };
    format!("Argus is up.\n  clients    ws://{address}/ws  (bearer token {token})")
}

/// How Telegram stands.
pub(crate) fn telegram(pairing: Option<&PairingCode>) -> String {
    match pairing {
        None => {
            "  telegram   off: set TELEGRAM_BOT_TOKEN to a token from @BotFather, then start again".to_owned()
        }
        Some(code) if code.paired == 0 => {
            format!("  telegram   on; pair yourself: send `/start {}` to your bot", code.code)
        }
        Some(code) => {
            format!("  telegram   on; {} paired; `argus pair` shows a code for one more", code.paired)
        }
    }
}

/// How the agent stands.
pub(crate) fn agent(agent: &Agent) -> String {
    match agent {
        Agent::Serves { name } => format!("  agent      {name} serves"),
        Agent::SignedOut { name, mend } => {
            format!("  agent      {name} serves, but has no model credentials\n             mend: {mend}")
        }
        Agent::Missing { reason, mend } => {
            format!("  agent      missing: {reason}\n             mend: {mend}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_comes_with_the_command_that_mends_it() {
        let missing = Agent::Missing {
            reason: "`codex` is not installed".into(),
            mend: "npm install -g @openai/codex".into(),
        };
        assert!(agent(&missing).ends_with("mend: npm install -g @openai/codex"));
        let signed_out = Agent::SignedOut { name: "codex 1".into(), mend: "codex login".into() };
        assert!(agent(&signed_out).ends_with("mend: codex login"));
        assert!(telegram(None).contains("set TELEGRAM_BOT_TOKEN"));
    }

    #[test]
    fn the_pairing_code_is_shown_while_nobody_is_paired() {
        let mut code = PairingCode { code: "ABCD2345".into(), expires_at_ms: 0, paired: 0 };
        assert!(telegram(Some(&code)).contains("/start ABCD2345"));
        code.paired = 1;
        assert!(!telegram(Some(&code)).contains("ABCD2345"));
    }
}
