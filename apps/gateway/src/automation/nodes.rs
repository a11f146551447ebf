//! What a session is told of the nodes that come and go.

use std::fmt::Write as _;

use argus_protocol::SessionId;
use serde_json::{Map, Value, json};

use super::Automation;
use super::events::{Event, EventError, Happening, Queue, Source};

/// Longest name of a node, its platform and the like, in characters.
const LONGEST: usize = 64;

/// A node, as it told of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub display_name: Option<String>,
    /// Its operating system.
    pub platform: Option<String>,
    /// The version of its program.
    pub version: Option<String>,
    /// Where it connected from.
    pub ip: Option<String>,
}

/// What became of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeChange {
    /// It connected.
    Connected,
    /// It is gone.
    Disconnected,
}

impl Automation {
    /// Tells a session of a node. While it has not heard of the last change of the same node, it only hears of the newest.
    pub async fn node_changed(
        &self,
        session: &SessionId,
        node: &Node,
        change: NodeChange,
    ) -> Result<Event, EventError> {
        self.happened(session, Queue::Main, happening(node, change), Source::Internal).await
    }
}

fn happening(node: &Node, change: NodeChange) -> Happening {
    let (word, event) = match change {
        NodeChange::Connected => ("Node connected", "connected"),
        NodeChange::Disconnected => ("Node disconnected", "disconnected"),
    };
    let short = |text: &Option<String>| text.as_deref().and_then(shortened);
    let id = shortened(&node.id).unwrap_or_else(|| "?".to_owned());
    let (name, platform) = (short(&node.display_name), short(&node.platform));
    let (version, ip) = (short(&node.version), short(&node.ip));
    let label = match &name {
        Some(name) if *name != id => format!("{name} ({id})"),
        _ => id.clone(),
    };
    let mut text = format!("{word}: {label}");
    for (name, value) in [("platform", &platform), ("version", &version), ("ip", &ip)] {
        if let Some(value) = value {
            _ = write!(text, " · {name}={value}");
        }
    }
    let meta = json!({
        "event": event, "nodeId": id, "displayName": name, "platform": platform, "version": version, "ip": ip,
    });
    Happening {
        kind: "node".to_owned(),
        text,
        meta: object(meta),
        key: None,
        subject: Some(format!("node:{}", node.id)),
    }
}

/// Nodes call themselves as they like: on one line, and not at length.
pub(super) fn shortened(text: &str) -> Option<String> {
    let words: Vec<_> =
        text.split(|c: char| c.is_control() || c.is_whitespace()).filter(|word| !word.is_empty()).collect();
    let short: String = words.join(" ").chars().take(LONGEST).collect();
    Some(short).filter(|short| !short.is_empty())
}

pub(super) fn object(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_told_with_what_it_said_of_itself() {
        let node = Node {
            id: "n1".into(),
            display_name: Some("Ada's\n  laptop\u{1b}[2J".into()),
            platform: Some("linux".into()),
            version: Some("0.1.0".into()),
            ip: Some("10.0.0.7".into()),
        };
        let expected = Happening {
            kind: "node".into(),
            text: "Node connected: Ada's laptop [2J (n1) · platform=linux · version=0.1.0 · ip=10.0.0.7"
                .into(),
            meta: object(json!({
                "event": "connected", "nodeId": "n1", "displayName": "Ada's laptop [2J", "platform": "linux",
                "version": "0.1.0", "ip": "10.0.0.7",
            })),
            key: None,
            subject: Some("node:n1".into()),
        };
        assert_eq!(happening(&node, NodeChange::Connected), expected);
        let bare = Node { id: "n1".into(), display_name: Some(" ".into()), ..Node::default() };
        let told = happening(&bare, NodeChange::Disconnected);
        assert_eq!(told.text, "Node disconnected: n1");
        assert_eq!(
            told.meta,
            object(json!({
                "event": "disconnected", "nodeId": "n1", "displayName": null, "platform": null, "version": null, "ip": null,
            }))
        );
        let long = Node { id: "n1".into(), display_name: Some("ä".repeat(99)), ..Node::default() };
        let told = happening(&long, NodeChange::Connected).text;
        assert_eq!(told, format!("Node connected: {} (n1)", "ä".repeat(64)));
    }
}
