//! What the owner's rules say of calls.

mod policy_kit;

use argus_node_host::policy::{Action, COMMANDS, Policy, Source};
use policy_kit::{Device, call, fault, plan, question, run, word};
use serde_json::json;

#[test]
fn without_a_file_the_owner_is_asked_for_programs_screen_and_clipboard_and_nothing_else() {
    let device = Device::new();
    let policy = device.no_policy(None);
    let params = json!({ "argv": ["tool"], "path": device.text("tree/a") });
    let said: Vec<(&str, String)> = COMMANDS
        .iter()
        .map(|command| (*command, word(&policy.judge(&call(command, params.clone()))).to_owned()))
        .filter(|(_, word)| word != "allow")
        .collect();
    let expected = [
        ("system.run", "ask"),
        ("fs.stat", "DENIED"),
        ("fs.list", "DENIED"),
        ("fs.read", "DENIED"),
        ("fs.write", "DENIED"),
        ("screen.capture", "ask"),
        ("clipboard.get", "ask"),
        ("clipboard.set", "ask"),
    ];
    assert_eq!(said, expected.map(|(command, word)| (command, word.to_owned())));
}

#[test]
fn the_flag_decides_what_no_rule_does() {
    let device = Device::new();
    for (mode, expected) in [(Action::Allow, "allow"), (Action::Ask, "ask"), (Action::Deny, "DENIED")] {
        let policy = device.no_policy(Some(mode));
        assert_eq!(word(&run(&policy, &["tool"])), expected);
        assert_eq!(word(&policy.judge(&call("process.logs", json!({})))), "allow");
    }
    let path = device.write_policy("mode = 'deny'");
    let policy = Policy::open(Source::Named(path), Some(Action::Ask), device.host.clone());
    assert_eq!(word(&run(&policy, &["tool"])), "ask");
}

#[test]
fn a_command_is_judged_by_its_name_then_by_its_group_then_by_the_mode() {
    let device = Device::new();
    let policy = device.good_policy(
        "mode = 'deny'\n[commands]\n'clipboard.*' = 'ask'\n'clipboard.get' = 'allow'\n'process.*' = 'deny'\n\
         'process.logs' = 'ask'",
    );
    for (command, expected) in [
        ("clipboard.get", "allow"),
        ("clipboard.set", "ask"),
        ("process.kill", "DENIED"),
        ("process.logs", "ask"),
        ("system.info", "DENIED"),
        ("screen.capture", "DENIED"),
        ("no.such", "DENIED"),
    ] {
        assert_eq!(word(&policy.judge(&call(command, json!({})))), expected, "{command}");
    }
}

#[test]
fn everything_is_allowed_where_the_walls_are_others_work() {
    let device = Device::new();
    let policy = Policy::open(Source::Everything, None, device.host.clone());
    let env = json!({ "LD_PRELOAD": "x", "PATH": "/nowhere", "LANG": "../x" });
    let params = json!({ "argv": ["tool", "a"], "cwd": "/", "env": env, "path": "/etc/passwd" });
    for command in COMMANDS {
        assert_eq!(word(&policy.judge(&call(command, params.clone()))), "allow", "{command}");
    }
    let plan = plan(policy.judge(&call("system.run", params)));
    let names: Vec<_> = plan.env.iter().map(|(name, _)| name.to_str().unwrap()).collect();
    assert_eq!(names, ["HOME", "LANG", "LC_TIME", "LD_PRELOAD", "PATH", "SECRET"]);
}

#[test]
fn what_is_run_is_the_programs_file_under_the_name_the_caller_wrote() {
    let device = Device::new();
    device.link("bin/nick", device.at("bin/tool"));
    let policy = device.no_policy(Some(Action::Allow));
    let plan = plan(policy.judge(&call("system.run", json!({ "argv": ["nick", "-x"], "cwd": "../away" }))));
    assert_eq!(plan.program, device.at("bin/tool"));
    assert_eq!(plan.argv, ["nick", "-x"]);
    assert_eq!(plan.cwd, device.at("away"));
    let mut env: Vec<(String, String)> =
        plan.env.into_iter().map(|(n, v)| (n.into_string().unwrap(), v.into_string().unwrap())).collect();
    env.sort();
    let expected = [
        ("HOME", device.text("")),
        ("LANG", "C".into()),
        ("LC_TIME", "C".into()),
        ("PATH", device.text("bin")),
    ];
    let expected = expected.map(|(n, v)| (n.to_owned(), v.trim_end_matches('/').to_owned()));
    assert_eq!(env, expected);
}

#[test]
fn rules_on_programs_say_who_runs_what_and_the_strictest_that_speaks_wins() {
    let device = Device::new();
    device.program("opt/deep/er/x");
    device.program("opt/y");
    let policy = device.good_policy(
        "mode = 'deny'
         [[run]]
         rule = 'allow'
         program = 'tool'
         args = ['status', '...']
         [[run]]
         rule = 'ask'
         program = 'HOME/bin/tool'
         args = ['push', '...']
         [[run]]
         rule = 'allow'
         program = 'tool'
         args = ['push', 'here']
         [[run]]
         rule = 'allow'
         program = '~/opt/*'
         [[run]]
         rule = 'deny'
         program = 'other'
         argsRegex = ['-+force', '...']
         [[run]]
         rule = 'allow'
         program = 'other'
         cwd = ['~/tree']",
    );
    let opt = (device.text("opt/y"), device.text("opt/deep/er/x"));
    let table: [(&[&str], &str); 12] = [
        (&["tool", "status"], "allow"),
        (&["tool", "status", "-s", "x"], "allow"),
        (&["tool"], "DENIED"),
        (&["tool", "stash"], "DENIED"),
        (&["tool", "-c", "status"], "DENIED"),
        (&["tool", "push"], "ask"),
        (&["tool", "push", "here"], "ask"),
        (&[&opt.0], "allow"),
        (&[&opt.1], "DENIED"),
        (&["other", "anything"], "allow"),
        (&["other", "--force"], "DENIED"),
        (&["sh", "-c", "status"], "DENIED"),
    ];
    for (argv, expected) in table {
        assert_eq!(word(&run(&policy, argv)), expected, "{argv:?}");
    }
    let away = call("system.run", json!({ "argv": ["other", "x"], "cwd": device.text("away") }));
    assert_eq!(word(&policy.judge(&away)), "DENIED");
}

#[test]
fn programs_run_only_in_the_owners_folders_and_first_in_the_first() {
    let device = Device::new();
    let policy = device.good_policy("mode = 'allow'\n[folders]\ncwd = ['~/away', '~/tree']");
    assert_eq!(plan(run(&policy, &["tool"])).cwd, device.at("away"));
    let said = |cwd: &str| {
        let verdict = policy.judge(&call("system.run", json!({ "argv": ["tool"], "cwd": cwd })));
        word(&verdict).to_owned()
    };
    std::fs::create_dir(device.at("tree/deep")).unwrap();
    std::fs::create_dir(device.at("working")).unwrap();
    device.link("tree/out", device.at("config"));
    device.link("in", device.at("tree"));
    device.file("tree/file", "");
    let table = [
        ("tree/deep", "allow"),
        ("in", "allow"),
        ("working", "DENIED"),
        ("tree/out", "DENIED"),
        ("tree/../config", "DENIED"),
        ("tree/file", "DENIED"),
        ("nowhere", "DENIED"),
        ("", "DENIED"),
    ];
    for (cwd, expected) in table {
        assert_eq!(said(&device.text(cwd)), expected, "{cwd}");
    }
    assert_eq!(said("tree\0"), "DENIED");
    assert_eq!(said("/"), "DENIED");
}

#[test]
fn a_caller_sets_what_the_owner_names_and_is_asked_for_or_refused_the_rest() {
    let device = Device::new();
    let said = |policy: &Policy, name: &str, value: &str| {
        let params = json!({ "argv": ["tool"], "env": { name: value } });
        word(&policy.judge(&call("system.run", params))).to_owned()
    };
    let rules = "[commands]\n'system.run' = 'allow'\n[env]\nset = ['MY_*', 'PYTHONPATH', 'G*', 'LANG']";
    let asking = device.good_policy(rules);
    let table = [
        ("MY_X", "1", "allow"),
        ("PYTHONPATH", "/x", "allow"),
        ("GREETING", "x", "allow"),
        ("GIT_SSH_COMMAND", "x", "DENIED"),
        ("LANG", "de_DE.UTF-8", "allow"),
        ("LANG", "/tmp/x", "DENIED"),
        ("PYTHONHOME", "/x", "DENIED"),
        ("ELSE", "1", "ask"),
        ("TERM", "xterm", "ask"),
    ];
    for (name, value, expected) in table {
        assert_eq!(said(&asking, name, value), expected, "{name}={value}");
    }
    let denying = device.good_policy(&format!("mode = 'deny'\n{rules}"));
    assert_eq!(said(&denying, "ELSE", "1"), "DENIED");
    assert_eq!(said(&denying, "MY_X", "1"), "allow");
    let usual = device.good_policy("mode = 'allow'");
    for name in
        ["LD_PRELOAD", "ld_preload", "PATH", "IFS", "BASH_ENV", "ENV", "NODE_OPTIONS", "DYLD_X", "GIT_DIR"]
    {
        assert_eq!(said(&usual, name, "x"), "DENIED", "{name}");
    }
    assert_eq!(said(&usual, "HELLO", "x"), "allow");
    for (name, value) in [("", "x"), ("A=B", "x"), ("A\0", "x"), ("A", "x\0")] {
        assert_eq!(said(&usual, name, value), "BAD_INPUT", "{name:?}={value:?}");
    }
}

#[test]
fn what_is_passed_on_is_the_owners_choice_and_never_our_own_tokens() {
    let device = Device::new();
    let names = |text: &str| -> Vec<String> {
        let plan = plan(run(&device.good_policy(text), &["tool"]));
        plan.env.into_iter().map(|(name, _)| name.into_string().unwrap()).collect()
    };
    assert_eq!(names("mode = 'allow'"), ["HOME", "LANG", "LC_TIME", "PATH"]);
    assert_eq!(names("mode = 'allow'\nenv.pass = []"), [""; 0]);
    assert_eq!(names("mode = 'allow'\nenv.pass = ['SECRET', 'ARGUS_NODE_TOKEN', 'ARGUS_*']"), ["SECRET"]);
    assert_eq!(names("mode = 'allow'\nenv.pass = ['*']"), ["HOME", "LANG", "LC_TIME", "PATH", "SECRET"]);
}

#[test]
fn files_are_open_in_the_owners_folders_unless_a_command_is_judged_apart() {
    let device = Device::new();
    let policy = device.good_policy(
        "mode = 'deny'\n[commands]\n'fs.stat' = 'ask'\n'fs.list' = 'deny'\n[folders]\nread = ['~/tree']\n\
         write = ['~/away']",
    );
    let said =
        |command: &str, path: &str| word(&policy.judge(&call(command, json!({ "path": path })))).to_owned();
    let (tree, away) = (device.text("tree/x"), device.text("away/x"));
    let table = [
        ("fs.read", tree.as_str(), "allow"),
        ("fs.read", "~/tree/x", "allow"),
        ("fs.read", "~/tree", "allow"),
        ("fs.read", &away, "DENIED"),
        ("fs.write", &away, "allow"),
        ("fs.write", &tree, "DENIED"),
        ("fs.stat", &tree, "ask"),
        ("fs.list", &tree, "DENIED"),
        ("fs.read", "tree/x", "BAD_INPUT"),
        ("fs.read", "~other/x", "BAD_INPUT"),
        ("fs.read", "~/tree/../config/policy.toml", "DENIED"),
        ("fs.read", "~/tree\0", "BAD_INPUT"),
        ("fs.read", "/etc/passwd", "DENIED"),
    ];
    for (command, path, expected) in table {
        assert_eq!(said(command, path), expected, "{command} {path}");
    }
    assert_eq!(word(&policy.judge(&call("fs.read", json!({ "path": 7 })))), "BAD_INPUT");
}

#[test]
fn what_cannot_be_run_is_said_in_words() {
    let device = Device::new();
    let policy = device.no_policy(Some(Action::Allow));
    let said = |params| {
        let fault = fault(policy.judge(&call("system.run", params)));
        (fault.code, fault.message)
    };
    let of = |code: &str, message: &str| (code.to_owned(), message.to_owned());
    assert_eq!(said(json!({ "argv": [] })), of("BAD_INPUT", "`argv` has to name a program"));
    assert_eq!(said(json!({ "argv": [""] })).0, "BAD_INPUT");
    assert_eq!(said(json!({})).0, "BAD_INPUT");
    assert_eq!(said(json!({ "argv": "tool" })).0, "BAD_INPUT");
    assert_eq!(said(json!({ "argv": ["tool"], "env": { "A": 1 } })).0, "BAD_INPUT");
    let missing = of("SPAWN_FAILED", "there is no program `nope` that can be run; see `system.which`");
    assert_eq!(said(json!({ "argv": ["nope"] })), missing);
    let folder = format!("`cwd`: there is no folder `{}`", device.text("gone"));
    assert_eq!(said(json!({ "argv": ["tool"], "cwd": device.text("gone") })), of("BAD_INPUT", &folder));
}

#[test]
fn a_question_says_all_that_a_person_needs() {
    let device = Device::new();
    let policy = device.good_policy("[ask]\ntimeoutSeconds = 7\nby = ['chat']");
    let params = json!({
        "argv": ["tool", "it's", "a\nb", "\u{202e}txt", "$(x)", ""],
        "env": { "ELSE": "a b" },
        "stdinText": "rm -rf /\n",
        "pty": true,
    });
    let question = question(policy.judge(&call("system.run", params)));
    let what = format!(
        "tool 'it'\\''s' $'a\\nb' $'\\u202etxt' '$(x)' ''\nprogram: {}\nenvironment: ELSE='a b'\n\
         standard input, 9 bytes: $'rm -rf /\\n'\n\
         its input stays open: whatever is written to it later is not asked about",
        device.text("bin/tool")
    );
    let ask = question.to_ask();
    assert_eq!(ask.what, what);
    assert_eq!(ask.cwd, Some(device.text("tree")));
    assert_eq!((ask.id.as_str(), ask.command.as_str()), ("c1", "system.run"));
    assert_eq!((ask.session_id.as_deref(), ask.expires_in_ms), (Some("s1"), 7000));
    assert_eq!(question.by, [argus_node_host::policy::AskBy::Chat]);
}

#[test]
fn a_long_question_shows_both_ends_and_how_much_is_missing() {
    let device = Device::new();
    let policy = device.no_policy(None);
    let long = format!("begin{}end", "x".repeat(5000));
    let argv: Vec<&str> = ["tool"].into_iter().chain([long.as_str(); 50]).chain(["--last"]).collect();
    let params = json!({ "argv": argv, "stdinText": long });
    let what = question(policy.judge(&call("system.run", params))).what;
    assert!(what.chars().count() <= argus_node_host::policy::LONGEST_WHAT, "{}", what.chars().count());
    let line = what.lines().next().unwrap();
    assert!(line.starts_with("tool beginxxx") && line.ends_with("end --last"), "{line}");
    assert!(line.contains("characters left out"), "{line}");
}
