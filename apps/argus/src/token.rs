//! `argus token`: the operator's token, and tokens for programs that need less.

use std::process::ExitCode;

use anyhow::bail;
use argus_protocol::TokenId;
use argus_protocol::argus::token::{
    CREATE, Create, Created, LIST, List, Listed, REVOKE, ROTATE, Revoke, Rotate, Rotated, State,
};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use crate::local::{Local, Where};
use crate::shown::{now_ms, span};

/// What to do with tokens; nothing: show the operator's.
#[derive(Args)]
pub(crate) struct Token {
    #[command(flatten)]
    place: Where,
    #[command(subcommand)]
    deed: Option<Deed>,
}

#[derive(Subcommand)]
enum Deed {
    /// Make a token and print it, this once
    Create(New),
    /// List the tokens that were made
    List,
    /// End a token; whoever is connected with it is let go
    Revoke {
        /// Its id, as `argus token list` shows it
        id: TokenId,
    },
    /// Replace the operator's token, or the key that all made tokens depend on
    Rotate {
        /// What to replace
        what: What,
    },
}

/// A token to be made.
#[derive(Args)]
struct New {
    /// What it is for: one session, or everything
    #[arg(long, value_enum)]
    scope: Kind,
    /// The session it is for: its id, or `default`
    #[arg(long, value_name = "ID", required_if_eq_any([("scope", "client"), ("scope", "mcp")]))]
    session: Option<String>,
    /// The node it is for: its id
    #[arg(long, value_name = "ID", required_if_eq("scope", "node"))]
    node: Option<String>,
    /// How long it lives: seconds, or a number with m, h or d, such as 12h [default: until it is revoked]
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    ttl: Option<u64>,
    /// What it is for, in your words
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,
    /// Connections at once [default: as the gateway's settings say]
    #[arg(long, value_name = "COUNT")]
    max_connections: Option<u32>,
    /// Longest frame in bytes [default: as the gateway's settings say]
    #[arg(long, value_name = "BYTES")]
    max_frame_bytes: Option<u64>,
    /// Requests in a second [default: as the gateway's settings say]
    #[arg(long, value_name = "COUNT")]
    max_requests_per_second: Option<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// One session, as a program that chats has it
    Client,
    /// The tools of one session, as its agent has them
    Mcp,
    /// One node, for a program of your own; `argus node enrol` makes those of devices
    Node,
    /// Everything, as the operator's own token, but it can expire and be revoked
    Operator,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    /// The operator's own token; made tokens stay valid
    Operator,
    /// The key; every made token is void
    Key,
}

pub(crate) async fn run(token: Token) -> anyhow::Result<ExitCode> {
    let gateway = token.place.find()?;
    match token.deed {
        None => println!("{}", gateway.token()),
        Some(Deed::Create(new)) => create(&gateway, new).await?,
        Some(Deed::List) => list(&gateway).await?,
        Some(Deed::Revoke { id }) => {
            let _: Value = gateway.call(REVOKE, json!(Revoke { id: id.clone() })).await?;
            eprintln!("The token {id} opens nothing any more.");
        }
        Some(Deed::Rotate { what: What::Operator }) => {
            rotate(&gateway, Rotated::Operator).await?;
            eprintln!(
                "The operator's token is another one now; `argus token` shows it. Programs that were connected with \
                 the old one were let go."
            );
        }
        Some(Deed::Rotate { what: What::Key }) => {
            rotate(&gateway, Rotated::Key).await?;
            eprintln!("Every token that was made is void. The operator's own is as it was.");
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn create(gateway: &Local, new: New) -> anyhow::Result<()> {
    let scope = match (new.scope, new.session, new.node) {
        (Kind::Client, Some(session), None) => format!("client:{}", session.trim()),
        (Kind::Mcp, Some(session), None) => format!("mcp:{}", session.trim()),
        (Kind::Node, None, Some(node)) => format!("node:{}", node.trim()),
        (Kind::Operator, None, None) => "operator".to_owned(),
        (Kind::Client | Kind::Mcp, None, _) => bail!("say which session: --session ID, or --session default"),
        (Kind::Node, _, None) => bail!("say which node: --node ID"),
        (Kind::Operator, ..) => bail!("a token of scope operator is for no single session or node"),
        (Kind::Client | Kind::Mcp, Some(_), Some(_)) | (Kind::Node, Some(_), _) => {
            bail!("a token is for one session or for one node")
        }
    };
    let wish = Create {
        scope,
        ttl_seconds: new.ttl,
        label: new.label,
        max_connections: new.max_connections,
        max_frame_bytes: new.max_frame_bytes,
        max_requests_per_second: new.max_requests_per_second,
    };
    let made: Created = gateway.call(CREATE, json!(wish)).await?;
    println!("{}", made.token);
    let life = made.expires_at_ms.map(|at| format!("for {}", span(at.saturating_sub(now_ms()))));
    let life = life.unwrap_or_else(|| "until it is revoked".to_owned());
    eprintln!("Token {} for `{}`, valid {life}. It is shown this once.", made.id, made.scope);
    Ok(())
}

async fn list(gateway: &Local) -> anyhow::Result<()> {
    let List { tokens } = gateway.call(LIST, json!({})).await?;
    let now = now_ms();
    for token in &tokens {
        println!("{}", line(token, now));
    }
    if tokens.is_empty() {
        eprintln!("No token was made yet.");
    }
    Ok(())
}

fn line(token: &Listed, now_ms: u64) -> String {
    let ago = |at: u64| format!("{} ago", span(now_ms.saturating_sub(at)));
    let state = match (token.state, token.expires_at_ms, token.revoked_at_ms) {
        (State::Valid, None, _) => "valid".to_owned(),
        (State::Valid, Some(at), _) => format!("valid for {}", span(at.saturating_sub(now_ms))),
        (State::Expired, at, _) => format!("expired {}", ago(at.unwrap_or_default())),
        (State::Revoked, _, None) => "revoked".to_owned(),
        (State::Revoked, _, Some(at)) => format!("revoked {}", ago(at)),
    };
    let (made, label) = (ago(token.created_at_ms), token.label.as_deref().unwrap_or_default());
    let line = format!(
        "{}  {}  {state}  made {made}  connected {}  {label}",
        token.id, token.scope, token.connections
    );
    line.trim_end().to_owned()
}

async fn rotate(gateway: &Local, what: Rotated) -> anyhow::Result<()> {
    let _: Value = gateway.call(ROTATE, json!(Rotate { what })).await?;
    Ok(())
}

/// Seconds, from a number with a unit or without.
fn seconds(text: &str) -> Result<u64, String> {
    let (number, unit) = match text.char_indices().last() {
        Some((at, 's')) => (&text[..at], 1),
        Some((at, 'm')) => (&text[..at], 60),
        Some((at, 'h')) => (&text[..at], 3600),
        Some((at, 'd')) => (&text[..at], 86_400),
        _ => (text, 1),
    };
    let number = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    let number = number.filter(|seconds| *seconds > 0);
    number.ok_or_else(|| "expected a time such as 90m, 12h, 7d or a number of seconds".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_is_said_in_seconds_or_with_a_unit() {
        let said = ["90", "90s", "90m", "12h", "7d"].map(|text| seconds(text).ok());
        assert_eq!(said, [Some(90), Some(90), Some(5400), Some(43_200), Some(604_800)]);
        for wrong in ["", "0", "-1", "h", "1w", "1.5h", "99999999999999999999", "18446744073709551615d", "1ä"]
        {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_time_is_told_in_its_largest_unit() {
        let told = [0, 1, 119_000, 120_000, 7_199_000, 43_201_000, 604_800_000].map(span);
        assert_eq!(told, ["0s", "1s", "119s", "2m", "120m", "12h", "7d"]);
    }
}
