//! Has the system start the node with its user's session: shows what would be written and run, asks, does it.

mod service;
mod system;

use std::fmt;
use std::io::{BufRead as _, Read as _, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};

use clap::Parser as _;

use crate::args::{Consent, InstallArgs, Mistakes, NodeHostArgs, UninstallArgs, surroundings};
use crate::credential::Credential;
use service::{Manager, Service};
use system::{Outcome, run};

/// How this program is called: the file, and what stands before the node's own flags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// The program.
    pub program: PathBuf,
    /// What stands before the node's own flags, such as `node-host`.
    pub first: Vec<String>,
}

impl Invocation {
    /// This process's own program.
    pub fn of_this_program(first: &[&str]) -> Self {
        let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("argus-node-host"));
        Self { program, first: first.iter().map(|&word| word.to_owned()).collect() }
    }
}

impl fmt::Display for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.program.file_name().unwrap_or(self.program.as_os_str());
        f.write_str(&name.to_string_lossy())?;
        self.first.iter().try_for_each(|word| write!(f, " {word}"))
    }
}

/// Whether it is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Yes,
    No,
}

/// Writes the service's file and has the system start it.
pub fn install(args: &InstallArgs, invocation: &Invocation) -> anyhow::Result<()> {
    check_flags(&args.flags)?;
    let around = surroundings();
    let root = around.root(&args.place).map_err(|mistake| Mistakes(vec![mistake]))?;
    let names_a_file = args.flags.iter().any(|flag| flag.starts_with("--token-file"));
    let enrolled = Credential::load(&root).map_err(anyhow::Error::msg)?.is_some();
    ensure!(
        enrolled || names_a_file,
        "this machine is not enrolled: `{invocation} enrol` first, or name a file with the token (`-- --token-file …`)"
    );
    let service = Service {
        program: absolute(&invocation.program)?,
        words: invocation.first.iter().chain(&args.flags).cloned().collect(),
        state_dir: args.place.state_dir.as_deref().map(absolute).transpose()?,
        path: std::env::var_os("PATH").filter(|path| !path.is_empty()),
    };
    let manager = Manager::of_this_user()?;
    let (path, text) = (manager.path(), manager.text(&service)?);
    let mut out = std::io::stdout().lock();
    writeln!(out, "This file will be written to `{}`:\n\n{text}", path.display())?;
    show_commands(&mut out, "Then these commands will be run:", &manager.start())?;
    drop(out);
    if consent(args.consent)? == Wish::No {
        return Ok(());
    }
    system::write(&path, &text).with_context(|| format!("cannot write `{}`", path.display()))?;
    println!("Written: `{}`.", path.display());
    // One that an earlier installation started is ended, so that the new file counts.
    for command in manager.renew() {
        let _ = run(&command);
    }
    for command in manager.start() {
        if run(&command)? == Outcome::NoSuchProgram {
            let mut out = std::io::stdout().lock();
            writeln!(out, "There is no `{}` to be found.", command.program)?;
            return Ok(show_commands(&mut out, "Have the node started by hand:", &manager.start())?);
        }
    }
    println!("The node runs, and is started with this user's session. {}", manager.advice());
    Ok(())
}

/// Ends the service and removes its file.
pub fn uninstall(args: &UninstallArgs) -> anyhow::Result<()> {
    let root = surroundings().root(&args.place).map_err(|mistake| Mistakes(vec![mistake]))?;
    let manager = Manager::of_this_user()?;
    let path = manager.path();
    let mut out = std::io::stdout().lock();
    show_commands(&mut out, "These commands will be run:", &manager.stop())?;
    writeln!(out, "Then `{}` will be removed.", path.display())?;
    if args.forget {
        writeln!(out, "So will the credential, `{}`.", Credential::path(&root).display())?;
    }
    drop(out);
    if consent(args.consent)? == Wish::No {
        return Ok(());
    }
    for command in manager.stop() {
        // One that does not run cannot be ended, which is as good.
        let _ = run(&command);
    }
    let removed = system::remove(&path).with_context(|| format!("cannot remove `{}`", path.display()))?;
    for command in manager.after_removal() {
        let _ = run(&command);
    }
    println!("{}", if removed { "The node is not started any more." } else { "It was not installed." });
    if args.forget {
        let had = Credential::forget(&root).context("cannot remove the credential")?;
        let words =
            "The credential is removed. The gateway still knows it: `argus node revoke` there ends that.";
        println!("{}", if had { words } else { "There was no credential." });
    }
    Ok(())
}

/// Flags that the node would refuse each time it is started are refused now, and so is a secret in a file that others may
/// read.
fn check_flags(flags: &[String]) -> anyhow::Result<()> {
    #[derive(clap::Parser)]
    #[command(name = "argus-node-host", no_binary_name = true)]
    struct Flags {
        #[command(flatten)]
        args: NodeHostArgs,
    }
    let mistake = |words: String| anyhow::Error::from(Mistakes(vec![words]));
    let token = |flag: &String| flag == "--token" || flag.starts_with("--token=") || flag.contains("token=");
    if flags.iter().any(token) {
        let words = "a token must not stand in the service's file: enrol this machine, or use `--token-file`";
        return Err(mistake(words.to_owned()));
    }
    let args = Flags::try_parse_from(flags).map_err(|error| mistake(error.to_string()))?.args;
    for path in [&args.rules.policy, &args.token_file].into_iter().flatten() {
        let shown = path.display().to_string();
        if path.is_relative() && flags.iter().any(|flag| flag.ends_with(&shown)) {
            return Err(mistake(format!(
                "`{shown}` is found from this folder only: name it by its whole path"
            )));
        }
    }
    Ok(())
}

fn absolute(path: &std::path::Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("cannot tell where `{}` is", path.display()))
}

fn show_commands(
    out: &mut impl std::io::Write,
    head: &str,
    commands: &[system::Line],
) -> std::io::Result<()> {
    writeln!(out, "{head}")?;
    commands.iter().try_for_each(|command| writeln!(out, "  {command}"))
}

fn consent(consent: Consent) -> anyhow::Result<Wish> {
    if consent.dry_run {
        println!("Nothing was done.");
        return Ok(Wish::No);
    }
    if consent.yes {
        return Ok(Wish::Yes);
    }
    print!("Do it? Type `yes`: ");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().take(100).read_line(&mut answer).context("cannot read the answer")?;
    if matches!(answer.trim(), "yes" | "y" | "Yes") {
        return Ok(Wish::Yes);
    }
    bail!("nothing was done: the answer was not `yes`");
}
