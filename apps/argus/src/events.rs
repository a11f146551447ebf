//! `argus events`: what sessions are to hear of, and something for them to hear of.

use std::process::ExitCode;

use argus_protocol::argus::system_event::{
    ENQUEUE, Enqueue, Enqueued, LIST, List, Listed, QueueKind, Standing, State,
};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::local::Where;
use crate::shown::{on_one_line, utc};

/// Nothing else: what waits, oldest first, then what turns took, newest first.
#[derive(Args)]
pub(crate) struct Events {
    #[command(flatten)]
    place: Where,
    /// Which session [default: the default one]
    #[arg(long, value_name = "ID", global = true)]
    session: Option<String>,
    /// How many at most, up to 500 [default: 50]
    #[arg(long, value_name = "COUNT")]
    limit: Option<u32>,
    /// As JSON
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    deed: Option<Deed>,
}

#[derive(Subcommand)]
enum Deed {
    /// Tell a session of something; its next turn, or one of its own soon, hears of it
    Add {
        /// What happened
        text: String,
        /// Which kind, in a word [default: system]
        #[arg(long, value_name = "WORD")]
        kind: Option<String>,
        /// Which thread of it [default: its main thread]
        #[arg(long, value_name = "ID")]
        thread: Option<String>,
        /// Names this very event: the same key again changes nothing
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
    },
}

pub(crate) async fn run(events: Events) -> anyhow::Result<ExitCode> {
    let Events { place, session: session_id, limit, json: as_json, deed } = events;
    let gateway = place.find()?;
    let Some(Deed::Add { text, kind, thread: thread_id, key: idempotency_key }) = deed else {
        let wish = List { limit, session_id };
        if as_json {
            let listed: Value = gateway.call(LIST, json!(wish)).await?;
            println!("{listed:#}");
        } else {
            show(&gateway.call(LIST, json!(wish)).await?);
        }
        return Ok(ExitCode::SUCCESS);
    };
    let event = Enqueue { text, kind, meta: None, thread_id, target: None, idempotency_key, session_id };
    let told: Enqueued = gateway.call(ENQUEUE, json!(event)).await?;
    println!("{}", told.event.event_id);
    Ok(ExitCode::SUCCESS)
}

fn show(listed: &Listed) {
    for one in &listed.events {
        println!("{}", line(one));
    }
    if listed.events.is_empty() {
        eprintln!("Session {} has heard of nothing and is to hear of nothing.", listed.session_id);
    }
}

/// One event: how far it is, when, for which thread, which kind, what.
fn line(one: &Standing) -> String {
    let state = match one.state {
        State::Waiting => "waiting",
        State::Carried => "carried",
        State::Taken => "taken",
    };
    let thread = match (&one.queue, &one.thread_id) {
        (QueueKind::Thread, Some(thread)) => thread.as_str(),
        (QueueKind::Main | QueueKind::Thread, _) => "main",
    };
    let at = utc(one.event.created_at_ms);
    format!(
        "{state:7}  {at}  {}  {}  {}",
        on_one_line(thread),
        on_one_line(&one.event.kind),
        on_one_line(&one.event.text)
    )
}

#[cfg(test)]
mod tests {
    use argus_protocol::argus::system_event::Event;
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Alone {
        #[command(flatten)]
        events: Events,
    }

    #[test]
    fn an_event_is_one_line_that_steers_no_terminal() {
        let one = Standing {
            event: Event {
                event_id: "0".repeat(32),
                kind: "node".into(),
                text: "Node\u{1b}[2J\nconnected".into(),
                created_at_ms: 1_763_370_000_123,
                meta: None,
            },
            queue: QueueKind::Main,
            thread_id: Some("t1".parse().unwrap()),
            state: State::Taken,
            submission_id: None,
            taken_at_ms: Some(1),
        };
        assert_eq!(line(&one), "taken    2025-11-17T09:00:00Z  main  node  Node [2J connected");
        let aside = Standing { queue: QueueKind::Thread, state: State::Waiting, ..one };
        assert_eq!(line(&aside), "waiting  2025-11-17T09:00:00Z  t1  node  Node [2J connected");
    }

    #[test]
    fn an_event_is_added_by_what_happened_alone() {
        let parse = |words: &[&str]| {
            let words = std::iter::once("events").chain(words.iter().copied());
            Alone::try_parse_from(words).map(|alone| alone.events).map_err(|error| error.to_string())
        };
        let Ok(Events { deed: Some(Deed::Add { text, kind, .. }), .. }) = parse(&["add", "disk full"]) else {
            panic!("not added")
        };
        assert_eq!((text.as_str(), kind), ("disk full", None));
        let Ok(Events { deed: None, session, limit, json, .. }) =
            parse(&["--session", "s", "--limit", "3", "--json"])
        else {
            panic!("not listed")
        };
        assert_eq!((session.as_deref(), limit, json), (Some("s"), Some(3), true));
        let Ok(Events { session, .. }) = parse(&["add", "x", "--session", "s"]) else { panic!("not added") };
        assert_eq!(session.as_deref(), Some("s"));
        assert!(parse(&["add"]).is_err());
    }
}
