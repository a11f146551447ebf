//! `process.logs`: the last of what a job wrote, or all of it in pages.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::time::Duration;

use argus_protocol::node::Fault;
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Jobs;
use super::answers::{Streams, unread};
use super::page::{After, Page};
use super::params::{bad, span};
use crate::call::{Answer, Call, read, told};
use crate::keeper::words::file;

/// The bytes of a page where none are named, and the most.
const PAGE: (u64, u64) = (64 << 10, 512 << 10);

/// The bytes of each stream's end: the least, where none are named, the most.
const TAIL: (u64, u64, u64) = (1024, 64 << 10, 2 << 20);

/// The longest wait for more.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// How often it is looked whether there is more.
const LOOK: Duration = Duration::from_millis(50);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Params {
    job_id: String,
    #[serde(default)]
    tail_bytes: Option<f64>,
    #[serde(default)]
    offset: Option<u64>,
    #[serde(default)]
    limit: Option<u64>,
    #[serde(default)]
    stream: Option<Stream>,
    #[serde(default)]
    wait_ms: Option<f64>,
}

#[derive(Clone, Copy, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Stream {
    #[default]
    Stdout,
    Stderr,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tails<'a> {
    job_id: &'a str,
    running: bool,
    #[serde(flatten)]
    streams: Streams,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Paged<'a> {
    job_id: &'a str,
    running: bool,
    stream: Stream,
    offset: u64,
    next_offset: u64,
    /// Bytes of the stream so far.
    size: u64,
    /// Nothing comes after this page.
    eof: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_base64: Option<String>,
}

impl Jobs {
    /// `process.logs`
    pub(crate) async fn logs(&self, call: &Call) -> Answer {
        let params: Params = read(call)?;
        self.phase(&params.job_id)?;
        if params.offset.is_none() && params.limit.is_none() && params.stream.is_none() {
            return self.ends_of_streams(call, params).await;
        }
        let (stream, offset) = (params.stream.unwrap_or_default(), params.offset.unwrap_or(0));
        // A page with less room might hold no whole character.
        let limit = params.limit.unwrap_or(PAGE.0).clamp(4, PAGE.1);
        let wait = span(params.wait_ms, "waitMs")?.unwrap_or_default().min(LONGEST_WAIT);
        let until = tokio::time::Instant::now() + wait;
        loop {
            let id = params.job_id.clone();
            let (page, size, ended) = self.aside(move |jobs| jobs.page(&id, stream, offset, limit)).await??;
            let pause =
                tokio::time::sleep(LOOK.min(until.saturating_duration_since(tokio::time::Instant::now())));
            if page.len() == 0
                && !ended
                && tokio::time::Instant::now() < until
                && call.cancel.run_until_cancelled(pause).await.is_some()
            {
                continue;
            }
            let next_offset = offset + page.len() as u64;
            let (text, data_base64) = match page {
                Page::Text(text) => (Some(text), None),
                Page::Bytes(bytes) => (None, Some(BASE64.encode(&bytes))),
            };
            return told(&Paged {
                job_id: &params.job_id,
                running: !ended,
                stream,
                offset,
                next_offset,
                size,
                eof: ended && next_offset == size,
                text,
                data_base64,
            });
        }
    }

    async fn ends_of_streams(&self, call: &Call, params: Params) -> Answer {
        let most = match (params.tail_bytes, call.params.get("tailBytes")) {
            (None, Some(Value::Null)) => TAIL.0,
            (None, _) => TAIL.1,
            // Past all that could be meant, either way, it is the most or the least.
            (Some(bytes), _) if bytes >= 2_097_152.0 => TAIL.2,
            (Some(bytes), _) => Duration::try_from_secs_f64(bytes).map_or(0, |n| n.as_secs()).max(TAIL.0),
        };
        self.aside(move |jobs| {
            let running = !jobs.has_ended(&params.job_id);
            let streams = jobs.streams(&params.job_id, most)?;
            told(&Tails { job_id: &params.job_id, running, streams })
        })
        .await?
    }

    fn page(&self, id: &str, stream: Stream, offset: u64, limit: u64) -> Result<(Page, u64, bool), Fault> {
        // Asked first: what is there after it is all that there will be.
        let ended = self.has_ended(id);
        let name = match stream {
            Stream::Stdout => file::STDOUT,
            Stream::Stderr => file::STDERR,
        };
        let opened = File::open(self.store().folder(id).join(name));
        let mut file = match opened {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok((Page::Text(String::new()), 0, ended));
            }
            opened => opened.map_err(|error| unread(id, &error))?,
        };
        let size = file.metadata().map_err(|error| unread(id, &error))?.len();
        if offset > size {
            return Err(bad(&format!("`offset` {offset} is past the end: there are {size} bytes")));
        }
        let mut bytes = Vec::new();
        let here = limit.min(size - offset);
        let read = file.seek(SeekFrom::Start(offset)).and_then(|_| file.take(here).read_to_end(&mut bytes));
        read.map_err(|error| unread(id, &error))?;
        let after = if ended && offset + here == size { After::Nothing } else { After::More };
        Ok((Page::of(bytes, after), size, ended))
    }
}
