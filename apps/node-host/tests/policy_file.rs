//! The owner's file: what may be wrong with it, and what follows.

mod policy_kit;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use argus_node_host::policy::{Policy, Source};
use policy_kit::{Device, call, fault, run, word};
use serde_json::json;

#[test]
fn a_mistake_denies_everything_and_is_named_with_its_place() {
    let device = Device::new();
    let table = [
        ("mode = 'perhaps'", "line 1"),
        ("\nmood = 'ask'", "line 2"),
        ("mode = ", "line 1"),
        ("[commands]\n'sytem.run' = 'ask'", "`commands.\"sytem.run\"`: there is no such command"),
        ("[commands]\n'fs*' = 'ask'", "`commands.\"fs*\"`: there is no such command"),
        ("[commands]\n'*' = 'ask'", "`commands.\"*\"`: there is no such command"),
        ("[[run]]\nrule = 'allow'", "missing field `program`"),
        ("[[run]]\nprogram = 'x'", "missing field `rule`"),
        ("[[run]]\nrule = 'allow'\nprogram = ''", "`run rule 1, program`: it is empty"),
        ("[[run]]\nrule = 'allow'\nprogram = 'a/b'", "`run rule 1, program`: `a/b` is neither a name"),
        ("[[run]]\nrule = 'allow'\nprogram = 'a*'", "`run rule 1, program`: `a*` has a wildcard"),
        ("[[run]]\nrule = 'allow'\nprogram = '/a/../b'", "`run rule 1, program`: `/a/../b` has `..` in it"),
        (
            "[[run]]\nrule = 'allow'\nprogram = 'x'\nargs = ['...', 'a']",
            "`run rule 1, args`: entry 1: `...` may only be the last",
        ),
        (
            "[[run]]\nrule = 'allow'\nprogram = 'x'\nargsRegex = ['a', '(']",
            "`run rule 1, argsRegex`: entry 2: `(` is no regular expression",
        ),
        (
            "[[run]]\nrule = 'allow'\nprogram = 'x'\nargsRegex = ['a)|(b']",
            "`run rule 1, argsRegex`: entry 1: `a)|(b` is no regular expression",
        ),
        (
            "[[run]]\nrule = 'allow'\nprogram = 'x'\nargs = []\nargsRegex = []",
            "`run rule 1, args`: `args` and `argsRegex` exclude each other",
        ),
        ("folders.read = ['tree']", "`folders.read`: `tree` is neither absolute nor begins with `~/`"),
        ("folders.write = ['~/a/../..']", "`folders.write`: `~/a/../..` has `..` in it"),
        ("folders.hardLinks = 'ask'", "`folders.hardLinks`: it is `allow` or `deny`"),
        ("env.path = '/bin:bin'", "`env.path`: `bin` is neither absolute nor begins with `~/`"),
        ("env.set = ['A=B']", "`env.set`: `A=B` is no name of a variable"),
        ("ask.timeoutSeconds = 0", "`ask.timeoutSeconds`: it is 1 to 3600"),
        ("ask.by = ['mail']", "line 1"),
    ];
    for (text, expected) in table {
        let policy = device.policy(text);
        let words = policy.fault().unwrap_or_default();
        assert!(words.contains(expected) && words.contains("policy.toml"), "{text}\n→ {words}");
        for command in ["system.run", "process.list", "system.info", "fs.read"] {
            let fault = fault(policy.judge(&call(command, json!({ "argv": ["tool"], "path": "/" }))));
            assert_eq!((fault.code.as_str(), &fault.message), ("DENIED", &words));
        }
    }
}

#[test]
fn all_mistakes_are_named_together() {
    let device = Device::new();
    let words =
        device.policy("[commands]\nx = 'ask'\n[folders]\nread = ['a']\n[ask]\ntimeoutSeconds = 0").fault();
    let words = words.unwrap();
    for place in ["`commands.\"x\"`", "`folders.read`", "`ask.timeoutSeconds`"] {
        assert!(words.contains(place), "{words}");
    }
}

#[test]
fn a_file_that_others_could_have_written_is_not_believed() {
    let device = Device::new();
    let path = device.write_policy("mode = 'allow'");
    let policy = Policy::open(Source::Named(path.clone()), None, device.host.clone());
    assert_eq!(word(&run(&policy, &["tool"])), "allow");
    for (file, folder, expected) in [
        (0o666, 0o755, Some("may be written by others (mode 0666)")),
        (0o664, 0o755, Some("may be written by others (mode 0664)")),
        (0o600, 0o777, Some("`chmod go-w` it")),
        (0o600, 0o1777, None),
        (0o644, 0o755, None),
    ] {
        fs::set_permissions(&path, Permissions::from_mode(file)).unwrap();
        fs::set_permissions(device.at("config"), Permissions::from_mode(folder)).unwrap();
        let policy = Policy::open(Source::Named(path.clone()), None, device.host.clone());
        let fault = policy.fault();
        assert_eq!(fault.is_some(), expected.is_some(), "{file:o} {folder:o} {fault:?}");
        assert!(fault.unwrap_or_default().contains(expected.unwrap_or_default()), "{file:o} {folder:o}");
    }
}

#[test]
fn what_is_no_file_or_too_large_is_not_read() {
    let device = Device::new();
    let said =
        |path: &std::path::Path| Policy::open(Source::Named(path.into()), None, device.host.clone()).fault();
    assert!(said(&device.at("config")).unwrap().ends_with("is not a file"));
    assert!(said(&device.at("config/none.toml")).unwrap().contains("cannot be read"));
    device.pipe("config/pipe");
    assert!(said(&device.at("config/pipe")).unwrap().ends_with("is not a file"));
    let large = device.write_policy(&format!("#{}", "x".repeat(300 << 10)));
    assert!(said(&large).unwrap().contains("is larger than"));
    // A missing file at the usual place is nothing wrong; a link to nothing is.
    assert!(device.no_policy(None).fault().is_some());
    fs::remove_file(device.at("config/policy.toml")).unwrap();
    assert_eq!(device.no_policy(None).fault(), None);
    device.link("config/policy.toml", device.at("config/none.toml"));
    assert!(device.no_policy(None).fault().unwrap().contains("cannot be read"));
}

#[test]
fn a_change_counts_from_the_next_call_on_and_a_file_that_goes_away_denies() {
    let device = Device::new();
    let policy = device.no_policy(None);
    assert_eq!(word(&run(&policy, &["tool"])), "ask");
    device.write_policy("mode = 'allow'");
    assert_eq!(word(&run(&policy, &["tool"])), "allow");
    // As long as the one before, and perhaps in the same moment.
    device.write_policy("mode = 'deny' ");
    assert_eq!(word(&run(&policy, &["tool"])), "DENIED");
    device.write_policy("mode = 'allow'");
    assert_eq!(word(&run(&policy, &["tool"])), "allow");
    fs::set_permissions(device.at("config/policy.toml"), Permissions::from_mode(0o666)).unwrap();
    assert!(policy.fault().unwrap().contains("may be written by others"));
    device.write_policy("mode = 'allow'");
    assert_eq!(policy.fault(), None);
    fs::remove_file(device.at("config/policy.toml")).unwrap();
    assert!(policy.fault().unwrap().contains("cannot be read"));
    assert_eq!(word(&run(&policy, &["tool"])), "DENIED");
    device.write_policy("mode = 'ask'");
    assert_eq!(word(&run(&policy, &["tool"])), "ask");
}

#[test]
fn rules_that_allow_too_much_are_told() {
    let device = Device::new();
    device.link("bin/python3", device.at("bin/sh"));
    let text = "
        [folders]
        write = ['~/tree', '~/gone']
        [[run]]
        rule = 'allow'
        program = 'sh'
        [[run]]
        rule = 'allow'
        program = 'sh'
        args = ['~/x']
        [[run]]
        rule = 'allow'
        program = 'python3'
        [[run]]
        rule = 'allow'
        program = '~/tree/build'
        [[run]]
        rule = 'allow'
        program = '~/tree/bin/*'
        [[run]]
        rule = 'deny'
        program = 'sh'
        [[run]]
        rule = 'allow'
        program = 'nowhere'";
    device.program("tree/build");
    assert_eq!(
        device.good_policy(text).warnings(),
        [
            "`folders.write`: there is no folder `~/gone` now",
            "run rule 1: `sh` does whatever its arguments say, and the rule takes all of them",
            "run rule 3: `python3` does whatever its arguments say, and the rule takes all of them",
            "run rule 4: `~/tree/build` lies in a folder of `folders.write`",
            "run rule 5: `~/tree/bin/*` lies in a folder of `folders.write`",
            "run rule 7: there is no program `nowhere` now",
        ]
    );
}
