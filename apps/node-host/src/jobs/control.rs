//! What can be done to a job that runs: ask its keeper.

use std::io;
use std::time::Duration;

use argus_protocol::node::{Fault, code};
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;

use super::Jobs;
use super::index::Phase;
use super::params::{bad, size_of};
use crate::call::{Answer, Call, read, told};
use crate::keeper::named;
use crate::keeper::words::{Report, Request, Size};

/// How long a keeper may take to answer; it may wait for room in a job's input.
const ANSWER: Duration = Duration::from_secs(12);

/// How long a job may take to be gone once its keeper was told to end it.
const GONE: Duration = Duration::from_secs(10);

/// The most that is written at once.
const LONGEST_WRITE: usize = 256 << 10;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Of {
    job_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Write {
    job_id: String,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    data_base64: Option<String>,
    #[serde(default)]
    eof: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Resize {
    job_id: String,
    rows: u16,
    cols: u16,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Send {
    job_id: String,
    signal: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Killed<'a> {
    job_id: &'a str,
    /// What really ended it; none where it ended by itself after all.
    signal: Option<String>,
    exit_code: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sent<'a> {
    job_id: &'a str,
    signal: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    job_id: &'a str,
    bytes: usize,
    eof: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Resized<'a> {
    job_id: &'a str,
    rows: u16,
    cols: u16,
}

impl Jobs {
    /// `process.kill`
    pub(crate) async fn kill(&self, call: &Call) -> Answer {
        let Of { job_id } = read(call)?;
        self.request(&job_id, &Request::Kill).await?;
        if !self.is_gone(&job_id, GONE).await? {
            let words = format!("job `{job_id}` was told to end and does not; ask again");
            return Err(Fault::new(code::FAILED, words).of_job(job_id));
        }
        let meta = self.meta(&job_id)?;
        told(&Killed { job_id: &job_id, signal: meta.signal, exit_code: meta.exit_code })
    }

    /// `process.signal`
    pub(crate) async fn signal(&self, call: &Call) -> Answer {
        let Send { job_id, signal } = read(call)?;
        let Some((name, _)) = named(&signal) else {
            return Err(bad(&format!("there is no signal `{signal}`; name one such as `SIGINT`")));
        };
        self.request(&job_id, &Request::Signal(name.to_owned())).await?;
        told(&Sent { job_id: &job_id, signal: name })
    }

    /// `process.write`
    pub(crate) async fn write(&self, call: &Call) -> Answer {
        let Write { job_id, text, data_base64, eof } = read(call)?;
        let bytes = match (text, data_base64) {
            (Some(_), Some(_)) => return Err(bad("give `text` or `dataBase64`, not both")),
            (None, None) if !eof => return Err(bad("give `text`, `dataBase64` or `eof`")),
            (text, None) => text.unwrap_or_default().into_bytes(),
            (None, Some(base64)) => {
                BASE64.decode(base64.as_bytes()).map_err(|error| bad(&format!("`dataBase64`: {error}")))?
            }
        };
        if bytes.len() > LONGEST_WRITE {
            return Err(bad("more than 256 KiB at once: write it in pieces"));
        }
        let request = Request::Write { base64: BASE64.encode(&bytes), eof };
        self.request(&job_id, &request).await?;
        told(&Written { job_id: &job_id, bytes: bytes.len(), eof })
    }

    /// `process.resize`
    pub(crate) async fn resize(&self, call: &Call) -> Answer {
        let Resize { job_id, rows, cols } = read(call)?;
        let size = size_of(Size { rows, cols })?;
        self.request(&job_id, &Request::Resize(size)).await?;
        told(&Resized { job_id: &job_id, rows, cols })
    }

    /// Has a running job's keeper do something.
    async fn request(&self, id: &str, request: &Request) -> Result<(), Fault> {
        let over = || Fault::new(code::NOT_RUNNING, format!("job `{id}` has ended")).of_job(id);
        let mut phase = self.phase(id)?;
        let begun = phase.wait_for(|phase| *phase != Phase::Starting).await.map_err(|_| over())?.clone();
        if !matches!(begun, Phase::Running(_)) {
            return Err(over());
        }
        let asked = self.ask(id, request).await;
        match asked {
            Ok((Report::Running { .. }, _)) => Ok(()),
            Ok((Report::Failed(words), _)) => Err(bad(&format!("job `{id}`: {words}")).of_job(id)),
            Ok((Report::Full, _)) => {
                let words = format!("job `{id}` does not read what was written to it; write again later");
                Err(Fault::new(code::BUSY, words).of_job(id))
            }
            // It went while it was asked; its end is noted in a moment.
            Err(_) if self.is_gone(id, Duration::from_secs(2)).await? => Err(over()),
            Err(error) => {
                Err(Fault::new(code::FAILED, format!("the keeper of job `{id}` does not answer: {error}"))
                    .of_job(id))
            }
        }
    }

    /// Ends a job for which nobody waits any more, and waits until it is gone.
    pub(crate) async fn end(&self, id: &str) {
        if self.request(id, &Request::Kill).await.is_ok() {
            let _ = self.is_gone(id, GONE).await;
        }
    }

    async fn is_gone(&self, id: &str, within: Duration) -> Result<bool, Fault> {
        let mut phase = self.phase(id)?;
        let gone = phase.wait_for(|phase| !matches!(phase, Phase::Starting | Phase::Running(_)));
        Ok(tokio::time::timeout(within, gone).await.is_ok())
    }

    /// Asks a keeper; the connection too, which it ends.
    pub(crate) async fn ask(
        &self,
        id: &str,
        request: &Request,
    ) -> io::Result<(Report, BufReader<UnixStream>)> {
        let asking = async {
            let mut line = serde_json::to_vec(request)?;
            line.push(b'\n');
            let mut keeper = UnixStream::connect(self.store().socket(id)).await?;
            keeper.write_all(&line).await?;
            let (mut keeper, mut text) = (BufReader::with_capacity(1024, keeper), String::new());
            (&mut keeper).take(64 << 10).read_line(&mut text).await?;
            Ok((serde_json::from_str(&text)?, keeper))
        };
        tokio::time::timeout(ANSWER, asking).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    }
}
