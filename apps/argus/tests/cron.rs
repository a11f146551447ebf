//! `argus cron next` tells anyone when an expression is due.

use std::process::{Command, Output};

use argus_testkit::programs::program;

fn next(arguments: &[&str]) -> Output {
    Command::new(program("argus")).args(["cron", "next"]).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn the_next_times_are_shown_in_their_zone_or_as_json() {
    let from = ["--from", "2026-03-28T12:00:00Z", "--tz", "Europe/Berlin", "--count", "2"];
    let told = next(&[&["30 2 * * *"][..], &from].concat());
    assert_eq!(text(&told.stdout), "2026-03-29T03:00:00+02:00\n2026-03-30T02:30:00+02:00\n");
    let told = next(&[&["30 2 * * *", "--json"][..], &from].concat());
    let first = text(&told.stdout).lines().next().unwrap().to_owned();
    assert_eq!(first, r#"{"local":"2026-03-29T03:00:00+02:00","utc":"2026-03-29T01:00:00Z"}"#);
}

#[test]
fn what_cannot_be_understood_names_the_field_and_ends_as_wrong_settings_do() {
    let told = next(&["0 25 * * *"]);
    assert_eq!(told.status.code(), Some(64));
    assert_eq!(text(&told.stderr), "argus: the hours: 25 is not within 0 to 23\n");
    let told = next(&["0 5 * * *", "--tz", "Mars/Base"]);
    assert_eq!(told.status.code(), Some(64));
    assert!(text(&told.stderr).contains("`Mars/Base` is not known"), "{}", text(&told.stderr));
}
