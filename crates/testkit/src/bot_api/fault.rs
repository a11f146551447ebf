//! What can go wrong between a bot and the Bot API, ordered by a test.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::reply::Refusal;

/// One way a call ends badly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 429 with `parameters.retry_after`, in seconds.
    TooManyRequests {
        /// Seconds to wait.
        retry_after: u64,
    },
    /// That status with a body that is no JSON, as a proxy in front of the service answers.
    ServerError(u16),
    /// No answer for that long, then the connection is cut; the call does not count.
    Hang(Duration),
    /// The call counts, its answer comes that much later.
    Late(Duration),
    /// The call counts, but the connection is cut instead of an answer.
    DropAfterAccept,
    /// The connection is cut and the call does not count.
    DropBeforeAccept,
    /// 400 with that description (`Bad Request: ` is put before it).
    BadRequest(String),
    /// 403 with that description (`Forbidden: ` is put before it).
    Forbidden(String),
    /// 401, as for a revoked token.
    Unauthorized,
    /// 409, as when another program polls with the same token.
    Conflict,
}

impl Fault {
    /// The person has stopped the bot.
    pub fn blocked() -> Self {
        Self::Forbidden("bot was blocked by the user".to_owned())
    }

    /// The refusal this fault is, if it is one that the service words itself.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::TooManyRequests { retry_after } => Some(Refusal::too_many_requests(*retry_after)),
            Self::BadRequest(text) => Some(Refusal::bad_request(text)),
            Self::Forbidden(text) => Some(Refusal::new(403, format!("Forbidden: {text}"))),
            Self::Unauthorized => Some(Refusal::unauthorized()),
            Self::Conflict => Some(Refusal::conflict()),
            Self::ServerError(_)
            | Self::Hang(_)
            | Self::Late(_)
            | Self::DropAfterAccept
            | Self::DropBeforeAccept => None,
        }
    }
}

/// The faults ordered and not yet met, by method in lower case.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    once: HashMap<String, VecDeque<Fault>>,
    standing: HashMap<String, Fault>,
    /// Which call of how many, and how many there were.
    every: HashMap<String, (usize, usize, Fault)>,
}

impl Faults {
    pub(crate) fn order(&mut self, method: &str, fault: Fault) {
        self.once.entry(method.to_ascii_lowercase()).or_default().push_back(fault);
    }

    pub(crate) fn stand(&mut self, method: &str, fault: Fault) {
        self.standing.insert(method.to_ascii_lowercase(), fault);
    }

    pub(crate) fn every(&mut self, method: &str, nth: usize, fault: Fault) {
        self.every.insert(method.to_ascii_lowercase(), (nth.max(1), 0, fault));
    }

    pub(crate) fn heal(&mut self, method: &str) {
        let method = method.to_ascii_lowercase();
        self.once.remove(&method);
        self.standing.remove(&method);
        self.every.remove(&method);
    }

    /// The fault that the next call of `method` meets; those ordered once come first.
    pub(crate) fn meet(&mut self, method: &str) -> Option<Fault> {
        for name in [method, "*"] {
            if let Some(fault) = self.once.get_mut(name).and_then(VecDeque::pop_front) {
                return Some(fault);
            }
        }
        for name in [method, "*"] {
            if let Some((nth, calls, fault)) = self.every.get_mut(name) {
                *calls += 1;
                if *calls % *nth == 0 {
                    return Some(fault.clone());
                }
            }
        }
        self.standing.get(method).or_else(|| self.standing.get("*")).cloned()
    }

    /// How many ordered single faults of `method` have not been met.
    pub(crate) fn waiting(&self, method: &str) -> usize {
        self.once.get(&method.to_ascii_lowercase()).map_or(0, VecDeque::len)
    }
}
