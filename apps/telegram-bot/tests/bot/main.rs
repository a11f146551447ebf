//! The bot between a Bot API server and a gateway.

mod fake_gateway;
mod kinds;
mod program;
mod receiving;
mod several;
mod stage;
mod webhook;
