//! `argus state`: whether a home's `state.json` can be used and what is in it, and its version before the last change back
//! in place. Needs no gateway.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::bail;
use argus_gateway::store::state_file::{self, SessionSurvey, Survey};
use clap::{Args, Subcommand};

/// What to do with it.
#[derive(Args)]
pub(crate) struct State {
    #[command(subcommand)]
    deed: Deed,
}

#[derive(Subcommand)]
enum Deed {
    /// Tell whether it can be used, and what is in it; exit code 1 when it cannot
    Check(Home),
    /// Put state.json.bak, the version before the last change, in its place; the one that was there is kept beside it
    Restore(Home),
}

#[derive(Args)]
struct Home {
    /// Folder of everything Argus keeps [default: ~/.argus]
    #[arg(long, env = "ARGUS_HOME", value_name = "DIR")]
    home: Option<String>,
}

impl Home {
    fn find(&self) -> anyhow::Result<PathBuf> {
        crate::local::home(self.home.as_deref())
    }
}

pub(crate) fn run(state: &State) -> anyhow::Result<ExitCode> {
    match &state.deed {
        Deed::Check(home) => check(&home.find()?.join("gateway/state.json"))?,
        Deed::Restore(home) => restore(&home.find()?)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn check(path: &std::path::Path) -> anyhow::Result<()> {
    let survey = match state_file::survey(path, SystemTime::now()) {
        Ok(Some(survey)) => survey,
        Ok(None) => {
            println!("there is no {}: a gateway begins anew", path.display());
            return Ok(());
        }
        Err(error) => bail!("{}", printable(&format!("{error}. {}", of_the_one_before(path)))),
    };
    for line in lines(&survey) {
        println!("{}", printable(&line));
    }
    Ok(())
}

/// Whether to restore would help.
fn of_the_one_before(path: &std::path::Path) -> &'static str {
    match state_file::survey(&path.with_extension("json.bak"), SystemTime::now()) {
        Ok(Some(_)) => "The version before its last change can be used",
        Ok(None) => "There is no version before its last change",
        Err(_) => "The version before its last change cannot be used either",
    }
}

fn restore(home: &std::path::Path) -> anyhow::Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let restored = state_file::restore(home, now)?;
    println!("{} is as it was before its last change", restored.path.display());
    if let Some(kept) = restored.kept {
        println!("what stood there is kept as {}", kept.display());
    }
    Ok(())
}

fn lines(survey: &Survey) -> Vec<String> {
    let default =
        survey.default_session.as_ref().map_or_else(String::new, |id| format!(", default session {id}"));
    let head = format!(
        "{} can be used: version 1, sessions {}{default}",
        survey.path.display(),
        survey.sessions.len()
    );
    let sessions = survey.sessions.iter().flat_map(of_session);
    let warnings = survey.warnings.iter().map(|warning| format!("  {warning}"));
    std::iter::once(head).chain(sessions).chain(warnings).collect()
}

fn of_session(session: &SessionSurvey) -> Vec<String> {
    let mut told = vec![match &session.main_thread {
        Some(thread) => format!("main thread {thread}"),
        None => "no main thread".to_owned(),
    }];
    told.push(format!("jobs {} ({} enabled)", session.jobs, session.enabled));
    if session.to_take_over > 0 {
        told.push(format!("events to take over {}", session.to_take_over));
    }
    if session.paused {
        told.push("paused".to_owned());
    }
    let head = format!("  session {}: {}", session.session, told.join(", "));
    let troubles = session.troubles.iter();
    let troubles =
        troubles.map(|job| format!("    job {} is never due: `{}`: {}", job.job, job.expr, job.reason));
    std::iter::once(head).chain(troubles).collect()
}

/// Whatever stands in the file steers no terminal.
fn printable(line: &str) -> String {
    line.chars().filter(|c| !c.is_control()).collect()
}
