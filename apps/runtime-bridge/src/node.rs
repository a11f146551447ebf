//! The program that makes this runtime a node: started when the gateway wants it, started again when it ends.

use std::convert::Infallible;
use std::process::Stdio;
use std::time::Duration;

use argus_protocol::bridge::{Given, GivenNode};
use tokio::process::Command;
use tokio::time::{Instant, sleep};

use crate::Settings;
use crate::desk::Desk;
use crate::errors::Errors;
use crate::group::{Ending, Group};

/// Between one end and the next start, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// One that lived as long was well: the next pause is a first one.
const WELL: Duration = Duration::from_mins(1);

/// Keeps the node alive for as long as the gateway wants one; what it is given anew makes it start anew.
pub(crate) async fn supervise(desk: &Desk, settings: &Settings) -> Infallible {
    let mut given = desk.given();
    let mut pause = FIRST_PAUSE;
    loop {
        let wanted = given.borrow_and_update().as_ref().and_then(|given| wish(settings, given));
        let Some(command) = wanted else {
            changed(&mut given).await;
            continue;
        };
        let begun = Instant::now();
        match Group::lead(command) {
            Ok(mut node) => {
                tracing::info!("this runtime is a node");
                // Its input stays open for as long as it is to live.
                let pipes = node.pipes();
                let (input, errors) =
                    pipes.map_or((None, None), |pipes| (Some(pipes.stdin), Some(pipes.stderr)));
                let words = async {
                    if let Some(errors) = errors {
                        Errors::new("node", errors, settings.log.clone()).relay().await;
                    }
                    std::future::pending().await
                };
                let ending = tokio::select! {
                    () = node.exited() => Ending::Exited,
                    () = changed(&mut given) => Ending::Terminate,
                    ending = words => ending,
                };
                drop(input);
                let exit = node.end(ending).await;
                if ending == Ending::Terminate {
                    pause = FIRST_PAUSE;
                    continue;
                }
                tracing::warn!(%exit, "the node's program ended; it is started again");
            }
            Err(error) => tracing::error!(%error, "the node's program does not start"),
        }
        pause = if begun.elapsed() < WELL { pause } else { FIRST_PAUSE };
        tokio::select! {
            () = sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
            () = changed(&mut given) => pause = FIRST_PAUSE,
        }
    }
}

async fn changed(given: &mut tokio::sync::watch::Receiver<Option<Given>>) {
    if given.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// The node's command, where one is wanted and can be had. It has the agent's environment, and its own credential; it ends
/// with its input, so that it does not outlive a bridge that was killed.
fn wish(settings: &Settings, given: &Given) -> Option<Command> {
    let GivenNode { id, display_name, token } = given.node.as_ref()?;
    let [program, first @ ..] = settings.node.as_slice() else { return None };
    let url = given.url.strip_prefix("http").map_or_else(|| given.url.clone(), |rest| format!("ws{rest}"));
    let mut command = Command::new(program);
    command
        .args(first)
        .args(["--allow-all", "--end-with-input"])
        .env_clear()
        .envs(settings.environment.iter().map(|(name, value)| (name, value)))
        .env("ARGUS_NODE_WS_URL", format!("{url}/nodes/ws"))
        .env("ARGUS_NODE_ID", id)
        .env("ARGUS_NODE_DISPLAY_NAME", display_name)
        .env("ARGUS_NODE_TOKEN", token)
        .envs(settings.session.as_ref().map(|session| ("ARGUS_SESSION_ID", session)))
        .envs(settings.home.as_ref().map(|home| ("APP_HOME", home)))
        .current_dir(&settings.workspace)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Some(command)
}
