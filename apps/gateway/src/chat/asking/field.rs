//! One thing that a form asks for, and what it takes.

use std::ops::RangeInclusive;

use serde_json::{Number, Value, json};

/// Longest answer in words, in characters, where nothing else is asked for.
const LONGEST: usize = 4096;

/// A field.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::chat) struct Field {
    pub(in crate::chat) id: String,
    /// A few words; may be empty.
    pub(in crate::chat) title: String,
    /// What is asked; may be empty.
    pub(in crate::chat) question: String,
    /// What can be picked.
    pub(in crate::chat) options: Vec<Pick>,
    /// How many of them, where it is not one.
    pub(in crate::chat) many: Option<RangeInclusive<usize>>,
    /// What can be written instead.
    pub(in crate::chat) free: Option<Free>,
    /// Whether the answer is not to be repeated.
    pub(in crate::chat) secret: bool,
    /// Whether it has to be answered.
    pub(in crate::chat) required: bool,
}

/// Something that can be picked.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::chat) struct Pick {
    pub(in crate::chat) label: String,
    /// What it means; may be empty.
    pub(in crate::chat) more: String,
    pub(in crate::chat) value: Value,
}

/// What can be written.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::chat) enum Free {
    Text { least: usize, most: Option<usize>, format: Option<Format> },
    Number { whole: bool, least: Option<f64>, most: Option<f64> },
}

/// How a text has to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::chat) enum Format {
    Email,
    Uri,
    Date,
    DateTime,
}

/// What is wrong with an answer.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::chat) enum Wrong {
    /// It has to be a number, a whole one where that is said.
    NoNumber { whole: bool },
    /// It has to lie between these.
    Range { least: Option<f64>, most: Option<f64> },
    /// It has to have so many characters.
    Length { least: usize, most: usize },
    /// It has to look so.
    Shape(Format),
}

impl Free {
    /// Reads what somebody wrote.
    pub(in crate::chat) fn read(&self, text: &str) -> Result<Value, Wrong> {
        let text = text.trim();
        match self {
            Self::Number { whole, least, most } => number(text, *whole, *least, *most),
            Self::Text { least, most, format } => {
                let most = most.unwrap_or(LONGEST).min(LONGEST);
                if !(*least..=most).contains(&text.chars().count()) {
                    return Err(Wrong::Length { least: *least, most });
                }
                match format {
                    Some(format) if !format.fits(text) => Err(Wrong::Shape(*format)),
                    _ => Ok(json!(text)),
                }
            }
        }
    }
}

fn number(text: &str, whole: bool, least: Option<f64>, most: Option<f64>) -> Result<Value, Wrong> {
    let wrong = || Wrong::NoNumber { whole };
    let value = match text.parse::<i64>() {
        Ok(value) => Number::from(value),
        Err(_) if whole => return Err(wrong()),
        Err(_) => text.parse().ok().and_then(Number::from_f64).ok_or_else(wrong)?,
    };
    let size = value.as_f64().ok_or_else(wrong)?;
    if least.is_some_and(|least| size < least) || most.is_some_and(|most| size > most) {
        return Err(Wrong::Range { least, most });
    }
    Ok(Value::Number(value))
}

impl Format {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "email" => Self::Email,
            "uri" => Self::Uri,
            "date" => Self::Date,
            "date-time" => Self::DateTime,
            _ => return None,
        })
    }

    fn fits(self, text: &str) -> bool {
        match self {
            Self::Email => text.split_once('@').is_some_and(|(name, host)| {
                !name.is_empty() && host.contains('.') && !text.contains(char::is_whitespace)
            }),
            Self::Uri => url::Url::parse(text).is_ok(),
            Self::Date => is_date(text),
            Self::DateTime => {
                text.split_once(['T', 't']).is_some_and(|(date, time)| is_date(date) && is_time(time))
            }
        }
    }
}

fn is_date(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').collect();
    let [year, month, day] = parts[..] else { return false };
    let number = |text: &str, digits: usize, range: RangeInclusive<u16>| {
        text.len() == digits && text.parse().is_ok_and(|number| range.contains(&number))
    };
    number(year, 4, 0..=9999) && number(month, 2, 1..=12) && number(day, 2, 1..=31)
}

fn is_time(text: &str) -> bool {
    let digits = |range: std::ops::Range<usize>| text.get(range).and_then(|part| part.parse::<u8>().ok());
    let zone = text.get(8..).unwrap_or_default().trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let offset = |zone: &str| zone.len() == 6 && zone.starts_with(['+', '-']) && zone.as_bytes()[3] == b':';
    digits(0..2).is_some_and(|h| h < 24)
        && digits(3..5).is_some_and(|m| m < 60)
        && digits(6..8).is_some_and(|s| s < 61)
        && (zone.eq_ignore_ascii_case("z") || offset(zone))
}

impl Field {
    /// From the schema of a property; nothing where it is no primitive.
    pub(super) fn of_schema(id: &str, schema: &Value, required: bool) -> Option<Self> {
        let text = |name: &str| schema.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let kind = schema.get("type").and_then(Value::as_str)?;
        let number = |name: &str| schema.get(name).and_then(Value::as_f64);
        let count =
            |name: &str| schema.get(name).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
        let mut field = Self {
            id: id.to_owned(),
            title: if text("title").is_empty() { id.to_owned() } else { text("title") },
            question: text("description"),
            options: options(schema).unwrap_or_default(),
            many: None,
            free: None,
            secret: false,
            required,
        };
        match kind {
            "boolean" => {
                field.options = vec![plain("yes", json!(true)), plain("no", json!(false))];
                return Some(field);
            }
            "array" => {
                field.options = options(schema.get("items")?)?;
                let most = count("maxItems").unwrap_or(field.options.len());
                field.many = Some(count("minItems").unwrap_or(usize::from(required))..=most);
                return Some(field);
            }
            "string" if !field.options.is_empty() => return Some(field),
            "string" => {
                field.free = Some(Free::Text {
                    least: count("minLength").unwrap_or(1),
                    most: count("maxLength"),
                    format: Format::of(&text("format")),
                });
            }
            "number" | "integer" => {
                let (least, most) = (number("minimum"), number("maximum"));
                field.free = Some(Free::Number { whole: kind == "integer", least, most });
            }
            _ => return None,
        }
        if let Some(usual) = schema.get("default").filter(|value| value.is_string() || value.is_number()) {
            let label = usual.as_str().map_or_else(|| usual.to_string(), str::to_owned);
            field.options = vec![plain(&label, usual.clone())];
        }
        Some(field)
    }
}

fn plain(label: &str, value: Value) -> Pick {
    Pick { label: label.to_owned(), more: String::new(), value }
}

/// What an enumeration offers, in any of its forms.
fn options(schema: &Value) -> Option<Vec<Pick>> {
    let list = |name: &str| schema.get(name).and_then(Value::as_array);
    if let Some(titled) = list("oneOf").or_else(|| list("anyOf")) {
        let one = |option: &Value| {
            let value = option.get("const")?.clone();
            let label = option.get("title").and_then(Value::as_str).or_else(|| value.as_str())?.to_owned();
            Some(Pick { label, more: String::new(), value })
        };
        return titled.iter().map(one).collect();
    }
    let (values, names) = (list("enum")?, list("enumNames"));
    let one = |(at, value): (usize, &Value)| {
        let name = names.and_then(|names| names.get(at)).and_then(Value::as_str);
        Some(plain(name.or_else(|| value.as_str())?, value.clone()))
    };
    values.iter().enumerate().map(one).collect()
}
