//! A node asks its owner, who answers in a chat.

use argus_testkit::bot_api::{BotApi, Chat, Sent, User};
use argus_testkit::gateway::Gateway;
use argus_testkit::node::Node;
use argus_testkit::programs::eventually;
use serde_json::{Value, json};

use super::facts::{exit, tell};
use super::token;

/// Ada, who is the operator, Bob, who is not, and a gateway with a bot that both have written to.
struct Stage {
    api: BotApi,
    gateway: Gateway,
    chat: Chat,
}

impl Stage {
    async fn set(language: &str) -> Self {
        let api = BotApi::start("42:TEST");
        let gateway = Gateway::new()
            .with("TELEGRAM_BOT_TOKEN", api.token())
            .with("TELEGRAM_API_URL", api.url())
            .with("TELEGRAM_ALLOWED_USER_IDS", "7,8")
            .with("TELEGRAM_OPERATOR_USER_IDS", "7");
        let gateway = gateway.start().await;
        let chat = Chat::private(&User::new(7, "Ada"));
        api.know(&chat);
        let stage = Self { api, gateway, chat };
        for (id, name) in [(7, "Ada"), (8, "Bob")] {
            let user = json!({ "id": id.to_string(), "name": name, "language": language });
            let said = json!({ "channel": "telegram", "bot": "42", "chatKey": id.to_string(), "chatKind": "private", "user": user,
                "messageId": format!("{id}0"), "text": "/whoami", "idempotencyKey": format!("m{id}") });
            let reply = stage.gateway.rpc("argus/chat/receive", said).await;
            assert!(reply.get("result").is_some(), "{reply}");
        }
        stage
    }

    /// Waits until the chat shows these words in some message, edited or not.
    async fn shows(&self, part: &str) -> Sent {
        eventually(part, async || {
            self.api.shown_in(&self.chat).into_iter().find(|sent| sent.text.contains(part))
        })
        .await
    }

    /// Somebody presses a button; what they are told.
    async fn press(&self, user: i64, name: &str, below: &Sent, button: &str, key: &str) -> Value {
        let buttons = below.buttons().concat();
        let (_, data) =
            buttons.iter().find(|(text, _)| text.contains(button)).unwrap_or_else(|| panic!("{buttons:?}"));
        let press = json!({ "channel": "telegram", "bot": "42", "chatKey": "7", "chatKind": "private",
            "user": { "id": user.to_string(), "name": name }, "messageId": below.message_id.to_string(), "data": data,
            "idempotencyKey": key });
        self.gateway.rpc("argus/chat/press", press).await["result"].clone()
    }
}

fn ask(id: &str, ms: u64) -> Value {
    json!({ "id": id, "command": "system.run", "what": "rm -rf build", "cwd": "/src", "sessionId": "s1", "expiresInMs": ms })
}

#[tokio::test]
async fn an_operator_says_yes_or_no_and_the_node_is_told_who_did() {
    let stage = Stage::set("en").await;
    let token = token(&stage.gateway, "node:mac").await;
    let mut mac = Node::usual(stage.gateway.url(), &token, "mac", "b").await;
    mac.tell("node.approval.request", ask("q1", 60_000)).await;
    let asked = stage.shows("May this be done on The mac?").await;
    assert!(
        asked.text.contains("rm -rf build") && asked.text.contains("/src") && asked.text.contains("s1"),
        "{}",
        asked.text
    );
    let refused = stage.press(8, "Bob", &asked, "Allow", "p1").await;
    assert_eq!(refused, json!({ "ok": true, "notice": "Only an operator can answer here.", "alert": true }));
    let told = stage.press(7, "Ada", &asked, "Allow", "p2").await;
    assert_eq!(told["notice"], "✅ Allowed by Ada");
    let answer = json!({ "id": "q1", "allow": true, "by": "telegram:Ada (7)" });
    assert_eq!(mac.event("node.approval.answer").await, answer);
    let shown = stage.shows("✅ Allowed by Ada").await;
    assert_eq!((shown.message_id, shown.buttons().len()), (asked.message_id, 0));
    // Once is enough, and a node that missed the answer is told again.
    let late = stage.press(7, "Ada", &asked, "Deny", "p3").await;
    assert!(late["notice"].as_str().unwrap().starts_with("✅ Allowed by"), "{late}");
    let mut mac = Node::usual(stage.gateway.url(), &token, "mac", "b").await;
    mac.tell("node.approval.request", ask("q1", 60_000)).await;
    assert_eq!(mac.event("node.approval.answer").await, answer);
    mac.tell("node.approval.request", ask("q2", 60_000)).await;
    let second = eventually("the second question", async || {
        stage.api.shown_in(&stage.chat).into_iter().find(|sent| !sent.buttons().is_empty())
    });
    stage.press(7, "Ada", &second.await, "Deny", "p4").await;
    let answer = json!({ "id": "q2", "allow": false, "by": "telegram:Ada (7)" });
    assert_eq!(mac.event("node.approval.answer").await, answer);
}

#[tokio::test]
async fn a_question_that_nobody_has_to_answer_any_more_says_so() {
    let stage = Stage::set("zh-CN").await;
    let token = token(&stage.gateway, "node:mac").await;
    let mut mac = Node::usual(stage.gateway.url(), &token, "mac", "b").await;
    mac.tell("node.approval.request", ask("q1", 60_000)).await;
    let asked = stage.shows("可以在 The mac 上执行以下操作吗").await;
    mac.tell("node.approval.over", json!({ "id": "q1" })).await;
    let over = stage.shows("已不再需要").await;
    assert_eq!((over.message_id, over.buttons().len()), (asked.message_id, 0));
    let late = stage.press(7, "Ada", &asked, "允许", "p1").await;
    assert_eq!(late["alert"], false, "{late}");
    mac.tell("node.approval.request", ask("q2", 1)).await;
    stage.shows("无人及时回答").await;
    assert!(mac.drain(std::time::Duration::from_millis(100)).await.is_empty(), "no answer is made up");
}

#[tokio::test]
async fn one_node_asks_so_much_at_once_and_nobody_is_asked_where_there_is_nobody() {
    let stage = Stage::set("en").await;
    let token = token(&stage.gateway, "node:mac").await;
    let mut mac = Node::usual(stage.gateway.url(), &token, "mac", "b").await;
    for number in 0..12 {
        mac.tell("node.approval.request", ask(&format!("q{number}"), 60_000)).await;
    }
    eventually("the rest is refused", async || {
        stage.gateway.log().contains("too many questions of nodes are open").then_some(())
    })
    .await;
    let shown = async || {
        let shown = stage.api.shown_in(&stage.chat);
        shown.into_iter().filter(|sent| sent.text.contains("May this be done")).count()
    };
    eventually("eight are shown", async || (shown().await == 8).then_some(())).await;

    let gateway = Gateway::new().start().await;
    let token = super::token(&gateway, "node:mac").await;
    let mut mac = Node::usual(gateway.url(), &token, "mac", "b").await;
    mac.tell("node.approval.request", ask("q1", 60_000)).await;
    eventually("it is logged", async || {
        gateway.log().contains("there is no operator with a chat to be asked").then_some(())
    })
    .await;
    assert!(mac.drain(std::time::Duration::from_millis(100)).await.is_empty());
}

#[tokio::test]
async fn however_often_a_node_takes_its_questions_back_it_does_not_fill_the_chat() {
    let stage = Stage::set("en").await;
    let token = token(&stage.gateway, "node:mac").await;
    let mut mac = Node::usual(stage.gateway.url(), &token, "mac", "b").await;
    let is_full = || {
        stage.gateway.log().contains("too many questions of nodes are open, or were asked in the last hour")
    };
    for number in 0..61 {
        assert!(!is_full(), "after {number}");
        mac.tell("node.approval.request", ask(&format!("q{number}"), 60_000)).await;
        mac.tell("node.approval.over", json!({ "id": format!("q{number}") })).await;
        // Once this is heard, so is what was told before it.
        tell(&mut mac, exit(&format!("j{number}"))).await;
    }
    eventually("the last is not put", async || is_full().then_some(())).await;
}

#[tokio::test]
async fn a_runtimes_own_node_puts_nothing_into_the_owners_chat() {
    let stage = Stage::set("en").await;
    let session = stage.gateway.client("").await.session;
    let id = format!("runtime:{session}");
    let mut runtime = super::node(&stage.gateway, &id).await;
    let mut mac = super::node(&stage.gateway, "mac").await;
    runtime.tell("node.approval.request", ask("q1", 60_000)).await;
    // Once this is heard, so is what was told before it.
    tell(&mut runtime, exit("j1")).await;
    mac.tell("node.approval.request", ask("q2", 60_000)).await;
    stage.shows("May this be done on The mac?").await;
    let shown =
        stage.api.shown_in(&stage.chat).into_iter().filter(|sent| sent.text.contains("May this be done"));
    assert_eq!(shown.count(), 1);
}
