//! Lines of which only the ends are left: what is found in them is what a whole line would have shown.

use std::collections::BTreeMap;

use argus_protocol::bridge::Event;
use argus_protocol::dropped::{event, search};
use serde::Deserializer as _;
use serde_json::Value;
use serde_json::value::RawValue;

/// The first two bytes are how much of the ends is left, the rest is the line.
pub fn dropped(bytes: &[u8]) {
    let Some((&[head, tail], line)) = bytes.split_first_chunk::<2>() else { return };
    let head = &line[..line.len().min(usize::from(head))];
    let tail = &line[line.len().saturating_sub(usize::from(tail))..];
    let seen = search(head, tail);
    let told = event(head, tail, line.len() as u64, 64);
    let Event::Dropped { method, id, thread_id, bytes, .. } = told else { panic!("{told:?}") };
    assert_eq!((&method, &id, &thread_id), (&seen.method, &seen.id, &seen.thread_id));
    assert_eq!(bytes, line.len() as u64);
    if let Some(id) = &seen.id {
        let id = serde_json::from_str::<Value>(id).expect("an id is JSON");
        assert!(id.is_number() || id.is_string(), "{id} is no id");
    }
    let Some(members) = members(line) else { return };
    let says = |members: &BTreeMap<String, &RawValue>, name: &str| {
        serde_json::from_str::<String>(members.get(name)?.get()).ok()
    };
    assert!(seen.method.is_none() || seen.method == says(&members, "method"), "{seen:?}");
    assert!(seen.id.is_none() || seen.id.as_deref() == members.get("id").map(|id| id.get()), "{seen:?}");
    let params = members.get("params").and_then(|params| self::members(params.get().as_bytes()));
    let thread_id = params.and_then(|params| says(&params, "threadId"));
    assert!(seen.thread_id.is_none() || seen.thread_id == thread_id, "{seen:?}");
}

/// The members of an object in which every one stands once.
fn members(json: &[u8]) -> Option<BTreeMap<String, &RawValue>> {
    let mut input = serde_json::Deserializer::from_slice(json);
    let members = input.deserialize_map(Members).ok()?;
    input.end().ok().map(|()| members)
}

struct Members;

impl<'de> serde::de::Visitor<'de> for Members {
    type Value = BTreeMap<String, &'de RawValue>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut input: A) -> Result<Self::Value, A::Error> {
        let mut members = BTreeMap::new();
        while let Some((name, value)) = input.next_entry()? {
            if members.insert(name, value).is_some() {
                return Err(serde::de::Error::custom("a member stands twice"));
            }
        }
        Ok(members)
    }
}
