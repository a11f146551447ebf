//! How a machine gets a credential of its own, and loses it.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use argus_protocol::SessionId;
use argus_protocol::argus::node::Code;
use argus_protocol::argus::token::LONGEST_LABEL;
use argus_protocol::node::{Enrol, Enrolled, RUNTIME, names_a_node};
use argus_protocol::token::scope::Scope;
use data_encoding::{BASE32_NOPAD, HEXLOWER};
use sha2::{Digest as _, Sha256};

use super::admission::one_line;
use super::{Devices, Leave};
use crate::access::{AccessError, Act, Author, NewToken, TokenLimits};
use crate::clock::unix_ms;
use crate::store::LedgerError;
use crate::store::ledger::{NodeCode, NodeRow, Redeemed};

/// How long a code can be used.
const LIFE: Duration = Duration::from_mins(15);
/// Codes that can be used at once.
const MOST_CODES: u32 = 20;
/// Characters of a code, 80 bits.
const LENGTH: usize = 16;
/// Longest id that a machine gets by its own wish, in characters.
const LONGEST_WISH: usize = 64;
/// Codes that may be tried at once, and one more after so long.
pub(super) const TRIES_AT_ONCE: u32 = 10;
pub(super) const TRY_EVERY: Duration = Duration::from_millis(200);

/// A code to be made.
#[derive(Clone, Debug, Default)]
pub struct NewCode {
    /// The id that the machine gets; none: the one that it asks for.
    pub node_id: Option<String>,
    /// What people call it; none: what it calls itself.
    pub display_name: Option<String>,
    /// The sessions that may use it.
    pub open_to: OpenTo,
}

/// Which sessions may use a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum OpenTo {
    /// As settings have it.
    #[default]
    Usual,
    /// Every one.
    All,
    /// These.
    Only(Vec<SessionId>),
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn unstored(error: LedgerError) -> AccessError {
    AccessError::Failed(error.to_string())
}

impl Devices {
    /// Makes a code. Its line in the audit is written before it is shown.
    pub async fn new_code(&self, by: &Author, wish: NewCode) -> Result<Code, AccessError> {
        if let Some(id) = &wish.node_id {
            self.free(id).map_err(AccessError::Invalid)?;
        }
        let sessions = match wish.open_to {
            OpenTo::All => None,
            OpenTo::Only(sessions) => Some(sessions),
            OpenTo::Usual => self.usual_sessions("").await,
        };
        let code = fresh();
        let expires_ms = unix_ms() + u64::try_from(LIFE.as_millis()).unwrap_or(u64::MAX);
        let row = NodeCode {
            sha256: hash(&code),
            node_id: wish.node_id,
            display_name: wish.display_name.as_deref().and_then(one_line),
            sessions,
            expires_ms,
        };
        let subject = row.node_id.clone().unwrap_or_else(|| "any id".to_owned());
        if !self.0.ledger.add_node_code(row, MOST_CODES).await.map_err(unstored)? {
            let words =
                format!("{MOST_CODES} codes are open already; each is worth nothing after 15 minutes");
            return Err(AccessError::Failed(words));
        }
        let noted = self.0.access.audit().note(by, Act::NodeCodeShown, &subject, "done").await;
        noted.map_err(|error| AccessError::Failed(format!("no code is shown: {error}")))?;
        Ok(Code { code: grouped(&code), expires_at_ms: expires_ms })
    }

    /// Gives a machine a credential for a code; words for it where it gets none.
    pub async fn redeem(&self, from: SocketAddr, wish: &Enrol) -> Result<Enrolled, String> {
        let by = Author { who: None, from };
        let refused = |why: &str, words: String| {
            self.0.access.audit().refused(&by, "a code for a node", why);
            Err(words)
        };
        let failed = |error: LedgerError| {
            tracing::error!(%error, "a node cannot be enrolled");
            "the gateway cannot enrol it now; its log says why".to_owned()
        };
        let code = match typed(&wish.code) {
            Some(code) => self.0.ledger.node_code(&hash(&code), unix_ms()).await.map_err(failed)?,
            None => None,
        };
        let no_code = "the code is wrong, used, or too old; `argus node enrol` prints a new one";
        // Only wrong ones are counted, and a right one always counts: whoever guesses keeps nobody out who has one.
        let Some(code) = code else {
            let slowed = self.0.tries.take(Instant::now()).is_err();
            let (why, words) = if slowed {
                ("too many were tried", "too many codes were tried; try again in a minute")
            } else {
                ("it is wrong", no_code)
            };
            return refused(why, words.into());
        };
        let id = code.node_id.clone().unwrap_or_else(|| fitting(&wish.node_id));
        if let Err(words) = self.free(&id) {
            return refused("its id is taken", words);
        }
        let name = code.display_name.clone().or_else(|| wish.display_name.as_deref().and_then(one_line));
        let mut label = format!("node {}", name.as_deref().unwrap_or(&id));
        label.truncate(label.floor_char_boundary(LONGEST_LABEL));
        let new = NewToken {
            scope: Scope::Node(id.clone()),
            life: None,
            label: Some(label),
            limits: TokenLimits::default(),
        };
        let made = self.0.access.create(&by, new).await.map_err(|error| error.to_string())?;
        argus_crash_point::here("node.token_made").await;
        let row = NodeRow {
            id: id.clone(),
            token: made.id.clone(),
            display_name: wish.display_name.as_deref().and_then(one_line),
            given_name: code.display_name,
            platform: wish.platform.as_deref().and_then(one_line),
            version: None,
            sessions: code.sessions,
            told: false,
            created_ms: unix_ms(),
            last_seen_ms: None,
        };
        let redeemed = self.0.ledger.redeem_node_code(&code.sha256, row.clone()).await;
        argus_crash_point::here("node.enrolled").await;
        if !matches!(redeemed, Ok(Redeemed::Enrolled)) {
            _ = self.0.access.revoke(&by, &made.id).await;
        }
        match redeemed.map_err(failed)? {
            Redeemed::Enrolled => {}
            Redeemed::NoCode => return refused("it was used", no_code.into()),
            Redeemed::Taken => return refused("its id is taken", taken(&id)),
        }
        self.is_enrolled(row);
        self.0.access.note(&by, Act::NodeEnrolled, &format!("{id} token {}", made.id), "done").await;
        Ok(Enrolled { node_id: id, token: made.token })
    }

    /// Whoever had the id without a right to it has to go.
    fn is_enrolled(&self, row: NodeRow) {
        let mut registry = self.registry();
        if let Some(online) = registry.online.get(&row.id) {
            online.out.close(Leave::Barred("this id is enrolled now; only its own credential will do"));
        }
        registry.enrolled.insert(row.id.clone(), row);
    }

    /// Takes a node's credential from it, and ends its connection. It is worth nothing from here on, whatever the disk
    /// says.
    pub async fn revoke(&self, by: &Author, id: &str) -> Result<(), AccessError> {
        let Some(row) = self.registry().enrolled.remove(id) else { return Err(not_enrolled(id)) };
        let noted = self.0.ledger.revoke_node(id).await;
        argus_crash_point::here("node.revoked").await;
        // The ledger has ended the token with the node; this ends who is connected with it.
        _ = self.0.access.revoke(by, &row.token).await;
        let outcome = if noted.is_ok() { "done" } else { "until the next start only" };
        self.0.access.note(by, Act::NodeRevoked, id, outcome).await;
        if let Err(error) = noted {
            self.registry().enrolled.insert(id.to_owned(), row);
            return Err(AccessError::Failed(format!(
                "`{id}` is let go until the next start, but that could not be stored: {error}; revoke it again"
            )));
        }
        Ok(())
    }

    /// Gives a node another name for people.
    pub async fn rename(&self, id: &str, name: &str) -> Result<(), AccessError> {
        let Some(name) = one_line(name) else {
            return Err(AccessError::Invalid("`displayName` must not be blank".to_owned()));
        };
        if !self.0.ledger.rename_node(id, &name).await.map_err(unstored)? {
            return Err(not_enrolled(id));
        }
        if let Some(row) = self.registry().enrolled.get_mut(id) {
            row.given_name = Some(name);
        }
        Ok(())
    }

    /// Whether a machine can get that id.
    fn free(&self, id: &str) -> Result<(), String> {
        if !names_a_node(id) {
            return Err(format!(
                "the id of a node takes 1 to 128 letters, digits, `.`, `_`, `:` and `-`, got `{id}`"
            ));
        }
        if id.starts_with(RUNTIME) || id.eq_ignore_ascii_case("self") {
            return Err(format!("`{id}` is the name of runtimes' own nodes; choose another"));
        }
        if self.registry().enrolled.contains_key(id) { Err(taken(id)) } else { Ok(()) }
    }
}

fn taken(id: &str) -> String {
    format!(
        "a node `{id}` is enrolled already; `argus node revoke {id}` first, or choose another id with `argus node enrol --id`"
    )
}

fn not_enrolled(id: &str) -> AccessError {
    AccessError::Failed(format!("no node `{id}` is enrolled; `argus node list` shows those that are"))
}

/// A wish made to fit.
fn fitting(wish: &str) -> String {
    let fits = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
    let id: String = wish.trim().chars().take(LONGEST_WISH).map(fits).collect();
    let id = id.trim_matches('-');
    if id.is_empty() { "node".to_owned() } else { id.to_owned() }
}

fn fresh() -> String {
    let mut bytes = [0; LENGTH * 5 / 8];
    getrandom::fill(&mut bytes).expect("the system has a source of randomness");
    BASE32_NOPAD.encode(&bytes)
}

/// As it is printed: four characters at a time.
fn grouped(code: &str) -> String {
    let groups: Vec<_> = code.as_bytes().chunks(4).map(String::from_utf8_lossy).collect();
    groups.join("-")
}

/// A code as somebody types it; none where it cannot be one.
fn typed(text: &str) -> Option<String> {
    if text.len() > 64 {
        return None;
    }
    let bare: String = text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    let bare = bare.to_ascii_uppercase();
    let fits =
        bare.len() == LENGTH && bare.bytes().all(|b| b.is_ascii_uppercase() || (b'2'..=b'7').contains(&b));
    fits.then_some(bare)
}

fn hash(code: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_printed_in_groups_and_read_as_people_type_it() {
        let code = fresh();
        assert_eq!((grouped(&code).len(), typed(&grouped(&code)).as_ref()), (19, Some(&code)));
        let known = Some("ABCDEFGH234567AB".to_owned());
        for text in ["ABCD-EFGH-2345-67AB", " abcd efgh 2345-67ab\n", "abcdefgh234567ab"] {
            assert_eq!(typed(text), known, "{text}");
        }
        for other in
            ["", "ABCD-EFGH-2345-67A", "ABCD-EFGH-2345-67ABC", "ABCD-EFGH-2345-61AB", "äBCDEFGH234567AB"]
        {
            assert_eq!(typed(other), None, "{other}");
        }
    }

    #[test]
    fn the_id_that_a_machine_wishes_is_made_to_fit_and_never_a_runtimes() {
        for (wish, id) in [
            ("mac", "mac"),
            (" Ada's Mac (2) ", "Ada-s-Mac--2"),
            ("runtime:s1", "runtime-s1"),
            ("", "node"),
            ("笔记本", "node"),
        ] {
            assert_eq!(fitting(wish), id);
            assert!(names_a_node(&fitting(wish)), "{wish}");
        }
        assert_eq!(fitting(&"x".repeat(999)).len(), LONGEST_WISH);
    }
}
