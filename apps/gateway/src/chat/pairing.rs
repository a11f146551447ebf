//! People we do not know: they may pair, and are told so once a day; nothing else of theirs reaches anything.

use argus_protocol::argus::chat::{Disposition, Receive};
use argus_protocol::argus::pairing::PairingCode;

use super::code::{self, Typed};
use super::command::{self, Command, Said};
use super::spoken::is_private;
use super::{ChatError, Chats, Done, Parts, chat_of, reply, texts};
use crate::store::ledger::{Code, Language, Ledger, LedgerError, Person, Role, Seen, Stranger, Tx, Via};

/// How long a code lives, in milliseconds.
const CODE_LIFE: u64 = 15 * 60 * 1000;
/// A code with less than this left is not handed out any more, in milliseconds.
const CODE_REST: u64 = 2 * 60 * 1000;
/// How often one person may try one code.
const TRIES: u32 = 5;
/// How long a stranger is not told again, in milliseconds.
const TELL_AGAIN: u64 = 24 * 60 * 60 * 1000;

impl Chats {
    /// The code that pairs the next person, made when there is none with some life left.
    pub async fn pairing_code(&self) -> Result<PairingCode, ChatError> {
        Self::code(&self.0.ledger).await
    }

    pub(super) async fn code(ledger: &Ledger) -> Result<PairingCode, ChatError> {
        let code = ledger.write(|tx| {
            Box::pin(async move {
                let now = tx.now_ms();
                let paired = tx.paired().await?;
                let present = tx.code().await?.filter(|code| code.expires_ms > now + CODE_REST);
                let code = match present {
                    Some(present) => present,
                    None => fresh_code(tx, now + CODE_LIFE).await?,
                };
                Ok(PairingCode { code: code.code, expires_at_ms: code.expires_ms, paired })
            })
        });
        Ok(code.await?)
    }
}

async fn fresh_code(tx: &mut Tx, expires_ms: u64) -> Result<Code, LedgerError> {
    let code = Code { code: code::fresh(), expires_ms };
    tx.set_code(&code).await?;
    Ok(code)
}

impl Parts {
    /// Meets somebody we do not know. In groups they are not even answered.
    pub(super) async fn meet(&self, message: &Receive) -> Result<Done, ChatError> {
        if !is_private(message) {
            return Ok(Done::As(Disposition::Ignored));
        }
        let (message, named_operators) = (message.clone(), !self.operators.is_empty());
        let met = self.ledger.write(move |tx| {
            Box::pin(async move {
                match typed(&message.text) {
                    Some(typed) => try_code(tx, &message, &typed, named_operators).await,
                    None => tell_once(tx, &message).await,
                }
            })
        });
        Ok(Done::As(met.await?))
    }
}

/// `/start <code>`, `/pair <code>` or the bare code.
fn typed(text: &str) -> Option<Typed> {
    match command::read(text) {
        Said::Command(Command::Start(argument) | Command::Pair(argument)) => Typed::read(argument),
        Said::Text => Typed::read(text),
        Said::Command(_) | Said::ForAnother => None,
    }
}

/// Judges a code that somebody typed, and pairs them when it is right. The first to pair is the operator, unless a setting
/// names operators.
pub(super) async fn try_code(
    tx: &mut Tx,
    message: &Receive,
    typed: &Typed,
    named_operators: bool,
) -> Result<Disposition, LedgerError> {
    let Receive { channel, bot, user, .. } = message;
    let stranger = tx.stranger(channel, bot, &user.id).await?;
    if stranger.tries >= TRIES {
        return Ok(Disposition::Ignored);
    }
    if tx.note_received(channel, bot, &message.idempotency_key).await? == Seen::Again {
        return Ok(Disposition::Repeated);
    }
    let language = language_of(message);
    if !tx.code().await?.is_some_and(|code| typed.is(&code.code)) {
        let tries = stranger.tries + 1;
        let noted = Stranger { told_ms: tx.now_ms(), tries };
        tx.note_stranger(&chat_of(message), user, noted).await?;
        reply::put(tx, message, &texts::wrong_code(language, TRIES - tries)).await?;
        return Ok(Disposition::Answered);
    }
    tx.spend_code().await?;
    let first = !named_operators && !tx.has_operator().await?;
    let role = if first { Role::Operator } else { Role::User };
    tx.know(channel, bot, user, role, Via::Code).await?;
    if is_private(message) && tx.makes_a_home(role).await? {
        tx.set_home_chat(&chat_of(message)).await?;
    }
    tracing::info!(channel, bot, user.id = user.id, role = ?role, "somebody paired");
    reply::put(tx, message, &texts::paired(language, role)).await?;
    Ok(Disposition::Answered)
}

/// Tells a stranger who we are, once a day.
async fn tell_once(tx: &mut Tx, message: &Receive) -> Result<Disposition, LedgerError> {
    let Receive { channel, bot, user, .. } = message;
    let stranger = tx.stranger(channel, bot, &user.id).await?;
    let now = tx.now_ms();
    if stranger.told_ms.abs_diff(now) < TELL_AGAIN {
        return Ok(Disposition::Ignored);
    }
    if tx.note_received(channel, bot, &message.idempotency_key).await? == Seen::Again {
        return Ok(Disposition::Repeated);
    }
    tx.note_stranger(&chat_of(message), user, Stranger { told_ms: now, ..stranger }).await?;
    reply::put(tx, message, &texts::stranger(language_of(message))).await?;
    Ok(Disposition::Answered)
}

/// Keeps what we know of a person up to date; somebody the list names is known from their first message on.
pub(super) async fn keep_known(tx: &mut Tx, message: &Receive, person: &Person) -> Result<(), LedgerError> {
    let Receive { channel, bot, user, .. } = message;
    let stored = tx.person(channel, bot, &user.id).await?;
    // Whom an operator sent away meanwhile is not let in again by what they wrote before.
    if stored.is_none() && person.via != Via::List {
        return Ok(());
    }
    if !stored.as_ref().is_some_and(|s| s.name == user.name && s.language == user.language) {
        let role = match (&stored, person.role) {
            (Some(stored), _) => stored.role,
            (None, Role::Operator) if !tx.has_operator().await? => Role::Operator,
            (None, _) => Role::User,
        };
        let via = stored.as_ref().map_or(person.via, |stored| stored.via);
        tx.know(channel, bot, user, role, via).await?;
    }
    let may = stored.is_none() || person.role == Role::Operator;
    if may && is_private(message) && tx.makes_a_home(person.role).await? {
        tx.set_home_chat(&chat_of(message)).await?;
    }
    Ok(())
}

fn language_of(message: &Receive) -> Language {
    Language::of_tag(message.user.language.as_deref())
}
