//! How values travel between Rust and columns.

use std::fmt::Display;
use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::LedgerError;

/// A time or count as SQL keeps it.
pub(super) fn to_sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A time or count from SQL; what is negative was never written by us.
pub(super) fn from_sql(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// An id or a name from its text.
pub(super) fn parse<T: FromStr<Err: Display>>(what: &'static str, text: &str) -> Result<T, LedgerError> {
    text.parse().map_err(|error| LedgerError::unreadable(what, &error))
}

/// The same, where there may be none.
pub(super) fn parse_some<T: FromStr<Err: Display>>(
    what: &'static str,
    text: Option<String>,
) -> Result<Option<T>, LedgerError> {
    text.map(|text| parse(what, &text)).transpose()
}

/// A value as JSON text.
pub(super) fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("our own types serialize")
}

/// A value from JSON text.
pub(super) fn from_json<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, LedgerError> {
    serde_json::from_str(text).map_err(|error| LedgerError::unreadable(what, &error))
}
