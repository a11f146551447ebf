//! One valid token while it is valid: what it may take, and who is connected with it.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use argus_protocol::token::scope::Scope;
use argus_protocol::{SessionId, TokenId};
use tokio_util::sync::CancellationToken;

use super::Rate;
use crate::config::TokenLimits;

/// Whose a token is, as the log and the audit name them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// Who has the operator's own token.
    Operator,
    /// Who has that derived token.
    Token(TokenId),
    /// Who has the token that stands in the settings of that upstream.
    Upstream(String),
    /// The runtime of that session: its agent, or its own node.
    Runtime(SessionId),
    /// Any machine that has `ARGUS_NODE_TOKEN`.
    SharedNode,
    /// Any program that has `ARGUS_MCP_TOKEN`.
    SharedMcp,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator => f.write_str("operator"),
            Self::Token(id) => write!(f, "token:{id}"),
            Self::Upstream(id) => write!(f, "upstream:{id}"),
            Self::Runtime(session) => write!(f, "runtime:{session}"),
            Self::SharedNode => f.write_str("shared node token"),
            Self::SharedMcp => f.write_str("shared mcp token"),
        }
    }
}

/// Why a token is worth nothing any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Somebody ended it, or its session was deleted.
    Revoked,
    /// Its time is over.
    Expired,
    /// The key that signed it was replaced.
    KeyRotated,
    /// The operator's token was replaced.
    OperatorRotated,
}

impl Ending {
    /// What its holder is told.
    pub fn words(self) -> &'static str {
        match self {
            Self::Revoked => "the token was revoked",
            Self::Expired => "the token expired",
            Self::KeyRotated => "the token was revoked: the key was rotated",
            Self::OperatorRotated => "the operator's token was rotated",
        }
    }
}

/// What one token may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once.
    pub connections: u32,
    /// Longest frame in bytes.
    pub frame_bytes: usize,
    /// Requests in a second; `None` is no limit.
    pub per_second: Option<u32>,
}

impl From<TokenLimits> for Limits {
    fn from(settings: TokenLimits) -> Self {
        let TokenLimits { connections, frame_bytes, requests_per_second } = settings;
        Self { connections, frame_bytes, per_second: Some(requests_per_second) }
    }
}

/// What is done for a connection whose token ends.
pub type Farewell = Box<dyn FnOnce(Ending) + Send>;

/// Why there is no seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoSeat {
    /// So many are connected already.
    Full(u32),
    /// The token ended meanwhile.
    Ended(Ending),
}

/// One valid token.
pub struct Account {
    holder: Holder,
    scope: Scope,
    /// Unix milliseconds from which it is worth nothing.
    pub(super) expires_ms: Option<u64>,
    limits: Limits,
    rate: Option<Rate>,
    over: CancellationToken,
    live: Mutex<Live>,
}

#[derive(Default)]
struct Live {
    next: u64,
    ended: Option<Ending>,
    seats: HashMap<u64, Option<Farewell>>,
}

/// One connection with a token, until it is dropped.
pub struct Seat {
    account: Arc<Account>,
    number: u64,
}

impl Account {
    pub(super) fn new(holder: Holder, scope: Scope, expires_ms: Option<u64>, limits: Limits) -> Arc<Self> {
        let rate = limits.per_second.map(Rate::per_second);
        let over = CancellationToken::new();
        Arc::new(Self { holder, scope, expires_ms, limits, rate, over, live: Mutex::default() })
    }

    #[cfg(test)]
    pub(crate) fn for_tests(holder: Holder, scope: Scope, limits: Limits) -> Arc<Self> {
        Self::new(holder, scope, None, limits)
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whose it is.
    pub fn holder(&self) -> &Holder {
        &self.holder
    }

    /// What it is for.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Longest frame in bytes.
    pub fn frame_bytes(&self) -> usize {
        self.limits.frame_bytes
    }

    /// The pace of its requests, where it has one.
    pub fn rate(&self) -> Option<&Rate> {
        self.rate.as_ref()
    }

    /// Cancelled when the token ends.
    pub fn over(&self) -> &CancellationToken {
        &self.over
    }

    /// How many are connected.
    pub fn connections(&self) -> usize {
        self.live().seats.len()
    }

    /// A place for one more connection.
    pub fn take_seat(self: &Arc<Self>) -> Result<Seat, NoSeat> {
        let mut live = self.live();
        if let Some(ending) = live.ended {
            return Err(NoSeat::Ended(ending));
        }
        if live.seats.len() >= self.limits.connections as usize {
            return Err(NoSeat::Full(self.limits.connections));
        }
        let number = live.next;
        live.next += 1;
        live.seats.insert(number, None);
        Ok(Seat { account: self.clone(), number })
    }

    /// The token is worth nothing any more; everybody who is connected with it is told.
    pub(super) fn end(&self, ending: Ending) {
        let mut live = self.live();
        live.ended.get_or_insert(ending);
        let farewells: Vec<_> = live.seats.values_mut().filter_map(Option::take).collect();
        // Whatever they do, they do it without the lock.
        drop(live);
        self.over.cancel();
        for farewell in farewells {
            farewell(ending);
        }
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Account({}, {})", self.holder, self.scope)
    }
}

impl Seat {
    /// With which token.
    pub fn account(&self) -> &Arc<Account> {
        &self.account
    }

    /// What to do when the token ends; done at once where it has ended already.
    pub fn on_end(&self, farewell: Farewell) {
        let mut live = self.account.live();
        if let Some(ending) = live.ended {
            drop(live);
            farewell(ending);
        } else {
            live.seats.insert(self.number, Some(farewell));
        }
    }
}

impl fmt::Debug for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seat({:?}, {})", self.account, self.number)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let farewell = self.account.live().seats.remove(&self.number);
        drop(farewell);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn account(connections: u32) -> Arc<Account> {
        let limits = Limits { connections, frame_bytes: 4096, per_second: None };
        Account::new(Holder::Operator, Scope::Operator, None, limits)
    }

    #[test]
    fn so_many_are_connected_at_once_and_whoever_goes_makes_room() {
        let account = account(2);
        let first = account.take_seat().unwrap();
        let _second = account.take_seat().unwrap();
        assert_eq!(account.take_seat().unwrap_err(), NoSeat::Full(2));
        drop(first);
        assert_eq!((account.connections(), account.take_seat().is_ok()), (1, true));
    }

    #[test]
    fn everybody_is_told_of_the_end_once_and_whoever_comes_late_at_once() {
        let account = account(9);
        let (tell, told) = mpsc::channel();
        let seats: Vec<_> = (0..3).map(|_| account.take_seat().unwrap()).collect();
        let listen = |number: usize| {
            let tell = tell.clone();
            seats[number].on_end(Box::new(move |ending| tell.send((number, ending)).unwrap()));
        };
        listen(0);
        account.end(Ending::Expired);
        account.end(Ending::Revoked);
        listen(1);
        assert_eq!(told.try_iter().collect::<Vec<_>>(), [(0, Ending::Expired), (1, Ending::Expired)]);
        assert_eq!(account.take_seat().unwrap_err(), NoSeat::Ended(Ending::Expired));
    }
}
