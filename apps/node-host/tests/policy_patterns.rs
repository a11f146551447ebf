//! Patterns on arguments.

use argus_node_host::policy::{Arguments, Glob};
use proptest::prelude::*;

fn owned(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn globs_mean_what_their_table_says() {
    let table: &[(&str, &[&str], &[&str])] = &[
        ("status", &["status"], &["Status", "status ", " status", "", "status\n", "stat"]),
        ("", &[""], &["x", " "]),
        ("*", &["", "x", "a b", "a\nb", "$(id)"], &["a/b", "/", "-x", "-", "--", ".."]),
        ("**", &["", "a/b", "/etc/passwd"], &["-x", "../x", "a/../b", "a/.."]),
        ("?", &["x", "é", "\n"], &["", "xx", "/", "-"]),
        ("src/*.rs", &["src/a.rs", "src/.rs"], &["src/a/b.rs", "src/../x.rs", "src/a.rs\n", "xsrc/a.rs"]),
        ("src/**", &["src/", "src/a/b"], &["src", "src/..", "src/a/../../b"]),
        ("--out=*", &["--out=", "--out=x"], &["--out=a/b", "--out", "--out=.."]),
        ("--out=/d/**", &["--out=/d/a/b"], &["--out=/d/../e", "--out=/d/x:../e"]),
        ("-*", &["-x", "--long", "-"], &["x", "-a/b"]),
        ("../*", &["../x"], &["../a/b", "x"]),
        ("a..b*", &["a..b", "a..bc"], &["a/../b"]),
        (r"\*", &["*"], &["x", r"\*"]),
        (r"a\?b\\", &[r"a?b\"], &[r"axb\", r"a\?b\\"]),
        (r"a\b", &[r"a\b"], &["ab"]),
        ("[ab]", &["[ab]"], &["a"]),
        (
            "*a*a*a*b",
            &["aaab", "xaxaxab"],
            &["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac"],
        ),
    ];
    for (pattern, yes, no) in table {
        let glob = Glob::new(pattern);
        for text in *yes {
            assert!(glob.fits(text), "`{pattern}` takes {text:?}");
        }
        for text in *no {
            assert!(!glob.fits(text), "`{pattern}` does not take {text:?}");
        }
    }
}

#[test]
fn a_list_takes_as_many_arguments_as_it_has_unless_it_is_open() {
    let closed = Arguments::globs(&owned(&["a", "b*"])).unwrap();
    let open = Arguments::globs(&owned(&["a", "b*", "..."])).unwrap();
    let any = Arguments::globs(&owned(&["..."])).unwrap();
    let none = Arguments::globs(&[]).unwrap();
    let table: [(&[&str], [bool; 4]); 6] = [
        (&[], [false, false, true, true]),
        (&["a"], [false, false, true, false]),
        (&["a", "bc"], [true, true, true, false]),
        (&["a", "bc", "-x"], [false, true, true, false]),
        (&["bc", "a"], [false, false, true, false]),
        (&["a bc"], [false, false, true, false]),
    ];
    for (arguments, expected) in table {
        let arguments = owned(arguments);
        let said = [&closed, &open, &any, &none].map(|list| list.fit(&arguments));
        assert_eq!(said, expected, "{arguments:?}");
    }
}

#[test]
fn a_regular_expression_is_for_a_whole_argument() {
    let list = Arguments::regexes(&owned(&["a|b", "[0-9]{1,3}", "..."])).unwrap();
    let table: [(&[&str], bool); 9] = [
        (&["a", "12"], true),
        (&["b", "1", "more"], true),
        (&["ab", "1"], false),
        (&["xb", "1"], false),
        (&["a", "1234"], false),
        (&["a", "12\n"], false),
        (&["a\n", "12"], false),
        (&["a", " 12"], false),
        (&["a"], false),
    ];
    for (arguments, expected) in table {
        assert_eq!(list.fit(&owned(arguments)), expected, "{arguments:?}");
    }
    for bad in ["(", "a)|(b", "(?x) a # b", "x{1000}{1000}{1000}"] {
        let read = Arguments::regexes(&owned(&[bad]));
        assert!(read.is_err() || !read.unwrap().fit(&owned(&["b"])), "{bad}");
    }
}

/// The same, told as simply as it can be.
fn simply(pattern: &[char], text: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['*', '*', rest @ ..] => (0..=text.len()).any(|at| simply(rest, &text[at..])),
        ['*', rest @ ..] => {
            let longest = text.iter().position(|c| *c == '/').unwrap_or(text.len());
            (0..=longest).any(|at| simply(rest, &text[at..]))
        }
        ['?', rest @ ..] => text.first().is_some_and(|c| *c != '/') && simply(rest, &text[1..]),
        [own, rest @ ..] => text.first() == Some(own) && simply(rest, &text[1..]),
    }
}

proptest! {
    #[test]
    fn a_glob_takes_what_a_simple_reading_takes(pattern in "[ab/*?]{0,8}", text in "[ab/\n]{0,8}") {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        prop_assert_eq!(Glob::new(&pattern).fits(&text), simply(&chars(&pattern), &chars(&text)));
    }

    #[test]
    fn no_wildcard_takes_a_path_that_climbs(pattern in "[ab/*?=:]{0,8}", before in "[ab/]{0,4}", after in "[ab/]{0,4}") {
        let text = format!("{before}/../{after}");
        prop_assert!(!Glob::new(&pattern).fits(&text));
        let text = format!("--x={before}/..");
        prop_assert!(!Glob::new(&pattern).fits(&text));
    }

    #[test]
    fn a_pattern_that_begins_with_a_wildcard_takes_no_option(pattern in "[*?][a-z*?/-]{0,8}", text in "-[a-z/-]{0,8}") {
        prop_assert!(!Glob::new(&pattern).fits(&text));
    }

    #[test]
    fn a_text_without_wildcards_takes_itself_and_nothing_else(own in "[^*?\\\\]{0,12}", text in ".{0,12}") {
        let glob = Glob::new(&own);
        prop_assert!(glob.fits(&own));
        prop_assert_eq!(glob.fits(&text), own == text);
    }

    #[test]
    fn an_escaped_text_takes_itself(text in "\\PC{0,12}") {
        let escaped = text.replace('\\', r"\\").replace('*', r"\*").replace('?', r"\?");
        prop_assert!(Glob::new(&escaped).is_plain());
        prop_assert!(Glob::new(&escaped).fits(&text));
    }

    #[test]
    fn a_closed_list_never_takes_more_or_fewer(
        patterns in proptest::collection::vec("[a*?]{0,3}", 0..4),
        arguments in proptest::collection::vec("a{0,3}", 0..6),
    ) {
        let list = Arguments::globs(&patterns).unwrap();
        if patterns.len() != arguments.len() {
            prop_assert!(!list.fit(&arguments));
        }
        let open: Vec<String> = patterns.iter().cloned().chain(["...".to_owned()]).collect();
        let open = Arguments::globs(&open).unwrap();
        let begin = arguments.get(..patterns.len()).is_some_and(|begin| list.fit(begin));
        prop_assert_eq!(open.fit(&arguments), begin);
    }
}
