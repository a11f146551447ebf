//! Texts of strangers as a person sees them.

use std::process::Command;

use argus_node_host::policy::show::{quoted, shortened, visible};
use proptest::prelude::*;
use proptest::strategy::ValueTree;

#[test]
fn an_argument_is_shown_as_a_shell_takes_it() {
    for (text, expected) in [
        ("plain-1.2_3/x:y=z@%+,", "plain-1.2_3/x:y=z@%+,"),
        ("", "''"),
        ("a b", "'a b'"),
        ("it's", r"'it'\''s'"),
        ("$HOME", "'$HOME'"),
        ("~", "'~'"),
        ("größe", "größe"),
        ("日本", "日本"),
        ("a\nb", r"$'a\nb'"),
        ("\x1b[0m'\\", r"$'\x1b[0m\'\\'"),
        ("\u{202e}", r"$'\u202e'"),
        ("\u{200d}\u{feff}", r"$'\u200d\ufeff'"),
        ("\u{e0041}", r"$'\U000e0041'"),
        ("\u{a0}\u{3000}\u{2800}\u{3164}\u{ad}", r"$'\u00a0\u3000\u2800\u3164\u00ad'"),
        ("e\u{301}", r"$'e\u0301'"),
        ("\u{85}\u{9b}", r"$'\u0085\u009b'"),
        ("x\u{fe0f}", r"$'x\ufe0f'"),
    ] {
        assert_eq!(quoted(text), expected, "{text:?}");
    }
    assert_eq!(visible("a\tb\u{202e}"), r"a\tb\u202e");
}

#[test]
fn what_is_shortened_shows_both_ends_and_how_much_is_missing() {
    assert_eq!(shortened("12345", 5), "12345");
    assert_eq!(shortened("123456789", 6), "1234 […3 characters left out…] 89");
    assert_eq!(shortened("ääääääää€", 3), "ää […6 characters left out…] €");
}

proptest! {
    #[test]
    fn nothing_that_is_shown_is_a_control_or_turns_the_text(text in any::<String>()) {
        let bad = |c: &char| c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
        prop_assert_eq!(quoted(&text).chars().find(bad), None);
        prop_assert_eq!(visible(&text).chars().find(bad), None);
    }

    #[test]
    fn a_shortened_text_is_little_longer_than_it_may_be(text in any::<String>(), longest in 1_usize..50) {
        let short = shortened(&text, longest);
        if text.chars().count() <= longest {
            prop_assert_eq!(short, text);
        } else {
            prop_assert!(short.chars().count() <= longest + 60);
        }
    }
}

#[test]
fn a_shell_reads_back_what_was_there() {
    let Ok(version) = Command::new("bash").arg("--version").output() else {
        eprintln!("there is no bash here; nothing was compared");
        return;
    };
    assert!(version.status.success());
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let any_text =
        proptest::collection::vec("(\\PC|[\\x01-\\x7f]|[\u{200b}-\u{202e}]|['\"\\\\$` \n]){0,12}", 300);
    let texts = any_text.new_tree(&mut runner).unwrap().current();
    let line = texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(" ");
    let told = Command::new("bash")
        .args(["-c", &format!("printf '%s\\0' {line}")])
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap();
    let told = String::from_utf8(told.stdout).unwrap();
    let read: Vec<&str> = told.split_terminator('\0').collect();
    assert_eq!(read, texts);
}
