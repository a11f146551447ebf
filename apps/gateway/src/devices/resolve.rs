//! Which node is meant, of those that may be seen.

use argus_protocol::node::{Fault, code};

/// Nodes that a refusal names.
const MOST_NAMED: usize = 20;

/// A node that may be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) id: String,
    pub(super) name: Option<String>,
}

/// The id of the node that is meant: `own` for `self` and for nothing, an id, or a name that only one has.
pub(super) fn resolve(wanted: Option<&str>, own: Option<&str>, seen: &[Seen]) -> Result<String, Fault> {
    let wanted = wanted.map(str::trim).filter(|wanted| !wanted.is_empty()).unwrap_or("self");
    if wanted.eq_ignore_ascii_case("self") {
        let none =
            "`self` is the runtime of the default session, and there is no such session yet; name a node";
        return own.map(str::to_owned).ok_or_else(|| Fault::new(code::NODE_NOT_FOUND, none));
    }
    if own == Some(wanted) || seen.iter().any(|node| node.id == wanted) {
        return Ok(wanted.to_owned());
    }
    let lower = |text: &str| text.trim().to_lowercase();
    let called = |node: &&Seen| node.name.as_deref().is_some_and(|name| lower(name) == lower(wanted));
    let named: Vec<_> = seen.iter().filter(called).collect();
    match named.as_slice() {
        [one] => Ok(one.id.clone()),
        [] => {
            let words = format!("there is no node `{}` here; {}", shown(wanted), there_is(seen));
            Err(Fault::new(code::NODE_NOT_FOUND, words))
        }
        several => {
            let ids = listed(several.iter().map(|node| format!("`{}`", node.id)));
            let words =
                format!("{} nodes are called `{}`: {ids}; name one by its id", several.len(), shown(wanted));
            Err(Fault::new(code::AMBIGUOUS, words))
        }
    }
}

fn there_is(seen: &[Seen]) -> String {
    if seen.is_empty() {
        return "there is none but `self`".to_owned();
    }
    let one = |node: &Seen| match &node.name {
        Some(name) if *name != node.id => format!("`{}` ({name})", node.id),
        _ => format!("`{}`", node.id),
    };
    format!("there is `self`, {}", listed(seen.iter().map(one)))
}

/// The first of them, and how many more there are.
pub(super) fn listed(names: impl ExactSizeIterator<Item = String>) -> String {
    let more = names.len().saturating_sub(MOST_NAMED);
    let mut names: Vec<_> = names.take(MOST_NAMED).collect();
    if more > 0 {
        names.push(format!("and {more} more"));
    }
    names.join(", ")
}

/// What somebody else wrote, on one line and not at length.
fn shown(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain.take(128).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen() -> Vec<Seen> {
        let one = |id: &str, name: Option<&str>| Seen { id: id.into(), name: name.map(str::to_owned) };
        vec![
            one("runtime:s1", None),
            one("mac", Some("Ada's Mac")),
            one("pi", Some("Shelf")),
            one("pi2", Some("shelf")),
            one("Ada's", Some("mac")),
        ]
    }

    #[test]
    fn a_node_is_meant_by_self_by_its_id_or_by_a_name_that_only_one_has() {
        let own = Some("runtime:s1");
        for (wanted, id) in [
            (None, "runtime:s1"),
            (Some("self"), "runtime:s1"),
            (Some(" SELF "), "runtime:s1"),
            (Some(""), "runtime:s1"),
            (Some("runtime:s1"), "runtime:s1"),
            (Some("pi2"), "pi2"),
            (Some("ada's mac"), "mac"),
            // An id wins over a name.
            (Some("mac"), "mac"),
        ] {
            assert_eq!(resolve(wanted, own, &seen()), Ok(id.to_owned()), "{wanted:?}");
        }
        // Its own runtime is known even while it is away.
        assert_eq!(resolve(Some("runtime:s2"), Some("runtime:s2"), &[]), Ok("runtime:s2".to_owned()));
    }

    #[test]
    fn what_could_be_several_or_is_none_is_told_with_what_there_is() {
        let fault = |wanted, seen: &[Seen]| resolve(Some(wanted), None, seen).unwrap_err();
        let words = "2 nodes are called `SHELF`: `pi`, `pi2`; name one by its id";
        assert_eq!(fault("SHELF", &seen()), Fault::new(code::AMBIGUOUS, words));
        let words = "there is no node `runtime:s2` here; there is `self`, `runtime:s1`, `mac` (Ada's Mac)";
        assert_eq!(fault("runtime:s2", &seen()[..2]), Fault::new(code::NODE_NOT_FOUND, words));
        let words = "there is no node `x` here; there is none but `self`";
        assert_eq!(fault("x", &[]), Fault::new(code::NODE_NOT_FOUND, words));
        assert!(fault("self", &[]).message.contains("default session"));
    }
}
