//! One runtime, one owner: every session is an actor, found by its id in one registry.

mod actor;
mod asking;
mod at_start;
mod fan_out;
mod handle;
mod keep;
mod lifetime;
mod line_out;
mod outbound;
mod parcel;
mod perform;
pub mod ports;
pub mod probe;
mod record;
mod registry;
mod seats;

pub use handle::{AskError, SessionHandle, Share};
pub use outbound::{ClientReceiver, ClientSender, CloseReason, outbound};
pub use registry::{Sessions, SessionsParts};

pub use crate::runtime::{FixedSessions, KnownRuntime, ProvisionError};
