//! Who may come in, for what, and how much at once: the valid tokens, their limits, and the record of what was done
//! with them. One owner; nothing here reads the ledger while it judges.

mod account;
mod audit;
mod deeds;
mod expiry;
mod rate;
mod register;
mod runtimes;

#[cfg(test)]
mod tests;

pub use crate::store::ledger::TokenLimits;
pub use account::{Account, Ending, Farewell, Holder, Limits, NoSeat, Seat};
pub use audit::{Act, Audit, Author};
pub use deeds::{AccessError, NewToken};
pub use rate::Rate;
pub use register::{
    ANY_NODE, Access, AccessParts, DEFAULT, OperatorToken, Refused, SharedTokens, UpstreamToken,
};
pub use runtimes::RuntimeTokens;
