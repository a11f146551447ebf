//! Fetches files that people sent, never more of one than is wanted.

use std::path::{Component, Path};
use std::time::Duration;

use argus_protocol::token::Secret;
use futures::StreamExt as _;
use teloxide_core::net::Download as _;
use teloxide_core::prelude::Requester as _;
use teloxide_core::types::FileId;
use teloxide_core::{ApiError, Bot, RequestError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::error::{self, SendError};
use super::{Telegram, TokenError};

/// How long nothing may come before a download counts as broken.
const SILENCE: Duration = Duration::from_secs(30);

/// Where one bot's files are.
#[derive(Clone)]
pub struct Files(Bot);

/// Why a file was not fetched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DownloadError {
    /// It has more bytes than is wanted, or than Telegram gives out.
    #[error("it is too large")]
    TooLarge,
    /// Telegram does not have it (any more).
    #[error("Telegram does not give it out: {0}")]
    Gone(String),
    /// Later it may go through, after that many seconds where Telegram says so.
    #[error("Telegram cannot be reached: {0}")]
    Passing(String, Option<u32>),
    /// It cannot be written down.
    #[error("it cannot be stored: {0}")]
    Disk(String),
}

impl Files {
    /// The files of the bot with that token, at that Bot API.
    pub fn new(token: &Secret, api_url: &url::Url) -> Result<Self, TokenError> {
        // Another client than for messages: a file takes its time, as long as something comes.
        let client = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .read_timeout(SILENCE)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| TokenError::Client(error.to_string()))?;
        // Judges the form of the token and of the address.
        Telegram::new(token, api_url)?;
        Ok(Self(Bot::with_client(token.reveal(), client).set_api_url(api_url.clone())))
    }

    /// Fetches a file into `into`, and answers how many bytes it has: at most `limit`.
    pub async fn fetch(
        &self,
        source: &str,
        limit: u64,
        into: &mut tokio::fs::File,
    ) -> Result<u64, DownloadError> {
        let told = self.0.get_file(FileId(source.to_owned())).await.map_err(refused)?;
        if u64::from(told.meta.size) > limit {
            return Err(DownloadError::TooLarge);
        }
        if told.path.starts_with('/') {
            return copy(Path::new(&told.path), self.0.token(), limit, into).await;
        }
        let mut chunks = self.0.download_file_stream(&told.path);
        let mut length = 0;
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(broken)?;
            length += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
            if length > limit {
                return Err(DownloadError::TooLarge);
            }
            into.write_all(&chunk).await.map_err(|error| DownloadError::Disk(error.to_string()))?;
        }
        into.flush().await.map_err(|error| DownloadError::Disk(error.to_string()))?;
        Ok(length)
    }
}

impl std::fmt::Debug for Files {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Files")
    }
}

/// Copies a file that a Bot API server beside us (`--local`) has on this disk. It keeps the files of a bot in a folder
/// named as the token, so that no other file can be meant, whoever answers in its place.
async fn copy(
    path: &Path,
    token: &str,
    limit: u64,
    into: &mut tokio::fs::File,
) -> Result<u64, DownloadError> {
    let disk = |error: std::io::Error| DownloadError::Disk(error.to_string());
    let parts = || path.components();
    let is_the_bots = parts().any(|part| part.as_os_str() == token)
        && parts().all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
    if !is_the_bots {
        return Err(DownloadError::Gone("the file it names is none of the bot's".to_owned()));
    }
    let told = tokio::fs::symlink_metadata(path).await.map_err(|_| {
        DownloadError::Gone(
            "its server runs with --local, but the files are not on the gateway's disk".to_owned(),
        )
    })?;
    if !told.is_file() {
        return Err(DownloadError::Gone("it is no file".to_owned()));
    }
    let file = tokio::fs::File::open(path).await.map_err(disk)?;
    let length = tokio::io::copy(&mut file.take(limit.saturating_add(1)), into).await.map_err(disk)?;
    into.flush().await.map_err(disk)?;
    if length > limit { Err(DownloadError::TooLarge) } else { Ok(length) }
}

fn refused(error: RequestError) -> DownloadError {
    if let RequestError::Api(error) = &error {
        let words = match error {
            ApiError::Unknown(text) => text.clone(),
            known => known.to_string(),
        };
        if words.contains("file is too big") {
            return DownloadError::TooLarge;
        }
    }
    match error::judge(error) {
        SendError::RetryAfter(seconds) => {
            DownloadError::Passing("it asks for a pause".to_owned(), Some(seconds))
        }
        SendError::Transient(words) => DownloadError::Passing(words, None),
        SendError::Other(words) | SendError::ChatGone(words) => DownloadError::Gone(words),
        other => DownloadError::Gone(other.to_string()),
    }
}

/// The library has taken the address, and the token in it, out of these.
fn broken(error: reqwest::Error) -> DownloadError {
    match error.status() {
        Some(status) if status == reqwest::StatusCode::TOO_MANY_REQUESTS => {
            DownloadError::Passing("it asks for a pause".to_owned(), None)
        }
        Some(status) if status.is_client_error() => DownloadError::Gone(status.to_string()),
        _ => DownloadError::Passing(error.without_url().to_string(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn of_the_disk_only_files_of_the_bot_are_copied() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("42:SECRET/documents");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("a.txt"), "words").unwrap();
        std::fs::write(home.path().join("key"), "secret").unwrap();
        std::os::unix::fs::symlink(home.path().join("key"), folder.join("link")).unwrap();
        let copied = async |path: std::path::PathBuf, limit: u64| {
            let target = home.path().join("target");
            let mut into = tokio::fs::File::create(&target).await.unwrap();
            let length = copy(&path, "42:SECRET", limit, &mut into).await;
            length.map(|length| (length, std::fs::read_to_string(target).unwrap()))
        };
        assert_eq!(copied(folder.join("a.txt"), 5).await, Ok((5, "words".to_owned())));
        assert_eq!(copied(folder.join("a.txt"), 4).await, Err(DownloadError::TooLarge));
        for path in
            [home.path().join("key"), folder.join("../../key"), folder.join("link"), folder.join("none")]
        {
            let refused = copied(path.clone(), 9).await;
            assert!(matches!(refused, Err(DownloadError::Gone(_))), "{path:?}: {refused:?}");
        }
    }
}
