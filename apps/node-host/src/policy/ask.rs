//! Asking the owner: several places at once, the first answer counts, and not for ever.

use std::sync::Arc;
use std::time::Duration;

use argus_protocol::node::{Fault, code};
use async_trait::async_trait;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::file::AskBy;
use super::question::Question;
use super::show::{shortened, visible};
use crate::call::{Call, Progress};

/// The most questions that wait at the same time; what comes more is refused as busy.
pub const MOST_QUESTIONS: usize = 8;

/// How long those who were not first have to take their question away.
const FAREWELL: Duration = Duration::from_secs(1);

/// A place where the owner can be asked.
#[async_trait]
pub trait Asks: Send + Sync {
    /// Which place.
    fn place(&self) -> AskBy;

    /// Puts a question and waits for the answer. When `over` is cancelled nobody needs one any more: the question is
    /// to be taken away, and whatever is answered then does not count.
    async fn put(&self, question: Arc<Question>, over: CancellationToken) -> Reply;
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Yes, and by whom.
    Yes(String),
    /// No, and by whom.
    No(String),
    /// Nobody can be asked there, and why.
    Nobody(String),
}

/// All places.
#[derive(Clone)]
pub(super) struct Askers {
    places: Vec<Arc<dyn Asks>>,
    room: Arc<Semaphore>,
}

impl Askers {
    pub(super) fn new(places: Vec<Arc<dyn Asks>>) -> Self {
        Self { places, room: Arc::new(Semaphore::new(MOST_QUESTIONS)) }
    }

    /// Asks for a call: who said yes, or why it is not done.
    pub(super) async fn ask(&self, question: &Arc<Question>, call: &Call) -> Result<String, Fault> {
        let Ok(_room) = self.room.try_acquire() else {
            let words =
                format!("{MOST_QUESTIONS} calls wait for the owner of this device already; try later");
            return Err(Fault::new(code::BUSY, words));
        };
        let over = CancellationToken::new();
        // Also where this is dropped, the question is over.
        let _over = over.clone().drop_guard();
        let mut asked = JoinSet::new();
        for place in self.places.iter().filter(|place| question.by.contains(&place.place())) {
            let (place, question, over) = (Arc::clone(place), Arc::clone(question), over.clone());
            asked.spawn(async move { place.put(question, over).await });
        }
        // Nobody waits for what this has no room for.
        let _ = call.progress.try_send(Progress::Waiting(question.wait));
        let answer = tokio::select! {
            answer = first(&mut asked) => answer,
            () = tokio::time::sleep(question.wait) => {
                let words = format!("nobody said yes in {} s", question.wait.as_secs());
                Err(Fault::new(code::NOT_APPROVED, words))
            }
            () = call.cancel.cancelled() => Err(Fault::new(code::CANCELLED, "nobody waits for it any more")),
        };
        over.cancel();
        let farewell = async { while asked.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(FAREWELL, farewell).await;
        if answer.is_ok() {
            let _ = call.progress.try_send(Progress::GoesOn);
        }
        answer
    }
}

/// The first yes or no. Who has nobody to ask is not heard, unless all are so.
async fn first(asked: &mut JoinSet<Reply>) -> Result<String, Fault> {
    let mut nobody = Vec::new();
    while let Some(reply) = asked.join_next().await {
        match reply {
            Ok(Reply::Yes(by)) => return Ok(told(&by)),
            Ok(Reply::No(by)) => {
                let words = format!("the owner of this device said no ({})", told(&by));
                return Err(Fault::new(code::NOT_APPROVED, words));
            }
            Ok(Reply::Nobody(why)) => nobody.push(told(&why)),
            Err(error) => nobody.push(format!("asking failed: {error}")),
        }
    }
    let why = if nobody.is_empty() { "no place to ask is open".to_owned() } else { nobody.join("; ") };
    let words = format!("the owner of this device would have to say yes, and nobody can be asked: {why}");
    Err(Fault::new(code::NOT_APPROVED, words))
}

/// Words from elsewhere, for the audit and for who calls.
fn told(words: &str) -> String {
    shortened(&visible(words), 200)
}
