//! `nodes_list`: the machines on which commands run.

use std::fmt::Write as _;

use argus_protocol::node::NodeInfo;
use argus_protocol::token::scope::Scope;
use serde_json::{Value, json};

use super::super::answer::Told;
use super::Call;
use crate::clock::unix_ms;
use crate::devices::Sight;

pub(super) const LIST: &str = "\
Lists the nodes (machines) that commands can run on: their ids, names, systems, whether they are connected, and the commands \
they take. Nodes whose id begins with `runtime:` are the machines of sessions; your own is also called `self`.";

pub(super) fn list_schema() -> Value {
    json!({ "type": "object", "properties": {}, "additionalProperties": false })
}

/// What the caller sees.
pub(super) fn sight(call: &Call) -> Sight {
    match (call.caller.grant.scope(), &call.caller.session) {
        (Scope::Operator, _) | (_, None) => Sight::Everything,
        (_, Some(own)) => Sight::Of(own.clone()),
    }
}

pub(super) fn list(call: &Call) -> Told {
    let nodes = call.edge.devices.list(&sight(call));
    let own = call.caller.session.as_ref().map(|own| format!("{}{own}", argus_protocol::node::RUNTIME));
    Told::new(in_words(&nodes, own.as_deref(), unix_ms()), &json!({ "nodes": nodes }))
}

fn in_words(nodes: &[NodeInfo], own: Option<&str>, now_ms: u64) -> String {
    if nodes.is_empty() {
        return "No node is connected. A session's own machine comes back by itself in some seconds; \
                the owner adds a device with `argus node enrol`."
            .to_owned();
    }
    let lines = nodes.iter().map(|node| {
        let mut line = format!("- `{}`", node.node_id);
        if own == Some(node.node_id.as_str()) {
            line.push_str(" (`self`)");
        }
        if let Some(name) = &node.display_name {
            _ = write!(line, " \"{name}\"");
        }
        if let Some(platform) = &node.platform {
            _ = write!(line, ", {platform}");
        }
        line.push_str(match (node.connected, node.stale) {
            (true, false) => ", connected",
            (true, true) => ", connected but silent",
            (false, _) => ", away",
        });
        if let (Some(seen), true) = (node.last_seen_ms, node.stale || !node.connected) {
            _ = write!(line, ", last heard of {} s ago", now_ms.saturating_sub(seen) / 1000);
        }
        if let Some(policy) = &node.policy {
            line.push_str(match policy.as_str() {
                "ask" => ", its owner is asked before anything that is not on a list of theirs",
                "deny" => ", its owner allows only what is on a list of theirs",
                _ => "",
            });
        }
        if !node.commands.is_empty() {
            _ = write!(line, "\n  takes: {}", node.commands.join(", "));
        }
        line
    });
    lines.collect::<Vec<_>>().join("\n")
}
