//! The receiving side of Telegram: every message of a person is handed to the gateway, and nothing is kept here.
//!
//! Telegram itself keeps what is not confirmed, and a message is confirmed only when the gateway has it durably. So
//! this program may be killed at any moment: what it had in hand comes again, and the gateway knows it by its
//! idempotency key. Everything a person reads is sent by the gateway.
//!
//! Reading order: [`run()`] (the loop), `poll` (one question to Telegram), `message` and `addressed` (what a message
//! is, and whether it is for us), `gateway` (handing over), `report` (how we stand), [`settings`] (what can be set).

mod addressed;
mod announce;
mod backoff;
mod config;
mod gateway;
mod gateway_url;
mod message;
mod poll;
mod report;
mod run;

pub mod program;
pub mod settings;

pub use config::{BadBotToken, BotConfig, BotToken, Pace, TokenSource};
pub use run::run;
