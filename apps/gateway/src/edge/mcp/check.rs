//! Arguments of tools, held against the schemas that clients are told: what is published is what is checked.

use serde_json::{Value, json};

/// What is wrong with an argument.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wrong {
    /// Where: `jobId`, `files[2].path`.
    pub(super) field: String,
    /// What, in words that go behind the field.
    pub(super) why: String,
    /// What it could be, where that is a list.
    pub(super) allowed: Option<Value>,
}

/// Holds a value against a schema; the first thing that is wrong with it.
///
/// It knows the words that our schemas are written with: `type`, `enum`, `minimum`, `maximum`, `maxLength` (in bytes here,
/// which is never more than a client counts on), `maxItems`, `items`, `properties`, `required` and
/// `additionalProperties: false`. `null` for what need not be there is as good as nothing.
pub(super) fn check(schema: &Value, value: &Value) -> Result<(), Wrong> {
    at("", schema, value)
}

fn at(path: &str, schema: &Value, value: &Value) -> Result<(), Wrong> {
    let wrong = |why: String, allowed| Err(Wrong { field: path.to_owned(), why, allowed });
    if let Some(kind) = schema["type"].as_str()
        && !is_a(kind, value)
    {
        return wrong(format!("must be {}, not {}", wanted(kind), found(value)), None);
    }
    if let Some(allowed) = schema["enum"].as_array()
        && !allowed.contains(value)
    {
        let list: Vec<_> = allowed.iter().filter_map(Value::as_str).collect();
        return wrong(
            format!("must be one of {}, not {}", list.join(", "), found(value)),
            Some(json!(allowed)),
        );
    }
    match value {
        Value::Number(number) => {
            let (least, most) = (schema["minimum"].as_u64(), schema["maximum"].as_u64());
            let fits = number.as_u64().is_none_or(|number| {
                least.is_none_or(|least| number >= least) && most.is_none_or(|most| number <= most)
            });
            if !fits || (number.as_u64().is_none() && least.is_some()) {
                let most = most.map(|most| format!(" and at most {most}")).unwrap_or_default();
                return wrong(
                    format!("must be at least {}{most}, not {number}", least.unwrap_or_default()),
                    None,
                );
            }
        }
        Value::String(text) => {
            if let Some(most) = longest(schema, "maxLength").filter(|most| text.len() > *most) {
                return wrong(format!("has {} bytes, more than {most}", text.len()), None);
            }
        }
        Value::Array(items) => {
            if let Some(most) = longest(schema, "maxItems").filter(|most| items.len() > *most) {
                return wrong(format!("has {} entries, more than {most}", items.len()), None);
            }
            for (number, item) in items.iter().enumerate() {
                at(&format!("{path}[{number}]"), &schema["items"], item)?;
            }
        }
        Value::Object(_) => members(path, schema, value)?,
        Value::Null | Value::Bool(_) => {}
    }
    Ok(())
}

fn members(path: &str, schema: &Value, value: &Value) -> Result<(), Wrong> {
    let Some(known) = schema["properties"].as_object() else { return Ok(()) };
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    let required: Vec<_> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for name in &required {
        if value[*name].is_null() {
            let why = known[*name]["description"].as_str().and_then(|words| words.split(". ").next());
            let why = why.map(|words| format!(" ({})", words.trim_end_matches('.'))).unwrap_or_default();
            return Err(Wrong { field: below(name), why: format!("is missing{why}"), allowed: None });
        }
    }
    for (name, member) in value.as_object().into_iter().flatten() {
        match known.get(name) {
            Some(_) if member.is_null() => {}
            Some(schema) => at(&below(name), schema, member)?,
            None if schema["additionalProperties"] == json!(false) => {
                let all: Vec<_> = known.keys().map(String::as_str).collect();
                let why = format!("is not known here; there are {}", all.join(", "));
                return Err(Wrong { field: below(name), why, allowed: None });
            }
            None => {}
        }
    }
    Ok(())
}

fn longest(schema: &Value, word: &str) -> Option<usize> {
    schema[word].as_u64().and_then(|most| usize::try_from(most).ok())
}

fn is_a(kind: &str, value: &Value) -> bool {
    match kind {
        "string" => value.is_string(),
        // As JSON has one kind of number, 5.0 is 5.
        "integer" => value.as_u64().is_some() || value.as_i64().is_some(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

fn wanted(kind: &str) -> &'static str {
    match kind {
        "string" => "a text",
        "integer" => "a whole number",
        "boolean" => "true or false",
        "array" => "a list",
        _ => "an object",
    }
}

/// A value as people are told it: what kind it is, and itself where it is short.
fn found(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::String(text) if text.chars().count() > 40 => {
            format!("\"{}…\"", text.chars().take(40).collect::<String>())
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Value {
        json!({
            "type": "object", "additionalProperties": false, "required": ["what"],
            "properties": {
                "what": { "type": "string", "enum": ["go", "stop"], "description": "What to do. More." },
                "times": { "type": "integer", "minimum": 1, "maximum": 9 },
                "sure": { "type": "boolean" },
                "any": {},
                "text": { "type": "string", "maxLength": 3 },
                "list": { "type": "array", "maxItems": 2, "items": {
                    "type": "object", "additionalProperties": false, "required": ["path"],
                    "properties": { "path": { "type": "string" } } } },
            }
        })
    }

    #[test]
    fn what_fits_passes_and_null_is_as_good_as_nothing() {
        for value in [
            json!({ "what": "go" }),
            json!({ "what": "stop", "times": 9, "sure": false, "any": [1, { "a": null }], "text": "äb" }),
            json!({ "what": "go", "times": null, "text": null, "list": [{ "path": "a" }] }),
        ] {
            assert_eq!(check(&schema(), &value), Ok(()), "{value}");
        }
    }

    #[test]
    fn what_does_not_fit_is_named_by_its_place() {
        for (value, field, why) in [
            (json!([]), "", "must be an object, not a list"),
            (json!({}), "what", "is missing (What to do)"),
            (json!({ "what": null }), "what", "is missing (What to do)"),
            (json!({ "what": 7 }), "what", "must be a text, not 7"),
            (json!({ "what": "wait" }), "what", "must be one of go, stop, not \"wait\""),
            (json!({ "what": "go", "times": 0 }), "times", "must be at least 1 and at most 9, not 0"),
            (json!({ "what": "go", "times": -4 }), "times", "must be at least 1 and at most 9, not -4"),
            (json!({ "what": "go", "times": "3" }), "times", "must be a whole number, not \"3\""),
            (json!({ "what": "go", "times": 1.5 }), "times", "must be a whole number, not 1.5"),
            (json!({ "what": "go", "sure": "yes" }), "sure", "must be true or false, not \"yes\""),
            (json!({ "what": "go", "text": "abcd" }), "text", "has 4 bytes, more than 3"),
            (json!({ "what": "go", "list": "a" }), "list", "must be a list, not \"a\""),
            (json!({ "what": "go", "list": [{}, {}, {}] }), "list", "has 3 entries, more than 2"),
            (json!({ "what": "go", "list": [{ "path": "a" }, {}] }), "list[1].path", "is missing"),
            (
                json!({ "what": "go", "list": [{ "path": {} }] }),
                "list[0].path",
                "must be a text, not an object",
            ),
            (
                json!({ "what": "go", "list": [{ "path": "a", "b": 1 }] }),
                "list[0].b",
                "is not known here; there are path",
            ),
        ] {
            let wrong = check(&schema(), &value).unwrap_err();
            assert_eq!((wrong.field.as_str(), wrong.why.as_str()), (field, why), "{value}");
        }
        let wrong = check(&schema(), &json!({ "what": "wait" })).unwrap_err();
        assert_eq!(wrong.allowed, Some(json!(["go", "stop"])));
    }
}
