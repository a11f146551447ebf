//! The forms of day fields that are no plain lists: `L`, `L-3`, `15W`, `LW`, `5#2`, `L5`, `5L`.

use std::collections::BTreeSet;

use chrono::{Datelike as _, NaiveDate};

use crate::error::Mistake;
use crate::field::{DAYS, WEEKDAYS, shown};

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Special {
    /// So many days before the last one of the month.
    Last(u32),
    /// The working day (Monday to Friday) that is nearest to this day, or to the last one of a shorter month; within the month.
    Near(u32),
    /// The last working day of the month.
    LastWorking,
    /// That weekday (0 = Sunday) for the so-manieth time in the month.
    Nth(u32, u32),
    /// That weekday for the last time in the month.
    LastWeekday(u32),
}

/// Reads a day of the month, list and all.
pub(crate) fn days(text: &str) -> Result<(BTreeSet<u32>, Vec<Special>), Mistake> {
    read(text, |item, list| {
        let upper = item.to_ascii_uppercase();
        if upper == "L" {
            return Ok(Some(Special::Last(0)));
        }
        if upper == "LW" || upper == "WL" {
            return Ok(Some(Special::LastWorking));
        }
        if let Some(before) = upper.strip_prefix("L-") {
            let before = before.parse().ok().filter(|days| (1..=30).contains(days));
            let wrong = || DAYS.wrong(format!("`{}`: expected L-1 to L-30", shown(item)));
            return before.map(|days| Some(Special::Last(days))).ok_or_else(wrong);
        }
        let near = upper.strip_suffix('W').or_else(|| upper.strip_prefix('W'));
        if let Some(day) = near {
            return DAYS.number(day).map(|day| Some(Special::Near(day)));
        }
        DAYS.item(item, list).map(|()| None)
    })
}

/// Reads a day of the week, list and all.
pub(crate) fn weekdays(text: &str) -> Result<(BTreeSet<u32>, Vec<Special>), Mistake> {
    read(text, |item, list| {
        if let Some((day, nth)) = item.split_once('#') {
            let day = WEEKDAYS.number(day)? % 7;
            if nth.eq_ignore_ascii_case("l") {
                return Ok(Some(Special::LastWeekday(day)));
            }
            let nth = nth.parse().ok().filter(|nth| (1..=5).contains(nth));
            let wrong = || WEEKDAYS.wrong(format!("`{}`: expected #1 to #5", shown(item)));
            return nth.map(|nth| Some(Special::Nth(day, nth))).ok_or_else(wrong);
        }
        let last = item.strip_prefix(['l', 'L']).or_else(|| item.strip_suffix(['l', 'L']));
        if let Some(day) = last.filter(|day| !day.is_empty()) {
            return WEEKDAYS.number(day).map(|day| Some(Special::LastWeekday(day % 7)));
        }
        WEEKDAYS.item(item, list).map(|()| None)
    })
}

fn read(
    text: &str,
    one: impl Fn(&str, &mut BTreeSet<u32>) -> Result<Option<Special>, Mistake>,
) -> Result<(BTreeSet<u32>, Vec<Special>), Mistake> {
    let (mut list, mut special) = (BTreeSet::new(), Vec::new());
    for item in text.split(',') {
        special.extend(one(item, &mut list)?);
    }
    Ok((list, special))
}

impl Special {
    /// Whether that day is one of these.
    pub(crate) fn is(self, day: NaiveDate) -> bool {
        let length = length(day);
        match self {
            Self::Last(before) => day.day() + before == length,
            Self::Near(wanted) => day.day() == nearest_working(day, wanted.min(length), length),
            Self::LastWorking => {
                let last = day.with_day(length).unwrap_or(day);
                let back = match last.weekday().num_days_from_sunday() {
                    0 => 2,
                    6 => 1,
                    _ => 0,
                };
                day.day() + back == length
            }
            Self::Nth(weekday, nth) => {
                day.weekday().num_days_from_sunday() == weekday && (day.day() - 1) / 7 + 1 == nth
            }
            Self::LastWeekday(weekday) => {
                day.weekday().num_days_from_sunday() == weekday && day.day() + 7 > length
            }
        }
    }
}

/// The working day nearest to the `wanted` one of the month that `day` is in.
fn nearest_working(day: NaiveDate, wanted: u32, length: u32) -> u32 {
    let Some(date) = day.with_day(wanted) else { return 0 };
    match date.weekday().num_days_from_sunday() {
        // Saturday: the day before, or the third where that is another month.
        6 if wanted == 1 => 3,
        6 => wanted - 1,
        0 if wanted == length => wanted - 2,
        0 => wanted + 1,
        _ => wanted,
    }
}

/// How many days the month has that a day is in.
fn length(day: NaiveDate) -> u32 {
    let (year, month) = if day.month() == 12 { (day.year() + 1, 1) } else { (day.year(), day.month() + 1) };
    NaiveDate::from_ymd_opt(year, month, 1).and_then(|first| first.pred_opt()).map_or(31, |last| last.day())
}
