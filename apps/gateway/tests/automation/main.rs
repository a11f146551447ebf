//! The assistant acts unasked: scheduled jobs, heartbeats and events, with bot, gateway, bridge and agent as real processes.

mod budget;
mod context;
mod cron;
mod events;
mod heartbeat;
mod routes;
mod stage;
mod stuck;
mod wires;
