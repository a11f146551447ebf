//! What must survive: the home's own files, `state.json` and the ledger.

pub mod audit_file;
pub mod clock;
mod durable;
pub mod history_file;
pub mod home;
pub mod ledger;
pub mod state_file;

pub use clock::Clock;
pub use home::{Home, HomeError};
pub use ledger::{Answers, Ledger, LedgerError};
pub use state_file::{StateError, StateFile};
