//! `argus/message/send`: text and files of a session's workspace for a chat.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use argus_protocol::argus::input::Source;
use argus_protocol::argus::message::{Send, SendFile, Sent};
use argus_protocol::{RpcError, SessionId, ThreadId};
use argus_session::ChatRef;
use tokio::sync::Mutex;

use super::plan::{MOST_FILES, fault, groups, kind_of, limit_of, within};
use super::{Kept, answer};
use crate::store::ledger::{Body, FilesBody, KeptFile, Ledger, LedgerError, NewRow};
use crate::telegram::{CHANNEL, ChatId};
use crate::workspace::{Workspace, Workspaces};

/// The longest text, in bytes.
const LONGEST_TEXT: usize = 256 * 1024;
/// The longest text below a file, in UTF-16 units; a longer one is a message after it.
const LONGEST_CAPTION: usize = 1024;
/// The longest idempotency key, in bytes.
const LONGEST_KEY: usize = 256;
/// With so many messages waiting for a chat nothing more is taken for it: it gets about one a second.
const MOST_WAITING: u64 = 200;
/// Chats of a session that are looked at.
const MOST_CHATS: u32 = 1000;

/// Whom a caller may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Any chat.
    Everywhere,
    /// Those that the session speaks with.
    ItsChats,
}

/// Puts out what sessions send of themselves. Clones are handles to the same one.
#[derive(Clone)]
pub struct Sending(Arc<SendingParts>);

/// What it is made of.
pub struct SendingParts {
    /// Where rows go.
    pub ledger: Ledger,
    /// Where files come from.
    pub workspaces: Workspaces,
    /// The workspace as agents name it, where they see it elsewhere.
    pub seen_at: Option<PathBuf>,
    /// Where files wait.
    pub kept: Kept,
    /// The bots; the first one is meant where none is known.
    pub bots: Vec<String>,
    /// UTF-16 units over which a text is a file.
    pub long: Option<usize>,
    /// Files are copied one call after the other.
    pub copying: Mutex<()>,
}

impl Sending {
    /// Over these parts.
    pub fn new(parts: SendingParts) -> Self {
        Self(Arc::new(parts))
    }

    /// Puts out what is to be sent; it is durable when this returns.
    pub async fn send(&self, session: &SessionId, request: Send, reach: Reach) -> Result<Sent, RpcError> {
        self.send_in(session, None, request, reach).await
    }

    /// The same from within a thread: where no chat is named, the one that speaks in it is meant first.
    pub async fn send_in(
        &self,
        session: &SessionId,
        thread: Option<ThreadId>,
        request: Send,
        reach: Reach,
    ) -> Result<Sent, RpcError> {
        let (sending, session) = (self.clone(), session.clone());
        // Who asked may go away; what was begun is ended, so that no copy of a file is left behind.
        let done =
            tokio::spawn(async move { sending.perform(&session, thread.as_ref(), request, reach).await });
        done.await
            .unwrap_or_else(|error| Err(RpcError::failed(format!("the message was not put out: {error}"))))
    }

    async fn perform(
        &self,
        session: &SessionId,
        thread: Option<&ThreadId>,
        request: Send,
        reach: Reach,
    ) -> Result<Sent, RpcError> {
        let text = request.text.filter(|text| !text.trim().is_empty());
        check(text.as_deref(), &request.files)?;
        let chat = self.chat(session, thread, request.to.as_ref(), reach).await?;
        let key = dedupe_key(session, request.idempotency_key.as_deref())?;
        if self.0.ledger.was_put_out(&format!("{key}:0")).await.map_err(|error| unstored(&error))? {
            return Ok(Sent { ok: true, messages: 0 });
        }
        if self.0.ledger.waiting_for(&chat).await.map_err(|error| unstored(&error))? >= MOST_WAITING {
            let words = format!("{MOST_WAITING} messages wait for this chat already; send it again later");
            return Err(RpcError::overloaded(words));
        }
        let kept = self.keep(session, request.files).await?;
        let names: Vec<_> = kept.iter().map(|(file, _)| file.kept.clone()).collect();
        argus_crash_point::here("send.kept").await;
        let put_out = self.put_out(chat, key, text, kept).await;
        argus_crash_point::here("send.stored").await;
        if !matches!(put_out, Ok(1..)) {
            self.0.kept.remove(&names).await;
        }
        Ok(Sent { ok: true, messages: put_out.map_err(|error| unstored(&error))? })
    }

    /// One row for each message, all or none; none where the key is known.
    async fn put_out(
        &self,
        chat: ChatRef,
        key: String,
        text: Option<String>,
        kept: Vec<(KeptFile, Option<String>)>,
    ) -> Result<usize, LedgerError> {
        let long = self.0.long;
        let work = self.0.ledger.write(move |tx| {
            Box::pin(async move {
                if tx.was_put_out(&format!("{key}:0")).await? {
                    return Ok(0);
                }
                let language = tx.language_in(&chat).await?;
                let mut bodies = text.map(|text| answer(&text, long, language)).unwrap_or_default();
                let kinds: Vec<_> = kept.iter().map(|(file, _)| file.kind).collect();
                for places in groups(&kinds) {
                    let of_group = || places.iter().filter_map(|place| kept.get(*place));
                    let files = of_group().map(|(file, _)| file.clone()).collect();
                    bodies.push(Body::Files(FilesBody { files }));
                    let after = of_group().filter_map(|(_, after)| after.as_deref());
                    bodies.extend(after.flat_map(|text| answer(text, long, language)));
                }
                let count = bodies.len();
                for (number, body) in bodies.into_iter().enumerate() {
                    let row = NewRow { dedupe_key: format!("{key}:{number}"), chat: chat.clone(), body };
                    tx.put_out(row).await?;
                }
                Ok(count)
            })
        });
        work.await
    }

    /// Copies of the files, each with the text that goes after it; none where one cannot be had.
    async fn keep(
        &self,
        session: &SessionId,
        files: Vec<SendFile>,
    ) -> Result<Vec<(KeptFile, Option<String>)>, RpcError> {
        if files.is_empty() {
            return Ok(Vec::new());
        }
        let (workspace, kept, seen_at) =
            (self.0.workspaces.of(session), self.0.kept.clone(), self.0.seen_at.clone());
        let place = self.0.copying.lock().await;
        let copying = tokio::task::spawn_blocking(move || {
            let mut copied: Vec<(KeptFile, Option<String>)> = Vec::new();
            for (number, file) in files.iter().enumerate() {
                match copy(&workspace, seen_at.as_deref(), &kept, file) {
                    Ok(one) => copied.push(one),
                    Err(why) => {
                        let names = copied.into_iter().map(|(file, _)| file.kept).collect();
                        return Err((names, format!("'files[{number}]' `{}`: {why}", file.path)));
                    }
                }
            }
            Ok(copied)
        });
        let copied =
            copying.await.map_err(|error| RpcError::failed(format!("the files were not copied: {error}")))?;
        drop(place);
        match copied {
            Ok(copied) => Ok(copied),
            Err((names, why)) => {
                let names: Vec<String> = names;
                self.0.kept.remove(&names).await;
                Err(RpcError::invalid_params(why))
            }
        }
    }

    /// Where it goes.
    async fn chat(
        &self,
        session: &SessionId,
        thread: Option<&ThreadId>,
        to: Option<&Source>,
        reach: Reach,
    ) -> Result<ChatRef, RpcError> {
        let Some(first_bot) = self.0.bots.first() else {
            return Err(RpcError::failed("no Telegram bot is configured; set TELEGRAM_BOT_TOKEN"));
        };
        let ours = |chat: &ChatRef| chat.channel == CHANNEL && self.0.bots.contains(&chat.bot);
        let known = self.0.ledger.chats_of(session, MOST_CHATS).await.map_err(|error| unstored(&error))?;
        let Some(to) = to else {
            if let Some(thread) = thread
                && let Some(own) =
                    self.0.ledger.chat_in(session, thread).await.map_err(|error| unstored(&error))?
                && ours(&own)
                && known.contains(&own)
            {
                return Ok(own);
            }
            if let Some(last) = known.into_iter().find(ours) {
                return Ok(last);
            }
            // Who speaks for one session only has no say in other people's chats.
            let home = match reach {
                Reach::Everywhere => self.0.ledger.home_chat().await.map_err(|error| unstored(&error))?,
                Reach::ItsChats => None,
            };
            return home.filter(ours).ok_or_else(|| {
                RpcError::failed("this session speaks with no chat that a message could go to; write to it in a chat first, or name one in 'to'")
            });
        };
        if !["telegram", "tg"].contains(&to.channel.to_lowercase().as_str()) {
            let words = format!("'to.channel' `{}` is not known; use telegram", to.channel);
            return Err(RpcError::invalid_params(words));
        }
        ChatId::of_key(&to.chat_key)
            .map_err(|error| RpcError::invalid_params(format!("'to.chatKey': {error}")))?;
        match (known.into_iter().find(|chat| ours(chat) && chat.chat == to.chat_key), reach) {
            (Some(chat), _) => Ok(chat),
            (None, Reach::Everywhere) => {
                Ok(ChatRef { channel: CHANNEL.to_owned(), bot: first_bot.clone(), chat: to.chat_key.clone() })
            }
            (None, Reach::ItsChats) => Err(RpcError::forbidden(format!(
                "session `{session}` does not speak with chat `{}`; leave 'to' out",
                to.chat_key
            ))),
        }
    }
}

fn check(text: Option<&str>, files: &[SendFile]) -> Result<(), RpcError> {
    let wrong = |words: String| Err(RpcError::invalid_params(words));
    match (text, files.len()) {
        (None, 0) => wrong("there is nothing to send; give 'text', 'files' or both".to_owned()),
        (_, count) if count > MOST_FILES => {
            wrong(format!("'files' has {count} files, more than {MOST_FILES}; send them in several calls"))
        }
        (Some(text), _) if text.len() > LONGEST_TEXT => {
            wrong(format!("'text' has {} bytes, more than {LONGEST_TEXT}; send it as a file", text.len()))
        }
        _ => {
            match files.iter().position(|file| file.caption.as_ref().is_some_and(|c| c.len() > LONGEST_TEXT))
            {
                Some(number) => {
                    wrong(format!("the caption of 'files[{number}]' has more than {LONGEST_TEXT} bytes"))
                }
                None => Ok(()),
            }
        }
    }
}

/// The same for the same call; one of its own where it names none.
fn dedupe_key(session: &SessionId, key: Option<&str>) -> Result<String, RpcError> {
    match key.map(str::trim).filter(|key| !key.is_empty()) {
        None => Ok(format!("send:{}", crate::clock::new_submission_id())),
        Some(key) if key.len() > LONGEST_KEY => Err(RpcError::invalid_params(format!(
            "'idempotencyKey' has {} bytes, more than {LONGEST_KEY}",
            key.len()
        ))),
        Some(key) => Ok(format!("send:{session}:{key}")),
    }
}

fn copy(
    workspace: &Workspace,
    seen_at: Option<&Path>,
    kept: &Kept,
    file: &SendFile,
) -> Result<(KeptFile, Option<String>), String> {
    let path = within(workspace, seen_at, Path::new(&file.path))?;
    let name = path.file_name().and_then(|name| name.to_str()).ok_or("it names no file")?.to_owned();
    let (source, bytes) = workspace.open(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file in the workspace".to_owned(),
        _ => error.to_string(),
    })?;
    let kind = kind_of(file, bytes);
    if let Some(fault) = fault(kind, bytes) {
        return Err(fault);
    }
    let kept = kept.copy(source, limit_of(kind)).map_err(|error| format!("it cannot be copied: {error}"))?;
    let caption = file.caption.as_deref().unwrap_or_default();
    let mut parts = argus_chat_markup::telegram_with_limit(caption, LONGEST_CAPTION);
    let (below, after) = match parts.len() {
        0 => (None, None),
        1 => (parts.pop(), None),
        _ => (None, Some(caption.to_owned())),
    };
    let (html, plain) = below.map(|part| (part.html, part.plain)).unwrap_or_default();
    Ok((KeptFile { kept, name, kind, html, plain }, after))
}

fn unstored(error: &LedgerError) -> RpcError {
    RpcError::failed(error.to_string())
}
