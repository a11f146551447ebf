//! People on Telegram talk to the agent: bot, gateway, bridge and agent as real processes, Telegram as a stand-in.

use argus_testkit::app_server::accepted_turns;
use argus_testkit::bot::Bot;
use argus_testkit::bot_api::{BotApi, Chat, Fault, User};
use argus_testkit::gateway::Gateway;
use argus_testkit::model::ModelServer;
use argus_testkit::programs::{PATIENCE, eventually};
use serde_json::json;

const TOKEN: &str = "42:TEST";

fn with_telegram(gateway: Gateway, api: &BotApi, allowed: &str) -> Gateway {
    gateway
        .with("TELEGRAM_BOT_TOKEN", api.token())
        .with("TELEGRAM_API_URL", api.url())
        .with("TELEGRAM_ALLOWED_USER_IDS", allowed)
}

async fn started(api: &BotApi, allowed: &str) -> (Gateway, Bot) {
    let gateway = with_telegram(Gateway::new(), api, allowed).start().await;
    let mut bot = Bot::new(api, &gateway);
    bot.start();
    (gateway, bot)
}

fn ada() -> (User, Chat) {
    let user = User::new(7, "Ada");
    let chat = Chat::private(&user);
    (user, chat)
}

fn texts(api: &BotApi, chat: &Chat) -> Vec<String> {
    api.sent_to(chat).into_iter().map(|sent| sent.text).collect()
}

#[tokio::test]
async fn a_message_is_answered_by_the_real_codex_which_runs_a_real_command() {
    let (api, model, (user, chat)) = (BotApi::start(TOKEN), ModelServer::start(), ada());
    let Some(gateway) = Gateway::new().with_real_codex(&model.codex_config()) else { return };
    let gateway = with_telegram(gateway, &api, "7").with("ARGUS_SANDBOX", "danger-full-access").start().await;
    let mut bot = Bot::new(&api, &gateway);
    bot.start();
    api.push_text(&chat, &user, "[say: **four**, I think]");
    let answer = api.wait_text("four, I think", PATIENCE).await;
    assert_eq!(
        (answer.parse_mode.as_deref(), answer.raw_text.as_str()),
        (Some("HTML"), "<b>four</b>, I think")
    );
    api.push_text(&chat, &user, "[run: echo from-$((40+2))]");
    api.wait_text("from-42", PATIENCE).await;
    assert!(!api.actions().is_empty(), "typing was shown");
}

#[tokio::test]
async fn a_killed_gateway_delivers_the_whole_answer_of_the_real_codex_once() {
    let (api, model, (user, chat)) = (BotApi::start(TOKEN), ModelServer::start(), ada());
    let Some(gateway) = Gateway::new().with_real_codex(&model.codex_config()) else { return };
    let mut gateway = with_telegram(gateway, &api, "7").start().await;
    let mut bot = Bot::new(&api, &gateway);
    bot.start();
    api.push_text(&chat, &user, "[deltas: 40 size 20][hold: middle]");
    model.wait_at("middle", PATIENCE).await;
    gateway.kill();
    model.release("middle");
    gateway.restart().await;
    let whole = argus_testkit::app_server::deltas_text(40, 20);
    api.wait_text(whole.trim(), PATIENCE).await;
    api.push_text(&chat, &user, "[say: and on]");
    api.wait_text("and on", PATIENCE).await;
    assert_eq!(texts(&api, &chat), [whole.trim(), "and on"]);
}

#[tokio::test]
async fn two_chats_at_once_do_not_mix() {
    let api = BotApi::start(TOKEN);
    let (_gateway, _bot) = started(&api, "1,2").await;
    let people = [User::new(1, "Ada"), User::new(2, "Bob")];
    let chats = people.clone().map(|user| Chat::private(&user));
    let go = tempfile::tempdir().expect("a folder for the test");
    for (n, (user, chat)) in people.iter().zip(&chats).enumerate() {
        let file = go.path().join(n.to_string());
        api.push_text(chat, user, &format!("[say: only for {n}][hold: {}]", file.display()));
    }
    // The second one's answer comes first; each still finds its own chat.
    std::fs::write(go.path().join("1"), "").expect("the test's own folder");
    api.wait_sent(1, PATIENCE).await;
    std::fs::write(go.path().join("0"), "").expect("the test's own folder");
    api.wait_sent(2, PATIENCE).await;
    for (n, chat) in chats.iter().enumerate() {
        assert_eq!(texts(&api, chat).len(), 1);
        assert!(texts(&api, chat)[0].contains(&format!("only for {n}")), "{:?}", texts(&api, chat));
    }
}

#[tokio::test]
async fn a_group_that_becomes_a_supergroup_keeps_its_thread_and_gets_its_answer() {
    let api = BotApi::start(TOKEN);
    let (gateway, _bot) = started(&api, "1").await;
    let (ada, group) = (User::new(1, "Ada"), Chat::group(-5, "group"));
    let go = tempfile::tempdir().expect("a folder for the test");
    let file = go.path().join("go");
    api.push_text(&group, &ada, &format!("@argus_test_bot [say: one][hold: {}]", file.display()));
    eventually("its turn runs", async || (gateway.turns().len() == 1).then_some(())).await;
    let supergroup = api.upgrade(&group, -1_001_005);
    std::fs::write(&file, "").expect("the test's own folder");
    api.wait_text("one", PATIENCE).await;
    api.push_text(&supergroup, &ada, "@argus_test_bot [say: two]");
    api.wait_text("two", PATIENCE).await;
    assert_eq!(texts(&api, &group), Vec::<String>::new());
    assert_eq!(texts(&api, &supergroup).len(), 2);
    let threads: Vec<_> = gateway.turns().into_iter().map(|turn| turn.thread).collect();
    assert_eq!(threads[0], threads[1]);
}

#[tokio::test]
async fn each_chat_has_its_own_thread_and_new_begins_another() {
    let api = BotApi::start(TOKEN);
    let (gateway, _bot) = started(&api, "1,2").await;
    let (ada, bob) = (User::new(1, "Ada"), User::new(2, "Bob"));
    let (hers, his) = (Chat::private(&ada), Chat::private(&bob));
    for (chat, user, text) in
        [(&hers, &ada, "[say: hers one]"), (&his, &bob, "[say: his one]"), (&hers, &ada, "[say: hers two]")]
    {
        let before = api.sent().len();
        api.push_text(chat, user, text);
        api.wait_sent(before + 1, PATIENCE).await;
    }
    api.push_text(&hers, &ada, "/new");
    api.wait_sent(4, PATIENCE).await;
    api.push_text(&hers, &ada, "[say: hers three]");
    api.wait_text("hers three", PATIENCE).await;
    let turns = accepted_turns(&gateway.home().join("turns.jsonl"));
    let thread =
        |part: &str| turns.iter().find(|turn| turn.text.contains(part)).map(|turn| turn.thread.clone());
    assert_eq!(thread("hers one"), thread("hers two"));
    assert_ne!(thread("hers one"), thread("his one"));
    assert_ne!(thread("hers one"), thread("hers three"));
}

#[tokio::test]
async fn a_stranger_gets_one_polite_line_and_reaches_nothing() {
    let api = BotApi::start(TOKEN);
    let (gateway, _bot) = started(&api, "7").await;
    let stranger = User::new(666, "Eve");
    let chat = Chat::private(&stranger);
    for text in ["hello", "/status", "do something", "/where"] {
        api.push_text(&chat, &stranger, text);
    }
    let (user, friend) = ada();
    api.push_text(&friend, &user, "[say: for a friend]");
    api.wait_text("for a friend", PATIENCE).await;
    assert_eq!(texts(&api, &chat).len(), 1, "{:?}", texts(&api, &chat));
    assert_eq!(accepted_turns(&gateway.home().join("turns.jsonl")).len(), 1);
}

#[tokio::test]
async fn the_first_to_send_the_pairing_code_becomes_operator() {
    let api = BotApi::start(TOKEN);
    let (gateway, _bot) = started(&api, "").await;
    let code = gateway.rpc("argus/pairing/code", json!({})).await["result"]["code"].clone();
    let (user, chat) = ada();
    api.push_text(&chat, &user, &format!("/start {}", code.as_str().expect("a code")));
    api.wait_text("you are the operator", PATIENCE).await;
    api.push_text(&chat, &user, "[say: at your service]");
    api.wait_text("at your service", PATIENCE).await;
    let other = User::new(8, "Bob");
    api.push_text(&Chat::private(&other), &other, &format!("/start {}", code.as_str().expect("a code")));
    eventually("the used code is refused", async || {
        (texts(&api, &Chat::private(&other)).len() == 1).then_some(())
    })
    .await;
    assert!(
        !texts(&api, &Chat::private(&other))[0].contains("paired"),
        "{:?}",
        texts(&api, &Chat::private(&other))
    );
}

#[tokio::test]
async fn a_long_answer_is_split_and_nothing_is_cut() {
    let api = BotApi::start(TOKEN);
    let (_gateway, _bot) = started(&api, "7").await;
    let (user, chat) = ada();
    api.push_text(&chat, &user, "[deltas: 1000 size 12]");
    let whole = argus_testkit::app_server::deltas_text(1000, 12);
    let squeezed = |text: &str| text.split_whitespace().collect::<String>();
    api.wait_sent_until(PATIENCE, |sent| {
        squeezed(&sent.iter().map(|one| one.text.as_str()).collect::<String>()) == squeezed(&whole)
    })
    .await;
    assert!(texts(&api, &chat).len() >= 3);
}

#[tokio::test]
async fn a_failed_turn_says_why() {
    let api = BotApi::start(TOKEN);
    let (_gateway, _bot) = started(&api, "7").await;
    let (user, chat) = ada();
    api.push_text(&chat, &user, "[fail: the model is on holiday]");
    api.wait_text("the model is on holiday", PATIENCE).await;
    api.push_text(&chat, &user, "[stderr: out of luck][die]");
    api.wait_text("out of luck", PATIENCE).await;
    api.push_text(&chat, &user, "[say: back again]");
    api.wait_text("back again", PATIENCE).await;
}

#[tokio::test]
async fn a_missing_agent_is_named() {
    let api = BotApi::start(TOKEN);
    let gateway =
        with_telegram(Gateway::new(), &api, "7").with("ARGUS_RUNTIME_CMD", "no-such-agent").start().await;
    let mut bot = Bot::new(&api, &gateway);
    bot.start();
    let (user, chat) = ada();
    api.push_text(&chat, &user, "hello?");
    api.wait_text("no-such-agent", PATIENCE).await;
}

#[tokio::test]
async fn stop_ends_the_turn_that_runs() {
    let api = BotApi::start(TOKEN);
    let (gateway, _bot) = started(&api, "7").await;
    let (user, chat) = ada();
    api.push_text(&chat, &user, "[hang]");
    let log = gateway.home().join("turns.jsonl");
    eventually("the agent hangs", async || (accepted_turns(&log).len() == 1).then_some(())).await;
    api.push_text(&chat, &user, "/status");
    api.wait_sent(1, PATIENCE).await;
    api.push_text(&chat, &user, "/stop");
    api.wait_sent(3, PATIENCE).await;
    api.push_text(&chat, &user, "[say: fresh]");
    api.wait_text("fresh", PATIENCE).await;
}

#[tokio::test]
async fn retry_after_is_honoured_and_bad_markup_falls_back_to_plain_text() {
    let api = BotApi::start(TOKEN);
    let (_gateway, _bot) = started(&api, "7").await;
    let (user, chat) = ada();
    api.fail_next("sendMessage", Fault::TooManyRequests { retry_after: 1 });
    api.push_text(&chat, &user, "[say: later]");
    api.wait_text("later", PATIENCE).await;
    let refused = "Bad Request: can't parse entities: a test says so".to_owned();
    api.fail_next("sendMessage", Fault::BadRequest(refused));
    api.push_text(&chat, &user, "[say: **plain** now]");
    let plain = api.wait_text("plain now", PATIENCE).await;
    assert_eq!(plain.parse_mode, None);
    assert_eq!(texts(&api, &chat), ["later", "plain now"]);
}

#[tokio::test]
async fn readiness_names_a_second_poller() {
    let api = BotApi::start(TOKEN);
    let (gateway, mut bot) = started(&api, "7").await;
    let ready = async || {
        let url = format!("{}/readyz", gateway.url());
        let answer = reqwest::Client::new().get(url).bearer_auth(gateway.token()).send().await.ok()?;
        answer.json::<serde_json::Value>().await.ok()
    };
    eventually("the receiver reported", async || {
        ready().await.filter(|report| report["receivers"][0]["state"] == "ok")
    })
    .await;
    bot.kill();
    api.fail_while("getUpdates", Fault::Conflict);
    bot.start();
    let report =
        eventually("the conflict shows", async || ready().await.filter(|report| report["ok"] == false)).await;
    assert!(report["reasons"][0].as_str().unwrap_or_default().contains("another program"), "{report}");
}

#[tokio::test]
async fn while_nobody_is_paired_the_code_is_in_the_log_at_the_start() {
    let (api, (user, chat)) = (BotApi::start(TOKEN), ada());
    let mut gateway = with_telegram(Gateway::new(), &api, "").start().await;
    let told = eventually("the log names a code", async || {
        let log = gateway.log();
        let (_, rest) = log.split_once("send `")?;
        Some(rest.split_once('`')?.0.to_owned())
    });
    let told = told.await;
    let mut bot = Bot::new(&api, &gateway);
    bot.start();
    api.push_text(&chat, &user, &told);
    api.wait_text("you are the operator", PATIENCE).await;
    gateway.kill();
    gateway.restart().await;
    assert!(!gateway.log().contains("/start"), "{}", gateway.log());
}
