//! What is wrong with an expression: in which field, and why.

use std::fmt;

/// A part of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The whole of it.
    Whole,
    /// `0`–`59`.
    Second,
    /// `0`–`59`.
    Minute,
    /// `0`–`23`.
    Hour,
    /// `1`–`31`.
    DayOfMonth,
    /// `1`–`12` or names.
    Month,
    /// `0`–`7` or names; 0 and 7 are Sunday.
    DayOfWeek,
    /// `1970`–`2099`.
    Year,
    /// A time zone's name.
    Zone,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Whole => "the expression",
            Self::Second => "the seconds",
            Self::Minute => "the minutes",
            Self::Hour => "the hours",
            Self::DayOfMonth => "the day of the month",
            Self::Month => "the month",
            Self::DayOfWeek => "the day of the week",
            Self::Year => "the year",
            Self::Zone => "the time zone",
        })
    }
}

/// What is wrong, for a person: `the hours: 24 is not within 0 to 23`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct Mistake {
    /// Where.
    pub field: Field,
    /// Why.
    pub reason: String,
}

impl Mistake {
    pub(crate) fn new(field: Field, reason: impl Into<String>) -> Self {
        Self { field, reason: reason.into() }
    }

    pub(crate) fn zone(name: &str) -> Self {
        let shown: String = name.chars().take(64).collect();
        Self::new(Field::Zone, format!("`{shown}` is not known; use a name such as Europe/Berlin or UTC"))
    }
}
