//! Ways around the owner's rules, all of which are closed.

mod policy_kit;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use argus_node_host::jobs::plan::RunPlan;
use argus_node_host::policy::{Action, Policy};
use policy_kit::{Device, call, plan, question, run, word};
use serde_json::json;

const TOOL_ONLY: &str = "mode = 'deny'\n[[run]]\nrule = 'allow'\nprogram = 'tool'";

/// Does with a plan what is done with it in the end.
fn done(plan: &RunPlan) -> std::process::Output {
    use std::os::unix::process::CommandExt;
    Command::new(&plan.program)
        .arg0(&plan.argv[0])
        .args(&plan.argv[1..])
        .current_dir(&plan.cwd)
        .env_clear()
        .envs(plan.env.iter().cloned())
        .output()
        .unwrap()
}

#[test]
fn a_link_in_an_allowed_folder_is_the_program_it_leads_to() {
    let device = Device::new();
    fs::create_dir(device.at("tools")).unwrap();
    let policy = device.good_policy("mode = 'deny'\n[[run]]\nrule = 'allow'\nprogram = '~/tools/**'");
    device.program("tools/own");
    assert_eq!(word(&run(&policy, &[&device.text("tools/own")])), "allow");
    device.link("tools/out", device.at("bin/sh"));
    device.link("tools/up", "../bin/sh");
    device.link("tools/folder", device.at("bin"));
    device.link("tools/loop", device.at("tools/loop"));
    for path in [
        "tools/out",
        "tools/up",
        "tools/folder/sh",
        "tools/../bin/sh",
        "tools/loop",
        "tools/own/../../bin/sh",
    ] {
        assert_eq!(word(&run(&policy, &[&device.text(path)])), "DENIED", "{path}");
    }
}

#[test]
fn a_link_that_is_changed_after_the_verdict_changes_nothing() {
    let device = Device::new();
    device.link("bin/nick", device.at("bin/tool"));
    device.link("place", device.at("tree"));
    let policy = device.no_policy(Some(Action::Allow));
    let plan =
        plan(policy.judge(&call("system.run", json!({ "argv": ["nick"], "cwd": device.text("place") }))));
    device.link("bin/nick", device.at("bin/other"));
    device.link("place", device.at("away"));
    assert_eq!((plan.program, plan.cwd), (device.at("bin/tool"), device.at("tree")));
}

#[test]
fn the_callers_path_finds_nothing() {
    let device = Device::new();
    device.program("tree/tool");
    device.program("tree/mine");
    let policy = device.good_policy("mode = 'allow'\n[env]\nset = ['PATH']");
    let params = |bin: &str| json!({ "argv": [bin], "env": { "PATH": device.text("tree") }, "cwd": device.text("tree") });
    let plan = plan(policy.judge(&call("system.run", params("tool"))));
    assert_eq!(plan.program, device.at("bin/tool"));
    assert_eq!(word(&policy.judge(&call("system.run", params("mine")))), "SPAWN_FAILED");
}

#[test]
fn folders_of_the_path_that_are_relative_or_empty_count_for_nothing() {
    let mut device = Device::new();
    device.program("tree/mine");
    // From wherever this process stands, that leads to the top, and down to the program.
    let led = format!("{}{}", "../".repeat(50), &device.text("tree")[1..]);
    assert!(fs::exists(format!("{led}/mine")).unwrap());
    let path = format!("::.:tree:./:{led}:{}", device.text("bin"));
    device.host.env.retain(|(name, _)| name != "PATH");
    device.host.env.push(("PATH".into(), path.into()));
    let policy = device.no_policy(Some(Action::Allow));
    assert_eq!(word(&run(&policy, &["mine"])), "SPAWN_FAILED");
    assert_eq!(plan(run(&policy, &["tool"])).program, device.at("bin/tool"));
}

#[test]
fn another_file_of_the_same_name_is_another_program() {
    let device = Device::new();
    let policy = device.good_policy(TOOL_ONLY);
    device.program("tree/tool");
    fs::hard_link(device.at("bin/tool"), device.at("tree/hard")).unwrap();
    fs::hard_link(device.at("bin/tool"), device.at("away/tool")).unwrap();
    let named = [
        "./tool".to_owned(),
        device.text("tree/tool"),
        device.text("tree/hard"),
        device.text("away/tool"),
        "TOOL".into(),
        "Tool".into(),
        "tool ".into(),
        " tool".into(),
        "tool/".into(),
        "tool/.".into(),
        "bin/../tool".into(),
        "tool\n".into(),
        ".".into(),
        "..".into(),
        "/".into(),
        device.text("bin/tool/."),
        device.text("bin/tool/.."),
    ];
    for name in &named {
        assert_eq!(word(&run(&policy, &[name])), "DENIED", "{name:?}");
    }
    for name in
        ["tool".to_owned(), device.text("bin/tool"), device.text("tree/../bin/tool"), "../bin/./tool".into()]
    {
        assert_eq!(plan(run(&policy, &[&name])).program, device.at("bin/tool"), "{name}");
    }
}

#[test]
fn a_file_that_is_many_programs_is_allowed_under_the_name_that_is_allowed_only() {
    let device = Device::new();
    device.program("bin/box");
    for name in ["list", "remove"] {
        device.link(&format!("bin/{name}"), "box");
    }
    device.link("tree/list", device.at("bin/remove"));
    device.link("tree/remove", device.at("bin/list"));
    let policy = device.good_policy("mode = 'deny'\n[[run]]\nrule = 'allow'\nprogram = 'list'");
    assert_eq!(plan(run(&policy, &["list"])).argv, ["list"]);
    for argv in [&["remove"][..], &["box", "remove"], &["./remove"], &[&device.text("bin/remove")]] {
        assert_eq!(word(&run(&policy, argv)), "DENIED", "{argv:?}");
    }
}

#[test]
fn what_is_denied_is_denied_under_all_its_names() {
    let device = Device::new();
    device.link("bin/soft", "other");
    fs::hard_link(device.at("bin/other"), device.at("bin/hard")).unwrap();
    fs::hard_link(device.at("bin/other"), device.at("tree/hard")).unwrap();
    let policy = device.good_policy("mode = 'allow'\n[[run]]\nrule = 'deny'\nprogram = 'other'");
    for name in ["other", "soft", "hard", "./hard", "../bin/other"] {
        assert_eq!(word(&run(&policy, &[name])), "DENIED", "{name}");
    }
    assert_eq!(word(&run(&policy, &["tool"])), "allow");
}

#[test]
fn what_is_no_executable_file_is_no_program() {
    let device = Device::new();
    device.file("bin/plain", "#!/bin/sh\n");
    fs::create_dir(device.at("bin/folder")).unwrap();
    device.link("bin/dangling", "nowhere");
    device.link("bin/looks", "plain");
    device.pipe("bin/pipe");
    let policy = device.no_policy(Some(Action::Allow));
    for name in ["plain", "folder", "dangling", "looks", "pipe", "", "tool\0"] {
        for name in [name.to_owned(), format!("../bin/{name}")] {
            let word = word(&run(&policy, &[&name])).to_owned();
            assert!(["SPAWN_FAILED", "BAD_INPUT"].contains(&word.as_str()), "{name:?}: {word}");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_no_text_is_run_but_meant_by_no_pattern() {
    let device = Device::new();
    let odd: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"odd\xff");
    let (program, folder) = (device.at("tree").join(odd), device.at("away").join(odd));
    fs::copy(device.at("bin/tool"), &program).unwrap();
    fs::create_dir(&folder).unwrap();
    device.link("tree/nick", &program);
    device.link("place", &folder);
    let params = json!({ "argv": ["../../tree/nick"], "cwd": device.text("place") });
    let open = device.no_policy(Some(Action::Allow));
    let plan = plan(open.judge(&call("system.run", params.clone())));
    assert_eq!((plan.program, plan.cwd), (program, folder));
    let rules = "mode = 'deny'\n[[run]]\nrule = 'allow'\nprogram = '~/tree/**'";
    assert_eq!(word(&device.good_policy(rules).judge(&call("system.run", params))), "DENIED");
}

#[test]
fn a_program_that_everybody_may_write_is_not_taken_by_a_rule() {
    let device = Device::new();
    for rules in [TOOL_ONLY, "mode = 'deny'\n[[run]]\nrule = 'allow'\nprogram = '~/bin/*'"] {
        let policy = device.good_policy(rules);
        fs::set_permissions(device.at("bin/tool"), Permissions::from_mode(0o777)).unwrap();
        assert_eq!(word(&run(&policy, &["tool"])), "DENIED", "{rules}");
        fs::set_permissions(device.at("bin/tool"), Permissions::from_mode(0o755)).unwrap();
        assert_eq!(word(&run(&policy, &["tool"])), "allow", "{rules}");
    }
}

#[test]
fn nothing_is_read_by_a_shell() {
    let device = Device::new();
    device.file("bin/echoes", "#!/bin/sh\nfor a in \"$@\"; do printf '<%s>' \"$a\"; done\n");
    fs::set_permissions(device.at("bin/echoes"), Permissions::from_mode(0o755)).unwrap();
    let policy = device.no_policy(Some(Action::Allow));
    let odd = [
        "$(touch hit)",
        "`touch hit`",
        "; touch hit",
        "| touch hit",
        "&& touch hit",
        "> hit",
        "*",
        "~",
        "a b",
        "",
        "\n touch hit",
        "'",
        "\"",
        "\\",
        "${IFS}",
        "!x",
        "#",
        "\u{202e}",
        "-n",
        "--",
        "<(touch hit)",
        "\x1b[2J",
    ];
    let argv: Vec<&str> = ["echoes"].into_iter().chain(odd).collect();
    let told = done(&plan(run(&policy, &argv)));
    let expected = format!("<{}>", odd.join("><"));
    assert_eq!(String::from_utf8(told.stdout).unwrap(), expected);
    assert_eq!(fs::read_dir(device.at("tree")).unwrap().count(), 0);
    // As a program's name they are a name that nothing has.
    for name in odd.iter().filter(|name| !name.is_empty()) {
        assert_eq!(word(&run(&policy, &[name])), "SPAWN_FAILED", "{name:?}");
    }
}

#[test]
fn an_argument_with_line_breaks_is_one_argument_to_every_pattern() {
    let device = Device::new();
    let policy = device.good_policy(
        "mode = 'deny'
         [[run]]
         rule = 'allow'
         program = 'tool'
         argsRegex = ['[a-z]+']
         [[run]]
         rule = 'allow'
         program = 'other'
         args = ['show', 'x*']",
    );
    assert_eq!(word(&run(&policy, &["tool", "abc"])), "allow");
    for argument in ["abc\n", "abc\n-x", "\nabc", "abc\r", "a b", "abc\u{a0}", "ａbc", "--x\nabc"] {
        assert_eq!(word(&run(&policy, &["tool", argument])), "DENIED", "{argument:?}");
    }
    let table: [(&[&str], &str); 6] = [
        (&["other", "show", "x"], "allow"),
        (&["other", "show", "x", "--output=/etc/x"], "DENIED"),
        (&["other", "show x"], "DENIED"),
        (&["other", "show", "x/../../etc"], "DENIED"),
        (&["other", "show\n", "x"], "DENIED"),
        (&["other", "-c", "x", "show", "x"], "DENIED"),
    ];
    for (argv, expected) in table {
        assert_eq!(word(&run(&policy, argv)), expected, "{argv:?}");
    }
}

#[test]
fn what_no_system_takes_is_refused_before_it_is_judged() {
    let device = Device::new();
    let policy = device.no_policy(Some(Action::Allow));
    let long = "x".repeat(128 << 10);
    let fits = "x".repeat((128 << 10) - 1);
    let many = vec!["x"; 10_000];
    let large = vec![fits.as_str(); 9];
    let argv = |rest: &[&str]| ["tool"].iter().chain(rest).map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let said = |rest: &[&str]| {
        let call = call("system.run", json!({ "argv": argv(rest) }));
        word(&policy.judge(&call)).to_owned()
    };
    assert_eq!(said(&[&long]), "BAD_INPUT");
    assert_eq!(said(&many), "BAD_INPUT");
    assert_eq!(said(&large), "BAD_INPUT");
    assert_eq!(said(&["a\0b"]), "BAD_INPUT");
    assert_eq!(said(&[&fits]), "allow");
    assert!(
        done(&plan(policy.judge(&call("system.run", json!({ "argv": argv(&[&fits]) }))))).status.success()
    );
    let env: serde_json::Map<_, _> = (0..300).map(|n| (format!("V{n}"), json!("x"))).collect();
    let call = call("system.run", json!({ "argv": ["tool"], "env": env }));
    assert_eq!(word(&policy.judge(&call)), "BAD_INPUT");
}

#[test]
fn a_variable_that_would_change_a_program_never_reaches_it() {
    let device = Device::new();
    device.file("bin/shows", "#!/bin/sh\nenv\n");
    fs::set_permissions(device.at("bin/shows"), Permissions::from_mode(0o755)).unwrap();
    let policy = device.good_policy("mode = 'allow'\nenv.path = 'HOME/bin:/usr/bin:/bin'\nenv.set = ['*']");
    let dangerous = [
        "LD_PRELOAD",
        "LD_LIBRARY_PATH",
        "LD_AUDIT",
        "DYLD_INSERT_LIBRARIES",
        "PATH",
        "IFS",
        "BASH_ENV",
        "ENV",
        "BASH_FUNC_ls%%",
        "SHELLOPTS",
        "PS4",
        "PYTHONPATH",
        "PYTHONSTARTUP",
        "PERL5OPT",
        "RUBYOPT",
        "NODE_OPTIONS",
        "GIT_SSH_COMMAND",
        "GIT_EXTERNAL_DIFF",
        "GIT_CONFIG_COUNT",
        "EDITOR",
        "PAGER",
        "LESSOPEN",
        "HOME",
        "TMPDIR",
        "XDG_CONFIG_HOME",
        "GLIBC_TUNABLES",
        "MALLOC_CHECK_",
        "GCONV_PATH",
        "JAVA_TOOL_OPTIONS",
        "ZDOTDIR",
        "RUSTC_WRAPPER",
        "CARGO_HOME",
        "MAKEFLAGS",
        "SSH_AUTH_SOCK",
        "ARGUS_TOKEN",
        "ld_preload",
        "http_proxy",
        "npm_config_prefix",
        "A B",
        "X;Y",
        "Ä",
        "A\nLD_PRELOAD",
    ];
    for name in dangerous {
        let call = call("system.run", json!({ "argv": ["shows"], "env": { name: "/tmp/x" } }));
        assert_eq!(word(&policy.judge(&call)), "DENIED", "{name:?}");
    }
    let call = call("system.run", json!({ "argv": ["shows"], "env": { "HARMLESS": "a\nLD_PRELOAD=x" } }));
    let told = String::from_utf8(done(&plan(policy.judge(&call))).stdout).unwrap();
    assert!(told.contains("HARMLESS=a\nLD_PRELOAD=x\n"), "{told}");
    assert!(!told.contains("SECRET") && !told.contains("ARGUS") && !told.contains("s3cret"), "{told}");
}

#[test]
fn a_strict_rule_is_not_evaded_by_an_allowed_command() {
    let device = Device::new();
    // A wide word for the command does not undo a narrow no for a program; a no for the command undoes everything.
    let wide = device.good_policy(
        "mode = 'allow'\n[commands]\n'system.*' = 'allow'\n[[run]]\nrule = 'deny'\nprogram = 'other'",
    );
    assert_eq!(word(&run(&wide, &["other"])), "DENIED");
    let none = device.good_policy(
        "mode = 'allow'\n[commands]\n'system.run' = 'deny'\n[[run]]\nrule = 'allow'\nprogram = 'tool'",
    );
    assert_eq!(word(&run(&none, &["tool"])), "DENIED");
}

#[test]
fn a_refusal_does_not_tell_which_files_there_are() {
    let device = Device::new();
    let words = |policy: &Policy, argv: &[&str], cwd: &str| {
        let call = call("system.run", json!({ "argv": argv, "cwd": cwd }));
        policy_kit::fault(policy.judge(&call)).message.replace(cwd, "CWD").replace(argv[0], "PROGRAM")
    };
    let policy = device.good_policy("mode = 'deny'\n[folders]\ncwd = ['~/tree']");
    let tree = device.text("tree");
    assert_eq!(words(&policy, &["/bin/sh"], &tree), words(&policy, &["/bin/none"], &tree));
    assert_eq!(
        words(&policy, &["tool"], &device.text("away")),
        words(&policy, &["tool"], &device.text("nowhere"))
    );
}

#[test]
fn a_question_cannot_be_dressed_up() {
    let device = Device::new();
    let policy = device.no_policy(None);
    let params = json!({
        "argv": ["tool", "x\nprogram: /bin/true\n", "\u{1b}[2K\rtool safe", "a\u{200b}b", "\u{2066}x\u{2069}", "\u{e0041}"],
        "env": { "LANG": "C'; x='", "NEW\nLINE": "x" },
    });
    // A name with a line break is no name of a variable that may be asked for.
    assert_eq!(word(&policy.judge(&call("system.run", params.clone()))), "DENIED");
    let mut params = params;
    params["env"] = json!({ "ELSE": "C'; x=\u{202e}" });
    let mut call = call("system.run", params);
    call.asker.session_id = Some("s\u{202e}1\n".into());
    let question = question(policy.judge(&call));
    let expected = format!(
        "tool $'x\\nprogram: /bin/true\\n' $'\\x1b[2K\\rtool safe' $'a\\u200bb' $'\\u2066x\\u2069' $'\\U000e0041'\n\
         program: {}\nenvironment: ELSE=$'C\\'; x=\\u202e'",
        device.text("bin/tool")
    );
    assert_eq!(question.what, expected);
    assert_eq!(question.session_id.as_deref(), Some("s\\u202e1\\n"));
}
