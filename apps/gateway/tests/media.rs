//! What people send besides words reaches the agent: bot, gateway, bridge and agent as real processes.

use argus_testkit::bot::Bot;
use argus_testkit::bot_api::{BotApi, Chat, User};
use argus_testkit::gateway::Gateway;
use argus_testkit::programs::{PATIENCE, eventually};
use serde_json::{Value, json};

const TOKEN: &str = "42:TEST";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and more of it";

struct Stage {
    api: BotApi,
    gateway: Gateway,
    _bot: Bot,
    ada: User,
    chat: Chat,
}

impl Stage {
    async fn set(settings: &[(&str, &str)]) -> Self {
        let api = BotApi::start(TOKEN);
        let mut gateway = Gateway::new()
            .with_wiretap()
            .with("TELEGRAM_BOT_TOKEN", api.token())
            .with("TELEGRAM_API_URL", api.url())
            .with("TELEGRAM_ALLOWED_USER_IDS", "7");
        for (name, value) in settings {
            gateway.set(name, value);
        }
        let gateway = gateway.start().await;
        let mut bot = Bot::new(&api, &gateway);
        bot.start();
        let ada = User::new(7, "Ada");
        let chat = Chat::private(&ada);
        Self { api, gateway, _bot: bot, ada, chat }
    }

    fn send(&self, mut parts: Value, caption: &str) {
        parts["caption"] = json!(caption);
        self.api.push_message(&self.chat, &self.ada, &parts);
    }

    /// The input of each turn that the agent was asked for, once there are that many.
    async fn inputs(&self, count: usize) -> Vec<Value> {
        let started =
            |line: &Value| (line["method"] == "turn/start").then(|| line["params"]["input"].clone());
        eventually("the turns are asked for", async || {
            let inputs: Vec<_> = self.gateway.heard().iter().filter_map(started).collect();
            (inputs.len() >= count).then_some(inputs)
        })
        .await
    }
}

#[tokio::test]
async fn a_photo_is_shown_to_the_agent_as_a_file_with_its_bytes() {
    let stage = Stage::set(&[]).await;
    stage.send(stage.api.file_parts("photo", "p.jpg", PNG), "[say: seen]");
    stage.api.wait_text("seen", PATIENCE).await;
    let input = stage.inputs(1).await.remove(0);
    assert_eq!(input[1]["type"], json!("localImage"));
    let path = input[1]["path"].as_str().unwrap();
    assert!(path.starts_with(stage.gateway.home().join("workspace/inbox").to_str().unwrap()), "{path}");
    assert_eq!(std::fs::read(path).unwrap(), PNG);
    assert!(input[0]["text"].as_str().unwrap().contains(&format!("[photo: {path} (image/jpeg, ")));
}

#[tokio::test]
async fn a_document_is_named_with_its_path_and_size_and_what_is_too_large_is_refused() {
    let stage = Stage::set(&[("TELEGRAM_MEDIA_MAX_MB", "1")]).await;
    stage.send(stage.api.file_parts("document", "my notes.txt", &b"words"[..]), "[say: read]");
    stage.api.wait_text("read", PATIENCE).await;
    let input = stage.inputs(1).await.remove(0);
    let text = input[0]["text"].as_str().unwrap();
    let line = text.lines().find(|line| line.starts_with("[file \"my notes.txt\": ")).expect("it is told");
    assert!(line.ends_with("-my_notes.txt (5 bytes)]"), "{line}");
    assert_eq!(input.as_array().unwrap().len(), 1);
    stage.send(stage.api.file_parts("document", "much.bin", vec![0; (1 << 20) + 1]), "");
    stage.api.wait_text("at most 1 MB", PATIENCE).await;
    assert_eq!(stage.inputs(1).await.len(), 1);
}

#[tokio::test]
async fn an_album_is_one_turn() {
    let stage = Stage::set(&[]).await;
    let part = |name: &str| stage.api.file_parts("photo", name, PNG);
    let mut first = part("a.jpg");
    first["caption"] = json!("[say: both]");
    stage.api.push_album(&stage.chat, &stage.ada, "g1", &[first, part("b.jpg")]);
    stage.api.wait_text("both", PATIENCE).await;
    let inputs = stage.inputs(1).await;
    assert_eq!((inputs.len(), inputs[0].as_array().unwrap().len()), (1, 3));
}

#[tokio::test]
async fn a_voice_message_is_read_as_text() {
    let stage = Stage::set(&[("ARGUS_TRANSCRIBE_CMD", "cat")]).await;
    stage.api.push_message(
        &stage.chat,
        &stage.ada,
        &stage.api.file_parts("voice", "v.ogg", &b"[say: spoken] please"[..]),
    );
    stage.api.wait_text("spoken", PATIENCE).await;
    let input = stage.inputs(1).await.remove(0);
    let text = input[0]["text"].as_str().unwrap();
    assert!(text.contains("[voice message, transcribed] [say: spoken] please"), "{text}");
}

#[tokio::test]
async fn a_server_may_transcribe_and_is_shown_its_key() {
    use axum::Router;
    use axum::body::Bytes;
    use axum::http::HeaderMap;
    use axum::routing::post;

    let answer = |headers: HeaderMap, body: Bytes| async move {
        let body = String::from_utf8_lossy(&body).into_owned();
        let fits =
            headers["authorization"] == "Bearer key-1" && body.contains("name=\"model\"\r\n\r\nlarge\r\n");
        let words = if fits && body.contains("a recording") { "[say: heard] it" } else { "wrong request" };
        axum::Json(json!({ "text": words }))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1/audio/transcriptions", listener.local_addr().unwrap());
    let router = Router::new().route("/v1/audio/transcriptions", post(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let settings = [
        ("ARGUS_TRANSCRIBE_URL", url.as_str()),
        ("ARGUS_TRANSCRIBE_KEY", "key-1"),
        ("ARGUS_TRANSCRIBE_MODEL", "large"),
    ];
    let stage = Stage::set(&settings).await;
    let voice = stage.api.file_parts("voice", "v.ogg", &b"a recording"[..]);
    stage.api.push_message(&stage.chat, &stage.ada, &voice);
    stage.api.wait_text("heard", PATIENCE).await;
}

#[tokio::test]
async fn a_killed_gateway_still_makes_one_turn_of_an_album() {
    let mut stage = Stage::set(&[]).await;
    let part = |name: &str| stage.api.file_parts("photo", name, PNG);
    let mut first = part("a.jpg");
    first["caption"] = json!("[say: both]");
    let updates = stage.api.push_album(&stage.chat, &stage.ada, "g1", &[first, part("b.jpg")]);
    stage.api.wait_confirmed(updates[1] + 1, PATIENCE).await;
    stage.gateway.kill();
    stage.gateway.restart().await;
    stage.api.wait_text("both", PATIENCE).await;
    let inputs = stage.inputs(1).await;
    assert_eq!((inputs.len(), inputs[0].as_array().unwrap().len()), (1, 3));
}
