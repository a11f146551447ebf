//! `argus cron list|remove|run|pause|resume|history`: jobs that there are.

use std::process::ExitCode;

use argus_protocol::argus::cron::{
    Begun, HISTORY, History, Jobs, Kept, LIST, List, REMOVE, RUN, Removed, Which,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::words::{kept, listed, run_line};
use super::{About, Job};
use crate::local::Local;

/// What the gateway answers: as it is where that is wished, else as words.
pub(super) async fn call<T: DeserializeOwned>(
    gateway: &Local,
    as_json: bool,
    method: &str,
    params: Value,
    tell: impl FnOnce(T),
) -> anyhow::Result<ExitCode> {
    let answer: Value = gateway.call(method, params).await.map_err(hinted)?;
    if as_json {
        println!("{answer}");
    } else {
        tell(serde_json::from_value(answer)?);
    }
    Ok(ExitCode::SUCCESS)
}

/// Where there is no such job, how to find the one that is meant.
fn hinted(error: anyhow::Error) -> anyhow::Error {
    if error.to_string().ends_with("Job not found") {
        return anyhow::anyhow!("{error}; `argus cron list` shows the jobs of a session");
    }
    error
}

pub(super) async fn list(about: About) -> anyhow::Result<ExitCode> {
    let wish = List { include_disabled: Some(true), session_id: about.session };
    let tell = |jobs: Jobs| {
        jobs.jobs.iter().for_each(|job| println!("{}", listed(job)));
        if jobs.jobs.is_empty() {
            eprintln!("No job is scheduled.");
        }
    };
    call(&about.place.find()?, about.json, LIST, json!(wish), tell).await
}

pub(super) async fn remove(job: Job) -> anyhow::Result<ExitCode> {
    let tell = |removed: Removed| eprintln!("The job {} is no more.", removed.job_id);
    about(job, REMOVE, None, tell).await
}

pub(super) async fn run(job: Job) -> anyhow::Result<ExitCode> {
    let tell = |begun: Begun| {
        println!("{}", begun.run);
        eprintln!("It runs; `argus cron history {}` tells how it ends.", begun.job_id);
    };
    about(job, RUN, None, tell).await
}

/// Pauses it, or lets it go on.
pub(super) async fn change(job: Job, method: &str) -> anyhow::Result<ExitCode> {
    about(job, method, None, |answer: Kept| print!("{}", kept(&answer))).await
}

pub(super) async fn history(job: Job, limit: u32) -> anyhow::Result<ExitCode> {
    let tell = |history: History| {
        history.runs.iter().for_each(|run| println!("{}", run_line(run)));
        if history.runs.is_empty() {
            eprintln!("It did not run yet.");
        }
    };
    about(job, HISTORY, Some(limit), tell).await
}

async fn about<T: DeserializeOwned>(
    job: Job,
    method: &str,
    limit: Option<u32>,
    tell: impl FnOnce(T),
) -> anyhow::Result<ExitCode> {
    let which = Which { job_id: Some(job.id), limit, session_id: job.about.session };
    call(&job.about.place.find()?, job.about.json, method, json!(which), tell).await
}
