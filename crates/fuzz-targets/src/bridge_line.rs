//! Lines of the link: whatever a line is taken for is written again as the same.

use std::fmt::Debug;

use argus_protocol::bridge::{Event, FromBridge, FromGateway, Line, parse_line};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Reads the bytes as a line of the link, and its JSON as what may stand there.
pub fn bridge_line(bytes: &[u8]) {
    let Ok(line) = parse_line(bytes) else { return };
    let (written, json) = match line {
        Line::Frame(number, json) => ([format!("{number} ").as_bytes(), json].concat(), json),
        Line::Event(number, json) => ([format!("{number}!").as_bytes(), json].concat(), json),
        Line::Control(json) => (json.to_vec(), json),
    };
    assert_eq!(parse_line(&written), Ok(line));
    assert!(bytes.ends_with(json), "the JSON is untouched");
    written_again::<FromBridge>(json);
    written_again::<FromGateway>(json);
    written_again::<Event>(json);
}

fn written_again<T: DeserializeOwned + Serialize + PartialEq + Debug>(json: &[u8]) {
    let Ok(told) = serde_json::from_slice::<T>(json) else { return };
    let text = serde_json::to_string(&told).expect("it was read from JSON");
    assert!(!text.contains(['\n', '\r']), "what is written is one line: {text}");
    assert_eq!(serde_json::from_str::<T>(&text).expect("it is written as it is read"), told);
}
