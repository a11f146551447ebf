//! Fetches files that people sent, never more of one than is wanted.

use std::time::Duration;

use argus_protocol::token::Secret;
use futures::StreamExt as _;
use teloxide_core::net::Download as _;
use teloxide_core::prelude::Requester as _;
use teloxide_core::types::FileId;
use teloxide_core::{ApiError, Bot, RequestError};
use tokio::io::AsyncWriteExt as _;

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
