//! `WebSocket` connections, one kind to a file.

mod client;
mod reading;
mod upstreams;
mod writing;

pub(super) use client::{root, upgrade};
