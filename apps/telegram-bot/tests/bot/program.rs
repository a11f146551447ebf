//! The bot as a program: killed at its worst moments, wrongly set, and what it may never print.

use std::process::Stdio;
use std::time::Duration;

use crate::fake_gateway::FakeGateway;
use argus_testkit::bot_api::{BotApi, Chat, Fault, User};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

const LIMIT: Duration = Duration::from_secs(20);
const TOKEN: &str = "4242424242:NEVER-TO-BE-SEEN";

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_argus-telegram-bot"));
    // Nothing of whoever runs the tests.
    command.env_clear().env("HOME", "/nonexistent").stderr(Stdio::null()).kill_on_drop(true);
    command
}

fn bot(api: &BotApi, gateway: &FakeGateway) -> Command {
    let mut command = program();
    command.env("TELEGRAM_BOT_TOKEN", TOKEN).env("TELEGRAM_API_URL", api.url());
    command.env("ARGUS_GATEWAY_HTTP_URL", gateway.url()).env("ARGUS_TOKEN", "gateway-token");
    command
}

async fn ended(mut child: Child) -> std::process::ExitStatus {
    tokio::time::timeout(LIMIT, child.wait()).await.expect("the program ends").unwrap()
}

#[tokio::test]
async fn killed_before_handing_over_it_hands_over_after_the_restart() {
    let (api, gateway) = (BotApi::start(TOKEN), FakeGateway::start("gateway-token").await);
    let ann = User::new(9, "Ann");
    let update = api.push_text(&Chat::private(&ann), &ann, "hello");
    let killed = bot(&api, &gateway).env("ARGUS_CRASH_AT", "bot.update_received").spawn().unwrap();
    assert_eq!(ended(killed).await.code(), None);
    assert_eq!((gateway.log().taken.len(), api.pending_updates()), (0, 1));

    let _again = bot(&api, &gateway).spawn().unwrap();
    assert_eq!(gateway.texts(1).await, ["hello"]);
    api.wait_confirmed(update + 1, LIMIT).await;
}

#[tokio::test]
async fn killed_before_confirming_it_hands_over_again_under_the_same_key() {
    let (api, gateway) = (BotApi::start(TOKEN), FakeGateway::start("gateway-token").await);
    let ann = User::new(9, "Ann");
    let update = api.push_text(&Chat::private(&ann), &ann, "hello");
    let killed = bot(&api, &gateway).env("ARGUS_CRASH_AT", "bot.handed_over").spawn().unwrap();
    assert_eq!(ended(killed).await.code(), None);
    assert_eq!((gateway.log().taken.len(), api.pending_updates()), (1, 1));

    let _again = bot(&api, &gateway).spawn().unwrap();
    api.wait_confirmed(update + 1, LIMIT).await;
    let taken = gateway.log().taken;
    assert_eq!(taken.len(), 2);
    assert_eq!(taken[0], taken[1]);
}

#[tokio::test]
async fn wrong_settings_are_told_together_and_end_with_64() {
    let mut command = program();
    command.args(["--telegram-bot-token", "hush", "--gateway-http-url", "ftp://h"]).stderr(Stdio::piped());
    let output = command.output().await.unwrap();
    assert_eq!(output.status.code(), Some(64));
    let words = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        words,
        "argus-telegram-bot: `TELEGRAM_BOT_TOKEN`: a bot token looks like `123456789:AAE…`; `@BotFather` shows it \
         with /mybots\n\
         argus-telegram-bot: `ARGUS_GATEWAY_HTTP_URL` begins with `ftp:`, use http:// or https://\n"
    );
    assert_eq!(program().arg("--nonsense").status().await.unwrap().code(), Some(64));
    assert_eq!(program().status().await.unwrap().code(), Some(64));
}

#[tokio::test]
async fn sigterm_ends_it_well_and_no_token_is_ever_printed() {
    let (api, gateway) = (BotApi::start(TOKEN), FakeGateway::start("gateway-token").await);
    for method in ["getMe", "setMyCommands", "getUpdates"] {
        api.fail_next(method, Fault::DropBeforeAccept);
        api.fail_next(method, Fault::ServerError(404));
    }
    let ann = User::new(9, "Ann");
    api.push_text(&Chat::private(&ann), &ann, "what was said");
    let help = bot(&api, &gateway).arg("--help").output().await.unwrap();
    assert_eq!(help.status.code(), Some(0));
    let mut printed = vec![String::from_utf8(help.stdout).unwrap()];

    let mut child = bot(&api, &gateway).env("ARGUS_LOG", "trace").stderr(Stdio::piped()).spawn().unwrap();
    let log = tokio::spawn(lines(child.stderr.take().unwrap()));
    gateway.texts(1).await;
    let id = i32::try_from(child.id().unwrap()).unwrap();
    let kill = Command::new("kill").arg(id.to_string()).status().await.unwrap();
    assert!(kill.success());
    assert_eq!(ended(child).await.code(), Some(0));
    printed.extend(log.await.unwrap());
    assert!(printed.iter().any(|line| line.contains("handed over")));
    for secret in ["NEVER-TO-BE-SEEN", "gateway-token", "what was said"] {
        let shown: Vec<_> = printed.iter().filter(|line| line.contains(secret)).collect();
        assert!(shown.is_empty(), "{secret}: {shown:#?}");
    }
}

async fn lines(output: impl tokio::io::AsyncRead + Unpin) -> Vec<String> {
    let mut lines = BufReader::new(output).lines();
    let mut all = Vec::new();
    while let Ok(Some(line)) = lines.next_line().await {
        all.push(line);
    }
    all
}
