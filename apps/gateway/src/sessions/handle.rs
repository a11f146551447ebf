//! How others speak to a session: attach, relay, ask.

use std::sync::Arc;

use argus_protocol::{ClientId, Frame, FrameKind, SessionId, SubmissionId};
use argus_session::{Answer, Arrival, Haste, Submission, Target};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::outbound::ClientSender;

/// Commands that may wait for a session.
pub(super) const LINE: usize = 256;
/// Frames of one client among them.
const SHARE: usize = 64;

/// What a session is told.
#[derive(Debug)]
pub(super) enum Command {
    Attach {
        client: ClientId,
        arrival: Arrival,
        sender: ClientSender,
    },
    Detach {
        client: ClientId,
    },
    /// A runtime of this session lives.
    Adopt,
    /// Something goes on in it.
    StillAtWork,
    /// The permit is the client's place in the session's line.
    Frame {
        client: ClientId,
        frame: Frame,
        place: OwnedSemaphorePermit,
    },
    Submit {
        submission: Submission,
        reply: oneshot::Sender<Answer>,
    },
    Ask {
        question: Question,
        reply: oneshot::Sender<Answer>,
    },
    ChatAnswers {
        key: String,
        result: String,
    },
    Close {
        reason: String,
        done: oneshot::Sender<()>,
    },
    Shutdown {
        done: oneshot::Sender<()>,
    },
}

/// What a session can be asked.
#[derive(Debug)]
pub(super) enum Question {
    EnsureMain,
    Stop(Target),
    Status(Target),
    Hasten(SubmissionId, Haste),
    Amend(SubmissionId, String),
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum AskError {
    /// Too much is waiting for the session.
    #[error("the session has too much waiting; try again in a moment")]
    Overloaded,
    /// It ended meanwhile.
    #[error("the session ended")]
    Gone,
}

/// What of the session's line one client may take, so that its flood leaves room for everybody else.
#[derive(Clone, Debug)]
pub struct Share(Arc<Semaphore>);

impl Default for Share {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(SHARE)))
    }
}

/// A session, as others hold it.
#[derive(Clone, Debug)]
pub struct SessionHandle {
    pub(super) id: SessionId,
    pub(super) commands: mpsc::Sender<Command>,
}

impl SessionHandle {
    /// Which session.
    pub fn id(&self) -> &SessionId {
        &self.id
    }

    /// Whether it ended.
    pub fn is_gone(&self) -> bool {
        self.commands.is_closed()
    }

    /// Waits until it ended, however that came.
    pub async fn gone(&self) {
        self.commands.closed().await;
    }

    /// A client comes; everything for it goes to `sender`.
    pub async fn attach(
        &self,
        client: ClientId,
        arrival: Arrival,
        sender: ClientSender,
    ) -> Result<(), AskError> {
        self.tell(Command::Attach { client, arrival, sender }).await
    }

    /// A client is gone.
    pub async fn detach(&self, client: ClientId) {
        _ = self.tell(Command::Detach { client }).await;
    }

    /// A client's frame. A request is refused at once when too much waits; anything else waits its turn.
    pub async fn relay(&self, client: ClientId, frame: Frame, share: &Share) -> Result<(), AskError> {
        if frame.kind() != FrameKind::Request {
            let place = share.0.clone().acquire_owned().await.map_err(|_| AskError::Gone)?;
            return self.tell(Command::Frame { client, frame, place }).await;
        }
        let place = share.0.clone().try_acquire_owned().map_err(|_| AskError::Overloaded)?;
        self.commands.try_send(Command::Frame { client, frame, place }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => AskError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => AskError::Gone,
        })
    }

    /// Hands over a durable submission; the answer comes when it runs or stands in line.
    pub async fn submit(&self, submission: Submission) -> Result<oneshot::Receiver<Answer>, AskError> {
        let (reply, answer) = oneshot::channel();
        self.tell(Command::Submit { submission, reply }).await?;
        Ok(answer)
    }

    /// The main thread, made when there is none.
    pub async fn ensure_main(&self) -> Result<Answer, AskError> {
        self.ask(Question::EnsureMain).await
    }

    /// Ends what runs for a target.
    pub async fn stop(&self, target: Target) -> Result<Answer, AskError> {
        self.ask(Question::Stop(target)).await
    }

    /// How a target stands.
    pub async fn status(&self, target: Target) -> Result<Answer, AskError> {
        self.ask(Question::Status(target)).await
    }

    /// Brings a submission that waits to the agent now.
    pub async fn hasten(&self, submission: SubmissionId, how: Haste) -> Result<Answer, AskError> {
        self.ask(Question::Hasten(submission, how)).await
    }

    /// Changes the text of a submission that waits; it is durable already.
    pub async fn amend(&self, submission: SubmissionId, text: String) -> Result<Answer, AskError> {
        self.ask(Question::Amend(submission, text)).await
    }

    /// A chat's answer to a question of the agent; it is durable already.
    pub async fn chat_answers(&self, key: String, result: String) -> Result<(), AskError> {
        self.tell(Command::ChatAnswers { key, result }).await
    }

    /// A runtime of this session lives: it is reached, and stopped in time if nothing needs it.
    pub(super) async fn adopt(&self) {
        _ = self.tell(Command::Adopt).await;
    }

    /// Something that a turn left in its runtime goes on there: the runtime is not stopped as if nothing needed it. Says
    /// it once; what goes on has to be told again. A session that is busy need not hear it.
    pub fn still_at_work(&self) {
        _ = self.commands.try_send(Command::StillAtWork);
    }

    /// Ends the session for good; returns when everything that waited has its outcome.
    pub(super) async fn close(&self, reason: String) {
        let (done, closed) = oneshot::channel();
        if self.tell(Command::Close { reason, done }).await.is_ok() {
            _ = closed.await;
        }
    }

    /// Ends the actor; the runtime and what it does live on.
    pub(super) async fn shutdown(&self) {
        let (done, stopped) = oneshot::channel();
        if self.tell(Command::Shutdown { done }).await.is_ok() {
            _ = stopped.await;
        }
    }

    async fn ask(&self, question: Question) -> Result<Answer, AskError> {
        let (reply, answer) = oneshot::channel();
        self.tell(Command::Ask { question, reply }).await?;
        answer.await.map_err(|_| AskError::Gone)
    }

    async fn tell(&self, command: Command) -> Result<(), AskError> {
        self.commands.send(command).await.map_err(|_| AskError::Gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_flood_of_one_client_leaves_room_for_the_others() {
        let (commands, mut line) = mpsc::channel(LINE);
        let session = SessionHandle { id: "s".parse().unwrap(), commands };
        let (flooding, calm) = (Share::default(), Share::default());
        let request = || Frame::parse_str(r#"{"id":1,"method":"a"}"#).unwrap();
        let relay = async |client, share| session.relay(ClientId::new(client), request(), share).await;
        for _ in 0..SHARE {
            assert_eq!(relay(1, &flooding).await, Ok(()));
        }
        assert_eq!(relay(1, &flooding).await, Err(AskError::Overloaded));
        assert_eq!(relay(2, &calm).await, Ok(()));
        // What the session has taken up leaves its place.
        drop(line.recv().await);
        assert_eq!(relay(1, &flooding).await, Ok(()));
        drop(line);
        assert_eq!(relay(2, &calm).await, Err(AskError::Gone));
    }
}
