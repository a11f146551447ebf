//! Shows how far a turn has come: in a draft, or in a message that is edited. What does not work now is shown later, as it
//! is then.

use argus_chat_markup::Part;
use tokio_util::sync::CancellationToken;

use super::Parts;
use super::attempt::{Ended, Taken, note, told_to_wait, unauthorized};
use super::form::is_about_form;
use super::live::{Change, Place, Way};
use crate::telegram::{SendError, Text};

/// Shows one change.
pub(super) async fn show(parts: &Parts, change: &Change, shutdown: &CancellationToken) -> Ended {
    let Some(part) = change.view.part(parts.live.config()) else { return Ended::Done };
    match change.way {
        Way::Draft => draft(parts, change, &part).await,
        Way::Edit => edit(parts, change, &part, shutdown).await,
    }
}

async fn draft(parts: &Parts, change: &Change, part: &Part) -> Ended {
    let (chat, id) = (&change.chat, draft_id(change.submission.as_str()));
    let drawn = match parts.telegram.draft(chat, id, Text::Html(&part.html)).await {
        Err(SendError::BadEntities(_) | SendError::TooLong) => {
            parts.telegram.draft(chat, id, Text::Plain(&part.plain)).await
        }
        drawn => drawn,
    };
    let Err(error) = drawn else { return Ended::Done };
    if let Some(ended) = passing(parts, &error) {
        parts.live.missed(&change.submission);
        return ended;
    }
    tracing::info!(chat.key = %chat, %error, "drafts are not taken there");
    parts.live.no_drafts(chat, &change.submission);
    Ended::Done
}

async fn edit(parts: &Parts, change: &Change, part: &Part, shutdown: &CancellationToken) -> Ended {
    let known = match &change.place {
        Place::Given => return Ended::Done,
        Place::Message(id) => Some(id.clone()),
        Place::Unknown => match parts.ledger.live_message(&change.submission).await {
            Ok(id) => id,
            Err(error) => {
                tracing::warn!(%error, "a live message cannot be looked up");
                return Ended::Done;
            }
        },
    };
    if known.is_none() {
        argus_crash_point::here("live.before_send").await;
    }
    let shown = match &known {
        Some(id) => again(parts, change, part, id).await.map(|()| id.clone()),
        None => first(parts, change, part).await,
    };
    let place = match shown {
        Ok(id) => {
            if known.is_none() {
                argus_crash_point::here("live.sent").await;
                note(parts, Taken::Live(&change.submission), &id, shutdown).await;
                argus_crash_point::here("live.stored").await;
            }
            Place::Message(id)
        }
        Err(error) => {
            tracing::debug!(chat.key = %change.chat, %error, "a turn is not shown as it goes");
            match passing(parts, &error) {
                // It may have been taken all the same: another one would stand there twice.
                Some(_) if known.is_none() && matches!(error, SendError::Transient(_)) => Place::Given,
                Some(ended) => {
                    parts.live.missed(&change.submission);
                    return ended;
                }
                None => Place::Given,
            }
        }
    };
    parts.live.put(&change.submission, place);
    Ended::Done
}

async fn first(parts: &Parts, change: &Change, part: &Part) -> Result<String, SendError> {
    match parts.telegram.send(&change.chat, Text::Html(&part.html)).await {
        Err(error) if is_about_form(&error) => {
            parts.telegram.send(&change.chat, Text::Plain(&part.plain)).await
        }
        sent => sent,
    }
}

async fn again(parts: &Parts, change: &Change, part: &Part, id: &str) -> Result<(), SendError> {
    let edited = match parts.telegram.edit(&change.chat, id, Text::Html(&part.html)).await {
        Err(error) if is_about_form(&error) => {
            parts.telegram.edit(&change.chat, id, Text::Plain(&part.plain)).await
        }
        edited => edited,
    };
    match edited {
        Err(SendError::NotModified) => Ok(()),
        edited => edited,
    }
}

/// What an error means that says nothing about this change.
fn passing(parts: &Parts, error: &SendError) -> Option<Ended> {
    match error {
        SendError::RetryAfter(seconds) => Some(Ended::Refused(told_to_wait(*seconds))),
        SendError::Transient(_) => Some(Ended::Done),
        SendError::Unauthorized => Some(unauthorized(parts, &error.to_string())),
        SendError::BadEntities(_)
        | SendError::TooLong
        | SendError::Moved(_)
        | SendError::ChatGone(_)
        | SendError::NotModified
        | SendError::NoSuchMessage(_)
        | SendError::Other(_) => None,
    }
}

/// A number for the turn's draft; never 0.
fn draft_id(submission: &str) -> i32 {
    let number = submission.get(..8).and_then(|hex| u32::from_str_radix(hex, 16).ok()).unwrap_or(1);
    i32::try_from(number >> 1).unwrap_or(1).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_turn_has_a_draft_of_its_own() {
        assert_eq!(draft_id("00000000000000000000000000000000"), 1);
        assert_eq!(draft_id("ffffffff000000000000000000000000"), i32::MAX);
        assert_eq!(draft_id("00000010000000000000000000000000"), 8);
    }
}
