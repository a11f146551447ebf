//! `WebSocket` connections, one kind to a file.

mod choosing;
mod client;
mod device;
mod heartbeat;
mod packing;
mod reading;
mod writing;

pub(super) use client::{root, upgrade};
pub(super) use device::upgrade as device;
