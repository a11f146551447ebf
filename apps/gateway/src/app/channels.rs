//! The ways to people: Telegram's bots, what sends through them, what fetches from them, and what chats are made with.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::sync::{Mutex, Semaphore};

use super::{policy, runtimes};
use crate::chat::ports::{Machines, Turns};
use crate::chat::{Chats, ChatsParts, Gathering, INQUIRIES};
use crate::config::{Config, TelegramConfig, WhileRunning};
use crate::delivery::{Deliveries, DeliveryConfig, Kept, Limits, Sending, SendingParts};
use crate::devices::Devices;
use crate::media::Media;
use crate::ports::NodeOwners;
use crate::store::home::Home;
use crate::store::ledger::Ledger;
use crate::telegram::{Files, Telegram, TokenError};

/// What the settings ask for.
pub(super) struct Channels {
    /// The ids of the bots; the first one is meant where none is named.
    pub(super) bots: Vec<String>,
    /// What sends; `None` without a bot.
    pub(super) delivery: Option<Deliveries>,
    /// What sessions send of themselves.
    pub(super) sending: Sending,
    /// What fetches files that people send; `None` without a bot.
    pub(super) media: Option<Media>,
}

/// Makes them; nothing is sent yet.
pub(super) fn open(config: &Config, home: &Home, ledger: &Ledger) -> anyhow::Result<Channels> {
    let named = config.telegram.iter().flat_map(|t| t.tokens.iter().map(|token| (token, &t.api_url)));
    let bots: Vec<_> =
        named.map(|(token, api_url)| Telegram::new(token, api_url)).collect::<Result<_, TokenError>>()?;
    let ids: Vec<_> = bots.iter().map(|bot| bot.bot_id().to_owned()).collect();
    let kept = Kept::new(home.own().join("outbox"));
    let sending = Sending::new(SendingParts {
        ledger: ledger.clone(),
        workspaces: runtimes::workspaces(config),
        seen_at: runtimes::agent_workspace(config).map(PathBuf::from),
        kept: kept.clone(),
        bots: ids.clone(),
        long: config.telegram.as_ref().and_then(|telegram| telegram.long_answer),
        copying: Mutex::default(),
    });
    let delivery = config.telegram.as_ref().map(|telegram| {
        let config = DeliveryConfig { limits: Limits::default(), live: telegram.live, kept };
        Deliveries::new(ledger.clone(), bots, &config)
    });
    let media = config.telegram.as_ref().map(|telegram| media(telegram, home)).transpose()?;
    Ok(Channels { bots: ids, delivery, sending, media })
}

/// Makes chats, in which nodes ask their owner.
pub(super) fn chats(
    config: &Config,
    ledger: Ledger,
    turns: Arc<dyn Turns>,
    devices: &Devices,
    bots: impl IntoIterator<Item = String>,
) -> Chats {
    let machines = Arc::new(NodeOwners(devices.clone()));
    let chats = Chats::new(chats_parts(config, ledger, turns, machines, bots));
    devices.ask_through(Arc::new(chats.clone()));
    chats
}

/// What chats are made with; `bots` are those as which answers are sent.
fn chats_parts(
    config: &Config,
    ledger: Ledger,
    turns: Arc<dyn Turns>,
    machines: Arc<dyn Machines>,
    bots: impl IntoIterator<Item = String>,
) -> ChatsParts {
    let telegram = config.telegram.as_ref();
    let ids = |ids: fn(&TelegramConfig) -> &Vec<String>| {
        telegram.into_iter().flat_map(ids).cloned().collect::<BTreeSet<_>>()
    };
    let policy = policy(config.sandbox, config.approval);
    ChatsParts {
        ledger,
        turns,
        machines,
        scope: config.scope,
        allowed: ids(|telegram| &telegram.allowed_user_ids),
        operators: ids(|telegram| &telegram.operator_user_ids),
        open_chats: ids(|telegram| &telegram.allowed_chat_ids),
        sends_as: bots.into_iter().collect(),
        while_running: telegram.map_or(WhileRunning::Queue, |telegram| telegram.while_running),
        sandbox: policy.sandbox,
        approval: policy.ask,
        gathering: Gathering {
            context: telegram.map_or(0, |telegram| telegram.group_context),
            media_limit: telegram.map_or(0, |telegram| telegram.media_limit),
            ..Gathering::default()
        },
        inquiries: Arc::new(Semaphore::new(INQUIRIES)),
    }
}

fn media(telegram: &TelegramConfig, home: &Home) -> anyhow::Result<Media> {
    let mut bots = HashMap::new();
    for token in &telegram.tokens {
        let id = token.reveal().split_once(':').map_or("", |(id, _)| id);
        bots.insert(id.to_owned(), Files::new(token, &telegram.api_url)?);
    }
    let (folder, transcriber) = (home.own().join("incoming"), telegram.transcriber.clone());
    Media::new(bots, telegram.media_limit, transcriber, folder)
        .context("the folder for files on their way cannot be made")
}
