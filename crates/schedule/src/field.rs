//! One field of numbers: `*`, numbers, names, ranges that may wrap, steps and lists of these, as an explicit list.

use std::collections::BTreeSet;

use crate::error::{Field, Mistake};

/// What numbers a field may hold, and what they may be called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    pub(crate) field: Field,
    pub(crate) least: u32,
    pub(crate) most: u32,
    /// Names, the first one being `least`.
    pub(crate) names: &'static [&'static str],
}

pub(crate) const SECONDS: Scale = Scale { field: Field::Second, least: 0, most: 59, names: &[] };
pub(crate) const MINUTES: Scale = Scale { field: Field::Minute, least: 0, most: 59, names: &[] };
pub(crate) const HOURS: Scale = Scale { field: Field::Hour, least: 0, most: 23, names: &[] };
pub(crate) const DAYS: Scale = Scale { field: Field::DayOfMonth, least: 1, most: 31, names: &[] };
pub(crate) const MONTHS: Scale = Scale {
    field: Field::Month,
    least: 1,
    most: 12,
    names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
/// 7 is Sunday too; [`Scale::list`] makes 0 of it.
pub(crate) const WEEKDAYS: Scale = Scale {
    field: Field::DayOfWeek,
    least: 0,
    most: 7,
    names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
};
pub(crate) const YEARS: Scale = Scale { field: Field::Year, least: 1970, most: 2099, names: &[] };

impl Scale {
    /// The numbers of a whole field.
    pub(crate) fn list(&self, text: &str) -> Result<BTreeSet<u32>, Mistake> {
        let mut list = BTreeSet::new();
        for item in text.split(',') {
            self.item(item, &mut list)?;
        }
        Ok(list)
    }

    /// The numbers of one item of a list.
    pub(crate) fn item(&self, item: &str, list: &mut BTreeSet<u32>) -> Result<(), Mistake> {
        if item.is_empty() {
            return Err(self.wrong("an item of the list is empty"));
        }
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, Some(self.step(step)?)),
            None => (item, None),
        };
        let end = if self.field == Field::DayOfWeek { 6 } else { self.most };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" || range == "?" => (self.least, end),
            Some((from, to)) => (self.number(from)?, self.number(to)?),
            None => {
                let from = self.number(range)?;
                // `5/15` goes on from 5 to the end.
                (from, if step.is_some() { end.max(from) } else { from })
            }
        };
        let step = usize::try_from(step.unwrap_or(1)).unwrap_or(usize::MAX);
        if from <= to {
            list.extend((from..=to).step_by(step).map(|n| self.folded(n)));
        } else if self.field == Field::Year {
            return Err(self.wrong(format!("{from}-{to} goes backwards")));
        } else {
            // It goes over the end of the scale, and on from its beginning.
            let upper = from..=end;
            let lower = self.least..=to;
            list.extend(upper.chain(lower).step_by(step).map(|n| self.folded(n)));
        }
        Ok(())
    }

    /// One number, or the name of one.
    pub(crate) fn number(&self, text: &str) -> Result<u32, Mistake> {
        let named = self.names.iter().position(|name| name.eq_ignore_ascii_case(text));
        if let Some(place) = named.and_then(|place| u32::try_from(place).ok()) {
            return Ok(self.least + place);
        }
        let digits = !text.is_empty() && text.len() <= 9 && text.bytes().all(|b| b.is_ascii_digit());
        let Some(number) = text.parse::<u32>().ok().filter(|_| digits) else {
            return Err(self.wrong(format!("`{}` is not understood", shown(text))));
        };
        if (self.least..=self.most).contains(&number) {
            Ok(number)
        } else {
            Err(self.wrong(format!("{number} is not within {} to {}", self.least, self.most)))
        }
    }

    fn step(&self, text: &str) -> Result<u32, Mistake> {
        let digits = text.len() <= 9 && text.bytes().all(|b| b.is_ascii_digit());
        let step = text.parse::<u32>().ok().filter(|step| digits && *step > 0);
        step.ok_or_else(|| self.wrong(format!("`{}` is no step; it must be a number from 1 on", shown(text))))
    }

    fn folded(&self, number: u32) -> u32 {
        if self.field == Field::DayOfWeek { number % 7 } else { number }
    }

    pub(crate) fn wrong(&self, reason: impl Into<String>) -> Mistake {
        Mistake::new(self.field, reason)
    }
}

/// As much of a text as an error shows.
pub(crate) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(32).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(scale: Scale, text: &str) -> Vec<u32> {
        scale.list(text).unwrap().into_iter().collect()
    }

    #[test]
    fn a_field_is_an_explicit_list() {
        assert_eq!(list(MINUTES, "*/20"), [0, 20, 40]);
        assert_eq!(list(MINUTES, "5/20"), [5, 25, 45]);
        assert_eq!(list(HOURS, "22-3"), [0, 1, 2, 3, 22, 23]);
        assert_eq!(list(HOURS, "22-3/2"), [0, 2, 22]);
        assert_eq!(list(HOURS, "1,5-7,9"), [1, 5, 6, 7, 9]);
        assert_eq!(list(MONTHS, "nov-FEB,6"), [1, 2, 6, 11, 12]);
        assert_eq!(list(WEEKDAYS, "7"), [0]);
        assert_eq!(list(WEEKDAYS, "fri-mon"), [0, 1, 5, 6]);
        assert_eq!(list(WEEKDAYS, "5-7"), [0, 5, 6]);
        assert_eq!(list(WEEKDAYS, "*/2"), [0, 2, 4, 6]);
        assert_eq!(list(WEEKDAYS, "?").len(), 7);
        assert_eq!(list(YEARS, "2026-2028/2"), [2026, 2028]);
    }

    #[test]
    fn a_mistake_names_the_field_and_the_reason() {
        for (scale, text, words) in [
            (HOURS, "24", "the hours: 24 is not within 0 to 23"),
            (MINUTES, "x", "the minutes: `x` is not understood"),
            (MINUTES, "1,,2", "the minutes: an item of the list is empty"),
            (MINUTES, "*/0", "the minutes: `0` is no step; it must be a number from 1 on"),
            (MINUTES, "+5", "the minutes: `+5` is not understood"),
            (DAYS, "0", "the day of the month: 0 is not within 1 to 31"),
            (YEARS, "2030-2026", "the year: 2030-2026 goes backwards"),
            (WEEKDAYS, "8", "the day of the week: 8 is not within 0 to 7"),
        ] {
            assert_eq!(scale.list(text).unwrap_err().to_string(), words, "{text}");
        }
    }
}
