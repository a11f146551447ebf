//! The specification of a session, as scenarios.

mod acks;
mod agent_death;
mod catch_up;
mod closing;
mod foreign;
mod handshake;
mod hastening;
mod idle;
mod in_line;
mod interleavings;
mod limits;
mod link;
mod noise;
mod plain;
mod progress;
mod questions;
mod reaching;
mod relay;
mod replay;
mod requests;
mod restart;
mod returning;
mod stopping;
mod threads;
mod turns;
mod world;
