//! One call, held against the owner's rules.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use argus_protocol::node::{Fault, code};
use serde::Deserialize;
use serde_json::Value;

use super::environment::{self, Environment};
use super::file::Action;
use super::folders::{self, Below, Folder};
use super::host::Host;
use super::program::{self, Found};
use super::question::{self, Question};
use super::rules::Rules;
use super::show::{quoted, shortened};
use super::verdict::{Grant, Verdict};
use crate::call::{self, Call};
use crate::jobs::plan::RunPlan;

/// What Linux takes for one argument, and what surely fits together beside an environment.
const LONGEST_ARGUMENT: usize = (128 << 10) - 1;
const LARGEST_ARGV: usize = 1 << 20;
const MOST_ARGUMENTS: usize = 8192;

/// Judges it.
pub(super) fn judge(rules: &Rules, host: &Host, call: &Call) -> Verdict {
    let judged = match call.command.as_str() {
        "system.run" => run(rules, host, call),
        "fs.stat" | "fs.list" | "fs.read" | "fs.write" => file(rules, host, call),
        command => Ok((plain(rules, command), Grant::Call, question::other(command, &call.params))),
    };
    let (action, grant, what) = match judged {
        Ok(judged) => judged,
        Err(fault) => return Verdict::Deny(fault),
    };
    match action {
        Action::Allow => Verdict::Allow(grant),
        Action::Deny => Verdict::Deny(denied(&call.command)),
        Action::Ask => Verdict::Ask(Question {
            id: call.id.clone(),
            command: super::show::visible(&call.command),
            what,
            cwd: match &grant {
                Grant::Run(plan) => Some(shortened(&quoted(&plan.cwd.to_string_lossy()), 500)),
                Grant::Call => None,
            },
            session_id: call.asker.session_id.as_deref().map(|id| shortened(&super::show::visible(id), 200)),
            wait: rules.wait,
            by: rules.ask_by.clone(),
            grant,
        }),
    }
}

fn denied(command: &str) -> Fault {
    let words = format!("the owner of this device does not let `{command}` be done so; its policy decides");
    Fault::new(code::DENIED, words)
}

/// A command that is judged by its name: those that look only, or touch only jobs that were allowed, need no rule.
fn plain(rules: &Rules, command: &str) -> Action {
    let unasked = match command {
        command if command.starts_with("process.") => Some(Action::Allow),
        "system.which" | "system.info" | "system.notify" if rules.mode != Action::Deny => Some(Action::Allow),
        _ => None,
    };
    rules.of_command(command).or(unasked).unwrap_or(rules.mode)
}

type Judged = Result<(Action, Grant, String), Fault>;

/// What of a program's run is judged; the rest is the matter of who runs it.
#[derive(Deserialize)]
struct Run {
    argv: Vec<String>,
    cwd: Option<String>,
    env: Option<BTreeMap<String, String>>,
}

fn run(rules: &Rules, host: &Host, call: &Call) -> Judged {
    let Run { argv, cwd, env } = call::read(call)?;
    let env = env.unwrap_or_default();
    let bad = |words: String| Fault::new(code::BAD_INPUT, words);
    well_formed(&argv).map_err(bad)?;
    environment::well_formed(&env).map_err(bad)?;
    let of_command = rules.of_command("system.run");
    if of_command == Some(Action::Deny) {
        return Err(denied("system.run"));
    }
    let otherwise = of_command.unwrap_or(rules.mode);
    let cwd = folder(rules, host, cwd.as_deref())?;
    let Some(found) = program::find(&argv[0], &cwd, &rules.path) else {
        if otherwise == Action::Deny {
            return Err(denied("system.run"));
        }
        let name = shortened(&quoted(&argv[0]), 200);
        let words = format!("there is no program `{name}` that can be run; see `system.which`");
        return Err(Fault::new(code::SPAWN_FAILED, words));
    };
    let mut action = of_program(rules, &found, &argv[1..], &cwd).unwrap_or(otherwise);
    if action != Action::Deny {
        let of_env = rules.env.judge(&env, rules.mode).map_err(|words| Fault::new(code::DENIED, words))?;
        action = action.max(of_env);
    }
    let what = question::run(&argv, &found.file, &env, &call.params);
    let env = environment::whole(passed(&rules.env, rules, host), &env);
    Ok((action, Grant::Run(RunPlan { program: found.file, argv, cwd, env }), what))
}

/// What the rules on programs say; the strictest of those that speak of it.
fn of_program(rules: &Rules, found: &Found, arguments: &[String], cwd: &Path) -> Option<Action> {
    let speak = rules.run.iter().filter(|rule| rule.means(found, arguments, cwd, &rules.path));
    speak.map(|rule| rule.action).max()
}

fn well_formed(argv: &[String]) -> Result<(), String> {
    if argv.is_empty() || argv[0].is_empty() {
        return Err("`argv` has to name a program".into());
    }
    if argv.len() > MOST_ARGUMENTS {
        return Err(format!("`argv` has more than {MOST_ARGUMENTS} arguments"));
    }
    if argv.iter().any(|argument| argument.contains('\0')) {
        return Err("`argv` has NUL in it, which no program can be given".into());
    }
    let long = argv.iter().any(|argument| argument.len() > LONGEST_ARGUMENT);
    if long || argv.iter().map(|argument| argument.len() + 1).sum::<usize>() > LARGEST_ARGV {
        return Err(format!(
            "`argv` is too long: {LONGEST_ARGUMENT} bytes are the most for one argument and {LARGEST_ARGV} for all; \
             use `stdinText` or a file"
        ));
    }
    Ok(())
}

/// The folder in which to run, without links.
fn folder(rules: &Rules, host: &Host, written: Option<&str>) -> Result<PathBuf, Fault> {
    let usual = match rules.folders.cwd.as_deref().and_then(<[Folder]>::first) {
        Some(first) => first.written.clone(),
        None => host.cwd.clone(),
    };
    let path = written.map_or_else(|| usual.clone(), |written| usual.join(written));
    let name = shortened(&quoted(&path.to_string_lossy()), 300);
    let real = if written.is_some_and(|text| text.contains('\0')) { None } else { path.canonicalize().ok() };
    let real = real.filter(|real| real.is_dir());
    let inside = |real: &PathBuf| {
        rules.folders.cwd.as_ref().is_none_or(|folders| folders.iter().any(|folder| folder.holds(real)))
    };
    match real {
        Some(real) if inside(&real) => Ok(real),
        // Nothing is told of what lies outside.
        _ if rules.folders.cwd.is_some() => {
            let words =
                format!("`{name}` is not in one of the folders where programs may run (`folders.cwd`)");
            Err(Fault::new(code::DENIED, words))
        }
        _ => Err(Fault::new(code::BAD_INPUT, format!("`cwd`: there is no folder `{name}`"))),
    }
}

/// What a program gets of this process's environment.
pub(super) fn passed(
    env: &Environment,
    rules: &Rules,
    host: &Host,
) -> Vec<(std::ffi::OsString, std::ffi::OsString)> {
    let passes = |name: &std::ffi::OsString| name.to_str().is_some_and(|name| env.passes(name));
    let own = host.env.iter().filter(|(name, _)| passes(name) && name != "PATH").cloned();
    // A program finds others where the policy finds it.
    own.chain(env.passes("PATH").then(|| ("PATH".into(), rules.path.clone()))).collect()
}

fn file(rules: &Rules, host: &Host, call: &Call) -> Judged {
    let path = call.params.get("path").and_then(Value::as_str);
    let path = path.ok_or_else(|| {
        Fault::new(code::BAD_INPUT, format!("`{}` takes a `path`, which is a text", call.command))
    })?;
    if rules.of_command(&call.command) == Some(Action::Deny) {
        return Err(denied(&call.command));
    }
    below(rules, host, &call.command, path)?;
    // Its folder is on the owner's list.
    let action = rules.of_command(&call.command).unwrap_or(Action::Allow);
    Ok((action, Grant::Call, question::file(&call.command, path, &call.params)))
}

/// Where below the owner's folders a path is.
pub(super) fn below(rules: &Rules, host: &Host, command: &str, written: &str) -> Result<Below, Fault> {
    let name = shortened(&quoted(written), 300);
    let path = host.absolute(written).ok_or_else(|| {
        Fault::new(code::BAD_INPUT, format!("the path `{name}` has to be absolute, or begin with `~/`"))
    })?;
    let (list, key) = opened(rules, command);
    let found = if folders::climbs(&path) { None } else { folders::below(list, &path) };
    found.ok_or_else(|| {
        let words = format!("`{name}` is not in a folder that the owner of this device opened (`{key}`)");
        Fault::new(code::DENIED, words)
    })
}

/// The folders that are open to a command, and where they are named.
pub(super) fn opened<'a>(rules: &'a Rules, command: &str) -> (&'a [Folder], &'static str) {
    match command {
        "fs.write" => (&rules.folders.write, "folders.write"),
        _ => (&rules.folders.read, "folders.read"),
    }
}
