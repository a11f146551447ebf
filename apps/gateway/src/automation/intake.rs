//! The one door by which any turn begins: store the submission, then hand it to its session.

use argus_protocol::argus::input::{Enqueue, Enqueued};
use argus_protocol::{RpcError, SessionId, SubmissionId, ThreadId};
use argus_session::{Answer, ChatRef, Origin, Outcome, Settlement, Submission, Target};
use tokio::sync::oneshot;

use super::line::Place;
use crate::clock::new_submission_id;
use crate::sessions::Sessions;
use crate::store::ledger::{Known, Ledger, LedgerError, NewSubmission, Submitted, without_alert};

/// How long `argus/input/enqueue` waits for its turn to begin before it says that it is accepted.
const PATIENCE: std::time::Duration = std::time::Duration::from_mins(2);
/// Longest text of one submission, in bytes.
const LONGEST_TEXT: usize = 1 << 20;

/// Longest idempotency key, in bytes.
const LONGEST_KEY: usize = 256;

/// The door.
#[derive(Clone)]
pub struct Intake {
    ledger: Ledger,
    sessions: Sessions,
    /// The bot that `source` means when a client names a chat of `telegram`.
    bot: Option<String>,
}

/// What became of a durable submission.
enum Handed {
    /// Its session has it; the answer comes when it runs or stands in line.
    Over(oneshot::Receiver<Answer>),
    /// The session ended twice at that very moment; its next start finds it.
    Waits,
    /// Its session is no more; the submission is settled.
    Back,
}

impl Intake {
    /// A door for these sessions.
    pub fn new(ledger: Ledger, sessions: Sessions, bot: Option<String>) -> Self {
        Self { ledger, sessions, bot }
    }

    /// Wakes every session that was left with open submissions.
    pub async fn resume(&self) -> Result<(), LedgerError> {
        for session in self.ledger.sessions_with_open_submissions().await? {
            tracing::info!(session.id = %session, "going on with what was left open");
            self.sessions.get(&session);
        }
        Ok(())
    }

    /// A submission that is durable already goes to its session, whose answer comes when it runs or stands in line.
    pub async fn submitted(&self, submission: Submission) -> Option<oneshot::Receiver<Answer>> {
        argus_crash_point::here("intake.submitted").await;
        match self.hand_over(&submission).await {
            Ok(Handed::Over(answer)) => return Some(answer),
            // It is durable: whoever starts the session next finds it.
            Ok(Handed::Waits) => {
                tracing::warn!(session.id = %submission.session, "a stored submission waits for the session's next start");
            }
            Ok(Handed::Back) => {
                tracing::info!(session.id = %submission.session, "a message came for a session that was deleted");
            }
            Err(error) => {
                tracing::error!(session.id = %submission.session, %error, "a message for a deleted session stays open");
            }
        }
        None
    }

    /// Brings a durable submission to its session, or to the next one in its place where that just ended. Where the
    /// session was deleted meanwhile, perhaps before this was stored, nothing may wake it again: the submission ends
    /// here, and its chat is told.
    async fn hand_over(&self, submission: &Submission) -> Result<Handed, LedgerError> {
        for _ in 0..2 {
            if !self.sessions.knows(&submission.session).await {
                let reason = "the session was deleted; send the message again".to_owned();
                self.ledger.settle(&failed(submission, reason)).await?;
                return Ok(Handed::Back);
            }
            if let Ok(answer) = self.sessions.get(&submission.session).submit(submission.clone()).await {
                return Ok(Handed::Over(answer));
            }
        }
        Ok(Handed::Waits)
    }

    /// `argus/input/enqueue`. What comes behind `place` comes behind this in the session too.
    pub async fn enqueue(
        &self,
        session: &SessionId,
        request: Enqueue,
        mut place: Place,
    ) -> Result<Enqueued, RpcError> {
        let submission = self.submission(session, &request)?;
        let new = NewSubmission { submission, idempotency_key: key(request.idempotency_key)? };
        place.reached().await;
        let submission = match self.ledger.submit(new).await.map_err(|error| store_error(&error))? {
            Submitted::New(submission) => submission,
            Submitted::Repeated(known) => return Ok(repeated(known)),
        };
        let handed = self.hand_over(&submission).await.map_err(|error| store_error(&error))?;
        drop(place);
        let submission_id = submission.id;
        match handed {
            Handed::Over(answer) if request.wait => told(answer, submission_id).await,
            Handed::Over(_) | Handed::Waits => Ok(Enqueued::Accepted { ok: true, submission_id }),
            Handed::Back => Err(RpcError::failed(format!("Unknown session `{session}`"))),
        }
    }

    fn submission(&self, session: &SessionId, request: &Enqueue) -> Result<Submission, RpcError> {
        let text = request.text.trim();
        if text.is_empty() {
            return Err(RpcError::invalid_params("Missing 'text'"));
        }
        if text.len() > LONGEST_TEXT {
            let message = format!("'text' has {} bytes, more than {LONGEST_TEXT}", text.len());
            return Err(RpcError::invalid_params(message));
        }
        Ok(Submission {
            id: new_submission_id(),
            session: session.clone(),
            target: target(request)?,
            thread: None,
            origin: Origin::Client { chat: self.chat(request)? },
            text: text.to_owned(),
            attachments: Vec::new(),
        })
    }

    fn chat(&self, request: &Enqueue) -> Result<Option<ChatRef>, RpcError> {
        let Some(source) = &request.source else { return Ok(None) };
        let channel = source.channel.to_lowercase();
        if !matches!(channel.as_str(), "telegram" | "tg") {
            return Err(RpcError::invalid_params(format!(
                "'source.channel' `{channel}` is not known; use telegram"
            )));
        }
        let bot = self.bot.clone().ok_or_else(|| {
            RpcError::failed("no Telegram bot is configured; set TELEGRAM_BOT_TOKEN or leave 'source' out")
        })?;
        Ok(Some(ChatRef { channel: "telegram".to_owned(), bot, chat: source.chat_key.clone() }))
    }
}

/// Waits for the beginning of the turn, but not for ever.
async fn told(answer: oneshot::Receiver<Answer>, submission_id: SubmissionId) -> Result<Enqueued, RpcError> {
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(Ok(Answer::Started { thread, turn })) => Ok(Enqueued::Started {
            ok: true,
            thread_id: thread,
            queued: false,
            started: true,
            turn_id: turn,
            submission_id,
        }),
        Ok(Ok(Answer::Queued { thread, depth })) => Ok(Enqueued::Queued {
            ok: true,
            thread_id: thread,
            queued: true,
            started: false,
            followup_depth: depth,
            submission_id,
        }),
        Ok(Ok(Answer::Failed(reason))) => Err(RpcError::failed(reason)),
        Ok(Ok(_) | Err(_)) | Err(_) => Ok(Enqueued::Accepted { ok: true, submission_id }),
    }
}

/// A blank key names nothing: two requests with one are two requests.
fn key(given: Option<String>) -> Result<Option<String>, RpcError> {
    let Some(key) = given.filter(|key| !key.trim().is_empty()) else { return Ok(None) };
    if key.len() > LONGEST_KEY {
        let message = format!("'idempotencyKey' has {} bytes, more than {LONGEST_KEY}", key.len());
        return Err(RpcError::invalid_params(message));
    }
    Ok(Some(key))
}

fn target(request: &Enqueue) -> Result<Target, RpcError> {
    let thread = request.thread_id.as_deref().map(str::trim).filter(|id| !id.is_empty());
    match (request.target.as_deref(), thread) {
        (Some("main"), _) | (None, None) => Ok(Target::Main),
        (Some(other), _) => Err(RpcError::invalid_params(format!("'target' is `{other}`, expected `main`"))),
        (None, Some(id)) => {
            let id: ThreadId =
                id.parse().map_err(|e| RpcError::invalid_params(format!("'threadId': {e}")))?;
            Ok(Target::Thread { id })
        }
    }
}

/// The same key again: as the first was answered, as far as it is known now.
fn repeated(known: Known) -> Enqueued {
    match (known.thread, known.turn) {
        (Some(thread_id), Some(turn)) => Enqueued::Started {
            ok: true,
            thread_id,
            queued: false,
            started: true,
            turn_id: Some(turn),
            submission_id: known.id,
        },
        _ => Enqueued::Accepted { ok: true, submission_id: known.id },
    }
}

/// The end of a submission that no turn was begun for.
fn failed(submission: &Submission, reason: String) -> Settlement {
    Settlement {
        submissions: vec![submission.id.clone()],
        origin: without_alert(submission.origin.clone()),
        thread: submission.thread.clone(),
        turn: None,
        outcome: Outcome::Failed { reason, text: String::new() },
        usage: None,
    }
}

fn store_error(error: &LedgerError) -> RpcError {
    RpcError::failed(format!("the message could not be stored, nothing was begun: {error}"))
}
