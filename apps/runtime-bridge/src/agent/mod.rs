//! The agent: started when wanted, relayed while it lives, reported when it ends. Never restarted unasked.

mod input;
mod output;
mod starting;

use std::time::Duration;

use tokio::sync::Notify;

use crate::Settings;
use crate::bridge::unix_ms;
use crate::claim::Claim;
use crate::desk::Desk;
use crate::errors::Errors;
use crate::group::{Ending, Group, Pipes};
use crate::inbox::{End, Order};
use output::Output;

/// How long an agent may live on after it closed its output.
const MUTE_LIFE: Duration = Duration::from_secs(2);

/// How long the last words of a dead agent are read, should a process that left its group hold the pipes open.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Runs an agent whenever one is wanted, until the bridge is told to stop.
pub(crate) async fn supervise(desk: &Desk, settings: &Settings, claim: &mut Claim) {
    while desk.order().await == Order::Start {
        let epoch = desk.begin_agent(unix_ms());
        let given = desk.given().borrow().clone();
        match starting::start(settings, given.as_ref()) {
            Ok((group, pipes)) => {
                claim.note(group.id());
                tracing::info!(agent.epoch = epoch, "the agent is started");
                desk.agent_is_up(epoch);
                let (exit, stderr_tail) = live(desk, settings, epoch, group, pipes).await;
                claim.clear();
                tracing::info!(agent.epoch = epoch, %exit, "the agent is down");
                desk.agent_is_down(epoch, exit, stderr_tail);
            }
            Err(reason) => {
                tracing::error!(%reason, "the agent does not start");
                desk.agent_is_down(epoch, reason, None);
            }
        }
    }
}

/// One agent's life; tells how it ended and the end of its error output.
async fn live(
    desk: &Desk,
    settings: &Settings,
    epoch: u64,
    mut group: Group,
    pipes: Pipes,
) -> (String, Option<String>) {
    let mut output = Output::new(pipes.stdout, settings.limits.line_bytes);
    let mut errors = Errors::new("agent", pipes.stderr, settings.log.clone());
    let ending = {
        let mute = async {
            output.relay(desk).await;
            tokio::time::sleep(MUTE_LIFE).await;
        };
        let rest = async {
            tokio::join!(errors.relay(), input::feed(desk, epoch, pipes.stdin));
            std::future::pending().await
        };
        tokio::select! {
            () = group.exited() => Ending::Exited,
            () = mute => Ending::Kill,
            ending = rest => ending,
            ending = ordered(desk) => ending,
        }
    };
    desk.agent_is_ending();
    let ended = Notify::new();
    let end = async {
        let exit = group.end(ending).await;
        ended.notify_one();
        exit
    };
    let last_words = async {
        let enough = async {
            ended.notified().await;
            tokio::time::sleep(LAST_WORDS).await;
        };
        tokio::select! {
            _ = async { tokio::join!(output.drain(desk), errors.relay()) } => {}
            () = enough => {}
        }
    };
    let (exit, ()) = tokio::join!(end, last_words);
    (exit, errors.tail())
}

/// Waits until the agent's time is up by somebody's order.
async fn ordered(desk: &Desk) -> Ending {
    let mut stopping = None;
    loop {
        let sooner = desk.end_ordered(stopping);
        let end = match stopping {
            None => sooner.await,
            Some(grace) => match tokio::time::timeout(grace, sooner).await {
                Ok(end) => end,
                Err(_) => return Ending::Terminate,
            },
        };
        match end {
            End::Kill => return Ending::Kill,
            End::Stop(grace) => stopping = Some(grace),
        }
    }
}
