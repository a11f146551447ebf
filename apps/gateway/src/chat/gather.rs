//! Messages that are not whole by themselves: parts of albums, which wait for the others, and what is said to others.

use std::time::Duration;

use argus_protocol::argus::chat::{ChatKind, Disposition, Manner, Receive};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{ChatError, Chats, Parts, Spoken, chat_of};
use crate::clock::unix_ms;
use crate::store::ledger::{Album, LedgerError, Overheard, Tx};

/// How long after its newest part an album counts as whole.
const QUIET: Duration = Duration::from_millis(1200);
/// How long is waited where one could not be passed on.
const PAUSE: Duration = Duration::from_secs(2);
/// Most bytes of what somebody said to others, and of all of that in one message to us.
const LONGEST: usize = 2048;
const LONGEST_CONTEXT: usize = 32 * 1024;
/// Most bytes that are quoted of what is answered: of another's words, and of ours, which the agent knows.
const QUOTED: usize = 4096;
const QUOTED_OF_OURS: usize = 300;

/// What stands above the words of others.
const SAID_BEFORE: &str = "[said in the group before]";

/// How messages are gathered, and what may come with them.
#[derive(Debug, Default)]
pub struct Gathering {
    /// How many messages of others in a group are told with the next one to us.
    pub context: u32,
    /// Bytes that a file may have.
    pub media_limit: u64,
    /// Wakes who waits for albums.
    pub came: Notify,
}

impl Parts {
    /// Keeps what is no message by itself; `None` for what is one.
    pub(super) async fn gather(&self, message: &Receive) -> Result<Option<Disposition>, ChatError> {
        match (&message.album, message.manner) {
            (_, Manner::Edited) | (None, Manner::Addressed) => Ok(None),
            (Some(album), Manner::Addressed | Manner::Overheard) => {
                // Of whom we do not know nothing is kept: each part goes its way as a message.
                if self.person(&Spoken::of(message)).await?.is_none() {
                    return Ok(None);
                }
                let (album, part) = (album.clone(), message.clone());
                self.ledger
                    .write(move |tx| Box::pin(async move { tx.keep_part(&album, &part).await }))
                    .await?;
                argus_crash_point::here("album.part_stored").await;
                self.gathering.came.notify_one();
                Ok(Some(Disposition::Submitted))
            }
            (None, Manner::Overheard) => {
                self.overhear(message).await?;
                Ok(Some(Disposition::Ignored))
            }
        }
    }

    async fn overhear(&self, message: &Receive) -> Result<(), LedgerError> {
        let most = self.gathering.context;
        if most == 0 || message.text.trim().is_empty() || message.chat_kind == ChatKind::Private {
            return Ok(());
        }
        let message = message.clone();
        let said = Overheard {
            name: one_line(&message.user.name),
            text: bounded(&message.text, LONGEST).to_owned(),
        };
        self.ledger
            .write(move |tx| {
                Box::pin(async move {
                    tx.note_received(&message.channel, &message.bot, &message.idempotency_key).await?;
                    tx.overhear(&chat_of(&message), &said, most).await
                })
            })
            .await
    }
}

impl Chats {
    /// Passes albums on as soon as they are whole, also those that a former run left. Ends with `stop`.
    pub async fn gather_albums(&self, stop: CancellationToken) {
        let quiet = u64::try_from(QUIET.as_millis()).unwrap_or(u64::MAX);
        loop {
            let wait = match self.0.ledger.albums().await {
                Ok(albums) => {
                    let now = unix_ms();
                    // One that comes from the future was kept by a clock that was set back since.
                    let is_whole = |album: &Album| album.at_ms > now || album.at_ms + quiet <= now;
                    let (whole, growing): (Vec<_>, Vec<_>) = albums.into_iter().partition(is_whole);
                    let mut stuck = false;
                    for album in &whole {
                        if let Err(error) = self.pass_on(album).await {
                            tracing::warn!(%error, "an album could not be passed on; it is tried again");
                            stuck = true;
                        }
                    }
                    let next = growing.iter().map(|album| (album.at_ms + quiet).saturating_sub(now)).min();
                    let next = next.map(|ms| Duration::from_millis(ms.min(quiet)));
                    if stuck { Some(next.map_or(PAUSE, |next| next.min(PAUSE))) } else { next }
                }
                Err(error) => {
                    tracing::warn!(%error, "albums cannot be read; it is tried again");
                    Some(PAUSE)
                }
            };
            let waiting = async {
                match wait {
                    // At least a little: a part may be as old as it must be in the next millisecond.
                    Some(wait) => tokio::time::sleep(wait.max(Duration::from_millis(10))).await,
                    None => self.0.gathering.came.notified().await,
                }
            };
            if stop.run_until_cancelled(waiting).await.is_none() {
                return;
            }
        }
    }

    /// Whoever says something after an album has sent all of it: it comes first.
    pub(super) async fn pass_on_before(&self, message: &Receive) -> Result<(), LedgerError> {
        if message.manner != Manner::Addressed {
            return Ok(());
        }
        for album in self.0.ledger.albums_before(message).await? {
            if let Err(error) = self.pass_on(&album).await {
                tracing::warn!(%error, "an album could not be passed on; it is tried again");
            }
        }
        Ok(())
    }

    /// Makes one message of an album, and has it take its way.
    async fn pass_on(&self, album: &Album) -> Result<(), ChatError> {
        let wanted = album.clone();
        let ledger = &self.0.ledger;
        let whole = ledger.write(move |tx| Box::pin(async move { merge(tx, &wanted).await })).await?;
        argus_crash_point::here("album.gathered").await;
        let Some(whole) = whole else { return Ok(()) };
        if whole.manner == Manner::Addressed
            && !ledger.seen(&whole.channel, &whole.bot, &whole.idempotency_key).await?
        {
            self.take(&whole).await?;
        }
        let name = album.album.clone();
        ledger
            .write(move |tx| {
                Box::pin(async move {
                    tx.note_received(&whole.channel, &whole.bot, &whole.idempotency_key).await?;
                    tx.drop_part(&name, &whole).await
                })
            })
            .await?;
        Ok(())
    }
}

/// Puts the parts that are there into the place of the first of them. From here on that is one message; what comes later
/// is another one.
async fn merge(tx: &mut Tx, album: &Album) -> Result<Option<Receive>, LedgerError> {
    let parts = tx.parts(album).await?;
    let Some(whole) = whole(&parts) else { return Ok(None) };
    for part in &parts {
        tx.drop_part(&album.album, part).await?;
        if part.idempotency_key != whole.idempotency_key {
            tx.note_received(&part.channel, &part.bot, &part.idempotency_key).await?;
        }
    }
    tx.keep_part(&album.album, &whole).await?;
    Ok(Some(whole))
}

/// One message of several parts: addressed where one of them is.
fn whole(parts: &[Receive]) -> Option<Receive> {
    let mut parts: Vec<_> = parts.iter().collect();
    parts.sort_by_key(|part| part.message_id.parse::<i64>().unwrap_or(i64::MAX));
    let first = *parts.first()?;
    let addressed = parts.iter().any(|part| part.manner == Manner::Addressed);
    let mut whole = Receive {
        text: String::new(),
        attachments: Vec::new(),
        unsupported: Vec::new(),
        reply_to: parts.iter().find_map(|part| part.reply_to.clone()),
        manner: if addressed { Manner::Addressed } else { Manner::Overheard },
        ..first.clone()
    };
    let texts: Vec<_> = parts.iter().map(|part| part.text.as_str()).filter(|text| !text.is_empty()).collect();
    whole.text = texts.join("\n");
    for part in parts {
        whole.attachments.extend(part.attachments.iter().cloned());
        let new: Vec<_> =
            part.unsupported.iter().filter(|kind| !whole.unsupported.contains(kind)).cloned().collect();
        whole.unsupported.extend(new);
    }
    Some(whole)
}

/// What the agent is told of a message: the words, and around them what makes them clear: in a group who says them and
/// what was said there before, and what they answer.
pub(super) async fn worded(tx: &mut Tx, message: &Receive) -> Result<String, LedgerError> {
    let overheard = match message.chat_kind {
        ChatKind::Private => Vec::new(),
        ChatKind::Group => tx.take_overheard(&chat_of(message)).await?,
    };
    Ok(words(message, &overheard))
}

/// The same of a message that has another text now than it had in `before`; what was said before it stays.
pub(super) fn reworded(message: &Receive, before: &str) -> String {
    let words = words(message, &[]);
    match before.strip_prefix(SAID_BEFORE).and_then(|_| before.split_once("\n\n")) {
        Some((context, _)) => format!("{context}\n\n{words}"),
        None => words,
    }
}

fn words(message: &Receive, overheard: &[Overheard]) -> String {
    let mut blocks = Vec::new();
    let mut room = LONGEST_CONTEXT;
    let newest = overheard.iter().rev().map(|said| quoted(&format!("{}: {}", said.name, said.text)));
    let mut lines: Vec<_> = newest
        .map_while(|line| {
            room = room.checked_sub(line.len())?;
            Some(line)
        })
        .collect();
    if !lines.is_empty() {
        lines.reverse();
        blocks.push(format!("{SAID_BEFORE}\n{}", lines.join("\n")));
    }
    if let Some(replied) = message.reply_to.as_ref().filter(|replied| !replied.text.trim().is_empty()) {
        let most = if replied.ours { QUOTED_OF_OURS } else { QUOTED };
        let whose = match (replied.ours, one_line(&replied.name)) {
            (true, _) => "yours".to_owned(),
            (false, name) if name.is_empty() => "a message".to_owned(),
            (false, name) => name,
        };
        blocks.push(format!("[in answer to {whose}]\n{}", quoted(bounded(&replied.text, most))));
    }
    blocks.push(match (message.chat_kind, one_line(&message.user.name)) {
        (ChatKind::Group, name) if !name.is_empty() => format!("{name}: {}", message.text),
        _ => message.text.clone(),
    });
    blocks.join("\n\n")
}

fn quoted(text: &str) -> String {
    text.lines().map(|line| format!("> {line}")).collect::<Vec<_>>().join("\n")
}

fn one_line(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(64).collect()
}

fn bounded(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

#[cfg(test)]
mod tests;
