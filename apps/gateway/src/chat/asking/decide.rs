//! What can be decided about what an agent asks, and what it is told then.

use serde_json::{Value, json};

use super::asked::Params;
use super::bounds::short;

/// Offers of an agent that are shown: a message has so much room for buttons.
const MOST: usize = 20;

/// One decision.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::chat) struct Choice {
    /// Names it in a button; the same in every version of this program.
    pub(in crate::chat) word: String,
    /// What it means to a person.
    pub(in crate::chat) verdict: Verdict,
    /// What the agent is told.
    pub(in crate::chat) result: Value,
    /// Whether the turn has to be stopped too, since the agent goes on with this result.
    pub(in crate::chat) stops: bool,
}

/// What a decision means to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::chat) enum Verdict {
    /// Yes, this once.
    Once,
    /// Yes, and the same again in this session.
    Session,
    /// Yes, and everything that begins so.
    Always,
    /// Yes, until the turn ends.
    Turn,
    /// Yes, and this host from now on.
    Host(String),
    /// No, and this host never.
    NoHost(String),
    /// It is done.
    Done,
    /// No.
    Deny,
    /// No, and the turn ends.
    DenyAndStop,
}

impl Verdict {
    /// Whether it is a yes.
    pub(in crate::chat) fn allows(&self) -> bool {
        !matches!(self, Self::NoHost(_) | Self::Deny | Self::DenyAndStop)
    }
}

fn choice(word: &str, verdict: Verdict, result: Value) -> Choice {
    Choice { word: word.to_owned(), verdict, result, stops: false }
}

fn decision(word: &str, verdict: Verdict, decision: impl Into<Value>) -> Choice {
    choice(word, verdict, json!({ "decision": decision.into() }))
}

/// For a command: what the agent offers, in its order; else everything that its request leaves open.
pub(super) fn of_command(params: &Params) -> Vec<Choice> {
    let offers = params.available_decisions.clone().unwrap_or_else(|| usual_offers(params));
    let mut hosts = 0;
    let mut choices: Vec<_> =
        offers.into_iter().filter_map(|offer| offered(offer, &mut hosts)).take(MOST).collect();
    if !choices.iter().any(|choice| choice.word == "decline") {
        choices.push(decision("decline", Verdict::Deny, "decline"));
    }
    if !choices.iter().any(|choice| choice.word == "cancel") {
        let denied = decision("cancel", Verdict::DenyAndStop, "decline");
        choices.push(Choice { stops: true, ..denied });
    }
    choices
}

fn usual_offers(params: &Params) -> Vec<Value> {
    let mut offers = vec![json!("accept")];
    // Anything else would not be valid for one of these.
    if params.kind.as_deref() != Some("humanCommand") {
        offers.push(json!("acceptForSession"));
        if let Some(prefix) = params.proposed_execpolicy_amendment.as_ref().filter(|words| !words.is_empty())
        {
            offers.push(json!({ "acceptWithExecpolicyAmendment": { "execpolicy_amendment": prefix } }));
        }
        let hosts = params.proposed_network_policy_amendments.iter().flatten();
        offers.extend(
            hosts.map(|host| json!({ "applyNetworkPolicyAmendment": { "network_policy_amendment": host } })),
        );
    }
    offers.extend([json!("decline"), json!("cancel")]);
    offers
}

fn offered(offer: Value, hosts: &mut usize) -> Option<Choice> {
    if let Some(word) = offer.as_str() {
        let (ours, verdict) = match word {
            "accept" => ("accept", Verdict::Once),
            "acceptForSession" => ("session", Verdict::Session),
            "decline" => ("decline", Verdict::Deny),
            "cancel" => ("cancel", Verdict::DenyAndStop),
            _ => return None,
        };
        return Some(decision(ours, verdict, offer));
    }
    if offer.get("acceptWithExecpolicyAmendment").is_some() {
        // What cannot be told is not offered.
        prefix(&offer)?;
        return Some(decision("always", Verdict::Always, offer));
    }
    let rule = offer.pointer("/applyNetworkPolicyAmendment/network_policy_amendment")?;
    let host = short(rule.get("host")?.as_str()?);
    let allows = rule.get("action")?.as_str()? == "allow";
    let verdict = if allows { Verdict::Host(host) } else { Verdict::NoHost(host) };
    *hosts += 1;
    Some(decision(&format!("host{hosts}"), verdict, offer))
}

/// What commands begin with that an offer allows from then on.
pub(super) fn prefix(offer: &Value) -> Option<Vec<String>> {
    let words = offer.pointer("/acceptWithExecpolicyAmendment/execpolicy_amendment")?.as_array()?;
    let words = words.iter().map(|word| word.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()?;
    (!words.is_empty()).then_some(words)
}

/// For changes of files.
pub(super) fn of_files() -> Vec<Choice> {
    vec![
        decision("accept", Verdict::Once, "accept"),
        decision("session", Verdict::Session, "acceptForSession"),
        decision("decline", Verdict::Deny, "decline"),
        decision("cancel", Verdict::DenyAndStop, "cancel"),
    ]
}

/// For commands and files in the words of the first protocol.
pub(super) fn in_the_first_words() -> Vec<Choice> {
    vec![
        decision("accept", Verdict::Once, "approved"),
        decision("session", Verdict::Session, "approved_for_session"),
        decision("decline", Verdict::Deny, "denied"),
        decision("cancel", Verdict::DenyAndStop, "abort"),
    ]
}

/// For permissions: granted is what was asked for, or nothing.
pub(super) fn of_permissions(asked: &Value) -> Vec<Choice> {
    let granted = |scope: &str| json!({ "permissions": asked, "scope": scope });
    let nothing = json!({ "permissions": {}, "scope": "turn" });
    let denied = choice("cancel", Verdict::DenyAndStop, nothing.clone());
    vec![
        choice("turn", Verdict::Turn, granted("turn")),
        choice("session", Verdict::Session, granted("session")),
        choice("decline", Verdict::Deny, nothing),
        Choice { stops: true, ..denied },
    ]
}

/// For a page to go to.
pub(super) fn of_link() -> Vec<Choice> {
    vec![
        choice("done", Verdict::Done, json!({ "action": "accept" })),
        choice("decline", Verdict::Deny, json!({ "action": "decline" })),
    ]
}
