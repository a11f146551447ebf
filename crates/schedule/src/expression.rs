//! A cron expression: read once, asked for the next time.

use std::str::FromStr;

use chrono::{DateTime, Duration, NaiveDateTime, NaiveTime, TimeZone as _, Utc};
use chrono_tz::Tz;

use crate::days::Days;
use crate::error::{Field, Mistake};
use crate::field::{HOURS, MINUTES, MONTHS, SECONDS, YEARS, shown};
use crate::zone;

/// How the fields of an expression stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// `minute hour day month weekday`, as in crontabs.
    #[default]
    Five,
    /// `second minute hour day month weekday`.
    SecondsFirst,
    /// `minute hour day month weekday second [year]`.
    SecondsLast,
}

/// A cron expression.
#[derive(Clone, Debug)]
pub struct Expression {
    text: String,
    times: cron::Schedule,
    days: Days,
    /// Whether every hour is meant: such a one is due in both of two hours that the clock shows twice.
    every_hour: bool,
}

/// Longest expression, in bytes.
const LONGEST: usize = 1024;

impl Expression {
    /// Reads an expression: fields of that dialect, or `@hourly`, `@daily`, `@midnight`, `@weekly`, `@monthly`, `@yearly`,
    /// `@annually`. One that is never due after `now` is a mistake too.
    pub fn read(text: &str, dialect: Dialect, now: DateTime<Utc>) -> Result<Self, Mistake> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Mistake::new(Field::Whole, "it is empty"));
        }
        if text.len() > LONGEST {
            return Err(Mistake::new(Field::Whole, format!("it has more than {LONGEST} characters")));
        }
        let expression = match text.strip_prefix('@') {
            Some(name) => Self::named(text, name)?,
            None => Self::fields(text, dialect)?,
        };
        if expression.next_after(now, Tz::UTC).is_none() {
            return Err(Mistake::new(Field::Whole, "it names no day that will ever come"));
        }
        Ok(expression)
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn named(text: &str, name: &str) -> Result<Self, Mistake> {
        let fields = match name.to_ascii_lowercase().as_str() {
            "hourly" => "0 * * * *",
            "daily" | "midnight" => "0 0 * * *",
            "weekly" => "0 0 * * 0",
            "monthly" => "0 0 1 * *",
            "yearly" | "annually" => "0 0 1 1 *",
            _ => {
                let words = "is not known; there are @hourly, @daily, @weekly, @monthly and @yearly";
                return Err(Mistake::new(Field::Whole, format!("`{}` {words}", shown(text))));
            }
        };
        Ok(Self { text: text.to_owned(), ..Self::fields(fields, Dialect::Five)? })
    }

    fn fields(text: &str, dialect: Dialect) -> Result<Self, Mistake> {
        let fields: Vec<_> = text.split_whitespace().collect();
        let (second, minute, hour, day, month, weekday, year) = match (dialect, fields.as_slice()) {
            (Dialect::Five, [minute, hour, day, month, weekday]) => {
                ("0", *minute, *hour, *day, *month, *weekday, "*")
            }
            (Dialect::SecondsFirst, [second, minute, hour, day, month, weekday])
            | (Dialect::SecondsLast, [minute, hour, day, month, weekday, second]) => {
                (*second, *minute, *hour, *day, *month, *weekday, "*")
            }
            (Dialect::SecondsLast, [minute, hour, day, month, weekday, second, year]) => {
                (*second, *minute, *hour, *day, *month, *weekday, *year)
            }
            (dialect, fields) => return Err(Mistake::new(Field::Whole, miscounted(dialect, fields.len()))),
        };
        let hours = HOURS.list(hour)?;
        let every_hour = hours.len() == 24 || hour.starts_with('*');
        let lists = [SECONDS.list(second)?, MINUTES.list(minute)?, hours, MONTHS.list(month)?];
        let [at_seconds, at_minutes, at_hours, in_months] = lists.map(|list| joined(&list));
        let in_years = joined(&YEARS.list(year)?);
        let days = Days::read(day, weekday)?;
        // Days are ours to tell: its own rule for them is another one.
        let times = format!("{at_seconds} {at_minutes} {at_hours} * {in_months} * {in_years}");
        let times = cron::Schedule::from_str(&times)
            .map_err(|error| Mistake::new(Field::Whole, format!("it cannot be evaluated: {error}")))?;
        Ok(Self { text: text.to_owned(), times, days, every_hour })
    }

    /// The next time after `after` in that zone; `None` when there is none before the year 2100.
    pub fn next_after(&self, after: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        if self.every_hour && zone::jumps_about(after, zone) {
            return self.next_about_a_jump(after, zone);
        }
        // What the clock shows later comes later, or at the same instant: where it jumps forward.
        let mut shown = zone::wall(after, zone);
        loop {
            shown = self.next_shown(shown)?;
            if let Some(at) = zone::first(shown, zone).filter(|at| *at > after) {
                return Some(at);
            }
        }
    }

    /// The same where the clock may show a time twice and both are meant: what it shows later may come earlier.
    fn next_about_a_jump(&self, after: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        let wall = zone::wall(after, zone);
        let mut shown = wall - Duration::hours(4);
        let mut best: Option<DateTime<Utc>> = None;
        loop {
            shown = match self.next_shown(shown) {
                Some(shown) => shown,
                None => return best,
            };
            let instants = [zone::first(shown, zone), zone::second(shown, zone)];
            for at in instants.into_iter().flatten().filter(|at| *at > after) {
                best = Some(best.map_or(at, |best| best.min(at)));
            }
            // Nothing that is shown so much later comes earlier.
            if best.is_some_and(|best| shown > zone::wall(best, zone) + Duration::hours(4)) {
                return best;
            }
        }
    }

    /// What the clock shows next when something is due.
    fn next_shown(&self, after: NaiveDateTime) -> Option<NaiveDateTime> {
        let mut after = after;
        loop {
            let next = self.times.after(&Utc.from_utc_datetime(&after)).next()?.naive_utc();
            if self.days.hold(next.date()) {
                return Some(next);
            }
            // Nothing is due that day: on to its end.
            after = next.date().and_time(NaiveTime::from_hms_opt(23, 59, 59)?);
        }
    }
}

fn joined(list: &std::collections::BTreeSet<u32>) -> String {
    list.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
}

fn miscounted(dialect: Dialect, count: usize) -> String {
    let wanted = match dialect {
        Dialect::Five => "five fields: minute, hour, day of the month, month, day of the week",
        Dialect::SecondsFirst => "six fields: second, minute, hour, day of the month, month, day of the week",
        Dialect::SecondsLast => {
            "six or seven fields: minute, hour, day of the month, month, day of the week, second, year"
        }
    };
    let hint = match (dialect, count) {
        (Dialect::Five, 6 | 7) => "; say where the seconds are to have six",
        _ => "",
    };
    format!("it has {count} fields where there must be {wanted}{hint}")
}
