//! Telegram brings updates: only Telegram may, and none is taken before the gateway has it.

use argus_protocol::token::Secret;
use argus_telegram_bot::Webhook;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::stage::{LIMIT, Running, Stage};

const SECRET: &str = "s3cret";

struct Hook {
    stage: Stage,
    base: String,
    client: reqwest::Client,
    _running: Running,
}

impl Hook {
    async fn set() -> Self {
        let mut stage = Stage::set().await;
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        stage.config.reception.webhook = Some(Webhook {
            url: "https://bot.example/hook/".parse().unwrap(),
            bind: free,
            secret: Secret::parse(SECRET).unwrap(),
        });
        let running = stage.run();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        stage.api.wait_calls("setWebhook", 1, LIMIT).await;
        Self { stage, base: format!("http://{free}"), client, _running: running }
    }

    async fn bring(&self, path: &str, secret: &str, body: impl Into<reqwest::Body>) -> StatusCode {
        let request = self.client.post(format!("{}{path}", self.base)).body(body);
        request.header("X-Telegram-Bot-Api-Secret-Token", secret).send().await.unwrap().status()
    }

    async fn update(&self, number: u64, text: &str) -> StatusCode {
        self.bring("/telegram/4242424242", SECRET, update(number, text).to_string()).await
    }
}

fn update(number: u64, text: &str) -> Value {
    let from = json!({ "id": 9, "is_bot": false, "first_name": "Ann" });
    json!({ "update_id": number, "message": { "message_id": number, "date": 1, "from": from, "text": text,
        "chat": { "id": 9, "type": "private" } } })
}

#[tokio::test]
async fn telegram_is_told_where_to_bring_what_and_with_which_secret() {
    let hook = Hook::set().await;
    let call = hook.stage.api.calls_of("setWebhook").remove(0);
    assert_eq!(
        json!(call.params),
        json!({
            "url": "https://bot.example/hook/telegram/4242424242", "secret_token": SECRET, "max_connections": 1,
            "allowed_updates": ["message", "edited_message", "callback_query", "my_chat_member"],
        })
    );
    hook.stage.reported("ok").await;
    hook.stage.api.wait_calls("getWebhookInfo", 2, LIMIT).await;
    assert!(hook.stage.api.calls_of("getUpdates").is_empty());
}

#[tokio::test]
async fn an_update_is_taken_when_the_gateway_has_it_and_not_before() {
    let hook = Hook::set().await;
    assert_eq!(hook.update(1, "one").await, StatusCode::OK);
    assert_eq!(hook.stage.gateway.texts(1).await, ["one"]);
    hook.stage.gateway.shut();
    assert_eq!(hook.update(2, "two").await, StatusCode::SERVICE_UNAVAILABLE);
    hook.stage.gateway.open();
    assert_eq!(hook.update(2, "two").await, StatusCode::OK);
    assert_eq!(hook.stage.gateway.texts(2).await, ["one", "two"]);
}

#[tokio::test]
async fn who_does_not_know_the_secret_is_refused() {
    let hook = Hook::set().await;
    let good = update(1, "one").to_string();
    for wrong in ["", "s3cre", "s3crets"] {
        assert_eq!(hook.bring("/telegram/4242424242", wrong, good.clone()).await, StatusCode::FORBIDDEN);
    }
    let bare = hook.client.post(format!("{}/telegram/4242424242", hook.base)).body(good.clone());
    assert_eq!(bare.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(hook.bring("/telegram/1", SECRET, good.clone()).await, StatusCode::NOT_FOUND);
    assert_eq!(hook.bring("/", SECRET, good).await, StatusCode::NOT_FOUND);
    assert!(hook.stage.gateway.log().taken.is_empty());
}

#[tokio::test]
async fn what_is_no_update_or_too_long_harms_nobody() {
    let hook = Hook::set().await;
    let path = "/telegram/4242424242";
    assert_eq!(hook.bring(path, SECRET, "{").await, StatusCode::BAD_REQUEST);
    assert_eq!(hook.bring(path, SECRET, "[]").await, StatusCode::OK);
    assert_eq!(hook.bring(path, SECRET, vec![b' '; (1 << 20) + 1]).await, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(hook.update(1, "one").await, StatusCode::OK);
    assert_eq!(hook.stage.gateway.texts(1).await, ["one"]);
}

#[tokio::test]
async fn who_never_comes_to_an_end_is_let_go() {
    let hook = Hook::set().await;
    let address = hook.base.strip_prefix("http://").unwrap();
    let head = format!("POST /telegram/4242424242 HTTP/1.1\r\nX-Telegram-Bot-Api-Secret-Token: {SECRET}\r\n");
    for begun in ["", "POST /telegram", &format!("{head}Content-Length: 9\r\n\r\n{{")] {
        let mut caller = tokio::net::TcpStream::connect(address).await.unwrap();
        caller.write_all(begun.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let read = tokio::time::timeout(LIMIT, caller.read_to_end(&mut answer)).await;
        read.unwrap_or_else(|_| panic!("kept for ever after {begun:?}")).unwrap();
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    }
    assert_eq!(hook.update(1, "one").await, StatusCode::OK);
}
