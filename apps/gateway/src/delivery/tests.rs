//! Tests of the worker against a Bot API server on loopback.

mod kinds;
mod live;

use std::time::Duration;

use argus_protocol::token::Secret;
use argus_testkit::bot_api::{BotApi, Chat, Fault, Sent, User};
use argus_testkit::programs::eventually;
use tokio::task::JoinHandle;

use super::*;
use crate::config::{LiveConfig, Streaming};
use crate::store::ledger::{Body, NewRow, TextBody};

const TOKEN: &str = "4242424242:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const LIMIT: Duration = Duration::from_secs(20);

/// A delivery of a ledger of its own to a Bot API where people 1 to 9 have written.
struct Desk {
    api: BotApi,
    dir: tempfile::TempDir,
    ledger: Ledger,
    delivery: Delivery,
    config: DeliveryConfig,
    running: Option<(CancellationToken, JoinHandle<()>)>,
}

/// Limits that no test has to wait for.
fn generous() -> Limits {
    Limits {
        chat_interval: Duration::from_millis(1),
        group_per_minute: 1000,
        overall_per_second: 1000,
        first_pause: Duration::from_millis(5),
        token_pause: Duration::from_millis(5),
    }
}

/// Nothing is shown before it is whole.
fn quiet() -> LiveConfig {
    LiveConfig {
        streaming: Streaming::Off,
        interval: Duration::from_millis(1),
        activity: true,
        reasoning: true,
    }
}

impl Desk {
    async fn new(limits: Limits) -> Self {
        Self::showing(limits, quiet()).await
    }

    async fn showing(limits: Limits, live: LiveConfig) -> Self {
        let api = BotApi::start(TOKEN);
        for number in 1..10 {
            api.know(&Chat::private(&User::new(number, "P")));
        }
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&dir.path().join("ledger.db"), rows_for).await.unwrap();
        let kept = Kept::new(dir.path().join("outbox"));
        let config = DeliveryConfig { limits, live, kept };
        let delivery = Delivery::new(ledger.clone(), Self::telegram(&api), config.clone());
        Self { api, dir, ledger, delivery, config, running: None }
    }

    /// As after a restart of the gateway.
    async fn restart(&mut self) {
        self.stop().await;
        self.ledger.close().await;
        self.ledger = Ledger::open(&self.dir.path().join("ledger.db"), rows_for).await.unwrap();
        self.deliver_anew();
        self.start();
    }

    fn deliver_anew(&mut self) {
        self.delivery = Delivery::new(self.ledger.clone(), Self::telegram(&self.api), self.config.clone());
    }

    /// With a ledger in which everything was written two days ago.
    async fn two_days_ago() -> Self {
        let mut desk = Self::new(generous()).await;
        let path = desk.dir.path().join("old.db");
        let then = crate::clock::unix_ms() - 2 * 24 * 60 * 60 * 1000;
        let clock = std::sync::Arc::new(move || then);
        desk.ledger = Ledger::open_with_clock(&path, rows_for, clock).await.unwrap();
        desk.deliver_anew();
        desk
    }

    fn telegram(api: &BotApi) -> Telegram {
        Telegram::new(&Secret::parse(TOKEN).unwrap(), &api.url().parse().unwrap()).unwrap()
    }

    fn start(&mut self) {
        let (stop, delivery) = (CancellationToken::new(), self.delivery.clone());
        let token = stop.clone();
        self.running = Some((stop, tokio::spawn(async move { delivery.run(token).await })));
    }

    async fn stop(&mut self) {
        if let Some((stop, task)) = self.running.take() {
            stop.cancel();
            tokio::time::timeout(LIMIT, task).await.unwrap().unwrap();
        }
    }

    async fn put(&self, chat: &str, text: &str) {
        self.put_as(chat, text, text).await;
    }

    async fn put_as(&self, chat: &str, html: &str, plain: &str) {
        self.put_out(chat, &format!("{chat} {plain}"), Body::Text(TextBody::of(html, plain))).await;
    }

    async fn put_out(&self, chat: &str, key: &str, body: Body) {
        let row = NewRow { dedupe_key: key.to_owned(), chat: chat_of(chat), body };
        self.ledger.write(move |tx| Box::pin(async move { tx.put_out(row).await })).await.unwrap();
    }

    /// Waits until nothing waits any more, and tells the texts that each of those chats got.
    async fn delivered<const N: usize>(&self, chats: [i64; N]) -> [Vec<String>; N] {
        self.until(|health| health.oldest_waiting_ms.is_none()).await;
        chats.map(|chat| texts(&self.api.sent(), chat))
    }

    async fn until(&self, enough: impl Fn(&Health) -> bool) -> Health {
        let watching = async {
            loop {
                let health = self.delivery.health().await;
                if enough(&health) {
                    return health;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let Ok(health) = tokio::time::timeout(LIMIT, watching).await else {
            panic!("not within {LIMIT:?}: {:?}", self.delivery.health().await)
        };
        health
    }
}

fn chat_of(key: &str) -> ChatRef {
    ChatRef { channel: "telegram".into(), bot: "4242424242".into(), chat: key.parse().unwrap() }
}

fn texts(sent: &[Sent], chat: i64) -> Vec<String> {
    sent.iter().filter(|s| s.chat_id == chat).map(|s| s.text.clone()).collect()
}

#[tokio::test]
async fn each_chat_gets_its_own_messages_in_order_and_each_once() {
    let mut desk = Desk::new(generous()).await;
    for number in 0..10 {
        desk.put("1", &format!("a{number}")).await;
        desk.put("2", &format!("b{number}")).await;
    }
    desk.start();
    for number in 10..20 {
        desk.put("1", &format!("a{number}")).await;
    }
    let [a, b, c] = desk.delivered([1, 2, 3]).await;
    assert_eq!(a, (0..20).map(|n| format!("a{n}")).collect::<Vec<_>>());
    assert_eq!(b, (0..10).map(|n| format!("b{n}")).collect::<Vec<_>>());
    assert_eq!(c, Vec::<String>::new());
    let health = desk.delivery.health().await;
    assert!(health.last_sent_ms.is_some());
    assert_eq!((health.last_error, health.token), (None, Token::Accepted));
}

#[tokio::test]
async fn a_message_that_could_not_be_taken_is_tried_until_it_is() {
    let mut desk = Desk::new(generous()).await;
    for _ in 0..3 {
        desk.api.fail_next("sendMessage", Fault::DropBeforeAccept);
    }
    for text in ["first", "second"] {
        desk.put("1", text).await;
    }
    desk.start();
    assert_eq!(desk.delivered([1]).await, [["first", "second"]]);
    assert_eq!(desk.api.calls_of("sendMessage").len(), 5);
}

#[tokio::test]
async fn only_a_message_whose_taking_was_not_confirmed_may_come_twice() {
    let mut desk = Desk::new(generous()).await;
    desk.api.fail_next("sendMessage", Fault::DropAfterAccept);
    for text in ["first", "second", "third"] {
        desk.put("1", text).await;
    }
    desk.start();
    assert_eq!(desk.delivered([1]).await, [["first", "first", "second", "third"]]);
}

#[tokio::test]
async fn a_chat_that_is_told_to_wait_does_not_hold_up_the_others() {
    let mut desk = Desk::new(generous()).await;
    desk.api.fail_next("sendMessage", Fault::TooManyRequests { retry_after: 1 });
    desk.put("1", "late").await;
    desk.put("1", "later").await;
    desk.start();
    desk.api.wait_calls("sendMessage", 1, LIMIT).await;
    desk.put("2", "at once").await;
    desk.delivered([]).await;
    let order: Vec<_> = desk.api.sent().into_iter().map(|sent| sent.text).collect();
    assert_eq!(order, ["at once", "late", "later"]);
}

#[tokio::test]
async fn markup_that_is_refused_goes_as_plain_text() {
    let mut desk = Desk::new(generous()).await;
    desk.put_as("1", "<nonsense>a", "plain a").await;
    desk.put_as("1", "<b>b</b>", "b").await;
    desk.put_as("1", &"x".repeat(5000), "short").await;
    desk.start();
    assert_eq!(desk.delivered([1]).await, [["plain a", "b", "short"]]);
    let modes: Vec<_> = desk.api.sent().into_iter().map(|sent| sent.parse_mode).collect();
    assert_eq!(modes, [None, Some("HTML".to_owned()), None]);
}

#[tokio::test]
async fn what_waits_for_a_chat_that_is_gone_is_given_up_and_the_rest_goes_on() {
    let mut desk = Desk::new(generous()).await;
    desk.put("99", "nobody").await;
    desk.put("99", "nobody again").await;
    desk.put("not a chat", "nowhere").await;
    desk.put("1", "somebody").await;
    desk.start();
    assert_eq!(desk.delivered([1, 99]).await, [vec!["somebody"], vec![]]);
    assert_eq!(desk.api.calls_of("sendMessage").len(), 2);
}

#[tokio::test]
async fn what_waits_for_a_group_that_became_a_supergroup_goes_there_in_order() {
    let mut desk = Desk::new(generous()).await;
    let group = Chat::group(-5, "group");
    desk.api.know(&group);
    desk.api.upgrade(&group, -1_001_005);
    for text in ["first", "second"] {
        desk.put("-5", text).await;
    }
    desk.start();
    assert_eq!(desk.delivered([-5, -1_001_005]).await, [vec![], vec!["first", "second"]]);
    assert_eq!(desk.delivery.health().await.last_error, None);
}

#[tokio::test]
async fn a_message_that_is_refused_for_good_is_given_up_alone() {
    let mut desk = Desk::new(generous()).await;
    for _ in 0..2 {
        desk.api.fail_next("sendMessage", Fault::BadRequest("something new".to_owned()));
    }
    desk.put("1", "refused").await;
    desk.put("1", "taken").await;
    desk.start();
    assert_eq!(desk.delivered([1]).await, [["taken"]]);
}

#[tokio::test]
async fn a_refused_token_makes_everything_wait_and_health_says_so() {
    let mut desk = Desk::new(generous()).await;
    desk.api.fail_while("sendMessage", Fault::Unauthorized);
    desk.put("1", "a").await;
    desk.put("2", "b").await;
    desk.start();
    let health = desk.until(|health| health.token == Token::Refused).await;
    assert!(health.last_error.unwrap().contains("the bot token is refused"));
    assert!(health.oldest_waiting_ms.is_some());
    desk.api.heal("sendMessage");
    assert_eq!(desk.delivered([1, 2]).await, [["a"], ["b"]]);
    assert_eq!(desk.delivery.health().await.token, Token::Accepted);
}

#[tokio::test]
async fn a_message_that_could_not_be_sent_for_a_day_is_given_up() {
    let mut desk = Desk::two_days_ago().await;
    desk.put("1", "too old").await;
    for _ in 0..20 {
        let rows = desk.ledger.waiting_rows(CHANNEL, desk.delivery.0.telegram.bot_id(), 1).await.unwrap();
        desk.ledger.postpone(rows[0].id, 0, "in vain").await.unwrap();
    }
    desk.put("1", "old, but taken").await;
    desk.api.fail_next("sendMessage", Fault::DropBeforeAccept);
    desk.start();
    assert_eq!(desk.delivered([1]).await, [["old, but taken"]]);
}

#[tokio::test]
async fn what_waited_while_nothing_ran_is_not_given_up_at_the_first_failure() {
    let mut desk = Desk::two_days_ago().await;
    desk.api.fail_next("sendMessage", Fault::DropBeforeAccept);
    desk.put("1", "written on Friday").await;
    desk.start();
    assert_eq!(desk.delivered([1]).await, [["written on Friday"]]);
}

#[tokio::test]
async fn what_was_not_sent_goes_after_a_restart() {
    let mut desk = Desk::new(generous()).await;
    desk.api.fail_while("sendMessage", Fault::DropBeforeAccept);
    desk.put("1", "first").await;
    desk.put("1", "second").await;
    desk.start();
    desk.api.wait_calls("sendMessage", 2, LIMIT).await;
    desk.stop().await;
    desk.api.heal("sendMessage");
    desk.restart().await;
    assert_eq!(desk.delivered([1]).await, [["first", "second"]]);
}

#[tokio::test]
async fn what_waits_for_a_bot_that_was_replaced_is_given_up_at_the_start() {
    let mut desk = Desk::new(generous()).await;
    for (bot, text) in [("77", "of the former"), ("4242424242", "of the present")] {
        let row = NewRow {
            dedupe_key: text.to_owned(),
            chat: ChatRef { bot: bot.into(), ..chat_of("1") },
            body: Body::Text(TextBody::of(text, text)),
        };
        desk.ledger.write(move |tx| Box::pin(async move { tx.put_out(row).await })).await.unwrap();
    }
    Deliveries::new(desk.ledger.clone(), vec![Desk::telegram(&desk.api)], &desk.config).tidy().await;
    desk.start();
    assert_eq!(desk.delivered([1]).await, [["of the present"]]);
    assert_eq!(desk.ledger.waiting_rows(CHANNEL, "77", 9).await.unwrap(), []);
}

#[tokio::test]
async fn a_chat_sees_typing_while_its_turn_runs() {
    let mut desk = Desk::new(generous()).await;
    desk.start();
    desk.delivery.turn_running(&chat_of("1"));
    desk.delivery.turn_running(&ChatRef { bot: "77".into(), ..chat_of("2") });
    desk.api.wait_calls("sendChatAction", 1, LIMIT).await;
    desk.delivery.turn_over(&chat_of("1"));
    desk.delivery.turn_running(&chat_of("3"));
    eventually("both are shown", async || (desk.api.actions().len() == 2).then_some(())).await;
    let shown: Vec<_> = desk.api.actions().into_iter().map(|a| (a.chat_id, a.action)).collect();
    assert_eq!(shown, [(1, "typing".to_owned()), (3, "typing".to_owned())]);
    desk.stop().await;
}
