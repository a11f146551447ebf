//! Puts a session's questions to chats and tells their ends, one after the other, beside everything else.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use argus_protocol::SessionId;
use argus_session::{ChatQuestion, Input, QuestionEnd};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::ports::React;

/// The first pause after a failure; it doubles up to [`LONGEST_PAUSE`].
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How long the end of a session waits for what could not be stored yet. Another owner does it all again.
const PATIENCE: Duration = Duration::from_secs(2);

/// The way to the chats. A session has so many questions open at most, and each is asked once and over once.
pub(super) struct Asking {
    line: mpsc::UnboundedSender<Deed>,
    waiting: Arc<AtomicUsize>,
}

enum Deed {
    Ask(ChatQuestion),
    Over(String, QuestionEnd),
}

/// The one who asks, until all is asked.
pub(super) struct Asker(JoinHandle<()>);

impl Asker {
    /// Waits until everything is durable, but not for ever.
    pub(super) async fn finish(mut self) {
        if tokio::time::timeout(PATIENCE, &mut self.0).await.is_err() {
            self.0.abort();
            _ = self.0.await;
        }
    }
}

impl Asking {
    /// Starts to ask for one session. It ends when this is dropped, after the last deed.
    pub(super) fn begin(
        session: SessionId,
        react: Arc<dyn React>,
        results: mpsc::UnboundedSender<Input>,
    ) -> (Self, Asker) {
        let (line, deeds) = mpsc::unbounded_channel();
        let waiting = Arc::<AtomicUsize>::default();
        let asker = tokio::spawn(ask_all(session, react, deeds, waiting.clone(), results));
        (Self { line, waiting }, Asker(asker))
    }

    /// Puts a question to its chat.
    pub(super) fn ask(&self, question: ChatQuestion) {
        self.add(Deed::Ask(question));
    }

    /// Tells that a question is over.
    pub(super) fn over(&self, key: String, end: QuestionEnd) {
        self.add(Deed::Over(key, end));
    }

    /// Whether nothing waits here.
    pub(super) fn is_at_rest(&self) -> bool {
        self.waiting.load(Ordering::Acquire) == 0
    }

    fn add(&self, deed: Deed) {
        self.waiting.fetch_add(1, Ordering::AcqRel);
        _ = self.line.send(deed);
    }
}

async fn ask_all(
    session: SessionId,
    react: Arc<dyn React>,
    mut deeds: mpsc::UnboundedReceiver<Deed>,
    waiting: Arc<AtomicUsize>,
    results: mpsc::UnboundedSender<Input>,
) {
    while let Some(deed) = deeds.recv().await {
        let mut pause = PAUSE;
        let answer = loop {
            let done = match &deed {
                Deed::Ask(question) => react.ask_chat(&session, question).await,
                Deed::Over(key, end) => react.question_over(&session, key, *end).await.map(|()| None),
            };
            match done {
                Ok(answer) => break answer,
                Err(error) => {
                    tracing::error!(session.id = %session, error, "a question for a chat cannot be stored yet; it is tried again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        };
        if let (Deed::Ask(question), Some(result)) = (deed, answer) {
            _ = results.send(Input::ChatAnswers { key: question.key, result });
        }
        waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use argus_protocol::SubmissionId;
    use argus_session::{Origin, Progress, Settlement};
    use async_trait::async_trait;

    /// Fails twice, and notes what it was told then.
    #[derive(Default)]
    struct Chats {
        failures: AtomicUsize,
        told: Mutex<Vec<String>>,
    }

    impl Chats {
        fn note(&self, words: String) -> Result<(), String> {
            if self.failures.fetch_add(1, Ordering::AcqRel) < 2 {
                return Err("the disk is full".to_owned());
            }
            self.told.lock().unwrap().push(words);
            Ok(())
        }
    }

    #[async_trait]
    impl React for Chats {
        async fn settle(&self, _: &SessionId, _: &Settlement) -> Result<(), String> {
            Ok(())
        }
        async fn ask_chat(&self, _: &SessionId, question: &ChatQuestion) -> Result<Option<String>, String> {
            self.note(format!("asked {}", question.key))?;
            Ok((question.key == "known").then(|| r#"{"decision":"accept"}"#.to_owned()))
        }
        async fn question_over(&self, _: &SessionId, key: &str, end: QuestionEnd) -> Result<(), String> {
            self.note(format!("{key} is over: {end:?}"))
        }
        fn progress(&self, _: &Origin, _: &SubmissionId, _: Progress) {}
        fn turn_running(&self, _: &Origin, _: Option<&argus_protocol::ThreadId>) {}
        fn turn_over(&self, _: &Origin) {}
    }

    fn question(key: &str) -> ChatQuestion {
        ChatQuestion {
            key: key.to_owned(),
            origin: Origin::Client { chat: None },
            method: "m".to_owned(),
            params: "{}".to_owned(),
            item: None,
            expires_ms: 0,
        }
    }

    #[tokio::test]
    async fn questions_and_their_ends_are_told_in_order_until_it_works_and_known_answers_come_back() {
        let (chats, (results, mut answers)) = (Arc::new(Chats::default()), mpsc::unbounded_channel());
        let (asking, asker) = Asking::begin("s".parse().unwrap(), chats.clone(), results);
        asking.ask(question("a"));
        asking.ask(question("known"));
        asking.over("a".to_owned(), QuestionEnd::Withdrawn);
        assert!(!asking.is_at_rest());
        let answer = answers.recv().await;
        assert!(matches!(answer, Some(Input::ChatAnswers { key, .. }) if key == "known"));
        drop(asking);
        asker.finish().await;
        assert_eq!(*chats.told.lock().unwrap(), ["asked a", "asked known", "a is over: Withdrawn"]);
    }
}
