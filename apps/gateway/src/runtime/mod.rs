//! How a runtime is reached: a link with two bounded halves, and whoever provisions what is at its other end.

pub mod docker;
pub mod fixed;
pub mod giving;
pub mod link;
pub mod process;
pub mod provision;

pub use fixed::FixedSessions;
pub use giving::{Giving, Whereabouts};
pub use link::{Link, LinkCommand, LinkEvent};
pub use provision::{KnownRuntime, ProvisionError, Provisioner, Reached};
