//! What `system.run` answers.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use argus_protocol::node::{Fault, code};
use serde::Serialize;

use super::Jobs;
use super::meta::{Meta, STREAM};
use super::page::{Cut, last, tail};
use crate::call::{Answer, told};
use crate::keeper::words::{Cause, file};

/// The characters of a tail.
pub(crate) const TAIL: usize = 4000;

/// Bytes that are read faster than somebody else can be had to read them.
const LITTLE: u64 = 64 << 10;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Finished<'a> {
    job_id: &'a str,
    running: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    orphaned: bool,
    argv: &'a [String],
    cwd: &'a str,
    timeout_ms: Option<u64>,
    yield_ms: u64,
    pid: Option<i32>,
    exit_code: Option<i64>,
    signal: Option<&'a str>,
    timed_out: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<Cause>,
    #[serde(flatten)]
    streams: Streams,
}

/// The last of what a job wrote.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Streams {
    stdout: String,
    stderr: String,
    stdout_bytes: u64,
    stderr_bytes: u64,
    stdout_truncated: bool,
    stderr_truncated: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SoFar<'a> {
    job_id: &'a str,
    running: bool,
    argv: &'a [String],
    cwd: &'a str,
    timeout_ms: Option<u64>,
    yield_ms: u64,
    pid: Option<i32>,
    stdout_tail: String,
    stderr_tail: String,
    stdout_bytes: u64,
    stderr_bytes: u64,
}

impl Jobs {
    /// The job has ended.
    pub(crate) async fn finished(&self, id: &str) -> Answer {
        let id = id.to_owned();
        let (out, err) = self.store().written(&id);
        if out + err <= LITTLE {
            return self.whole(&id);
        }
        self.aside(move |jobs| jobs.whole(&id)).await?
    }

    fn whole(&self, id: &str) -> Answer {
        let meta = self.meta(id)?;
        told(&Finished {
            job_id: id,
            running: false,
            orphaned: meta.orphaned,
            argv: &meta.argv,
            cwd: &meta.cwd,
            timeout_ms: meta.timeout_ms,
            yield_ms: meta.yield_ms,
            pid: meta.pid,
            exit_code: meta.exit_code,
            signal: meta.signal.as_deref(),
            timed_out: meta.timed_out,
            cause: meta.cause,
            streams: self.streams(id, STREAM)?,
        })
    }

    /// The job runs on.
    pub(crate) async fn so_far(&self, id: &str) -> Answer {
        let id = id.to_owned();
        self.aside(move |jobs| {
            // Whoever hears that it runs must be able to hear how it ended.
            let settled = jobs.store().settle(&id);
            settled.map_err(|error| {
                Fault::new(code::FAILED, format!("job `{id}` cannot be put on disk: {error}")).of_job(&id)
            })?;
            let Meta { argv, cwd, timeout_ms, yield_ms, pid, .. } = jobs.meta(&id)?;
            let (stdout_tail, stderr_tail) = jobs.tails(&id)?;
            let (stdout_bytes, stderr_bytes) = jobs.store().written(&id);
            told(&SoFar {
                job_id: &id,
                running: true,
                argv: &argv,
                cwd: &cwd,
                timeout_ms,
                yield_ms,
                pid,
                stdout_tail,
                stderr_tail,
                stdout_bytes,
                stderr_bytes,
            })
        })
        .await?
    }

    /// The last so many bytes of what a job wrote.
    pub(crate) fn streams(&self, id: &str, most: u64) -> Result<Streams, Fault> {
        let folder = self.store().folder(id);
        let (stdout, stdout_bytes) = end_of(&folder.join(file::STDOUT), most).map_err(|e| unread(id, &e))?;
        let (stderr, stderr_bytes) = end_of(&folder.join(file::STDERR), most).map_err(|e| unread(id, &e))?;
        Ok(Streams {
            stdout,
            stderr,
            stdout_bytes,
            stderr_bytes,
            stdout_truncated: stdout_bytes > most,
            stderr_truncated: stderr_bytes > most,
        })
    }

    /// The last characters of a job's output and of its complaints.
    pub(crate) fn tails(&self, id: &str) -> Result<(String, String), Fault> {
        let streams = self.streams(id, TAIL as u64 * 4)?;
        Ok((tail(&streams.stdout, TAIL).to_owned(), tail(&streams.stderr, TAIL).to_owned()))
    }
}

/// What a job wrote cannot be read.
pub(crate) fn unread(id: &str, error: &io::Error) -> Fault {
    Fault::new(code::FAILED, format!("what job `{id}` wrote cannot be read: {error}"))
}

/// The end of a file as text, and the size of the whole; a file that was never made is empty.
fn end_of(path: &Path, most: u64) -> io::Result<(String, u64)> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((String::new(), 0)),
        opened => opened?,
    };
    let size = file.metadata()?.len();
    let from = size.saturating_sub(most);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(size - from).read_to_end(&mut bytes)?;
    Ok((last(&bytes, if from > 0 { Cut::Before } else { Cut::Nothing }), size))
}
