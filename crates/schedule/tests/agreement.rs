//! The ordinary dialect is what another implementation says it is.

use argus_schedule::{DateTime, Dialect, Expression, Tz, Utc};

/// Made by `croniter_table.py`, which tells how.
const TABLE: &str = include_str!("croniter.tsv");

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[test]
fn the_next_five_times_are_those_of_croniter() {
    let mut compared = 0;
    let mut wrong = Vec::new();
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let mut columns = line.split('\t');
        let (text, start) = (columns.next().unwrap(), utc(columns.next().unwrap()));
        let expected: Vec<_> = columns.map(utc).collect();
        let expression =
            Expression::read(text, Dialect::Five, start).unwrap_or_else(|e| panic!("{text}: {e}"));
        let mut at = start;
        let next = std::iter::from_fn(|| {
            at = expression.next_after(at, Tz::UTC)?;
            Some(at)
        });
        let next: Vec<_> = next.take(5).collect();
        if next != expected {
            wrong.push(format!("{text} after {start}: {next:?}, not {expected:?}"));
        }
        compared += 1;
    }
    assert!(compared > 500, "only {compared} were compared");
    assert!(wrong.is_empty(), "{} of {compared}: {:#?}", wrong.len(), &wrong[..wrong.len().min(12)]);
}
