//! The version before the last change, put in place.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use super::*;
use crate::store::home::Home;

/// A home with these files in its own folder.
fn home(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("gateway")).unwrap();
    for (name, content) in files {
        fs::write(dir.path().join("gateway").join(name), content).unwrap();
    }
    dir
}

/// What is in its own folder, but for the lock.
fn files(dir: &tempfile::TempDir) -> Vec<(String, String)> {
    let entries = fs::read_dir(dir.path().join("gateway")).unwrap().map(Result::unwrap);
    let read = |entry: fs::DirEntry| {
        (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap())
    };
    let mut all: Vec<_> = entries.map(read).filter(|(name, _)| name != "lock").collect();
    all.sort();
    all
}

fn owned(files: &[(&str, &str)]) -> Vec<(String, String)> {
    files.iter().map(|(name, content)| ((*name).to_owned(), (*content).to_owned())).collect()
}

#[test]
fn the_version_before_takes_the_place_of_a_bad_one_which_is_kept() {
    let dir = home(&[("state.json", "{"), ("state.json.bak", REFERENCE), ("state.json.bad-7", "old")]);
    let path = dir.path().join("gateway/state.json");
    let kept = Some(dir.path().join("gateway/state.json.bad-8"));
    assert_eq!(restore(dir.path(), 7).unwrap(), Restored { path: path.clone(), kept });
    let expected = [
        ("state.json", REFERENCE),
        ("state.json.bad-7", "old"),
        ("state.json.bad-8", "{"),
        ("state.json.bak", REFERENCE),
    ];
    assert_eq!(files(&dir), owned(&expected));
    StateFile::load(&path).unwrap();
}

#[test]
fn what_root_puts_in_place_is_the_gateways_own() {
    let dir = home(&[("state.json", "{"), ("state.json.bak", REFERENCE)]);
    let own = dir.path().join("gateway");
    // Only root can give files away, and only root could take them from the gateway.
    if std::os::unix::fs::chown(&own, Some(10_001), Some(10_001)).is_err() {
        return;
    }
    restore(dir.path(), 7).unwrap();
    for name in ["lock", "state.json", "state.json.bad-7"] {
        let file = fs::metadata(own.join(name)).unwrap();
        assert_eq!((file.uid(), file.gid(), file.mode() & 0o777), (10_001, 10_001, 0o600), "{name}");
    }
}

#[test]
fn a_file_that_is_gone_comes_back() {
    let dir = home(&[("state.json.bak", REFERENCE)]);
    let path = dir.path().join("gateway/state.json");
    assert_eq!(restore(dir.path(), 7).unwrap(), Restored { path, kept: None });
    assert_eq!(files(&dir), owned(&[("state.json", REFERENCE), ("state.json.bak", REFERENCE)]));
}

#[test]
fn nothing_is_changed_where_there_is_nothing_better_or_a_gateway_runs() {
    let before = [("state.json", "{"), ("state.json.bak", "[]")];
    let dir = home(&before);
    let error = restore(dir.path(), 7).unwrap_err().to_string();
    let words = "state.json.bak` is no better, and nothing was changed: it is not an object";
    assert!(error.ends_with(words), "{error}");
    assert_eq!(files(&dir), owned(&before));

    let dir = home(&[("state.json", "{")]);
    let error = restore(dir.path(), 7).unwrap_err().to_string();
    assert!(error.starts_with("there is no `") && error.contains("state.json.bak`"), "{error}");
    assert_eq!(files(&dir), owned(&[("state.json", "{")]));

    let before = [("state.json", "{"), ("state.json.bak", REFERENCE)];
    let dir = home(&before);
    let gateway = Home::open(dir.path()).unwrap();
    let error = restore(dir.path(), 7).unwrap_err().to_string();
    assert!(error.contains("is in use by another gateway (process"), "{error}");
    assert_eq!(files(&dir), owned(&before));
    drop(gateway);
    restore(dir.path(), 7).unwrap();

    let nowhere = dir.path().join("nowhere");
    restore(&nowhere, 7).unwrap_err();
    assert!(!nowhere.exists());
}
