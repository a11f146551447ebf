//! `process.list` and `process.get`.

use serde::{Deserialize, Serialize};

use super::Jobs;
use super::index::Phase;
use super::meta::Meta;
use crate::call::{Answer, Call, read, told};

/// The bytes of command lines at which a list says that it is not the whole.
const LONGEST_LIST: usize = 4 << 20;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Of {
    job_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    job_id: String,
    running: bool,
    orphaned: bool,
    pid: Option<i32>,
    argv: Vec<String>,
    cwd: String,
    created_at_ms: u64,
    started_at_ms: Option<u64>,
    ended_at_ms: Option<u64>,
    exit_code: Option<i64>,
    signal: Option<String>,
    timed_out: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct List {
    jobs: Vec<Row>,
    /// Older ones are left out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
}

#[derive(Serialize)]
struct Job {
    job: Meta,
}

impl Jobs {
    /// `process.list`
    pub(crate) async fn list(&self, call: &Call) -> Answer {
        let session = call.asker.session_id.clone();
        self.aside(move |jobs| {
            let ids = jobs.index().ids(session.as_deref());
            let mut metas: Vec<Meta> = ids.iter().filter_map(|id| jobs.meta(id).ok()).collect();
            metas.sort_by(|a, b| {
                let newest = |meta: &Meta| (meta.running, meta.created_at_ms, meta.job_id.clone());
                newest(b).cmp(&newest(a))
            });
            let (all, mut bytes) = (metas.len(), 0);
            let rows = metas.into_iter().map(Row::from).take_while(|row| {
                bytes += row.argv.iter().map(String::len).sum::<usize>() + row.cwd.len();
                bytes <= LONGEST_LIST
            });
            let rows: Vec<Row> = rows.collect();
            told(&List { truncated: rows.len() < all, jobs: rows })
        })
        .await?
    }

    /// `process.get`
    pub(crate) fn get(&self, call: &Call) -> Answer {
        let Of { job_id } = read(call)?;
        let mut job = self.meta(&job_id)?;
        // With it somebody could speak for the session that asked.
        job.ticket = None;
        told(&Job { job })
    }

    /// Whether a job has ended.
    pub(crate) fn has_ended(&self, id: &str) -> bool {
        self.phase(id).is_ok_and(|phase| *phase.borrow() == Phase::Ended)
    }
}

impl From<Meta> for Row {
    fn from(meta: Meta) -> Self {
        Self {
            job_id: meta.job_id,
            running: meta.running,
            orphaned: meta.orphaned,
            pid: meta.pid,
            argv: meta.argv,
            cwd: meta.cwd,
            created_at_ms: meta.created_at_ms,
            started_at_ms: meta.started_at_ms,
            ended_at_ms: meta.ended_at_ms,
            exit_code: meta.exit_code,
            signal: meta.signal,
            timed_out: meta.timed_out,
        }
    }
}
