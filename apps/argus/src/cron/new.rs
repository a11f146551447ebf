//! `argus cron add`: a job from what a person writes.

use std::process::ExitCode;

use anyhow::bail;
use argus_protocol::argus::cron::{ADD, JobThread, Kept, Missed, Wish};
use argus_protocol::argus::deliver::Deliver;
use clap::Args;
use serde_json::json;

use super::jobs::call;
use super::words::kept;
use super::{About, Seconds};

/// A job to be added.
#[derive(Args)]
pub(super) struct New {
    /// When and what: an expression and a text; with --at or --every the text alone
    #[arg(value_name = "EXPRESSION TEXT", required = true, num_args = 1..=2)]
    words: Vec<String>,
    /// The only time: RFC 3339, or '2026-12-24 08:00' as the clock of its zone shows it
    #[arg(long, value_name = "TIME", conflicts_with = "every")]
    at: Option<String>,
    /// Again after so long: seconds, or a number with s, m, h or d, such as 90m
    #[arg(long, value_name = "TIME", value_parser = millis)]
    every: Option<u64>,
    /// What to call it
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Its time zone, by its IANA name such as Europe/Berlin [default: the gateway's, `ARGUS_TIMEZONE`]
    #[arg(long, value_name = "ZONE")]
    tz: Option<String>,
    /// Where the seconds are, where the expression has any; with `last`, a year may follow them
    #[arg(long, value_enum, value_name = "PLACE")]
    seconds: Option<Seconds>,
    /// Its id; the job that has it is replaced [default: a new one]
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// Run each time in a new thread
    #[arg(long)]
    own_thread: bool,
    /// How many of these threads to keep [default: 10]
    #[arg(long, value_name = "COUNT", requires = "own_thread")]
    keep: Option<u32>,
    /// Where its answer goes: home, last, none or a chat such as telegram:7 [default: home]
    #[arg(long, value_name = "PLACE")]
    deliver: Option<Deliver>,
    /// What becomes of times that pass while no gateway runs: skip, once, all or all:COUNT [default: once]
    #[arg(long, value_name = "WORD", value_parser = missed)]
    missed: Option<MissedTimes>,
    /// Add it paused
    #[arg(long)]
    disabled: bool,
    #[command(flatten)]
    about: About,
}

/// A policy, and how many times are made up for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct MissedTimes(Missed, Option<u32>);

pub(super) async fn add(mut new: New) -> anyhow::Result<ExitCode> {
    let (place, json) = (std::mem::take(&mut new.about.place), new.about.json);
    let wish = wish(new)?;
    call(&place.find()?, json, ADD, json!(wish), |answer: Kept| print!("{}", kept(&answer))).await
}

fn wish(new: New) -> anyhow::Result<Wish> {
    let mut words = new.words.into_iter();
    let (expr, text) = match (words.next(), words.next(), new.at.is_some() || new.every.is_some()) {
        (text, None, true) => (None, text),
        (expr, text @ Some(_), false) => (expr, text),
        (_, None, false) => bail!("say when and what: argus cron add '0 9 * * mon-fri' 'What to do'"),
        (_, Some(_), true) => bail!("with --at or --every there is no expression, only a text"),
    };
    Ok(Wish {
        job_id: new.id,
        name: new.name,
        expr,
        seconds: new.seconds.map(Into::into),
        at: new.at,
        at_ms: None,
        every_ms: new.every,
        tz: new.tz,
        text,
        enabled: new.disabled.then_some(false),
        missed: new.missed.map(|missed| missed.0),
        missed_most: new.missed.and_then(|missed| missed.1),
        thread: new.own_thread.then_some(JobThread::Own),
        keep: new.keep,
        deliver: new.deliver,
        session_id: new.about.session,
    })
}

fn missed(text: &str) -> Result<MissedTimes, String> {
    match (text, text.strip_prefix("all:").map(str::parse)) {
        ("skip", _) => Ok(MissedTimes(Missed::Skip, None)),
        ("once", _) => Ok(MissedTimes(Missed::Once, None)),
        ("all", _) => Ok(MissedTimes(Missed::All, None)),
        (_, Some(Ok(most))) => Ok(MissedTimes(Missed::All, Some(most))),
        _ => Err("expected skip, once, all or all:COUNT".to_owned()),
    }
}

/// `90`, `90s`, `90m`, `12h`, `7d`
fn millis(text: &str) -> Result<u64, String> {
    let expected = || "expected seconds, or a number with s, m, h or d, such as 90m".to_owned();
    let unit = |c: char| match c {
        's' => Some(1_000),
        'm' => Some(60_000),
        'h' => Some(3_600_000),
        'd' => Some(86_400_000),
        _ => None,
    };
    let (number, unit) = match text.chars().last().and_then(|last| Some((last, unit(last)?))) {
        Some((last, unit)) => (text.trim_end_matches(last), unit),
        None => (text, 1_000),
    };
    number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit)).ok_or_else(expected)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Alone {
        #[command(flatten)]
        new: New,
    }

    fn read(args: &[&str]) -> Result<serde_json::Value, String> {
        let args = std::iter::once("add").chain(args.iter().copied());
        let alone = Alone::try_parse_from(args).map_err(|error| error.to_string())?;
        wish(alone.new).map(|wish| json!(wish)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_job_is_read_as_it_is_written() {
        assert_eq!(
            read(&["0 9 * * *", "Look at the mail"]),
            Ok(json!({ "expr": "0 9 * * *", "text": "Look at the mail" }))
        );
        assert_eq!(
            read(&["--at", "2026-12-24 08:00", "--tz", "Asia/Shanghai", "x", "--deliver", "telegram:-7"]),
            Ok(
                json!({ "at": "2026-12-24 08:00", "tz": "Asia/Shanghai", "text": "x", "deliver": "telegram:-7" })
            )
        );
        assert_eq!(
            read(&["--every", "90m", "x", "--own-thread", "--keep", "3", "--missed", "all:5", "--disabled"]),
            Ok(json!({
                "everyMs": 5_400_000, "text": "x", "thread": "own", "keep": 3, "missed": "all", "missedMost": 5,
                "enabled": false
            }))
        );
    }

    #[test]
    fn a_job_without_a_time_or_with_two_is_refused() {
        assert!(read(&["x"]).unwrap_err().contains("say when and what"));
        assert!(read(&["--every", "1h", "* * * * *", "x"]).unwrap_err().contains("only a text"));
        assert!(read(&["--every", "1h", "--at", "2026-12-24 08:00", "x"]).is_err());
        for every in ["", "m", "1w", "-1m", "99999999999999999999d", "9999999999999999d"] {
            assert!(read(&[&format!("--every={every}"), "x"]).is_err(), "{every}");
        }
        assert!(read(&["--missed", "some", "* * * * *", "x"]).is_err());
    }
}
