//! `WebSocket` connections, one kind to a file.

mod choosing;
mod client;
mod reading;
mod writing;

pub(super) use client::{root, upgrade};
