//! Where the gateway is: a WebSocket address, and the token that some still write into it.

use std::fmt;

use url::{Host, Url};

use crate::credential::Secret;

/// The path of the gateway's door for nodes.
const DOOR: &str = "/nodes/ws";

/// Where the gateway is. It holds no token.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(Url);

/// An address as somebody wrote it.
#[derive(Debug)]
pub struct Written {
    /// Where.
    pub address: Address,
    /// The token that stood in it.
    pub token: Option<Secret>,
}

impl Address {
    /// Reads an address: `wss://host/nodes/ws`. `https` and `http` are taken for `wss` and `ws`, no path for the usual
    /// one. A token in the query is taken out. The error is words that do not repeat the address, as it may hold one.
    pub fn read(text: &str) -> Result<Written, String> {
        let mut url = Url::parse(text.trim()).map_err(|error| format!("is no address: {error}"))?;
        let scheme = match url.scheme() {
            "ws" | "http" => "ws",
            "wss" | "https" => "wss",
            other => return Err(format!("begins with `{other}:`, not with `ws://` or `wss://`")),
        };
        if url.set_scheme(scheme).is_err() || url.host_str().is_none_or(str::is_empty) {
            return Err("names no host".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("holds a user's name or password, which a gateway does not take".to_owned());
        }
        url.set_fragment(None);
        if url.path().trim_matches('/').is_empty() {
            url.set_path(DOOR);
        }
        let token = take_token(&mut url);
        Ok(Written { address: Self(url), token })
    }

    /// Whether what is said can be read on the way.
    pub fn is_in_the_clear(&self) -> bool {
        self.0.scheme() == "ws"
            && match self.0.host() {
                Some(Host::Domain(name)) => name != "localhost" && !name.ends_with(".localhost"),
                Some(Host::Ipv4(ip)) => !ip.is_loopback(),
                Some(Host::Ipv6(ip)) => !ip.is_loopback(),
                None => true,
            }
    }

    /// Whether two addresses are one gateway's: the same scheme, host and port.
    pub fn is_same_gateway(&self, other: &Self) -> bool {
        self.0.scheme() == other.0.scheme()
            && self.0.host() == other.0.host()
            && self.0.port_or_known_default() == other.0.port_or_known_default()
    }

    /// Host and port as a connection takes them.
    pub(super) fn host_and_port(&self) -> (String, u16) {
        let host = match self.0.host() {
            Some(Host::Ipv6(ip)) => ip.to_string(),
            Some(host) => host.to_string(),
            None => String::new(),
        };
        (host, self.0.port_or_known_default().unwrap_or(80))
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

fn take_token(url: &mut Url) -> Option<Secret> {
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let token = pairs.iter().find(|(name, _)| name == "token").map(|(_, value)| value.clone());
    if token.is_some() {
        url.set_query(None);
        for (name, value) in pairs.iter().filter(|(name, _)| name != "token") {
            url.query_pairs_mut().append_pair(name, value);
        }
    }
    token.filter(|token| !token.is_empty()).map(Secret::new)
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({})", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (String, Option<String>) {
        let written = Address::read(text).unwrap();
        (written.address.to_string(), written.token.map(|token| token.expose().to_owned()))
    }

    #[test]
    fn an_address_is_read_as_people_write_it() {
        let token = || Some("a b".to_owned());
        for (text, address, token) in [
            ("ws://h:8080/nodes/ws", "ws://h:8080/nodes/ws", None),
            ("https://h", "wss://h/nodes/ws", None),
            ("http://[::1]:1/", "ws://[::1]:1/nodes/ws", None),
            ("ws://h/x?token=a%20b", "ws://h/x", token()),
            ("ws://h/x?a=1&token=a+b&b=2", "ws://h/x?a=1&b=2", token()),
            ("ws://h/x?token=", "ws://h/x", None),
        ] {
            assert_eq!(read(text), (address.to_owned(), token), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_without_repeating_it() {
        for text in ["", "h:1", "ftp://h/secret", "ws://", "ws://u:secret@h/", "secret"] {
            let error = Address::read(text).unwrap_err();
            assert!(!error.is_empty() && !error.contains("secret"), "{text}: {error}");
        }
    }

    #[test]
    fn only_what_stays_on_the_machine_or_is_encrypted_cannot_be_read_on_the_way() {
        let clear = |text: &str| Address::read(text).unwrap().address.is_in_the_clear();
        for text in ["ws://127.0.0.1:1", "ws://localhost", "ws://[::1]", "wss://h", "ws://127.9.9.9"] {
            assert!(!clear(text), "{text}");
        }
        for text in ["ws://h", "ws://10.0.0.1", "ws://localhost.example.org"] {
            assert!(clear(text), "{text}");
        }
    }

    #[test]
    fn a_gateway_is_known_by_scheme_host_and_port() {
        let address = |text: &str| Address::read(text).unwrap().address;
        let ours = address("wss://h/nodes/ws");
        assert!(ours.is_same_gateway(&address("https://h:443/other?x=1")));
        assert!(!ours.is_same_gateway(&address("ws://h/nodes/ws")));
        assert!(!ours.is_same_gateway(&address("wss://h:444/nodes/ws")));
        assert!(!ours.is_same_gateway(&address("wss://g/nodes/ws")));
    }
}
