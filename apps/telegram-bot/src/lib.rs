//! The receiving side of Telegram: every message of a person is handed to the gateway, and nothing is kept here.
//!
//! Telegram itself keeps what is not confirmed, and a message is confirmed only when the gateway has it durably. So
//! this program may be killed at any moment: what it had in hand comes again, and the gateway knows it by its
//! idempotency key. Everything a person reads is sent by the gateway.
//!
//! Reading order: [`run()`] (all bots), `receiver` (one bot: asking, handing over), `poll` (one question to Telegram),
//! `webhook` (Telegram brings updates instead), `update`, `message`, `content`, `around`, `addressed`, `press` and
//! `member` (what an update is, and whether it is for us), `gateway` (handing over), `report` (how we stand),
//! [`settings`] and [`reception`] (what can be set).

mod addressed;
mod announce;
mod around;
mod backoff;
mod config;
mod content;
mod gateway;
mod gateway_url;
mod member;
mod message;
mod poll;
mod press;
mod receiver;
mod report;
mod run;
mod update;
mod webhook;

pub mod program;
pub mod reception;
pub mod settings;

pub use config::{
    BadBotToken, BotConfig, BotToken, GroupMode, Groups, Pace, Reception, TokenSource, Webhook,
};
pub use run::run;
