//! Starts a job: its folder, then its keeper, then the wait for the keeper's word.

use std::fs::File;
use std::io;
use std::process::Stdio;
use std::time::Duration;

use argus_protocol::node::{Fault, code};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};

use super::Jobs;
use super::meta::Meta;
use crate::keeper::words::{Order, Report, file};

/// How long a keeper may take to start a program.
const START: Duration = Duration::from_secs(30);

/// A keeper that this program started, and its end of the line to it, which ends with the keeper.
pub(crate) struct Kept {
    pub(crate) keeper: Child,
    pub(crate) line: BufReader<ChildStdout>,
}

impl Jobs {
    /// Begins a job that was claimed, and looks after it until its end.
    pub(crate) async fn begin(self, meta: Meta, order: Order) {
        let id = meta.job_id.clone();
        match self.start(meta, order).await {
            Ok((pid, started_at_ms, kept)) => {
                self.index().runs(&id, pid, started_at_ms);
                self.look_after(id, Some(kept)).await;
            }
            Err(fault) => {
                self.index().failed(&id, fault);
                // Should it stay, the next start finds it, ended like a command that a shell does not find.
                let _ = self.aside(move |jobs| jobs.store().remove(&id)).await;
            }
        }
    }

    async fn start(&self, meta: Meta, order: Order) -> Result<(i32, u64, Kept), Fault> {
        let id = meta.job_id.clone();
        let mut complaints = self.store().create(&meta);
        if meta.idempotency_key.is_some() && complaints.is_ok() {
            // Before it begins: also after a failing machine it must be known that it was begun.
            let of = id.clone();
            let settled = self.aside(move |jobs| jobs.store().settle(&of)).await?;
            complaints = settled.and(complaints);
        }
        let complaints = complaints.map_err(|error| {
            Fault::new(
                code::FAILED,
                format!(
                    "the job cannot be put on disk, see to `{}`: {error}",
                    self.0.config.folder.display()
                ),
            )
        })?;
        let begun = match self.spawn(&id, complaints) {
            Ok(keeper) => hand_over(keeper, &order).await,
            Err(error) => Err(error),
        };
        let failed = |words: String| Err(Fault::new(code::SPAWN_FAILED, words));
        match begun {
            Ok((Report::Running { pid, started_at_ms }, kept)) => Ok((pid, started_at_ms, kept)),
            Ok((Report::Failed(words), mut kept)) => {
                let _ = kept.keeper.wait().await;
                failed(words)
            }
            Ok((Report::Full, _)) => failed("its keeper says something strange".to_owned()),
            Err(error) => {
                let complaints = std::fs::read_to_string(self.store().folder(&id).join(file::KEEPER));
                let complaints = complaints.unwrap_or_default();
                failed(format!("the job's keeper cannot be started: {error} {}", complaints.trim()))
            }
        }
    }

    fn spawn(&self, id: &str, complaints: File) -> io::Result<Child> {
        let mut words = self.0.config.keeper.iter();
        let program = words.next().ok_or_else(|| io::Error::other("no keeper is named"))?;
        let mut command = Command::new(program);
        command.args(words).env_clear().current_dir(self.store().folder(id));
        // The lock on the complaints goes over to the keeper with them, and ends with it.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(complaints);
        command.spawn()
    }
}

/// Gives a keeper its order, and hears whether the job runs.
async fn hand_over(mut keeper: Child, order: &Order) -> io::Result<(Report, Kept)> {
    let spoken = tokio::time::timeout(START, speak(&mut keeper, order)).await;
    match spoken.map_err(|_| io::Error::from(io::ErrorKind::TimedOut)).flatten() {
        Ok((report, line)) => Ok((report, Kept { keeper, line })),
        Err(error) => {
            // It does not do what keepers do, and must not begin to later.
            let _ = keeper.kill().await;
            Err(error)
        }
    }
}

async fn speak(keeper: &mut Child, order: &Order) -> io::Result<(Report, BufReader<ChildStdout>)> {
    let order = serde_json::to_vec(order)?;
    let (input, output) = (keeper.stdin.take(), keeper.stdout.take());
    let (Some(mut input), Some(output)) = (input, output) else {
        return Err(io::Error::other("it has no input or output"));
    };
    input.write_all(&order).await?;
    input.shutdown().await?;
    drop(input);
    let (mut line, mut text) = (BufReader::with_capacity(4096, output), String::new());
    (&mut line).take(64 << 10).read_line(&mut text).await?;
    Ok((serde_json::from_str(&text)?, line))
}
