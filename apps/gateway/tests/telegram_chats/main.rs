//! What Telegram promises to people, chat by chat: bot, gateway, bridge and agent as real processes.

mod bots;
mod commands;
mod groups;
mod odd;
mod questions;
mod running;
mod settings;
mod stage;
