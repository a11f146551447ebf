//! People on Telegram and the real Codex in a real container: a button lets a command run, /stop ends one, a photo is seen.

use argus_testkit::bot::Bot;
use argus_testkit::bot_api::{BotApi, Chat, Sent, User};
use argus_testkit::docker::Docker;
use argus_testkit::gateway::Gateway;
use argus_testkit::model::ModelServer;
use argus_testkit::programs::{PATIENCE, eventually};

use crate::codex::with_codex;

/// The smallest picture there is: one pixel.
const PICTURE: &[u8] = &[
    0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, b'I', b'H', b'D', b'R', 0, 0, 0, 1, 0, 0,
    0, 1, 8, 2, 0, 0, 0, 0x90, 0x77, 0x53, 0xde, 0, 0, 0, 0x0c, b'I', b'D', b'A', b'T', 0x08, 0xd7, 0x63,
    0xf8, 0xcf, 0xc0, 0, 0, 3, 1, 1, 0, 0x18, 0xdd, 0x8d, 0xb0, 0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae,
    0x42, 0x60, 0x82,
];

/// Ada, whom the gateway knows, her bot, and everything behind it.
pub(crate) struct Scene {
    pub(crate) api: BotApi,
    model: ModelServer,
    pub(crate) gateway: Gateway,
    _bot: Bot,
    ada: User,
    pub(crate) chat: Chat,
}

impl Scene {
    pub(crate) async fn with(docker: &Docker, settings: &[(&str, &str)]) -> Option<Self> {
        let (model, mut gateway) = with_codex(Some(docker))?;
        let (api, ada) = (BotApi::start("42:TEST"), User::new(7, "Ada"));
        let chat = Chat::private(&ada);
        let telegram = [
            ("TELEGRAM_BOT_TOKEN", api.token()),
            ("TELEGRAM_API_URL", api.url().to_owned()),
            ("TELEGRAM_ALLOWED_USER_IDS", "7".to_owned()),
        ];
        for (name, value) in &telegram {
            gateway.set(name, value);
        }
        for (name, value) in settings {
            gateway.set(name, value);
        }
        let gateway = gateway.start().await;
        let mut bot = Bot::new(&api, &gateway);
        bot.start();
        Some(Self { api, model, gateway, _bot: bot, ada, chat })
    }

    pub(crate) fn say(&self, text: &str) {
        self.api.push_text(&self.chat, &self.ada, text);
    }

    /// The message of the agent's question, once it is there.
    async fn question(&self) -> Sent {
        let asked = |sent: &[Sent]| sent.iter().any(|one| !one.buttons().is_empty());
        let sent = self.api.wait_sent_until(PATIENCE, asked).await;
        sent.into_iter().find(|one| !one.buttons().is_empty()).unwrap()
    }

    /// Presses the button that shows these words.
    fn press(&self, question: &Sent, words: &str) {
        let buttons = question.buttons().concat();
        let button = buttons.iter().find(|(text, _)| text.contains(words));
        let (_, data) = button.unwrap_or_else(|| panic!("no button `{words}` among {buttons:?}"));
        self.api.push_press(&self.chat, &self.ada, question.message_id, data);
    }

    /// What the message with that number shows in the end, once it has no buttons any more.
    async fn outcome(&self, question: &Sent) -> String {
        let shown = || {
            let all = self.api.shown_in(&self.chat).into_iter();
            { all }.find(|one| one.message_id == question.message_id && one.buttons().is_empty())
        };
        eventually("the question shows its outcome", async || shown()).await.text
    }

    fn made(&self, name: &str) -> bool {
        self.gateway.home().join("workspace").join(name).exists()
    }
}

#[tokio::test]
async fn a_button_lets_a_real_command_run_and_another_keeps_one_from_running() {
    let Some(docker) = Docker::here() else { return };
    let Some(scene) = Scene::with(&docker, &[("ARGUS_APPROVAL_POLICY", "untrusted")]).await else { return };
    scene.say("[run: touch allowed && echo from-$((40+2))]");
    let question = scene.question().await;
    assert!(question.text.contains("touch allowed"), "{}", question.text);
    assert!(!scene.made("allowed"), "it waits for the answer");
    scene.press(&question, "once");
    scene.api.wait_text("from-42", PATIENCE).await;
    assert!(scene.made("allowed"));
    let outcome = scene.outcome(&question).await;
    assert!(outcome.contains("Ada") && outcome.contains("touch allowed"), "{outcome}");

    let before = scene.api.sent().len();
    scene.say("[run: touch denied]");
    let asked = |sent: &[Sent]| sent[before..].iter().any(|one| !one.buttons().is_empty());
    let sent = scene.api.wait_sent_until(PATIENCE, asked).await;
    let question = sent[before..].iter().find(|one| !one.buttons().is_empty()).unwrap();
    scene.press(question, "Deny");
    scene.outcome(question).await;
    // The turn goes on and comes to an end; what it was denied never ran.
    let told = |sent: &[Sent]| sent[before..].iter().any(|one| one.message_id > question.message_id);
    scene.api.wait_sent_until(PATIENCE, told).await;
    assert!(!scene.made("denied"));
}

#[tokio::test]
async fn a_question_survives_the_gateways_death_and_is_answered_after_it() {
    let Some(docker) = Docker::here() else { return };
    let Some(mut scene) = Scene::with(&docker, &[("ARGUS_APPROVAL_POLICY", "untrusted")]).await else {
        return;
    };
    scene.say("[run: touch allowed && echo from-$((40+2))]");
    let question = scene.question().await;
    // What follows it comes only when it is noted that it was sent.
    scene.say("/where");
    scene.api.wait_text("Session:", PATIENCE).await;
    scene.gateway.kill();
    scene.press(&question, "once");
    scene.gateway.restart().await;
    scene.api.wait_text("from-42", PATIENCE).await;
    assert!(scene.made("allowed"));
    scene.outcome(&question).await;
    let questions = scene.api.sent().into_iter().filter(|one| !one.buttons().is_empty()).count();
    assert_eq!(questions, 1, "nobody was asked again");
}

#[tokio::test]
async fn stop_ends_a_real_command_that_runs() {
    let Some(docker) = Docker::here() else { return };
    let Some(scene) = Scene::with(&docker, &[]).await else { return };
    scene.say("[run: touch started; sleep 300; touch ended]");
    eventually("the command runs", async || scene.made("started").then_some(())).await;
    scene.say("/stop");
    scene.api.wait_text("Stopped.", PATIENCE).await;
    let container = docker.container(&scene.gateway.client("session=default").await.session);
    eventually("the command is gone", async || {
        let running = docker.shell(&container, "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '");
        (!running.contains("sleep 300")).then_some(())
    })
    .await;
    assert!(!scene.made("ended"));
    scene.say("[say: and on]");
    scene.api.wait_text("and on", PATIENCE).await;
}

#[tokio::test]
async fn a_photo_reaches_the_models_input() {
    let Some(docker) = Docker::here() else { return };
    let Some(scene) = Scene::with(&docker, &[]).await else { return };
    let mut photo = scene.api.file_parts("photo", "p.png", PICTURE);
    photo["caption"] = "[say: one pixel]".into();
    scene.api.push_message(&scene.chat, &scene.ada, &photo);
    scene.api.wait_text("one pixel", PATIENCE).await;
    let requests = scene.model.requests();
    let seen = requests.iter().map(ToString::to_string).find(|body| body.contains("input_image"));
    let seen = seen.expect("the model was given a picture");
    assert!(seen.contains("data:image/png;base64,"), "{}", &seen[..seen.len().min(2000)]);
}
