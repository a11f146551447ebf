//! The bot between a Bot API server and a gateway.

mod fake_gateway;
mod program;
mod receiving;
