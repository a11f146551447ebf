//! Commands: what they answer, what their buttons change, in both languages.

use argus_session::{Outcome, Settlement};

use super::*;
use crate::store::ledger::ChatSettings;

fn answers(settlement: &Settlement, _: Language) -> Vec<NewRow> {
    let Outcome::Completed { text } = &settlement.outcome else { return Vec::new() };
    let chat = settlement.origin.chat().unwrap().clone();
    let live = settlement.submissions.first().cloned();
    let body = TextBody { live, ..TextBody::of(text.clone(), text.clone()) };
    vec![NewRow { dedupe_key: format!("{}:0", settlement.submissions[0]), chat, body: Body::Text(body) }]
}

fn chat(key: &str) -> ChatRef {
    ChatRef { channel: "telegram".into(), bot: "42".into(), chat: key.parse().unwrap() }
}

impl Desk {
    /// The newest submissions end with this answer, which is read.
    async fn answered(&self, count: usize, text: &str) {
        let all = locked(&self.sessions.submitted).clone();
        let these = &all[all.len() - count..];
        let ids: Vec<_> = these.iter().map(|one| one.id.clone()).collect();
        let settlement = Settlement {
            submissions: ids.clone(),
            origin: these[0].origin.clone(),
            thread: None,
            turn: Some(format!("turn {}", all.len()).parse().unwrap()),
            outcome: Outcome::Completed { text: text.to_owned() },
            usage: None,
        };
        self.ledger.settle(&settlement).await.unwrap();
        assert_eq!(self.read("7").await.as_deref(), Some(text));
    }

    async fn settings(&self, key: &str) -> ChatSettings {
        self.ledger.chat_settings(&chat(key)).await.unwrap()
    }

    /// The menu of models, which comes when the agent has told them.
    async fn models(&self) -> (String, Vec<Button>) {
        assert_eq!(self.receive(&self.message("7", "7", "/model")).await, Disposition::Answered);
        while self.ledger.waiting_rows("telegram", "42", 1).await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        let (_, text, buttons) = self.asked("7").await;
        (text, buttons)
    }

    /// The buttons that answer a command.
    async fn menu(&self, command: &str) -> (String, Vec<Button>) {
        assert_eq!(self.receive(&self.message("7", "7", command)).await, Disposition::Answered, "{command}");
        let (_, text, buttons) = self.asked("7").await;
        (text, buttons)
    }
}

fn labels(buttons: &[Button]) -> Vec<&str> {
    buttons.iter().map(|button| button.text.as_str()).collect()
}

#[tokio::test]
async fn the_last_thing_is_asked_again_with_all_that_came_with_it() {
    let desk = Desk::answering(answers).await;
    let nothing = "There is nothing before this in this chat.";
    assert_eq!(desk.says("7", "/retry").await, nothing);
    assert_eq!(desk.says("7", "/last").await, nothing);
    assert_eq!(desk.says("7", "one").await, "Submitted");
    assert_eq!(desk.says("7", "two").await, "Submitted");
    assert_eq!(desk.says("7", "/retry").await, "The last thing you asked is not done yet.");
    desk.answered(2, "done").await;
    let retry = desk.message("7", "7", "/retry");
    assert_eq!(desk.receive(&retry).await, Disposition::Submitted);
    assert_eq!(desk.receive(&retry).await, Disposition::Repeated);
    let again = locked(&desk.sessions.submitted).last().cloned().unwrap();
    assert_eq!((again.text.as_str(), &again.target), ("one\n\ntwo", &target("7", 0)));
    desk.answered(1, "done again").await;
    let press = desk.pressing("7", "7", "retry");
    assert_eq!(desk.chats.press(&press).await.unwrap().notice.as_deref(), Some("I try it again."));
    assert_eq!(
        desk.chats.press(&press).await.unwrap().notice.as_deref(),
        Some("The last thing you asked is not done yet.")
    );
    assert_eq!(desk.submitted().len(), 4);
    assert_eq!(desk.submitted()[3].0, "one\n\ntwo");
}

#[tokio::test]
async fn the_last_answer_is_told_again_also_after_new() {
    let desk = Desk::answering(answers).await;
    desk.says("7", "work").await;
    desk.answered(1, "the answer").await;
    for command in ["/last", "/lastresult"] {
        let message = desk.message("7", "7", command);
        desk.receive(&message).await;
        let Some((_, Body::Text(told))) = desk.sent("7").await else { panic!("a text") };
        assert_eq!((told.plain.as_str(), told.live), ("the answer", None), "{command}");
    }
    for _ in 0..3 {
        desk.says("7", "/new").await;
        assert_eq!(desk.says("7", "/last").await, "the answer");
    }
    assert_eq!(desk.says("7", "/retry").await, "Submitted");
}

#[tokio::test]
async fn a_chat_goes_back_into_a_thread_it_had_before() {
    let desk = Desk::with_operator().await;
    assert_eq!(desk.menu("/threads").await, ("This chat has no thread yet.".to_owned(), vec![]));
    for (era, words, thread) in [(0, "about  the\nhouse", "thr_a"), (1, "about the garden", "thr_b")] {
        desk.says("7", words).await;
        desk.ledger.bind_chat(&session(), &chat("7"), era, &thread.parse().unwrap()).await.unwrap();
        desk.says("7", "/new").await;
    }
    let (_, buttons) = desk.menu("/threads").await;
    assert_eq!(labels(&buttons), ["about the garden", "about the house"]);
    let press = desk.pressing("7", "7", &buttons[1].data);
    for notice in [Some("Back in that thread."), Some("That is the present thread.")] {
        assert_eq!(desk.chats.press(&press).await.unwrap().notice.as_deref(), notice);
    }
    assert_eq!(desk.read("7").await.unwrap(), "Your next message goes on in the thread thr_a.");
    let (_, buttons) = desk.menu("/threads").await;
    assert_eq!(labels(&buttons), ["• about the house", "about the garden"]);
    desk.says("7", "go on").await;
    let went = locked(&desk.sessions.submitted).last().cloned().unwrap();
    assert_eq!((went.target, went.thread.unwrap().as_str()), (target("7", 3), "thr_a"));
    let other = desk.presses("7", "7", "t:77").await;
    assert_eq!(other.notice.as_deref(), Some("This button does nothing any more."));
}

#[tokio::test]
async fn a_chat_chooses_among_the_models_that_the_agent_has() {
    let desk = Desk::with_operator().await;
    assert!(desk.models().await.0.contains("the agent is away"));
    let all = u32::try_from(INQUIRIES).unwrap();
    let others = desk.chats.0.inquiries.clone().acquire_many_owned(all).await.unwrap();
    assert!(desk.models().await.0.contains("too many wait for the agent"));
    drop(others);
    let effort = |words: &[&str]| {
        words.iter().map(|word| json!({ "reasoningEffort": word, "description": "" })).collect::<Vec<_>>()
    };
    *locked(&desk.sessions.agent) = Some(json!({ "data": [
        { "id": "a", "model": "model-a", "displayName": "Model A", "isDefault": true, "hidden": false,
          "supportedReasoningEfforts": effort(&["low", "high"]) },
        { "id": "b", "model": "model-b", "displayName": "", "supportedReasoningEfforts": effort(&["minimal"]) },
        { "id": "c", "model": "secret", "hidden": true }] }));
    let (text, buttons) = desk.models().await;
    assert!(text.starts_with("Model here: model-a\nEffort: default"), "{text}");
    assert_eq!(labels(&buttons), ["Model A", "model-b", "• default", "low", "high", "• default effort"]);
    desk.presses("7", "7", &buttons[1].data).await;
    let (text, buttons) = desk.models().await;
    assert!(text.starts_with("Model here: model-b"), "{text}");
    assert_eq!(labels(&buttons), ["Model A", "• model-b", "default", "minimal", "• default effort"]);
    let pressed = desk.presses("7", "7", &buttons[3].data).await;
    assert_eq!(pressed.notice.as_deref(), Some("Effort: minimal"));
    let chosen = ChatSettings {
        model: Some("model-b".into()),
        effort: Some("minimal".into()),
        ..ChatSettings::default()
    };
    assert_eq!(desk.settings("7").await, chosen);
    assert_eq!(desk.settings("8").await, ChatSettings::default(), "another chat has its own");
    assert_eq!(desk.presses("7", "7", &buttons[2].data).await.notice.as_deref(), Some("Model: default"));
    assert_eq!(desk.settings("7").await, ChatSettings::default());
}

#[tokio::test]
async fn an_operator_chooses_when_the_agent_asks_and_the_sandbox_stays() {
    let desk = Desk::with(&["7", "8"], |parts| parts.operators = ids(&["7"])).await;
    let (text, buttons) = desk.menu("/approvals").await;
    for part in ["I ask before I act: on-request", "Sandbox: workspace-write", "ARGUS_SANDBOX"] {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(labels(&buttons), ["untrusted", "on-request", "never", "• default"]);
    assert_eq!(desk.presses("7", "7", &buttons[2].data).await.notice.as_deref(), Some("I ask: never"));
    assert_eq!(desk.settings("7").await.approval.as_deref(), Some("never"));
    let refused = desk.presses("8", "8", "a:never").await;
    assert_eq!((refused.alert, refused.notice.as_deref()), (true, Some("Only an operator may do that.")));
    assert_eq!(desk.settings("8").await.approval, None);
    for unknown in ["a:always", "w:sleep", "l:fr"] {
        let pressed = desk.presses("7", "7", unknown).await;
        assert_eq!(pressed.notice.as_deref(), Some("This button does nothing any more."), "{unknown}");
    }
}

#[tokio::test]
async fn a_person_chooses_the_language_they_are_spoken_to() {
    let desk = Desk::with_operator().await;
    let (_, buttons) = desk.menu("/lang").await;
    assert_eq!(labels(&buttons), ["English", "中文", "• As your app says"]);
    let pressed = desk.presses("7", "7", &buttons[1].data).await;
    assert_eq!(pressed.notice.as_deref(), Some("我会用中文与你交流。"));
    for (command, answer) in [
        ("/stop", "我正在停止当前的工作。"),
        ("/status", "我已工作 0 秒。"),
        ("/retry", "此聊天中还没有之前的内容。"),
        ("/threads", "此聊天还没有对话。"),
        ("/approvals", "我先征求同意：on-request"),
        ("/busy", "我正在工作时，如何处理你的新消息："),
        ("/lang", "我应该用哪种语言与你交流？"),
        ("/sessions", "会话数：1"),
        ("/usage", "今天（UTC）"),
        ("/help", "直接用平常的话写给我，完成后我会在这里回复。"),
    ] {
        assert_eq!(desk.says("7", command).await, answer, "{command}");
    }
    assert_eq!(desk.models().await.0, "未能完成：the agent is away");
    let language = desk.ledger.write(|tx| Box::pin(async move { tx.language(&chat("7"), "7").await }));
    assert_eq!(language.await.unwrap(), Language::Chinese, "outcomes are told in it too");
    desk.presses("7", "7", "l:").await;
    assert_eq!(desk.says("7", "/stop").await, "I stop what I am doing.");
}

#[tokio::test]
async fn what_operators_may_ask_is_refused_to_others() {
    let desk = Desk::with(&["8"], |parts| parts.operators = ids(&["7"])).await;
    for command in ["/sessions", "/usage", "/pair", "/pair here"] {
        assert_eq!(desk.says("8", command).await, "Only an operator may do that.", "{command}");
    }
    desk.says("7", "work").await;
    desk.ledger.bind_chat(&session(), &chat("7"), 0, &"t".parse().unwrap()).await.unwrap();
    desk.receive(&desk.message("7", "7", "/sessions")).await;
    assert_eq!(desk.read("7").await.unwrap(), "Sessions: 1\n\n• a1b2c3d4e5f6: running; chats: 7");
    assert_eq!(desk.says("7", "/usage").await, "Today (UTC)");
}
