//! `argus cron`: scheduled jobs, and when a cron expression is due.

mod jobs;
mod new;
mod next;
mod words;

use std::process::ExitCode;

use argus_protocol::argus::cron as wire;
use clap::{Args, Subcommand, ValueEnum};

use crate::local::{Where, block_on};

/// What to do about scheduled jobs.
#[derive(Args)]
pub(crate) struct Cron {
    #[command(subcommand)]
    deed: Deed,
}

#[derive(Subcommand)]
enum Deed {
    /// Show when an expression is due next: `minute hour day month weekday`, or @daily and the like
    Next(next::Next),
    /// List the jobs of a session
    List(About),
    /// Add a job, or replace the one of that id: EXPRESSION TEXT, or TEXT with --at or --every
    Add(Box<new::New>),
    /// Remove a job; its history stays
    Remove(Job),
    /// Run a job now, also one that is paused
    Run(Job),
    /// Pause a job: it is not due any more
    Pause(Job),
    /// Let a job be due again, from now on
    Resume(Job),
    /// Show the runs of a job, the newest first
    History {
        #[command(flatten)]
        job: Job,
        /// How many
        #[arg(long, value_name = "COUNT", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=200))]
        limit: u32,
    },
}

/// Which gateway and session, and how to tell.
#[derive(Args)]
struct About {
    #[command(flatten)]
    place: Where,
    /// The session [default: the default one]
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// What the gateway answers, as JSON
    #[arg(long)]
    json: bool,
}

/// One job.
#[derive(Args)]
struct Job {
    /// Its id, as `argus cron list` shows it
    id: String,
    #[command(flatten)]
    about: About,
}

#[derive(Clone, Copy, ValueEnum)]
enum Seconds {
    First,
    Last,
}

impl From<Seconds> for wire::Seconds {
    fn from(seconds: Seconds) -> Self {
        match seconds {
            Seconds::First => Self::First,
            Seconds::Last => Self::Last,
        }
    }
}

/// Does it; the exit code is that of wrong settings where an expression cannot be understood.
pub(crate) fn run(cron: Cron) -> ExitCode {
    match cron.deed {
        Deed::Next(next) => next::run(&next),
        Deed::List(about) => block_on(jobs::list(about)),
        Deed::Add(new) => block_on(new::add(*new)),
        Deed::Remove(job) => block_on(jobs::remove(job)),
        Deed::Run(job) => block_on(jobs::run(job)),
        Deed::Pause(job) => block_on(jobs::change(job, wire::PAUSE)),
        Deed::Resume(job) => block_on(jobs::change(job, wire::RESUME)),
        Deed::History { job, limit } => block_on(jobs::history(job, limit)),
    }
}
