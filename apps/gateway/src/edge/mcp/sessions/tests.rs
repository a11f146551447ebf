//! Sessions of the protocol: whose they are, how many, and how they end.

use super::*;

const SMALL: Limits = Limits { of_token: 2, in_all: 3, calls: 1, idle: Duration::from_secs(60) };

fn id(name: &str) -> SessionId {
    Arc::from(name)
}
