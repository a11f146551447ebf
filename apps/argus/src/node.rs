//! `argus node`: the machines on which commands run, and how one becomes such.

use std::process::ExitCode;

use anyhow::Context as _;
use argus_node_host::install::Invocation;
use argus_protocol::argus::node::{
    Code, ENROL, Enrol, INVOKE, Invoke, Invoked, LIST, List, Nodes, RENAME, REVOKE, Rename, Revoke,
    USUAL_TIMEOUT_MS,
};
use argus_protocol::node::NodeInfo;
use clap::{Args, Subcommand};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use url::{Host, Url};

use crate::local::{Local, Where};
use crate::shown::{now_ms, span};

/// How long a device's owner may take at most, and a little more, in milliseconds.
const LONGEST_QUESTION_MS: u64 = 3_660_000;

/// What to do about nodes.
#[derive(Args)]
pub(crate) struct Node {
    #[command(subcommand)]
    deed: Deed,
}

#[derive(Subcommand)]
enum Deed {
    /// Print one line to paste on a machine that is to become a node
    Enrol(New),
    /// List the nodes, also those that are away
    List {
        #[command(flatten)]
        place: Where,
        /// What the gateway answers, as JSON
        #[arg(long)]
        json: bool,
    },
    /// Take a node's credential from it; it is let go at once
    Revoke {
        #[command(flatten)]
        place: Where,
        /// Its id, as `argus node list` shows it
        id: String,
    },
    /// Give a node another name for people
    Rename {
        #[command(flatten)]
        place: Where,
        /// Its id, as `argus node list` shows it
        id: String,
        /// The new name
        name: String,
    },
    /// Have this machine's node started with this user's session, after showing how
    Install(argus_node_host::InstallArgs),
    /// Take that back
    Uninstall(argus_node_host::UninstallArgs),
    /// Have a command done on a node, and print what came of it as JSON
    Invoke(Call),
}

/// A machine to be enrolled.
#[derive(Args)]
struct New {
    #[command(flatten)]
    place: Where,
    /// Its id [default: what the machine calls itself]
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// What people call it [default: what the machine calls itself]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The sessions that may use it, `default` among them; `*` is every one [default: every one where people share
    /// them, else the default one]
    #[arg(long = "for", value_name = "SESSION", num_args = 1..)]
    sessions: Option<Vec<String>>,
    /// Where the machine reaches this gateway, such as `wss://argus.example/nodes/ws` [default: where it listens]
    #[arg(long, value_name = "WS_URL")]
    url: Option<String>,
}

/// A command to be done.
#[derive(Args)]
struct Call {
    #[command(flatten)]
    place: Where,
    /// `self` (the runtime of the session), an id, or a name that only one has
    node: String,
    /// What to do, such as system.which
    command: String,
    /// With what, as JSON, such as '{"bin":"git"}'
    params: Option<String>,
    /// How long to wait; then it is ended
    #[arg(long, value_name = "MS", default_value_t = USUAL_TIMEOUT_MS)]
    timeout_ms: u64,
    /// Which session asks, and hears of a job's end [default: none]
    #[arg(long, value_name = "ID")]
    session: Option<String>,
}

/// How the program of a node is called that is part of this one.
pub(crate) fn invocation() -> Invocation {
    Invocation::of_this_program(&["node-host"])
}

pub(crate) async fn run(node: Node) -> anyhow::Result<ExitCode> {
    match node.deed {
        Deed::Enrol(new) => enrol(new).await?,
        Deed::List { place, json } => list(&place.find()?, json).await?,
        Deed::Revoke { place, id } => {
            let _: Value = place.find()?.call(REVOKE, json!(Revoke { node_id: id.clone() })).await?;
            eprintln!("The node {id} has no credential any more.");
        }
        Deed::Rename { place, id, name } => {
            let wish = Rename { node_id: id.clone(), display_name: name };
            let _: Value = place.find()?.call(RENAME, json!(wish)).await?;
            eprintln!("The node {id} has another name.");
        }
        Deed::Install(args) => argus_node_host::install::install(&args, &invocation())?,
        Deed::Uninstall(args) => argus_node_host::install::uninstall(&args)?,
        Deed::Invoke(call) => return invoke(call).await,
    }
    Ok(ExitCode::SUCCESS)
}

async fn enrol(new: New) -> anyhow::Result<()> {
    let gateway = new.place.find()?;
    let url = match &new.url {
        Some(url) => url.trim().to_owned(),
        None => format!("{}/nodes/ws", gateway.url().replacen("http", "ws", 1)),
    };
    let warning = warning(&url)?;
    let wish = Enrol { node_id: new.id, display_name: new.name, sessions: new.sessions };
    let made: Code = gateway.call(ENROL, json!(wish)).await?;
    println!(
        "argus-node-host enrol --url {} --code {} && argus-node-host install",
        shell_words::quote(&url),
        made.code
    );
    let left = span(made.expires_at_ms.saturating_sub(now_ms()));
    eprintln!("Paste it on the machine that is to become a node. The code works once, within {left}.");
    if let Some(warning) = warning {
        eprintln!("Warning: {warning}");
    }
    Ok(())
}

/// What is to be thought of before a machine is sent there.
fn warning(text: &str) -> anyhow::Result<Option<String>> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "ws" | "wss"));
    let url = url.with_context(|| {
        format!("`--url` takes an address such as wss://argus.example/nodes/ws, got `{text}`")
    })?;
    let is_here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback() || ip.is_unspecified(),
        Some(Host::Ipv6(ip)) => ip.is_loopback() || ip.is_unspecified(),
        None => false,
    };
    if is_here {
        let words =
            "that address leads to this machine only; for another one say how it gets here with --url";
        return Ok(Some(words.to_owned()));
    }
    if url.scheme() == "ws" {
        let words = "ws:// is not encrypted: whoever is between the two machines can read the credential and the commands; \
             use wss:// behind a proxy with a certificate, or a private network";
        return Ok(Some(words.to_owned()));
    }
    Ok(None)
}

async fn list(gateway: &Local, json: bool) -> anyhow::Result<()> {
    let told: Nodes = gateway.call(LIST, json!(List { all: true, session_id: None })).await?;
    if json {
        println!("{}", serde_json::to_string_pretty(&told)?);
        return Ok(());
    }
    let now = now_ms();
    for node in &told.nodes {
        println!("{}", line(node, now));
    }
    if told.nodes.is_empty() {
        eprintln!("There is no node yet; `argus node enrol` prints how a machine becomes one.");
    }
    Ok(())
}

fn line(node: &NodeInfo, now_ms: u64) -> String {
    let ago = |at: u64| span(now_ms.saturating_sub(at));
    let state = match (node.connected_at_ms, node.last_seen_ms) {
        (Some(_), Some(seen)) if node.stale => format!("stale for {}", ago(seen)),
        (Some(since), _) => format!("connected for {}", ago(since)),
        (None, Some(seen)) => format!("away for {}", ago(seen)),
        (None, None) => "never came".to_owned(),
    };
    let mut parts = vec![node.node_id.clone(), state];
    parts.extend(node.display_name.as_ref().filter(|name| **name != node.node_id).map(|name| shown(name)));
    parts.extend(node.platform.as_deref().map(shown));
    parts.extend(node.policy.as_deref().map(|policy| format!("policy {}", shown(policy))));
    parts.extend(node.sessions.as_ref().map(|sessions| format!("for {}", sessions.join(", "))));
    parts.join("  ")
}

/// What a machine says of itself stays what it says: it moves no cursor.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

async fn invoke(call: Call) -> anyhow::Result<ExitCode> {
    let params = call.params.map(RawValue::from_string).transpose();
    let params =
        params.context("the parameters are no JSON; quote them for the shell: '{\"bin\":\"git\"}'")?;
    // While the device's owner is asked, the time of the call stands still.
    let wait = std::time::Duration::from_millis(call.timeout_ms.saturating_add(LONGEST_QUESTION_MS));
    let gateway = call.place.find()?.patient(wait)?;
    let wish = Invoke {
        node: Some(call.node),
        command: call.command,
        params,
        timeout_ms: Some(call.timeout_ms),
        idempotency_key: None,
        session_id: call.session,
    };
    let told: Invoked = gateway.call(INVOKE, json!(wish)).await?;
    if let Some(fault) = &told.error {
        let job = fault.job_id.as_ref().map(|job| format!("; its job is {job}")).unwrap_or_default();
        eprintln!("argus: {}: {fault}{job}", told.node_id);
        return Ok(ExitCode::FAILURE);
    }
    println!("{}", told.payload.as_deref().map_or("null", RawValue::get));
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_another_machine_cannot_reach_or_should_not_is_warned_of() {
        let about = |url: &str| warning(url).ok().flatten().unwrap_or_default();
        for url in [
            "ws://127.0.0.1:8080/nodes/ws",
            "ws://localhost/nodes/ws",
            "wss://[::1]/nodes/ws",
            "ws://0.0.0.0:80/",
        ] {
            assert!(about(url).contains("this machine only"), "{url}");
        }
        assert!(about("ws://192.168.1.7:8080/nodes/ws").contains("not encrypted"));
        assert_eq!(warning("wss://argus.example/nodes/ws").unwrap(), None);
        for wrong in ["", "argus.example", "https://argus.example"] {
            assert!(warning(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_node_is_told_on_one_line() {
        let mut node = NodeInfo {
            node_id: "mac".into(),
            display_name: Some("Ada's\u{1b} Mac".into()),
            platform: Some("macos".into()),
            version: None,
            caps: vec![],
            commands: vec![],
            connected_at_ms: Some(1000),
            last_seen_ms: Some(61_000),
            connected: true,
            stale: false,
            policy: Some("ask".into()),
            sessions: Some(vec!["a1".into(), "b2".into()]),
        };
        assert_eq!(line(&node, 61_000), "mac  connected for 60s  Ada's Mac  macos  policy ask  for a1, b2");
        (node.stale, node.sessions) = (true, None);
        assert_eq!(line(&node, 161_000), "mac  stale for 100s  Ada's Mac  macos  policy ask");
        (node.connected_at_ms, node.policy) = (None, None);
        assert_eq!(line(&node, 3_661_000), "mac  away for 60m  Ada's Mac  macos");
        node.last_seen_ms = None;
        assert_eq!(line(&node, 0), "mac  never came  Ada's Mac  macos");
    }
}
