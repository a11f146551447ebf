//! Looks after a job until its keeper is gone, and then notes how it ended.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::Jobs;
use super::meta::{Fate, Meta};
use super::start::Kept;
use crate::keeper::words::{Exit, Report, Request, now_ms};

/// How long to wait before a keeper that lives and does not answer is asked again.
const AGAIN: Duration = Duration::from_millis(300);

impl Jobs {
    /// Looks after a job that we started, or that an earlier program did.
    pub(crate) async fn look_after(self, id: String, kept: Option<Kept>) {
        let stop = self.0.stop.clone();
        let Some(exit) = stop.run_until_cancelled(self.until_the_end(&id, kept)).await else { return };
        let written = self.store().written(&id);
        let at_ms = exit.as_ref().map_or_else(now_ms, |exit| exit.ended_at_ms);
        let orphaned = exit.is_none();
        let end = move |meta: &mut Meta| meta.end(exit.clone(), at_ms, written);
        if orphaned {
            tracing::warn!(job = id, "a job's keeper is gone; how the job ended is not known");
            self.note(&id, end.clone()).await;
        }
        let told = self.store().read(&id).is_ok_and(|mut meta| {
            end(&mut meta);
            !meta.is_untold()
        });
        // Whoever waits need not wait for our note: the keeper's own is on disk.
        self.index().ended(&id, at_ms, written.0 + written.1, told);
        self.something_ended();
        self.note(&id, end).await;
        let _ = self.aside(Self::prune).await;
    }

    async fn note(&self, id: &str, end: impl FnOnce(&mut Meta) + Send + 'static) {
        let of = id.to_owned();
        match self.aside(move |jobs| jobs.store().change(&of, end)).await {
            // It was told of and forgotten already.
            Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => {}
            Ok(Err(error)) => {
                tracing::error!(%error, job = id, "a job's end cannot be noted; its keeper's word is kept");
            }
            _ => {}
        }
    }

    async fn until_the_end(&self, id: &str, kept: Option<Kept>) -> Option<Exit> {
        if let Some(Kept { mut keeper, line }) = kept {
            silence(line).await;
            // Buried, so that no dead process stays.
            let _ = keeper.wait().await;
        }
        loop {
            match self.store().fate(id) {
                Fate::Ended(exit) => return Some(exit),
                Fate::Orphaned => return None,
                Fate::Running => {}
            }
            match self.ask(id, &Request::Watch).await {
                Ok((Report::Running { pid, started_at_ms }, line)) => {
                    self.index().runs(id, pid, started_at_ms);
                    silence(line).await;
                }
                _ => tokio::time::sleep(AGAIN).await,
            }
        }
    }
}

/// Waits until nothing comes any more: the other side is gone.
async fn silence(mut line: impl AsyncRead + Unpin) {
    let mut bytes = [0; 64];
    while let Ok(1..) = line.read(&mut bytes).await {}
}
