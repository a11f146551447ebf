//! A bot between a Bot API stand-in and a gateway of a few lines.

use std::time::Duration;

use argus_protocol::token::Secret;
use argus_telegram_bot::{BotConfig, BotToken, Pace, Reception, TokenSource};
use argus_testkit::bot_api::{BotApi, Chat, User};
use serde_json::json;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::fake_gateway::FakeGateway;

/// How long a test waits for anything.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// The bot's two neighbours, and what it is told of them.
pub(crate) struct Stage {
    pub(crate) api: BotApi,
    pub(crate) gateway: FakeGateway,
    pub(crate) config: BotConfig,
    pub(crate) ann: User,
    pub(crate) chat: Chat,
}

/// A bot that runs until dropped.
pub(crate) struct Running {
    pub(crate) stop: DropGuard,
    pub(crate) task: JoinHandle<anyhow::Result<()>>,
}

impl Stage {
    pub(crate) async fn set() -> Self {
        let api = BotApi::start("4242424242:SECRET");
        let gateway = FakeGateway::start("gateway-token").await;
        let config = BotConfig {
            tokens: vec![BotToken::parse(&api.token()).unwrap()],
            api_url: api.url().parse().unwrap(),
            gateway_url: gateway.url().parse().unwrap(),
            gateway_token: TokenSource::Given(Secret::parse("gateway-token").unwrap()),
            reception: Reception::default(),
            pace: Pace {
                poll: Duration::from_secs(1),
                overdue: Duration::from_secs(1),
                retry_first: Duration::from_millis(5),
                retry_most: Duration::from_millis(20),
                retry_slow: Duration::from_millis(20),
                report: Duration::from_millis(50),
                inquire: Duration::from_millis(50),
                patience: Duration::from_millis(500),
                reading: Duration::from_millis(500),
            },
        };
        let ann = User::new(9, "Ann").language("en");
        let chat = Chat::private(&ann);
        Self { api, gateway, config, ann, chat }
    }

    pub(crate) fn write(&self, text: &str) -> i64 {
        self.api.push_text(&self.chat, &self.ann, text)
    }

    pub(crate) fn run(&self) -> Running {
        let stop = CancellationToken::new();
        let task = tokio::spawn(argus_telegram_bot::run(self.config.clone(), stop.clone()));
        Running { stop: stop.drop_guard(), task }
    }

    /// Waits for a report with that state, and returns its words.
    pub(crate) async fn reported(&self, state: &str) -> String {
        let what = format!("a report of `{state}`");
        let log =
            self.gateway.wait(&what, |log| log.reports.iter().any(|report| report["state"] == state)).await;
        let report = log.reports.iter().find(|report| report["state"] == state).unwrap();
        assert_eq!((&report["channel"], &report["bot"]), (&json!("telegram"), &json!("4242424242")));
        report["detail"].as_str().unwrap_or_default().to_owned()
    }
}
