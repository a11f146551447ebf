//! `argus up`: one process, one machine, no Docker.

use std::process::ExitCode;

use anyhow::Context as _;
use argus_gateway::app::App;
use argus_gateway::config::{Config, GatewayArgs, Mistakes, TelegramConfig};
use argus_gateway::{program, shutdown};
use argus_telegram_bot::reception::ReceptionArgs;
use argus_telegram_bot::{BotConfig, BotToken, Pace, Reception, TokenSource};
use clap::Args;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::{agent, banner};

/// Settings of all that runs here.
#[derive(Args)]
pub(crate) struct Up {
    #[command(flatten)]
    gateway: GatewayArgs,
    #[command(flatten)]
    reception: ReceptionArgs,
}

/// Runs until a signal asks to stop.
pub(crate) fn run(up: Up) -> ExitCode {
    let Up { gateway: mut settings, reception } = up;
    let context = settings.telegram.telegram_group_context.as_ref().and_then(|text| text.trim().parse().ok());
    let mut wrong = Vec::new();
    let reception = reception.resolve(context.unwrap_or_default(), &mut wrong);
    if !wrong.is_empty() {
        // All that is wrong is told together, whoever reads it.
        wrong.extend(Config::from_args(&settings).err().into_iter().flat_map(|mistakes| mistakes.0));
        return crate::complain(&Mistakes(wrong), program::EXIT_SETTINGS);
    }
    // A person watches: the few lines below say what matters, the log only what goes wrong.
    settings.log.get_or_insert_with(|| "warn".to_owned());
    program::run("argus", &settings, |config| serve(config, reception))
}

async fn serve(config: Config, reception: Reception) -> anyhow::Result<()> {
    let app = App::start(config.clone()).await?;
    println!("{}", banner::listening(app.address, &config));
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    let pairing = match &config.telegram {
        None => None,
        Some(telegram) => {
            let bot = bot(telegram, reception, &app)?;
            tasks.spawn(receive(bot, stop.clone()));
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

/// Receives as long as the rest runs. That it cannot is told; what can be done without it goes on.
async fn receive(bot: BotConfig, stop: CancellationToken) {
    if let Err(error) = argus_telegram_bot::run(bot, stop).await {
        tracing::error!("no messages come in from Telegram: {error:#}");
    }
}

fn bot(telegram: &TelegramConfig, reception: Reception, app: &App) -> anyhow::Result<BotConfig> {
    let tokens = telegram.tokens.iter().map(|token| BotToken::parse(token.reveal()));
    Ok(BotConfig {
        tokens: tokens.collect::<Result<_, _>>().context("TELEGRAM_BOT_TOKEN cannot be used")?,
        api_url: telegram.api_url.clone(),
        gateway_url: format!("http://{}", app.address).parse().context("our own address is no URL")?,
        // The file, where there is one: the token in it may be replaced while we run.
        gateway_token: match &app.token_file {
            Some(file) => TokenSource::File(file.clone()),
            None => TokenSource::Given(app.token.clone()),
        },
        reception,
        pace: Pace::default(),
    })
}
