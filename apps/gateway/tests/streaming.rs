//! Answers grow in the chat while the agent writes them, and are whole in the end, whatever is killed meanwhile.

use std::path::Path;
use std::time::Duration;

use argus_testkit::app_server::deltas_text;
use argus_testkit::bot::Bot;
use argus_testkit::bot_api::{BotApi, Chat, Fault, User};
use argus_testkit::gateway::Gateway;
use argus_testkit::model::ModelServer;
use argus_testkit::programs::eventually;
use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;

const TOKEN: &str = "42:TEST";

fn growing(gateway: Gateway, api: &BotApi, how: &str) -> Gateway {
    gateway
        .with("TELEGRAM_BOT_TOKEN", api.token())
        .with("TELEGRAM_API_URL", api.url())
        .with("TELEGRAM_ALLOWED_USER_IDS", "7")
        .with("TELEGRAM_STREAMING", how)
        .with("TELEGRAM_STREAM_INTERVAL_S", "0.1")
}

async fn started(api: &BotApi, how: &str) -> (Gateway, Bot) {
    let gateway = growing(Gateway::new(), api, how).start().await;
    let mut bot = Bot::new(api, &gateway);
    bot.start();
    (gateway, bot)
}

fn ada() -> (User, Chat) {
    let user = User::new(7, "Ada");
    let chat = Chat::private(&user);
    (user, chat)
}

fn shown(api: &BotApi, chat: &Chat) -> Vec<String> {
    api.shown_in(chat).into_iter().map(|sent| sent.text).collect()
}

/// A turn that stops in the middle of its answer until that file exists, and its whole answer.
fn held(file: &Path) -> (String, String) {
    (format!("[deltas: 40 size 20][hold: {}]", file.display()), deltas_text(40, 20).trim().to_owned())
}

async fn until_it_grows(api: &BotApi, chat: &Chat, whole: &str) {
    let begun = async || {
        let [text] = shown(api, chat).try_into().ok()?;
        (text.len() > 20 && whole.starts_with(&text)).then_some(())
    };
    eventually("a part of the answer is shown", begun).await;
}

/// A kill between a message and the note of it leaves that message: that is walked elsewhere.
async fn until_it_is_noted(gateway: &Gateway) {
    let ledger =
        SqliteConnectOptions::new().filename(gateway.home().join("gateway/ledger.db")).read_only(true);
    let mut ledger = ledger.connect().await.expect("the ledger can be read");
    for _ in 0..1000 {
        let noted: i64 = sqlx::query_scalar("SELECT count(*) FROM live_messages")
            .fetch_one(&mut ledger)
            .await
            .expect("the ledger can be read");
        if noted > 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the growing message is not noted");
}

async fn until_it_shows(api: &BotApi, chat: &Chat, texts: &[&str]) {
    eventually("the answer is whole", async || (shown(api, chat) == texts).then_some(())).await;
}

#[tokio::test]
async fn an_answer_grows_in_one_message() {
    let (api, (user, chat)) = (BotApi::start(TOKEN), ada());
    let (_gateway, _bot) = started(&api, "edit").await;
    let go = tempfile::tempdir().expect("a folder for the test");
    let (text, whole) = held(&go.path().join("go"));
    api.push_text(&chat, &user, &text);
    until_it_grows(&api, &chat, &whole).await;
    std::fs::write(go.path().join("go"), "").expect("the test's own folder");
    until_it_shows(&api, &chat, &[&whole]).await;
    api.push_text(&chat, &user, "[say: and on]");
    until_it_shows(&api, &chat, &[&whole, "and on"]).await;
}

#[tokio::test]
async fn in_a_private_chat_it_is_a_draft_and_in_a_group_a_message() {
    let (api, (user, chat)) = (BotApi::start(TOKEN), ada());
    let (_gateway, _bot) = started(&api, "auto").await;
    let go = tempfile::tempdir().expect("a folder for the test");
    let (text, whole) = held(&go.path().join("go"));
    api.push_text(&chat, &user, &text);
    let drawn = async || api.drafts().last().filter(|draft| whole.starts_with(&draft.text)).map(|_| ());
    eventually("a draft", drawn).await;
    assert_eq!(shown(&api, &chat), Vec::<String>::new());
    std::fs::write(go.path().join("go"), "").expect("the test's own folder");
    until_it_shows(&api, &chat, &[&whole]).await;

    let group = Chat::supergroup(-1_001_007, "group");
    let (text, whole) = held(&go.path().join("more"));
    api.push_text(&group, &user, &format!("@argus_test_bot {text}"));
    until_it_grows(&api, &group, &whole).await;
    std::fs::write(go.path().join("more"), "").expect("the test's own folder");
    until_it_shows(&api, &group, &[&whole]).await;
}

#[tokio::test]
async fn a_stopped_turn_keeps_what_was_shown_of_it() {
    let (api, (user, chat)) = (BotApi::start(TOKEN), ada());
    let (_gateway, _bot) = started(&api, "edit").await;
    api.push_text(&chat, &user, "[deltas: 40 size 20][hang]");
    until_it_grows(&api, &chat, deltas_text(40, 20).trim()).await;
    api.push_text(&chat, &user, "/stop");
    let stopped =
        async || shown(&api, &chat).first().filter(|text| text.ends_with("\n\nStopped.")).map(|_| ());
    eventually("it says that it was stopped", stopped).await;
}

#[tokio::test]
async fn the_note_of_a_message_that_waits_goes_when_its_turn_begins() {
    let (api, (user, chat)) = (BotApi::start(TOKEN), ada());
    let (gateway, _bot) = started(&api, "off").await;
    let go = tempfile::tempdir().expect("a folder for the test");
    let file = go.path().join("go");
    api.push_text(&chat, &user, &format!("[say: one][hold: {}]", file.display()));
    eventually("its turn runs", async || (gateway.turns().len() == 1).then_some(())).await;
    api.push_text(&chat, &user, "[say: two]");
    until_it_shows(&api, &chat, &["⏳ This waits until I am done."]).await;
    std::fs::write(&file, "").expect("the test's own folder");
    until_it_shows(&api, &chat, &["one", "two"]).await;
    assert_eq!(api.calls_of("deleteMessages").len(), 1);
}

#[tokio::test]
async fn a_killed_gateway_finds_the_growing_message_again() {
    let (api, (user, chat)) = (BotApi::start(TOKEN), ada());
    let (mut gateway, _bot) = started(&api, "edit").await;
    let go = tempfile::tempdir().expect("a folder for the test");
    let (text, whole) = held(&go.path().join("go"));
    api.push_text(&chat, &user, &text);
    until_it_grows(&api, &chat, &whole).await;
    until_it_is_noted(&gateway).await;
    gateway.kill();
    std::fs::write(go.path().join("go"), "").expect("the test's own folder");
    gateway.restart().await;
    until_it_shows(&api, &chat, &[&whole]).await;
}

#[tokio::test]
async fn storms_of_refusals_cost_changes_and_never_the_answer() {
    let (api, (user, chat)) = (BotApi::start(TOKEN), ada());
    let (_gateway, _bot) = started(&api, "edit").await;
    for method in ["editMessageText", "sendMessage"] {
        api.fail_every(method, 2, Fault::TooManyRequests { retry_after: 1 });
    }
    let whole = deltas_text(40, 20);
    for count in 1..=2 {
        api.push_text(&chat, &user, "[deltas: 40 size 20][slow: 20]");
        until_it_shows(&api, &chat, &vec![whole.trim(); count]).await;
    }
}

#[tokio::test]
async fn the_answer_of_the_real_codex_grows_and_a_killed_gateway_ends_it_in_its_place() {
    let (api, model, (user, chat)) = (BotApi::start(TOKEN), ModelServer::start(), ada());
    let Some(gateway) = Gateway::new().with_real_codex(&model.codex_config()) else { return };
    let mut gateway = growing(gateway, &api, "edit").start().await;
    let mut bot = Bot::new(&api, &gateway);
    bot.start();
    api.push_text(&chat, &user, "[deltas: 40 size 20][hold: middle]");
    let whole = argus_testkit::app_server::deltas_text(40, 20);
    until_it_grows(&api, &chat, whole.trim()).await;
    until_it_is_noted(&gateway).await;
    gateway.kill();
    model.release("middle");
    gateway.restart().await;
    until_it_shows(&api, &chat, &[whole.trim()]).await;
    api.push_text(&chat, &user, "[run: echo from-$((40+2))]");
    let ran = async || shown(&api, &chat).iter().any(|text| text.contains("from-42")).then_some(());
    eventually("the command's words", ran).await;
    let edits: Vec<_> = api.edits().into_iter().map(|sent| sent.text).collect();
    assert!(edits.iter().chain(&shown(&api, &chat)).all(|text| !text.trim().is_empty()), "{edits:?}");
}
