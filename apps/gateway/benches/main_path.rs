//! The main path in numbers: `cargo xtask bench main-path`.
//!
//! Resident memory of gateway and bridge at rest, time from start to ready, and for 100 Telegram messages the time from
//! the update to the agent's `turn/start` and from its `turn/completed` to `sendMessage`. Agent and Bot API are the
//! stand-ins, so the figures are this product's own share.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use argus_testkit::bot::Bot;
use argus_testkit::bot_api::{BotApi, Chat, User};
use argus_testkit::gateway::Gateway;
use argus_testkit::programs::PATIENCE;

/// Messages measured.
const MESSAGES: usize = 100;
/// One chat each, so that Telegram's own pace for one chat does not count.
const CHATS: i64 = 20;

#[tokio::main]
async fn main() {
    let mut starts = Vec::new();
    for _ in 0..10 {
        starts.push(start_to_ready().await);
    }
    starts.sort_by(f64::total_cmp);
    println!("start to ready (10 new homes): p50 {:.1} ms, max {:.1} ms", starts[5], starts[9]);
    messages().await;
}

async fn start_to_ready() -> f64 {
    let began = Instant::now();
    let gateway = Gateway::new().start().await;
    let took = began.elapsed().as_secs_f64() * 1000.0;
    drop(gateway);
    took
}

async fn messages() {
    let api = BotApi::start("42:BENCH");
    let ids: Vec<_> = (1..=CHATS).map(|id| id.to_string()).collect();
    let times = tempfile::NamedTempFile::new().expect("a file for the benchmark");
    let gateway = Gateway::new()
        .with("TELEGRAM_BOT_TOKEN", api.token())
        .with("TELEGRAM_API_URL", api.url())
        .with("TELEGRAM_ALLOWED_USER_IDS", ids.join(","))
        .with("SCRIPTED_TIMES", times.path())
        .start()
        .await;
    let mut bot = Bot::new(&api, &gateway);
    bot.start();
    let people: Vec<_> = (1..=CHATS).map(|id| User::new(id, "Ada")).collect();
    for (n, user) in people.iter().enumerate() {
        api.push_text(&Chat::private(user), user, "[say: warm]");
        api.wait_sent(n + 1, PATIENCE).await;
    }
    println!(
        "resident at rest: gateway {}, bot {}, bridge {}",
        memory(gateway.pid()),
        memory(bot.pid()),
        gateway.processes("argus-runtime-b").first().map(|pid| memory(*pid)).unwrap_or_default()
    );

    std::fs::write(times.path(), "").expect("the benchmark's own file");
    let (mut to_start, mut to_send) = (Vec::new(), Vec::new());
    let epoch = (Instant::now(), unix_us(SystemTime::now()));
    for n in 0..MESSAGES {
        let user = &people[n % people.len()];
        let before = api.sent().len();
        let pushed = unix_us(SystemTime::now());
        api.push_text(&Chat::private(user), user, "[say: measured]");
        let sent = api.wait_sent(before + 1, PATIENCE).await;
        let sent_at = epoch.1 + sent[before].at.duration_since(epoch.0).as_micros();
        let (started, completed) = newest(times.path());
        to_start.push(ms(started - pushed));
        to_send.push(ms(sent_at - completed));
        // Stays below what Telegram allows all chats together.
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    report("update to turn/start", to_start);
    report("turn/completed to sendMessage", to_send);
    println!(
        "resident after {MESSAGES} messages: gateway {}, bot {}",
        memory(gateway.pid()),
        memory(bot.pid())
    );
}

/// The newest `turn/start` and `turn/completed` of the agent, in unix microseconds.
fn newest(times: &Path) -> (u128, u128) {
    let text = std::fs::read_to_string(times).expect("the benchmark's own file");
    let of = |what: &str| {
        let line = text.lines().rev().find_map(|line| line.strip_prefix(what));
        line.and_then(|at| at.trim().parse().ok()).expect("the agent noted the time")
    };
    (of("turn/start"), of("turn/completed"))
}

fn report(what: &str, mut values: Vec<f64>) {
    values.sort_by(f64::total_cmp);
    let at = |share: usize| values[(values.len() * share / 100).min(values.len() - 1)];
    println!("{what}: p50 {:.2} ms, p99 {:.2} ms ({} messages)", at(50), at(99), values.len());
}

fn ms(us: u128) -> f64 {
    Duration::from_micros(u64::try_from(us).unwrap_or(u64::MAX)).as_secs_f64() * 1000.0
}

fn unix_us(at: SystemTime) -> u128 {
    at.duration_since(UNIX_EPOCH).unwrap_or_default().as_micros()
}

/// Resident and anonymous memory of a process.
fn memory(pid: u32) -> String {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.trim_start_matches(':').trim().trim_end_matches(" kB").parse::<f64>().unwrap_or_default()
            / 1024.0
    };
    format!("{:.1} MiB ({:.1} anonymous)", of("VmRSS"), of("RssAnon"))
}
