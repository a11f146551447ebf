//! Questions to the device's owner that go through the gateway: put, put again after a lost link, answered, over.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use argus_protocol::node::{Answer, Ask, AskOver, FromNode};
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

/// How many questions may be open at once, and how many may be told to be over later.
const MOST: usize = 64;

/// What is asked through the gateway. A handle; all clones are one.
#[derive(Clone, Debug, Default)]
pub struct Questions(Arc<Board>);

#[derive(Debug, Default)]
struct Board {
    notes: Mutex<Notes>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Notes {
    open: BTreeMap<String, Open>,
    over: Vec<String>,
}

#[derive(Debug)]
struct Open {
    ask: Ask,
    until: Instant,
    sent: bool,
    reply: oneshot::Sender<Answer>,
}

/// Too many questions are open already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{MOST} questions wait for an answer already")]
pub struct TooMany;

/// Takes a question back when nobody waits for its answer any more.
struct Withdrawal<'a>(&'a Questions, &'a str);

impl Drop for Withdrawal<'_> {
    fn drop(&mut self) {
        self.0.withdraw(self.1);
    }
}

impl Questions {
    /// Asks, and waits for the answer for as long as the question says; while there is no link the question waits for
    /// one. None: nobody answered in time. When the future is dropped the gateway is told that it is over.
    pub async fn ask(&self, ask: Ask) -> Result<Option<Answer>, TooMany> {
        let (reply, answered) = oneshot::channel();
        let (id, lasts) = (ask.id.clone(), Duration::from_millis(ask.expires_in_ms));
        {
            let mut notes = self.notes();
            if notes.open.len() >= MOST || notes.open.contains_key(&id) {
                return Err(TooMany);
            }
            let until = Instant::now() + lasts;
            notes.open.insert(id.clone(), Open { ask, until, sent: false, reply });
        }
        self.0.changed.notify_one();
        let _withdrawal = Withdrawal(self, &id);
        Ok(tokio::time::timeout(lasts, answered).await.ok().and_then(Result::ok))
    }

    /// Something is to be sent.
    pub(super) async fn changed(&self) {
        self.0.changed.notified().await;
    }

    /// What is to be sent now, with the id of the question.
    pub(super) fn to_send(&self) -> Vec<(String, FromNode)> {
        let mut notes = self.notes();
        let over = std::mem::take(&mut notes.over);
        let over = over.into_iter().map(|id| (id.clone(), FromNode::AskOver(AskOver { id })));
        let mut frames: Vec<_> = over.collect();
        let now = Instant::now();
        for (id, open) in notes.open.iter_mut().filter(|(_, open)| !open.sent) {
            open.sent = true;
            let left = open.until.saturating_duration_since(now);
            let expires_in_ms = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
            let ask = Ask { expires_in_ms, ..open.ask.clone() };
            frames.push((id.clone(), FromNode::Ask(Box::new(ask))));
        }
        frames
    }

    /// There is another connection, on which nothing was asked yet.
    pub(super) fn again(&self) {
        self.notes().open.values_mut().for_each(|open| open.sent = false);
    }

    /// The gateway has an answer. One to a question that is over is nobody's.
    pub(super) fn answered(&self, answer: Answer) {
        let open = self.notes().open.remove(&answer.id);
        if let Some(open) = open {
            let _ = open.reply.send(answer);
        }
    }

    fn withdraw(&self, id: &str) {
        let mut notes = self.notes();
        // Gone already: it was answered.
        let Some(open) = notes.open.remove(id) else { return };
        if open.sent && notes.over.len() < MOST {
            notes.over.push(id.to_owned());
        }
        drop(notes);
        self.0.changed.notify_one();
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.0.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(id: &str) -> Ask {
        Ask {
            id: id.into(),
            command: "system.run".into(),
            what: "make".into(),
            cwd: None,
            session_id: None,
            expires_in_ms: 60_000,
        }
    }

    fn kinds(questions: &Questions) -> Vec<String> {
        let told = |(id, frame)| match frame {
            FromNode::Ask(ask) => format!("ask {id} {}", ask.expires_in_ms),
            FromNode::AskOver(_) => format!("over {id}"),
            other => format!("{other:?}"),
        };
        questions.to_send().into_iter().map(told).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_is_put_once_on_each_connection_with_the_time_that_is_left() {
        let questions = Questions::default();
        let asked = tokio::spawn({
            let questions = questions.clone();
            async move { questions.ask(question("q")).await }
        });
        questions.changed().await;
        assert_eq!(kinds(&questions), ["ask q 60000"]);
        assert!(kinds(&questions).is_empty());
        tokio::time::advance(Duration::from_secs(20)).await;
        questions.again();
        assert_eq!(kinds(&questions), ["ask q 40000"]);
        let yes = Answer { id: "q".into(), allow: true, by: "Ann".into() };
        questions.answered(yes.clone());
        assert_eq!(asked.await.unwrap(), Ok(Some(yes)));
        assert!(kinds(&questions).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_that_nobody_waits_for_is_over() {
        let questions = Questions::default();
        let asked = tokio::spawn({
            let questions = questions.clone();
            async move { questions.ask(question("q")).await }
        });
        questions.changed().await;
        assert_eq!(kinds(&questions), ["ask q 60000"]);
        assert_eq!(asked.await.unwrap(), Ok(None));
        assert_eq!(kinds(&questions), ["over q"]);
        questions.answered(Answer { id: "q".into(), allow: true, by: "late".into() });
        assert!(kinds(&questions).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn more_questions_than_a_person_reads_are_not_put() {
        let questions = Questions::default();
        let mut open = tokio::task::JoinSet::new();
        for n in 0..MOST {
            let questions = questions.clone();
            open.spawn(async move { questions.ask(question(&n.to_string())).await });
        }
        let mut put = 0;
        while put < MOST {
            questions.changed().await;
            put += kinds(&questions).len();
        }
        assert_eq!(questions.ask(question("more")).await, Err(TooMany));
    }
}
