//! How a node comes in and goes: what it says first, judged by its credential.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use argus_protocol::SessionId;
use argus_protocol::node::{Connect, Connected, RUNTIME, ToNode, names_a_node};
use argus_protocol::token::scope::Scope;
use tokio::sync::mpsc;

use super::facts::{WAITING, tell_further};
use super::registry::{Online, Registry};
use super::{Connection, Devices, Done, Outgoing, Usually, Wish};
use crate::access::{ANY_NODE, Account, Author, Holder};
use crate::clock::unix_ms;

/// What a node may say of itself: texts, how long, how many.
const LONGEST: usize = 64;
const LONGEST_COMMAND: usize = 128;
const MOST_CAPS: usize = 64;
const MOST_COMMANDS: usize = 256;

impl Devices {
    /// Takes a node in that says this first, with that token; the words of the refusal where it may not.
    pub async fn arrive(
        &self,
        connect: Connect,
        account: &Arc<Account>,
        from: SocketAddr,
    ) -> Result<Connection, &'static str> {
        if connect.node_id.is_empty() {
            return Err("Missing nodeId");
        }
        if !names_a_node(&connect.node_id) {
            return Err("`nodeId` takes 1 to 128 letters, digits, `.`, `_`, `:` and `-`");
        }
        judge(&self.registry(), &connect.node_id, account)?;
        let own = connect.node_id.strip_prefix(RUNTIME);
        if let Some(own) = own.map(str::parse::<SessionId>)
            && !matches!(own, Ok(own) if self.0.facts.knows(&own).await)
        {
            return Err("there is no session of that runtime any more");
        }
        let usually = self.usual_sessions(&connect.node_id).await;
        let said = bounded(connect);
        let (id, knows_more) = (said.node_id.clone(), said.boot.is_some());
        let (out, heard_ms) = (Outgoing::default(), Arc::new(AtomicU64::new(unix_ms())));
        // Once more, where nothing can change between.
        let mut registry = self.registry();
        let weak = judge(&registry, &id, account)?;
        let given = registry.enrolled.get(&id).and_then(|row| row.given_name.clone());
        out.say(&ToNode::Connected(Connected {
            node_id: id.clone(),
            display_name: given,
            gateway: Some(self.0.process.clone()),
        }));
        let online = Online {
            number: 0,
            out: out.clone(),
            said,
            from,
            usually,
            connected_ms: unix_ms(),
            heard_ms: heard_ms.clone(),
        };
        let number = registry.arrive(online);
        drop(registry);
        if weak {
            let by = Author { who: Some(account.holder().clone()), from };
            self.0.access.audit().weak_node(&by, &id);
        }
        let (facts, to_tell) = mpsc::channel(WAITING);
        self.0.tasks.spawn(tell_further(self.clone(), id.clone(), out.clone(), to_tell));
        tracing::info!(node.id = id, %from, "a node connected");
        let devices = self.clone();
        Ok(Connection {
            devices,
            id,
            number,
            knows_more,
            out,
            heard_ms,
            facts,
            joiners: std::collections::HashMap::new(),
            senseless: 0,
        })
    }

    /// Sessions that may use a node for which nothing was said.
    pub(super) async fn usual_sessions(&self, id: &str) -> Option<Vec<SessionId>> {
        if self.0.usually == Usually::All || id.starts_with(RUNTIME) {
            return None;
        }
        Some(self.0.facts.stored_default().await.into_iter().collect())
    }

    /// A connection has ended.
    pub(super) fn left(&self, id: &str, number: u64) {
        if self.registry().leave(id, number) {
            tracing::info!(node.id = id, "a node is away");
        }
    }

    /// Notes a call in the audit, which is not waited for.
    pub(super) fn note_call(&self, wish: &Wish, done: &Done) {
        let who = wish.session.as_ref().map_or_else(|| "operator".to_owned(), |own| format!("session:{own}"));
        let plain = |text: &str| -> String { text.chars().filter(|c| !c.is_control()).take(128).collect() };
        let subject = format!("{} {}", plain(&done.node_id), plain(&wish.command));
        let outcome = match &done.outcome {
            Ok(_) => "done".to_owned(),
            Err(fault) => match &fault.job_id {
                Some(job) => format!("{} job {}", plain(&fault.code), plain(job)),
                None => plain(&fault.code),
            },
        };
        self.0.access.audit().invoked(&who, &subject, &outcome);
    }
}

/// Whether that token is for a node of that id; whether it is one that many may have.
fn judge(registry: &Registry, id: &str, account: &Account) -> Result<bool, &'static str> {
    let enrolled = registry.enrolled.get(id);
    match account.scope() {
        Scope::Node(of) if of == id => match (enrolled, account.holder()) {
            (Some(row), Holder::Token(token)) if row.token != *token => {
                Err("this id is enrolled with another credential; revoke it first")
            }
            _ => Ok(false),
        },
        Scope::Node(of) if of != ANY_NODE => Err("the credential is for another nodeId"),
        Scope::Node(_) | Scope::Operator if id.starts_with(RUNTIME) => {
            Err("this id is a runtime's own; its credential is another one")
        }
        Scope::Node(_) | Scope::Operator if enrolled.is_some() => {
            Err("this id is enrolled; only its own credential will do")
        }
        Scope::Node(_) | Scope::Operator => Ok(true),
        Scope::Client(_) | Scope::Mcp(_) => Err("the token is for something else"),
    }
}

/// What a node says of itself, within bounds.
fn bounded(connect: Connect) -> Connect {
    let short = |text: Option<String>| text.as_deref().and_then(one_line);
    // Models read them as ours: they are names, and no sentences.
    let plain = |c: char| c.is_ascii_alphanumeric() || "._:/-".contains(c);
    let words = |all: Vec<String>, most: usize| {
        let fits = |word: &String| (1..=LONGEST_COMMAND).contains(&word.len()) && word.chars().all(plain);
        all.into_iter().filter(fits).take(most).collect()
    };
    Connect {
        node_id: connect.node_id,
        display_name: short(connect.display_name),
        platform: short(connect.platform),
        version: short(connect.version),
        caps: words(connect.caps, MOST_CAPS),
        commands: words(connect.commands, MOST_COMMANDS),
        boot: short(connect.boot),
        policy: short(connect.policy),
    }
}

/// A name that somebody gave: on one line, and not at length.
pub(super) fn one_line(text: &str) -> Option<String> {
    let words: Vec<_> =
        text.split(|c: char| c.is_control() || c.is_whitespace()).filter(|word| !word.is_empty()).collect();
    Some(words.join(" ").chars().take(LONGEST).collect()).filter(|short: &String| !short.is_empty())
}
