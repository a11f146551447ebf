//! What operators alone may ask for: sessions, usage, and who else may come in.

use std::collections::BTreeMap;

use argus_protocol::argus::chat::Receive;

use super::obeying::Reply;
use super::spoken::{base, is_private};
use super::{ChatError, Chats, Parts, chat_of, texts};
use crate::store::ledger::{Language, Person, Role, Via};

/// Sessions that are listed.
const MOST_SESSIONS: usize = 30;
/// Chats that are looked at for them, and shown of one.
const MOST_CHATS: u32 = 500;
const CHATS_OF_ONE: usize = 5;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

impl Parts {
    /// `/pair`, without a code.
    pub(super) async fn pair(
        &self,
        message: &Receive,
        person: &Person,
        wish: &str,
    ) -> Result<Reply, ChatError> {
        let language = person.reads(&message.user);
        if person.role != Role::Operator {
            return Ok(Reply::Ready(match person.via {
                Via::Code | Via::Approved if wish.is_empty() => texts::paired_already(language),
                _ => texts::commands::operators_only(language),
            }));
        }
        Ok(match (wish.to_ascii_lowercase().as_str(), is_private(message)) {
            ("here", false) => Reply::Open(base(&chat_of(message)), true),
            ("off", false) => {
                let base = base(&chat_of(message));
                if self.open_chats.contains(base.chat.as_str()) {
                    return Ok(Reply::Ready(texts::commands::open_by_setting(language)));
                }
                Reply::Open(base, false)
            }
            ("here" | "off", true) => Reply::Ready(texts::commands::in_a_group(language)),
            ("", true) => {
                let code = Chats::code(&self.ledger).await?;
                Reply::Ready(texts::commands::code_is(language, &code.code))
            }
            ("", false) => Reply::Ready(texts::commands::code_in_private(language)),
            _ => Reply::Ready(texts::commands::pair_how(language)),
        })
    }

    /// `/sessions`
    pub(super) async fn sessions(&self, language: Language) -> Result<String, ChatError> {
        let sessions = match self.turns.sessions().await {
            Ok(sessions) => sessions,
            Err(reason) => return Ok(texts::cannot(language, &reason)),
        };
        let mut chats: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (session, chat) in self.ledger.chats_of_sessions(MOST_CHATS).await? {
            chats.entry(session).or_default().push(chat);
        }
        let mut lines = vec![texts::commands::sessions(language, sessions.len())];
        for line in sessions.iter().take(MOST_SESSIONS) {
            let of_it = chats.get(&line.session).map(Vec::as_slice).unwrap_or_default();
            let shown = &of_it[..of_it.len().min(CHATS_OF_ONE)];
            lines.push(texts::commands::session(
                language,
                line.session.as_str(),
                &line.status,
                shown,
                of_it.len(),
            ));
        }
        if sessions.len() > MOST_SESSIONS {
            lines.push(texts::asking::more(language, sessions.len() - MOST_SESSIONS));
        }
        Ok(lines.join("\n"))
    }

    /// `/usage`
    pub(super) async fn usage(&self, language: Language) -> Result<String, ChatError> {
        let now = crate::clock::unix_ms();
        let midnight = now - now % DAY_MS;
        let mut lines = Vec::new();
        for (title, since) in [
            (texts::commands::today(language), midnight),
            (texts::commands::week(language), now.saturating_sub(7 * DAY_MS)),
        ] {
            let used = self.ledger.usage_since(since).await?;
            lines.push(title);
            if used.is_empty() {
                lines.push(texts::commands::no_turns(language));
            }
            for one in used.iter().take(MOST_SESSIONS) {
                let tokens = [one.input, one.cached, one.output];
                lines.push(texts::commands::used(language, one.session.as_str(), one.turns, tokens));
            }
        }
        Ok(lines.join("\n"))
    }
}
