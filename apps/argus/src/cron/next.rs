//! `argus cron next`: when a cron expression is due.

use std::io::Write as _;
use std::process::ExitCode;

use argus_gateway::program::EXIT_SETTINGS;
use argus_schedule::{DateTime, Dialect, Expression, Tz, Utc};
use clap::Args;
use serde_json::json;

use super::Seconds;

/// An expression, and what to tell of it.
#[derive(Args)]
pub(super) struct Next {
    /// The expression, in quotes
    expression: String,
    /// The time zone, by its IANA name such as Europe/Berlin
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = zone)]
    tz: Tz,
    /// From when on, such as 2026-03-01T00:00:00Z [default: now]
    #[arg(long, value_name = "RFC3339")]
    from: Option<DateTime<Utc>>,
    /// How many times to show
    #[arg(long, value_name = "COUNT", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    count: u32,
    /// Where the seconds are, where there are any; with `last`, a year may follow them
    #[arg(long, value_enum, value_name = "PLACE")]
    seconds: Option<Seconds>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

fn zone(name: &str) -> Result<Tz, String> {
    argus_schedule::zone(name).map_err(|mistake| mistake.to_string())
}

/// Does it; the exit code is that of wrong settings where the expression cannot be understood.
pub(super) fn run(next: &Next) -> ExitCode {
    let dialect = match next.seconds {
        None => Dialect::Five,
        Some(Seconds::First) => Dialect::SecondsFirst,
        Some(Seconds::Last) => Dialect::SecondsLast,
    };
    let from = next.from.unwrap_or_else(|| std::time::SystemTime::now().into());
    let expression = match Expression::read(&next.expression, dialect, from) {
        Ok(expression) => expression,
        Err(mistake) => return crate::complain(&mistake, EXIT_SETTINGS),
    };
    let mut at = from;
    let times = std::iter::from_fn(|| {
        at = expression.next_after(at, next.tz)?;
        Some(at)
    });
    let mut out = std::io::stdout().lock();
    for at in times.take(next.count as usize) {
        let local = at.with_timezone(&next.tz).to_rfc3339();
        let line = if next.json {
            json!({ "utc": at.format("%Y-%m-%dT%H:%M:%SZ").to_string(), "local": local }).to_string()
        } else {
            local
        };
        // Who reads no further has seen enough.
        if writeln!(out, "{line}").is_err() {
            break;
        }
    }
    ExitCode::SUCCESS
}
