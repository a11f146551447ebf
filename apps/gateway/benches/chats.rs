//! Delivery to many chats in numbers: `cargo xtask bench chats`.
//!
//! Twenty people write one message after the other, as people do, while Telegram's stand-in refuses every tenth message for
//! a second ("429 Too Many Requests"). Measured is the time from the end of a turn, which is when its answer stands in the
//! outbox, until Telegram has taken the answer; and counted what was lost and what came twice. Gateway, bridge and bot are
//! the real programs; the agent and the Bot API are the stand-ins.

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use argus_testkit::bot::Bot;
use argus_testkit::bot_api::{BotApi, Chat, Fault, Sent, User};
use argus_testkit::gateway::Gateway;
use argus_testkit::programs::PATIENCE;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Row as _};

const CHATS: i64 = 20;
/// One of so many messages is refused.
const REFUSED: usize = 10;
/// A person reads before they write again.
const READING: Duration = Duration::from_millis(1500);

#[tokio::main]
async fn main() {
    let rounds = if std::env::args().any(|word| word == "--quick") { 3 } else { 15 };
    let api = BotApi::start("42:BENCH");
    let ids: Vec<_> = (1..=CHATS).map(|id| id.to_string()).collect();
    let gateway = Gateway::new()
        .with("TELEGRAM_BOT_TOKEN", api.token())
        .with("TELEGRAM_API_URL", api.url())
        .with("TELEGRAM_ALLOWED_USER_IDS", ids.join(","))
        .start()
        .await;
    let mut bot = Bot::new(&api, &gateway);
    bot.start();
    let people: Vec<_> = (1..=CHATS).map(|id| User::new(id, "Ada")).collect();
    for (n, user) in people.iter().enumerate() {
        api.push_text(&Chat::private(user), user, "[say: warm]");
        api.wait_sent(n + 1, PATIENCE).await;
    }
    api.fail_every("sendMessage", REFUSED, Fault::TooManyRequests { retry_after: 1 });
    let began = Instant::now();
    futures::future::join_all(people.iter().map(|user| talk(&api, user, rounds))).await;
    let took = began.elapsed();
    let put_out = put_out(&gateway).await;
    report(&api.sent(), &put_out, rounds);
    let refused = api.calls_of("sendMessage").len() - api.sent().len();
    println!("{refused} refusals, {:.0} s in all", took.as_secs_f64());
}

/// What the answer to a chat's message says.
fn mark(chat: i64, round: usize) -> String {
    format!("chat-{chat:02}-round-{round:02}")
}

/// One person writes, waits for the answer, reads, and writes again.
async fn talk(api: &BotApi, user: &User, rounds: usize) {
    tokio::time::sleep(READING * u32::try_from(user.id).unwrap_or(0) / 20).await;
    for round in 0..rounds {
        let mark = mark(user.id, round);
        api.push_text(&Chat::private(user), user, &format!("[say: {mark}]"));
        let answered = |sent: &[Sent]| sent.iter().any(|sent| sent.text.contains(&mark));
        // What never comes is counted, and is no reason to stop.
        let waiting = async {
            while !answered(&api.sent_to(&Chat::private(user))) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let _ = tokio::time::timeout(PATIENCE, waiting).await;
        tokio::time::sleep(READING).await;
    }
}

/// When each message was put out, unix milliseconds, by what it says.
async fn put_out(gateway: &Gateway) -> Vec<(String, f64)> {
    let path = gateway.home().join("gateway/ledger.db");
    let mut ledger = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .connect()
        .await
        .expect("the ledger of the gateway can be read");
    let rows = sqlx::query("SELECT payload, created_ms FROM outbox")
        .fetch_all(&mut ledger)
        .await
        .expect("the ledger of the gateway can be read");
    let ms = |at: i64| Duration::from_millis(u64::try_from(at).unwrap_or(0)).as_secs_f64() * 1000.0;
    rows.iter().map(|row| (row.get("payload"), ms(row.get("created_ms")))).collect()
}

fn report(sent: &[Sent], put_out: &[(String, f64)], rounds: usize) {
    let (now, unix) = (Instant::now(), SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default());
    let unix_ms = |at: Instant| unix.saturating_sub(now.duration_since(at)).as_secs_f64() * 1000.0;
    let (mut lost, mut doubled, mut latencies) = (0, 0, Vec::new());
    let mut counts: HashMap<String, Vec<f64>> = HashMap::new();
    for sent in sent {
        let mark = sent.text.find("chat-").and_then(|at| sent.text.get(at..at + "chat-00-round-00".len()));
        if let Some(mark) = mark {
            counts.entry(mark.to_owned()).or_default().push(unix_ms(sent.at));
        }
    }
    for (chat, round) in (1..=CHATS).flat_map(|chat| (0..rounds).map(move |round| (chat, round))) {
        let mark = mark(chat, round);
        let taken = counts.remove(&mark).unwrap_or_default();
        lost += usize::from(taken.is_empty());
        doubled += taken.len().saturating_sub(1);
        let since = put_out.iter().find(|(says, _)| says.contains(&mark)).map(|(_, at)| *at);
        latencies.extend(since.zip(taken.first()).map(|(since, taken)| (taken - since).max(0.0)));
    }
    latencies.sort_by(f64::total_cmp);
    if latencies.is_empty() {
        println!("nothing was delivered");
        return;
    }
    let at = |share: usize| latencies[(latencies.len() * share / 100).min(latencies.len() - 1)];
    println!(
        "end of turn to taken: p50 {:.0} ms, p90 {:.0} ms, p99 {:.0} ms, max {:.0} ms",
        at(50),
        at(90),
        at(99),
        latencies[latencies.len() - 1]
    );
    println!("{CHATS} chats: {} delivered, {lost} lost, {doubled} doubled", latencies.len());
}
