//! The gateway: who calls, who talks, who acts, and one runtime for every session.
//!
//! ```text
//!  program app shutdown  >  edge  >  chat automation delivery  >  sessions devices access media  >  runtime store telegram workspace  >  config clock
//! ```
//! Nothing imports upward or sideways, and `edge` no adapter (`tests/layers.rs` looks); `docs/ARCHITECTURE.md` is the map.

pub mod access;
pub mod app;
pub mod automation;
pub mod chat;
pub mod clock;
pub mod config;
pub mod delivery;
pub mod devices;
pub mod edge;
pub mod health;
pub mod logging;
pub mod media;
pub mod ports;
pub mod program;
pub mod runtime;
pub mod sessions;
pub mod shutdown;
pub mod store;
pub mod telegram;
pub mod workspace;
