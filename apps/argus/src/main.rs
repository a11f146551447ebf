//! The person's command.

mod agent;
mod alive;
mod automation;
mod banner;
mod cron;
mod enter;
mod events;
mod heartbeat;
mod local;
mod node;
mod pair;
mod render;
mod shown;
mod state;
mod status;
mod token;
mod up;

use std::process::ExitCode;

use argus_gateway::config::GatewayArgs;
use argus_gateway::program::EXIT_SETTINGS;
use argus_runtime_bridge::BridgeArgs;
use argus_telegram_bot::settings::Settings as BotSettings;
use clap::{Parser, Subcommand};

/// Argus: an assistant of your own, behind a gateway of your own.
#[derive(Parser)]
#[command(name = "argus", version)]
struct Cli {
    #[command(subcommand)]
    deed: Deed,
}

#[derive(Subcommand)]
enum Deed {
    /// Run everything on this machine: the gateway, sessions as local processes, and the Telegram bot when a token is set
    Up(Box<up::Up>),
    /// Show the code that pairs a person with the gateway that runs on this machine; list people, let them in, send them away
    Pair(pair::Pair),
    /// Show how the gateway that runs on this machine stands
    Status(local::Where),
    /// Show the operator's token of the gateway that runs on this machine; make, list, end and replace tokens
    Token(token::Token),
    /// Show how what sessions do unasked stands on the gateway of this machine; pause it, let it go on
    Automation(automation::Automation),
    /// Tell whether a home's state.json can be used, or put its version before the last change in place; needs no gateway
    State(state::State),
    /// Show and change scheduled jobs and their runs on the gateway of this machine, and when an expression is due
    Cron(cron::Cron),
    /// Show the machines on which commands run; make one such, take that back, have a command done
    Node(Box<node::Node>),
    /// Show what sessions are to hear of, or tell one of something
    Events(events::Events),
    /// Show how a session's heartbeats stand, or have one now
    Heartbeat(heartbeat::Heartbeat),
    /// Show what a chat would be sent of a text in Markdown
    Render(render::Render),
    /// Run the gateway alone, as `argus-gateway` does
    Gateway(Box<GatewayArgs>),
    /// Run the Telegram bot alone, as `argus-telegram-bot` does
    TelegramBot(Box<BotSettings>),
    /// Make this machine a node, as `argus-node-host` does
    NodeHost(Box<argus_node_host::program::NodeHost>),
    /// Whether the gateway serves; for health checks
    #[command(hide = true)]
    Alive(local::Where),
    /// In a container: give root's rights away and run a command
    #[command(hide = true)]
    Enter(enter::Enter),
    /// One session's bridge; the gateway starts it
    #[command(hide = true)]
    RuntimeBridge(Box<BridgeArgs>),
}

fn main() -> ExitCode {
    // Before anything is made that the keeper of a node's job would carry with it.
    if std::env::args_os().nth(1).is_some_and(|word| word == argus_node_host::keeper::ARGUMENT) {
        return argus_node_host::keeper::main();
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // A gateway calls it so, and reads what is wrong in the bridge's log.
        Err(told) if std::env::args_os().nth(1).is_some_and(|deed| deed == "runtime-bridge") => {
            return argus_runtime_bridge::misread(&told);
        }
        Err(told) => {
            // When even this cannot be printed there is nobody to tell. Help and version are no mistakes.
            let _ = told.print();
            return ExitCode::from(if told.use_stderr() { EXIT_SETTINGS } else { 0 });
        }
    };
    match cli.deed {
        Deed::Up(settings) => up::run(*settings),
        Deed::Pair(pair) => local::block_on(pair::run(pair)),
        Deed::Status(place) => local::block_on(status::run(place)),
        Deed::Token(token) => local::block_on(token::run(token)),
        Deed::Automation(automation) => local::block_on(automation::run(automation)),
        Deed::State(state) => state::run(&state).unwrap_or_else(|error| complain(&format!("{error:#}"), 1)),
        Deed::Cron(cron) => cron::run(cron),
        Deed::Node(node) => local::block_on(node::run(*node)),
        Deed::Events(events) => local::block_on(events::run(events)),
        Deed::Heartbeat(heartbeat) => local::block_on(heartbeat::run(heartbeat)),
        Deed::Render(what) => render::run(&what).unwrap_or_else(|error| complain(&format!("{error:#}"), 1)),
        Deed::Gateway(settings) => argus_gateway::program::main_with("argus gateway", &settings),
        Deed::TelegramBot(settings) => argus_telegram_bot::program::main_with(*settings),
        Deed::NodeHost(node) => argus_node_host::program::main_with(*node, &node::invocation()),
        Deed::Alive(place) => local::block_on(alive::run(place)),
        Deed::Enter(enter) => {
            let Err(error) = enter::run(enter);
            complain(&format!("{error:#}"), 1)
        }
        Deed::RuntimeBridge(args) => argus_runtime_bridge::main_with(*args),
    }
}

/// Says what went wrong.
fn complain(what: &dyn std::fmt::Display, code: u8) -> ExitCode {
    eprintln!("argus: {what}");
    ExitCode::from(code)
}
