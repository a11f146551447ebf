//! One attempt at one message: sent in the form that is taken, and noted.

use std::time::Duration;

use argus_protocol::SubmissionId;
use tokio_util::sync::CancellationToken;

use super::render::{WHOLE, answer};
use super::{Parts, Token, form};
use crate::clock::unix_ms;
use crate::store::ledger::{Body, DocumentBody, Language, LedgerError, NewRow, Row};
use crate::telegram::SendError;

/// A message that could not be sent for this long is given up, in milliseconds …
const GIVE_UP: u64 = 24 * 60 * 60 * 1000;
/// … but not before so many attempts, some fifteen minutes of them: while the gateway was off nothing was tried, and the
/// first attempt after a weekend may come before the network does.
const TRIES_AT_LEAST: u32 = 20;
/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// What the worker has to know of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The row is done with, one way or the other.
    Done,
    /// Nothing to this chat for that long.
    Pause(Duration),
    /// The same, by order of the channel.
    Refused(Duration),
    /// The token is refused.
    Unauthorized,
}

/// Tries one row. It ends when the outcome is stored.
pub(super) async fn attempt(parts: &Parts, row: &Row, shutdown: &CancellationToken) -> Ended {
    argus_crash_point::here("outbox.before_send").await;
    match form::send(parts, row).await {
        Ok(message_id) => {
            argus_crash_point::here("outbox.sent").await;
            parts.note_success();
            if note(parts, Taken::Row(row.id), &message_id, shutdown).await {
                parts.kept.let_go(&row.body).await;
            }
            argus_crash_point::here("outbox.confirmed").await;
            Ended::Done
        }
        Err(error) => judge(parts, row, error).await,
    }
}

/// What was taken.
#[derive(Clone, Copy, Debug)]
pub(super) enum Taken<'a> {
    /// The row with that number.
    Row(i64),
    /// The message that shows the turn of that submission.
    Live(&'a SubmissionId),
}

/// Notes that something was taken; answers whether that worked. Until it is stored the chat's next message does not go,
/// and this one would be repeated after a restart; so it is tried until it works or we stop.
pub(super) async fn note(
    parts: &Parts,
    taken: Taken<'_>,
    message_id: &str,
    shutdown: &CancellationToken,
) -> bool {
    let mut tries = 0;
    loop {
        let noted = match taken {
            Taken::Row(id) => parts.ledger.mark_sent(id, message_id).await,
            Taken::Live(submission) => parts.ledger.note_live_message(submission, message_id).await,
        };
        let Err(error) = noted else { return true };
        tracing::error!(%error, "a sent message could not be noted; trying again");
        parts.note_error(error.to_string());
        tries += 1;
        tokio::select! {
            () = shutdown.cancelled() => return false,
            () = tokio::time::sleep(pause(parts.limits.first_pause, tries)) => {}
        }
    }
}

async fn judge(parts: &Parts, row: &Row, error: SendError) -> Ended {
    let words = error.to_string();
    if let SendError::Moved(to) = error {
        return follow(parts, row, to, &words).await;
    }
    parts.note_error(words.clone());
    let (pause, ended) = match error {
        SendError::ChatGone(_) | SendError::Moved(_) => return give_up_chat(parts, row, &words).await,
        SendError::BadEntities(_)
        | SendError::TooLong
        | SendError::NotModified
        | SendError::NoSuchMessage(_)
        | SendError::Other(_) => return instead(parts, row, &words).await,
        SendError::Unauthorized => return unauthorized(parts, &words),
        SendError::RetryAfter(seconds) => {
            let pause = told_to_wait(seconds);
            (pause, Ended::Refused(pause))
        }
        SendError::Transient(_) => {
            let pause = pause(parts.limits.first_pause, row.attempts);
            (pause, Ended::Pause(pause))
        }
    };
    let now = unix_ms();
    if now.saturating_sub(row.created_ms) > GIVE_UP && row.attempts >= TRIES_AT_LEAST {
        return give_up(parts, row, &words).await;
    }
    tracing::warn!(chat.key = %row.chat.chat, outbox.id = row.id, error = words, ?pause, "a message waits");
    let next = now.saturating_add(u64::try_from(pause.as_millis()).unwrap_or(u64::MAX));
    // That it is not stored changes nothing: the row waits as it did.
    if let Err(error) = parts.ledger.postpone(row.id, next, &words).await {
        tracing::error!(outbox.id = row.id, %error, "an attempt could not be noted");
    }
    ended
}

/// The token is refused: everything waits.
pub(super) fn unauthorized(parts: &Parts, words: &str) -> Ended {
    tracing::error!(error = words, "nothing can be sent");
    parts.record().token = Token::Refused;
    Ended::Unauthorized
}

/// How long a refusal of that many seconds holds a chat.
pub(super) fn told_to_wait(seconds: u32) -> Duration {
    Duration::from_secs(u64::from(seconds.max(1)))
}

/// What waits for a chat goes where the chat went.
async fn follow(parts: &Parts, row: &Row, to: i64, words: &str) -> Ended {
    let new = to.to_string().parse().ok().filter(|new| *new != row.chat.chat);
    let Some(new) = new else { return give_up_chat(parts, row, words).await };
    let moved = parts.ledger.move_chat(&row.chat, &new).await;
    tracing::info!(chat.key = %row.chat.chat, to, "a chat has another key; what waited for it follows");
    stored(parts, row, moved.map(|_| ()))
}

async fn give_up_chat(parts: &Parts, row: &Row, words: &str) -> Ended {
    let files = parts.ledger.files_waiting(Some(&row.chat)).await.unwrap_or_default();
    let gone = parts.ledger.fail_chat(&row.chat, words).await;
    if gone.is_ok() {
        parts.kept.remove(&files).await;
    }
    tracing::warn!(chat.key = %row.chat.chat, error = words, "a chat is gone; what waited for it is given up");
    stored(parts, row, gone.map(|_| ()))
}

/// A long answer that may not come as a file comes as messages; anything else is given up.
async fn instead(parts: &Parts, row: &Row, words: &str) -> Ended {
    if let Body::Document(DocumentBody { name, text, .. }) = &row.body
        && name == WHOLE
    {
        let (chat, id) = (row.chat.clone(), row.id);
        let bodies = answer(text, None, Language::English);
        let put_out = parts.ledger.write(move |tx| {
            Box::pin(async move {
                for (number, body) in bodies.into_iter().enumerate() {
                    let dedupe_key = format!("instead:{id}:{number}");
                    tx.put_out(NewRow { dedupe_key, chat: chat.clone(), body }).await?;
                }
                Ok(())
            })
        });
        if let Err(error) = put_out.await {
            return stored(parts, row, Err(error));
        }
    }
    give_up(parts, row, words).await
}

async fn give_up(parts: &Parts, row: &Row, words: &str) -> Ended {
    tracing::error!(chat.key = %row.chat.chat, outbox.id = row.id, error = words, "a message is given up");
    let noted = parts.ledger.mark_failed(row.id, words).await;
    if noted.is_ok() {
        parts.kept.let_go(&row.body).await;
    }
    stored(parts, row, noted)
}

/// A row that is done with but could not be noted so comes again; not at once.
fn stored(parts: &Parts, row: &Row, noted: Result<(), LedgerError>) -> Ended {
    let Err(error) = noted else { return Ended::Done };
    tracing::error!(outbox.id = row.id, %error, "the end of a message could not be noted");
    parts.note_error(error.to_string());
    Ended::Pause(LONGEST_PAUSE)
}

/// The first one, twice, four times … a minute.
fn pause(first: Duration, attempts: u32) -> Duration {
    first.saturating_mul(1 << attempts.min(20)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_in_vain_come_further_and_further_apart() {
        let first = Duration::from_secs(1);
        let seconds = [0, 1, 2, 5, 6, 7, 1000, u32::MAX].map(|n| pause(first, n).as_secs());
        assert_eq!(seconds, [1, 2, 4, 32, 60, 60, 60, 60]);
    }
}
