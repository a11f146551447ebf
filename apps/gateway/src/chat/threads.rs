//! The threads that a chat had before, and the way back into one.

use argus_protocol::argus::chat::{Pressed, Receive};

use super::button::Deed;
use super::pressing::{notice, silent};
use super::wishes::{Menu, row};
use super::{ChatError, Parts, Spoken, chat_of, reply, texts};
use crate::store::ledger::{Language, Person, Seen};

/// Threads that are shown.
const MOST: u32 = 10;
/// Characters of what was said first in one.
const WORDS: usize = 40;

impl Parts {
    /// `/threads`
    pub(super) async fn threads(&self, message: &Receive, language: Language) -> Result<Menu, ChatError> {
        let (session, chat) = (self.session(message).await?, chat_of(message));
        let era = self.ledger.chat_era(&session, &chat).await?;
        let present = self.ledger.chat_thread(&session, &chat, era).await?;
        let threads = self.ledger.threads_of(&session, &chat, MOST).await?;
        let buttons: Vec<_> = threads
            .iter()
            .filter_map(|earlier| {
                let words = earlier.words.as_deref().unwrap_or(earlier.thread.as_str());
                let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
                let shown: String = line.chars().take(WORDS).collect();
                let shown = if shown.is_empty() { earlier.thread.to_string() } else { shown };
                row(&shown, present.as_ref() == Some(&earlier.thread), &Deed::Thread(earlier.era))
            })
            .collect();
        Ok(Menu { text: texts::commands::threads(language, buttons.len()), buttons })
    }

    /// The chat goes on in the thread that it had in that era.
    pub(super) async fn go_back(&self, by: &Spoken, person: &Person, era: u32) -> Result<Pressed, ChatError> {
        let language = person.reads(&by.user);
        let session = self.session_of(by).await?;
        let present = self.ledger.chat_era(&session, &by.chat).await?;
        let Some(thread) = self.ledger.chat_thread(&session, &by.chat, era).await? else {
            return Ok(notice(texts::asking::unknown_button(language)));
        };
        if self.ledger.chat_thread(&session, &by.chat, present).await?.as_ref() == Some(&thread) {
            return Ok(notice(texts::commands::this_thread(language)));
        }
        let by = by.clone();
        let gone = self.ledger.write(move |tx| {
            Box::pin(async move {
                let seen = tx.note_received(&by.chat.channel, &by.chat.bot, &by.idempotency_key).await?;
                if seen == Seen::First {
                    tx.begin_era_in(&session, &by.chat, &thread).await?;
                    let text = texts::commands::back(language, thread.as_str());
                    let key = format!("thread:{}:{}", by.chat.bot, by.idempotency_key);
                    reply::put_once(tx, &by.chat, &key, None, &text).await?;
                }
                Ok(seen)
            })
        });
        Ok(if gone.await? == Seen::First { notice(texts::commands::gone_back(language)) } else { silent() })
    }
}
