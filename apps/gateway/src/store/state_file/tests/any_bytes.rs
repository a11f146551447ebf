//! Whatever stands in the file: it is read or refused by name, and stays as it is.

use proptest::prelude::*;

use super::*;

/// JSON that looks like a state file at first, with any of our members and any values.
fn alike() -> impl Strategy<Value = String> {
    let name = proptest::sample::select(vec![
        "version",
        "defaultSessionId",
        "sessions",
        "a",
        "mainThreadId",
        "cronJobs",
        "systemEventQueues",
        "thr_1",
        "lastActiveByThread",
        "automationPaused",
        "jobId",
        "expr",
        "seconds",
        "text",
        "enabled",
        "nextRunAtMs",
        "eventId",
        "kind",
        "createdAtMs",
        "meta",
        "channel",
        "chatKey",
        "atMs",
        "everyMs",
        "deliver",
        "missed",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        Just(json!(1)),
        proptest::sample::select(vec![
            "",
            " ",
            "1",
            "a",
            "1e3",
            "first",
            "home",
            "0 9 * * * 5",
            "../x",
            "\u{0}"
        ])
        .prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(6, 48, 6, move |inner| {
        let object = proptest::collection::vec((name.clone(), inner.clone()), 0..6);
        prop_oneof![
            proptest::collection::vec(inner, 0..4).prop_map(Value::from),
            object.prop_map(|members| {
                members
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect::<Map<_, _>>()
                    .into()
            }),
        ]
    });
    let session =
        value.clone().prop_map(|value| json!({ "version": 1, "sessions": { "a": value } }).to_string());
    let job = value.clone().prop_map(|value| {
        json!({ "sessions": { "a": { "cronJobs": [value], "systemEventQueues": { "t": [] } } } }).to_string()
    });
    prop_oneof![value.prop_map(|value| value.to_string()), session, job]
}

fn cut() -> impl Strategy<Value = Vec<u8>> {
    (0..REFERENCE.len(), 0..REFERENCE.len(), any::<u8>()).prop_map(|(length, place, byte)| {
        let mut bytes = REFERENCE.as_bytes().to_vec();
        bytes[place] = byte;
        bytes.truncate(length.max(REFERENCE.len() / 2));
        bytes
    })
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused_by_name_and_stay(
        bytes in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..200),
            alike().prop_map(String::into_bytes),
            cut(),
        ]
    ) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        std::fs::write(&path, &bytes).unwrap();
        let looked = survey(&path, std::time::SystemTime::UNIX_EPOCH).map(|found| found.is_some());
        match StateFile::load(&path) {
            Ok(_) => prop_assert!(looked.unwrap()),
            Err(error) => {
                let (told, seen) = (error.to_string(), looked.unwrap_err().to_string());
                prop_assert_eq!(&told, &seen);
                prop_assert!(told.contains(&*path.to_string_lossy()), "{}", told);
            }
        }
        prop_assert_eq!(std::fs::read(&path).unwrap(), bytes);
        prop_assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}

#[test]
fn what_is_nested_without_end_is_refused() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(refused(&deep).contains("recursion limit exceeded"));
}
