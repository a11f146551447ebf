//! `argus up`: one process, one machine, no Docker.

use std::process::ExitCode;

use anyhow::Context as _;
use argus_gateway::app::App;
use argus_gateway::config::{Config, GatewayArgs, TelegramConfig};
use argus_gateway::{program, shutdown};
use argus_telegram_bot::{BotConfig, BotToken, Pace, TokenSource};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::{agent, banner};

/// Runs until a signal asks to stop.
pub(crate) fn run(mut settings: GatewayArgs) -> ExitCode {
    // A person watches: the few lines below say what matters, the log only what goes wrong.
    settings.log.get_or_insert_with(|| "warn".to_owned());
    program::run("argus", &settings, serve)
}

async fn serve(config: Config) -> anyhow::Result<()> {
    let app = App::start(config.clone()).await?;
    println!("{}", banner::listening(app.address, &config));
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    let pairing = match &config.telegram {
        None => None,
        Some(telegram) => {
            let bot = bot(telegram, &app)?;
            tasks.spawn(argus_telegram_bot::run(bot, stop.clone()));
            Some(app.chats.pairing_code().await?)
        }
    };
    println!("{}", banner::telegram(pairing.as_ref()));
    let asked = async {
        let agent = agent::ask(&app, &config).await;
        println!("{}\nStop with Ctrl-C.", banner::agent(&agent));
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = asked => {}
        () = shutdown::requested() => {}
    }
    println!("Stopping; work that runs goes on, and its answers come at the next start.");
    stop.cancel();
    tasks.close();
    tasks.wait().await;
    app.stop().await;
    Ok(())
}

fn bot(telegram: &TelegramConfig, app: &App) -> anyhow::Result<BotConfig> {
    Ok(BotConfig {
        token: BotToken::parse(telegram.tokens[0].reveal()).context("TELEGRAM_BOT_TOKEN cannot be used")?,
        api_url: telegram.api_url.clone(),
        gateway_url: format!("http://{}", app.address).parse().context("our own address is no URL")?,
        // The file, where there is one: the token in it may be replaced while we run.
        gateway_token: match &app.token_file {
            Some(file) => TokenSource::File(file.clone()),
            None => TokenSource::Given(app.token.clone()),
        },
        pace: Pace::default(),
    })
}
