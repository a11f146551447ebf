//! `ARGUS_UPSTREAMS_JSON`, read so that every mistake in it is told. No value is repeated: some of them are secrets.

use std::collections::BTreeMap;
use std::fmt;

use argus_protocol::SessionId;
use argus_protocol::token::Secret;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::{A_PORT, HOST, PORT, Upstream, UpstreamProtocol, host};

/// Upstreams in the order of the table.
pub(super) fn read(text: &str, mistakes: &mut Vec<String>) -> Vec<Upstream> {
    let entries = match serde_json::from_str(text) {
        Ok(Pairs(entries)) => entries,
        Err(error) if error.is_data() => {
            mistakes.push("expected an object of upstreams".to_owned());
            return Vec::new();
        }
        Err(error) => {
            mistakes.push(format!("no JSON: {error}"));
            return Vec::new();
        }
    };
    if entries.is_empty() {
        mistakes.push("expected at least one upstream".to_owned());
    }
    let mut found: Vec<Upstream> = Vec::new();
    for (id, entry) in entries {
        let mut own = Vec::new();
        let read = upstream(&id, &entry, &mut own);
        if let Some(other) = read.as_ref().and_then(|new| found.iter().find(|one| one.session == new.session))
        {
            own.push(if other.id == id {
                "it stands there twice".to_owned()
            } else {
                format!(
                    "its session would be `{}`, that of `{}`; rename one of them",
                    other.session, other.id
                )
            });
        }
        let same_token =
            |new: &Upstream| found.iter().find(|one| one.token.is_some() && one.token == new.token);
        if let Some(other) = read.as_ref().and_then(same_token) {
            own.push(format!(
                "its token is that of `{}`; give each its own, since a token names its upstream",
                other.id
            ));
        }
        if own.is_empty() {
            found.extend(read);
        }
        mistakes.extend(own.into_iter().map(|mistake| format!("upstream `{id}`: {mistake}")));
    }
    found
}

/// One upstream; `None` when there is a mistake in it.
fn upstream(id: &str, entry: &RawValue, mistakes: &mut Vec<String>) -> Option<Upstream> {
    let Ok(Pairs(members)) = serde_json::from_str(entry.get()) else {
        mistakes.push("expected an object".to_owned());
        return None;
    };
    let mut entry = Entry::of(members, mistakes);
    let (host_text, secret) = (entry.take::<String>("host", A_TEXT), entry.take::<String>("secret", A_TEXT));
    let token = entry.take::<String>("token", A_TEXT).unwrap_or_default();
    let wish = entry.take::<String>("protocol", "expected plain or bridge");
    let port = match entry.take("port", A_PORT) {
        Some(0) => Err(A_PORT.to_owned()),
        port => Ok(port.unwrap_or(PORT)),
    };
    entry.nothing_else();
    let session = entry.checked("id", session(id));
    let host = entry.checked("host", host_text.map_or_else(|| Ok(HOST.to_owned()), |text| host(text.trim())));
    let port = entry.checked("port", port);
    let token = entry.checked("token", Secret::bearer(&token).map_err(|why| why.to_string()));
    let protocol = match (wish.as_deref(), secret.as_deref().and_then(Secret::parse)) {
        (None | Some("plain"), None) => Ok(UpstreamProtocol::Plain),
        (Some("bridge"), Some(secret)) => Ok(UpstreamProtocol::Bridge { secret }),
        (Some("bridge"), None) => Err("a bridge needs its `secret`, whose SHA-256 it was given"),
        (None | Some("plain"), Some(_)) => Err("only a bridge has a `secret`; expected bridge"),
        (Some(_), _) => Err("expected plain or bridge"),
    };
    let protocol = entry.checked("protocol", protocol.map_err(str::to_owned));
    Some(Upstream {
        id: id.to_owned(),
        session: session?,
        host: host?,
        port: port?,
        token: token?,
        protocol: protocol?,
    })
}

const A_TEXT: &str = "expected a text";

/// The session of an upstream: its id, with what the id of a session cannot hold replaced.
fn session(id: &str) -> Result<SessionId, String> {
    let fits = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = id.chars().map(fits).collect();
    name.parse().map_err(|_| {
        "expected 1 to 64 letters, digits and signs, beginning with a letter or a digit".to_owned()
    })
}

/// The members of one upstream, taken one by one.
struct Entry<'a> {
    left: BTreeMap<String, Box<RawValue>>,
    mistakes: &'a mut Vec<String>,
}

impl<'a> Entry<'a> {
    fn of(members: Vec<(String, Box<RawValue>)>, mistakes: &'a mut Vec<String>) -> Self {
        let mut left = BTreeMap::new();
        for (name, value) in members {
            if left.insert(name.clone(), value).is_some() {
                mistakes.push(format!("{name}: it stands there twice"));
            }
        }
        Self { left, mistakes }
    }

    /// The member of that name; `null` counts as none.
    fn take<T: DeserializeOwned>(&mut self, name: &str, expected: &str) -> Option<T> {
        let value = self.left.remove(name)?;
        let read = serde_json::from_str::<Option<T>>(value.get()).map_err(|_| expected.to_owned());
        self.checked(name, read).flatten()
    }

    fn checked<T>(&mut self, name: &str, value: Result<T, String>) -> Option<T> {
        value.map_err(|why| self.mistakes.push(format!("{name}: {why}"))).ok()
    }

    fn nothing_else(&mut self) {
        for name in std::mem::take(&mut self.left).into_keys() {
            self.mistakes.push(format!("{name}: expected only host, port, token, protocol and secret"));
        }
    }
}

/// An object's members in their order, the same name twice if it stands there twice.
struct Pairs(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        input.deserialize_map(Members)
    }
}
