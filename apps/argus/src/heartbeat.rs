//! `argus heartbeat`: how a session's heartbeats stand, and one now.

use std::process::ExitCode;

use argus_protocol::argus::heartbeat::{REQUEST, STATUS, Status};
use argus_protocol::argus::{SessionParams, automation};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::local::Where;
use crate::shown::utc;

/// What is told of a session that is paused.
const PAUSED: &str = "none comes of itself: paused until `argus automation resume`";

/// What to do with heartbeats.
#[derive(Args)]
pub(crate) struct Heartbeat {
    #[command(flatten)]
    place: Where,
    /// Which session [default: the default one]
    #[arg(long, value_name = "ID", global = true)]
    session: Option<String>,
    /// As JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    deed: Deed,
}

#[derive(Subcommand)]
enum Deed {
    /// Have the session look now whether there is something to do, whatever the time and its tasks
    Now,
    /// Show when it looks next, how the last time went, and what was done unasked today
    Status,
}

pub(crate) async fn run(heartbeat: Heartbeat) -> anyhow::Result<ExitCode> {
    let Heartbeat { place, session: session_id, json: as_json, deed } = heartbeat;
    let gateway = place.find()?;
    let session = json!(SessionParams { session_id });
    match (deed, as_json) {
        (Deed::Now, _) => {
            let asked: Value = gateway.call(REQUEST, session).await?;
            if as_json {
                println!("{asked:#}");
            } else {
                eprintln!("A heartbeat begins as soon as its thread is free.");
            }
        }
        (Deed::Status, true) => {
            let status: Value = gateway.call(STATUS, session).await?;
            println!("{status:#}");
        }
        (Deed::Status, false) => {
            let automation: automation::Status = gateway.call(automation::STATUS, session.clone()).await?;
            let status = gateway.call(STATUS, session).await?;
            for line in lines(&status, automation.paused.then_some(PAUSED)) {
                println!("{line}");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What is shown of it; where something holds all of them, that instead of the next time.
fn lines(status: &Status, held: Option<&str>) -> Vec<String> {
    let next = match (status.every_ms, status.next_due_at_ms) {
        (None, _) => "none comes of itself (ARGUS_HEARTBEAT_SECONDS is 0)".to_owned(),
        (Some(_), Some(due)) if status.has_tasks => utc(due),
        (Some(_), None) if status.has_tasks => "not set yet".to_owned(),
        (Some(_), _) => "none: HEARTBEAT.md has no tasks".to_owned(),
    };
    let next = held.map_or(next, str::to_owned);
    let last = match (status.open, status.last_at_ms, status.outcome.as_deref()) {
        (true, Some(at), _) => format!("{}, not ended yet", utc(at)),
        (_, Some(at), Some(outcome)) => format!("{}, {outcome}", utc(at)),
        (_, Some(at), None) => utc(at),
        (_, None, _) => "none".to_owned(),
    };
    let of = |used: u64, most: u64| {
        if most == 0 { format!("{used}, no limit") } else { format!("{used} of {most}") }
    };
    let mut lines = vec![
        format!("session       {}", status.session_id),
        format!("next          {next}"),
        format!("last          {last}"),
    ];
    if status.failures > 0 {
        let rest = status.retry_at_ms.map_or_else(String::new, |at| format!(", not before {}", utc(at)));
        lines.push(format!("failures      {} in a row{rest}", status.failures));
    }
    lines.push(format!("turns today   {}", of(status.turns_today, status.turns_per_day)));
    lines.push(format!("tokens today  {}", of(status.tokens_today, status.tokens_per_day)));
    lines
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Alone {
        #[command(flatten)]
        heartbeat: Heartbeat,
    }

    fn status() -> Status {
        Status {
            session_id: "s1".parse().unwrap(),
            every_ms: Some(1_800_000),
            next_due_at_ms: Some(1_763_370_000_000),
            last_at_ms: Some(1_763_368_200_000),
            outcome: Some("failed".into()),
            failures: 2,
            retry_at_ms: Some(1_763_368_210_000),
            has_tasks: true,
            open: false,
            turns_today: 3,
            turns_per_day: 300,
            tokens_today: 4000,
            tokens_per_day: 0,
        }
    }

    #[test]
    fn a_status_says_when_and_how_and_what_was_used() {
        assert_eq!(
            lines(&status(), None),
            [
                "session       s1",
                "next          2025-11-17T09:00:00Z",
                "last          2025-11-17T08:30:00Z, failed",
                "failures      2 in a row, not before 2025-11-17T08:30:10Z",
                "turns today   3 of 300",
                "tokens today  4000, no limit",
            ]
        );
        let idle = Status { has_tasks: false, last_at_ms: None, outcome: None, failures: 0, ..status() };
        assert_eq!(
            lines(&idle, None)[1..3],
            ["next          none: HEARTBEAT.md has no tasks", "last          none"]
        );
        let off = Status { every_ms: None, open: true, outcome: None, ..status() };
        assert_eq!(
            lines(&off, None)[1..3],
            [
                "next          none comes of itself (ARGUS_HEARTBEAT_SECONDS is 0)",
                "last          2025-11-17T08:30:00Z, not ended yet"
            ]
        );
    }

    #[test]
    fn of_a_paused_session_the_pause_is_told_and_no_time() {
        assert_eq!(
            lines(&status(), Some(PAUSED))[1],
            "next          none comes of itself: paused until `argus automation resume`"
        );
    }

    #[test]
    fn the_session_may_stand_behind_the_deed() {
        let parsed = Alone::try_parse_from(["heartbeat", "now", "--session", "s1", "--json"]);
        let Ok(Alone { heartbeat: Heartbeat { session, json, deed: Deed::Now, .. } }) =
            parsed.map_err(|error| error.to_string())
        else {
            panic!("not asked")
        };
        assert_eq!((session.as_deref(), json), (Some("s1"), true));
    }
}
