//! `argus automation`: how what sessions do unasked stands, and its pause.

use std::process::ExitCode;

use anyhow::bail;
use argus_protocol::argus::automation::{PAUSE, Pause, RESUME, STATUS, State, Status};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::local::{Local, Where};
use crate::shown::utc;

/// What to do about it.
#[derive(Args)]
pub(crate) struct Automation {
    #[command(flatten)]
    place: Where,
    #[command(subcommand)]
    deed: Deed,
}

#[derive(Subcommand)]
enum Deed {
    /// Begin no heartbeat and no scheduled run until told to again; events wait
    Pause(Which),
    /// Go on; what passed meanwhile is made up for as each job says
    Resume(Which),
    /// Show how it stands; without --session in every session
    Status(Which),
}

#[derive(Args)]
struct Which {
    /// The session [default: the default one]
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(automation: Automation) -> anyhow::Result<ExitCode> {
    let gateway = automation.place.find()?;
    match automation.deed {
        Deed::Pause(which) => change(&gateway, PAUSE, which).await?,
        Deed::Resume(which) => change(&gateway, RESUME, which).await?,
        Deed::Status(which) => status(&gateway, which).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn change(gateway: &Local, method: &str, which: Which) -> anyhow::Result<()> {
    let answer: Value = gateway.call(method, params(which.session)).await?;
    if which.json {
        println!("{answer}");
        return Ok(());
    }
    let Pause { session_id, paused, .. } = serde_json::from_value(answer)?;
    if paused {
        println!("Session {session_id} does nothing unasked until `argus automation resume`.");
    } else {
        println!("Session {session_id} goes on with what it does unasked.");
    }
    Ok(())
}

async fn status(gateway: &Local, which: Which) -> anyhow::Result<()> {
    let answer: Value = match which.session {
        Some(session) => gateway.call(STATUS, params(Some(session))).await?,
        None => match gateway.get("/automation/state").await? {
            (200, state) => state,
            (_, error) => bail!("the gateway says: {}", error["detail"].as_str().unwrap_or_default()),
        },
    };
    if which.json {
        println!("{answer}");
        return Ok(());
    }
    let all = match answer.get("sessions") {
        Some(_) => serde_json::from_value::<State>(answer)?.sessions,
        None => vec![serde_json::from_value::<Status>(answer)?],
    };
    for one in &all {
        println!("{}", line(one));
    }
    if all.is_empty() {
        eprintln!("No session has anything to do unasked.");
    }
    Ok(())
}

fn params(session: Option<String>) -> Value {
    session.map_or_else(|| json!({}), |session| json!({ "sessionId": session }))
}

fn line(status: &Status) -> String {
    let how = if status.paused { "paused" } else { "on" };
    let due =
        status.next_due_at_ms.map_or_else(|| "nothing due".to_owned(), |due| format!("next {}", utc(due)));
    let events = match status.waiting_events {
        0 => "no event waits".to_owned(),
        1 => "1 event waits".to_owned(),
        more => format!("{more} events wait"),
    };
    format!("{}  {how}  {events}  {due}", status.session_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_told_in_one_line() {
        let status = Status {
            session_id: "a1".parse().unwrap(),
            paused: true,
            waiting_events: 2,
            next_due_at_ms: Some(1_763_456_400_000),
        };
        assert_eq!(line(&status), "a1  paused  2 events wait  next 2025-11-18T09:00:00Z");
        let quiet = Status { paused: false, waiting_events: 0, next_due_at_ms: None, ..status };
        assert_eq!(line(&quiet), "a1  on  no event waits  nothing due");
    }
}
