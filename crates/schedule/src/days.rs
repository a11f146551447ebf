//! On which days something is due: days of the month, days of the week, or either where both are named.

use std::collections::BTreeSet;

use chrono::{Datelike as _, NaiveDate};

use crate::error::Mistake;
use crate::special::{self, Special};

/// The rule for days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Days {
    month: Side,
    week: Side,
}

/// One of the two fields.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Side {
    /// Whether it says nothing: every day.
    open: bool,
    list: BTreeSet<u32>,
    special: Vec<Special>,
}

impl Days {
    pub(crate) fn read(of_month: &str, of_week: &str) -> Result<Self, Mistake> {
        let month = Side::of(of_month, special::days(of_month)?);
        let week = Side::of(of_week, special::weekdays(of_week)?);
        Ok(Self { month, week })
    }

    /// Whether something is due that day. Where both fields name days, either one suffices.
    pub(crate) fn hold(&self, day: NaiveDate) -> bool {
        let of_month = || self.month.has(day.day(), day);
        let of_week = || self.week.has(day.weekday().num_days_from_sunday(), day);
        match (self.month.open, self.week.open) {
            (true, true) => true,
            (false, true) => of_month(),
            (true, false) => of_week(),
            (false, false) => of_month() || of_week(),
        }
    }
}

impl Side {
    fn of(text: &str, (list, special): (BTreeSet<u32>, Vec<Special>)) -> Self {
        // Who writes every day out names every day, and means it.
        Self { open: matches!(text, "*" | "?" | "*/1"), list, special }
    }

    fn has(&self, number: u32, day: NaiveDate) -> bool {
        self.list.contains(&number) || self.special.iter().any(|special| special.is(day))
    }
}
