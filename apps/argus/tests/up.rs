//! `argus up` and the commands that find it, as a newcomer meets them.

use std::net::TcpListener;
use std::process::{Command, Output};

use argus_testkit::bot_api::{BotApi, Chat, User};
use argus_testkit::gateway::Gateway;
use argus_testkit::programs::{PATIENCE, clean_environment, eventually};
use serde_json::json;

fn up() -> Gateway {
    Gateway::new().run_by("argus", &["up"])
}

/// Waits until what it printed holds `part`, and gives all of it.
async fn printed(gateway: &Gateway, part: &str) -> String {
    eventually(part, async || Some(gateway.log()).filter(|text| text.contains(part))).await
}

/// Runs another command of the person's in that home.
fn argus(gateway: &Gateway, deed: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_argus"));
    command.args(deed.split(' ')).env_clear().envs(clean_environment()).env("ARGUS_HOME", gateway.home());
    command.output().expect("it can be started")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test]
async fn it_says_where_to_connect_and_how_everything_stands() {
    let gateway = up().start().await;
    let told = printed(&gateway, "Stop with Ctrl-C.").await;
    let (address, home) = (gateway.url().replacen("http", "ws", 1), gateway.home().display());
    let expected = format!(
        "Argus is up.\n  clients    {address}/ws  (bearer token in {home}/gateway/token)\n  telegram   off: set \
         TELEGRAM_BOT_TOKEN to a token from @BotFather, then start again\n  agent      scripted-app-server 0.169.0 \
         serves\nStop with Ctrl-C.\n"
    );
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_newcomer_is_led_by_what_it_prints_to_a_first_answer() {
    let api = BotApi::start("42:TEST");
    let gateway =
        up().with("TELEGRAM_BOT_TOKEN", api.token()).with("TELEGRAM_API_URL", api.url()).start().await;
    let told = printed(&gateway, "pair yourself: send `").await;
    let (_, rest) = told.split_once("send `").expect("it was just found");
    let (pairing, _) = rest.split_once('`').expect("the line is whole");
    let (ann, chat) = (User::new(7, "Ann"), Chat::private(&User::new(7, "Ann")));
    api.push_text(&chat, &ann, "[say: not for strangers]");
    api.wait_text("We have not met yet", PATIENCE).await;
    api.push_text(&chat, &ann, pairing);
    api.wait_text("you are the operator", PATIENCE).await;
    api.push_text(&chat, &ann, "[say: hello Ann]");
    api.wait_text("hello Ann", PATIENCE).await;
    assert!(api.sent_to(&chat).iter().all(|sent| !sent.text.contains("not for strangers")));
}

#[tokio::test]
async fn without_codex_it_starts_all_the_same_and_names_the_command_that_mends_it() {
    let gateway = up().with("ARGUS_RUNTIME_CMD", "").with("PATH", "/nowhere").start().await;
    let told = printed(&gateway, "Stop with Ctrl-C.").await;
    let line =
        "  agent      missing: `codex` is not installed\n             mend: npm install -g @openai/codex\n";
    assert!(told.contains(line), "{told}");
    let reply = gateway.rpc("argus/thread/main/ensure", json!({})).await;
    let message = reply["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("cannot start `codex`: not found on PATH"), "{reply}");
}

#[tokio::test]
async fn without_credentials_it_starts_all_the_same_and_names_the_command_that_mends_it() {
    let gateway = up().with("SCRIPTED_ACCOUNT", "missing").start().await;
    let told = printed(&gateway, "Stop with Ctrl-C.").await;
    assert!(told.contains("serves, but has no model credentials\n             mend: "), "{told}");
    assert!(told.contains("scripted-app-server login\n"), "{told}");
}

#[tokio::test]
async fn an_agent_that_ends_at_once_is_named_with_its_last_words() {
    let gateway = up().with("SCRIPTED_START", "exit").start().await;
    let told = printed(&gateway, "Stop with Ctrl-C.").await;
    assert!(told.contains("missing: the agent ended (exit 1)"), "{told}");
    assert!(told.contains("scripted-app-server was told not to start"), "{told}");
}

#[tokio::test]
async fn a_second_one_on_the_same_home_is_refused_with_whose_it_is() {
    let first = up().start().await;
    let mut second = up().with("ARGUS_HOME", first.home());
    second.spawn();
    assert_eq!(second.ended().await, Some(1));
    let expected = format!(
        "argus: the home `{}` is in use by another gateway (process {}): stop that one, or give this one another home \
         (`ARGUS_HOME` or `--home`)\n",
        first.home().display(),
        first.pid()
    );
    assert_eq!(second.log(), expected);
    assert!(argus(&first, "status").status.success(), "the first one is left alone");
}

#[tokio::test]
async fn every_mistake_in_the_settings_is_named_at_once() {
    let mut gateway = up().with("ARGUS_BIND", "nowhere").with("RUN_TIMEOUT_SECONDS", "soon");
    gateway.set("TELEGRAM_GROUP_MODE", "some");
    gateway.spawn();
    assert_eq!(gateway.ended().await, Some(64));
    let expected = "argus: the settings cannot be used:\n  `TELEGRAM_GROUP_MODE` is mention or all\n  ARGUS_BIND: expected an address and a port such as \
                    127.0.0.1:8080, got `nowhere`\n  RUN_TIMEOUT_SECONDS: expected a number of seconds, got `soon`\n";
    assert_eq!(gateway.log(), expected);
}

#[tokio::test]
async fn status_finds_it_and_shows_its_sessions() {
    let gateway = up().start().await;
    printed(&gateway, "Stop with Ctrl-C.").await;
    let told = argus(&gateway, "status");
    let told = (told.status.code(), text(&told.stdout));
    let session = gateway.client("session=default").await.session;
    assert_eq!(told, (Some(0), format!("everything serves\n  session {session}: running\n")));
}

#[tokio::test]
async fn pair_shows_one_code_until_it_is_used() {
    let gateway = up().start().await;
    let (first, again) = (argus(&gateway, "pair"), argus(&gateway, "pair"));
    let code = text(&first.stdout);
    assert_eq!((code.trim().len(), &code), (8, &text(&again.stdout)));
    assert!(text(&first.stderr).contains("the first to use it becomes operator"), "{first:?}");
}

#[tokio::test]
async fn token_shows_what_programs_connect_with() {
    let gateway = up().start().await;
    assert_eq!(text(&argus(&gateway, "token").stdout), format!("{}\n", gateway.token()));
}

#[tokio::test]
async fn without_a_gateway_the_other_commands_say_how_to_start_one() {
    let gateway = Gateway::new();
    for deed in ["status", "pair", "token"] {
        let told = argus(&gateway, deed);
        assert_eq!(told.status.code(), Some(1));
        let words = text(&told.stderr);
        assert!(
            words.contains("no gateway runs here") && words.contains("start it with `argus up`"),
            "{words}"
        );
    }
}

#[tokio::test]
async fn who_answers_at_the_address_of_a_gateway_that_ended_is_not_told_the_token() {
    let mut gateway = up().start().await;
    printed(&gateway, "Stop with Ctrl-C.").await;
    assert_eq!(gateway.stop().await, Some(0));
    let stranger = TcpListener::bind("127.0.0.1:0").unwrap();
    stranger.set_nonblocking(true).unwrap();
    let address = format!("http://{}\n", stranger.local_addr().unwrap());
    std::fs::write(gateway.home().join("gateway/address"), address).unwrap();
    let told = argus(&gateway, "status");
    assert_eq!(told.status.code(), Some(1));
    assert!(text(&told.stderr).contains("start it with `argus up`"), "{told:?}");
    assert!(stranger.accept().is_err(), "nobody was asked");
}

#[tokio::test]
async fn a_proxy_for_the_outside_does_not_see_the_token() {
    let gateway = up().start().await;
    printed(&gateway, "Stop with Ctrl-C.").await;
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    proxy.set_nonblocking(true).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_argus"));
    command.arg("status").env_clear().envs(clean_environment()).env("ARGUS_HOME", gateway.home());
    for name in ["http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"] {
        command.env(name, format!("http://{}", proxy.local_addr().unwrap()));
    }
    assert!(command.status().unwrap().success());
    assert!(proxy.accept().is_err(), "the proxy was not asked");
}

#[tokio::test]
async fn a_command_line_that_cannot_be_read_ends_with_64_and_help_with_0() {
    let code = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_argus"));
        command.args(arguments).env_clear().envs(clean_environment()).output().unwrap().status.code()
    };
    assert_eq!(
        [code(&["up", "--nonsense"]), code(&[]), code(&["--help"]), code(&["--version"])],
        [Some(64), Some(64), Some(0), Some(0)]
    );
}

#[tokio::test]
async fn asked_to_stop_it_ends_well_and_its_bridge_lives_on() {
    let mut gateway = up().start().await;
    printed(&gateway, "Stop with Ctrl-C.").await;
    assert_eq!(gateway.stop().await, Some(0));
    let log = gateway.log();
    assert!(
        log.ends_with("Stopping; work that runs goes on, and its answers come at the next start.\n"),
        "{log}"
    );
    assert_eq!(gateway.processes("argus-runtime-b").len(), 1);
    gateway.restart().await;
    printed(&gateway, "serves").await;
    assert_eq!(gateway.processes("argus-runtime-b").len(), 1, "it was adopted");
}

#[tokio::test]
async fn the_bot_goes_on_when_the_operators_token_is_replaced() {
    let api = BotApi::start("42:TEST");
    let gateway = up()
        .with("TELEGRAM_BOT_TOKEN", api.token())
        .with("TELEGRAM_API_URL", api.url())
        .with("TELEGRAM_ALLOWED_USER_IDS", "7")
        .start()
        .await;
    printed(&gateway, "Stop with Ctrl-C.").await;
    let before = gateway.token();
    let reply = gateway.rpc("argus/token/rotate", json!({ "what": "operator" })).await;
    assert_eq!(reply["result"], json!({ "ok": true }));
    assert_ne!(gateway.token(), before);
    let (ann, chat) = (User::new(7, "Ann"), Chat::private(&User::new(7, "Ann")));
    api.push_text(&chat, &ann, "[say: still here]");
    api.wait_text("still here", PATIENCE).await;
}

#[tokio::test]
async fn it_takes_messages_that_telegram_brings_to_its_webhook() {
    let api = BotApi::start("42:TEST");
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let gateway = up()
        .with("TELEGRAM_BOT_TOKEN", api.token())
        .with("TELEGRAM_API_URL", api.url())
        .with("TELEGRAM_ALLOWED_USER_IDS", "7")
        .with("TELEGRAM_WEBHOOK_URL", "https://bot.example")
        .with("TELEGRAM_WEBHOOK_BIND", &free)
        .start()
        .await;
    api.wait_calls("setWebhook", 1, PATIENCE).await;
    let (ann, chat) = (User::new(7, "Ann"), Chat::private(&User::new(7, "Ann")));
    api.push_text(&chat, &ann, "[say: brought]");
    api.bring_to(&free, "").await;
    api.wait_text("brought", PATIENCE).await;
    assert!(api.calls_of("getUpdates").is_empty());
    assert_eq!(gateway.turns().len(), 1);
}

#[tokio::test]
async fn pair_lists_who_wrote_lets_them_in_and_takes_it_back() {
    let api = BotApi::start("42:TEST");
    let gateway = up()
        .with("TELEGRAM_BOT_TOKEN", api.token())
        .with("TELEGRAM_API_URL", api.url())
        .with("TELEGRAM_ALLOWED_USER_IDS", "8")
        .start()
        .await;
    printed(&gateway, "Stop with Ctrl-C.").await;
    let (ann, chat) = (User::new(7, "Ann"), Chat::private(&User::new(7, "Ann")));
    let knows = || text(&argus(&gateway, "pair list").stdout);
    api.push_text(&chat, &ann, "hello?");
    api.wait_text("We have not met yet", PATIENCE).await;
    assert!(
        knows().lines().any(|line| line.starts_with("7  Ann  ") && line.contains("waits")),
        "{}",
        knows()
    );
    assert!(argus(&gateway, "pair approve 7").status.success());
    api.wait_text("You are let in.", PATIENCE).await;
    assert!(knows().lines().any(|line| line.starts_with("7  Ann  user  ")), "{}", knows());
    api.push_text(&chat, &ann, "[say: hello Ann]");
    api.wait_text("hello Ann", PATIENCE).await;
    assert!(argus(&gateway, "pair revoke 7").status.success());
    let count = api.sent().len();
    let update = api.push_text(&chat, &ann, "[say: too late]");
    api.wait_confirmed(update + 1, PATIENCE).await;
    let again = argus(&gateway, "pair revoke 7");
    assert!(!again.status.success(), "{again:?}");
    assert_eq!((api.sent().len(), gateway.turns().len()), (count, 1));
}
