//! `cargo xtask fuzz`: gives every reader of what others wrote made-up input, for as long as it is told to.

mod finding;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, bail, ensure};

use crate::tools::Tool;
use crate::workspace;
use finding::Run;

/// The driver of libFuzzer. Without sanitizers it works with a stable compiler.
const CARGO_FUZZ: Tool = Tool { name: "cargo-fuzz", version: "0.13.2" };

/// Neither input nor memory grows without a bound, and no input may take long.
const BOUNDS: [&str; 4] = ["-max_len=4096", "-rss_limit_mb=1024", "-timeout=10", "-print_final_stats=1"];

/// What may be said on the command line.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// How long in all; the targets share it. Building comes on top.
    #[arg(long, default_value_t = 70, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Only these targets.
    target: Vec<String>,
}

/// Builds the targets, runs each for its share, prints a table; fails when something was found.
pub(crate) fn run(options: &Options) -> ExitCode {
    match fuzz(options) {
        Ok(runs) => {
            println!("\n{}", finding::table(&runs));
            if runs.iter().all(Run::is_clean) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn fuzz(options: &Options) -> anyhow::Result<Vec<Run>> {
    let program = CARGO_FUZZ.ensure()?;
    let target_folder = workspace::target()?.join("fuzz");
    let targets = chosen(&options.target)?;
    println!("── building the targets");
    let mut build = driver(&program, "build", &target_folder);
    let status = build.status().context("cargo-fuzz cannot be started")?;
    ensure!(
        status.success(),
        "the targets cannot be built: is a C++ compiler there (Debian: `apt-get install g++`)?"
    );
    let share = (options.seconds / u32::try_from(targets.len()).unwrap_or(u32::MAX)).max(1);
    let mut runs = Vec::new();
    for target in targets {
        println!("── {target}: {share} s");
        let mut command = driver(&program, "run", &target_folder);
        let log = target_folder.join(format!("{target}.log"));
        runs.push(watch(&mut command, &target, share, &log)?);
    }
    Ok(runs)
}

/// All targets, or those that were named.
fn chosen(named: &[String]) -> anyhow::Result<Vec<String>> {
    let folder = workspace::root().join("fuzz/fuzz_targets");
    let files = fs::read_dir(&folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    let mut all = files
        .map(|file| Ok(file?.path().file_stem().unwrap_or_default().to_string_lossy().into_owned()))
        .collect::<std::io::Result<Vec<_>>>()?;
    all.sort();
    if let Some(unknown) = named.iter().find(|name| !all.contains(name)) {
        bail!("there is no target `{unknown}`; there are {}", all.join(", "));
    }
    Ok(if named.is_empty() { all } else { named.to_vec() })
}

fn driver(program: &Path, deed: &str, target_folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(workspace::root());
    command.args(["fuzz", deed, "--sanitizer", "none", "--target-dir"]).arg(target_folder);
    command
}

/// Runs one target. What it found before lies in `fuzz/corpus`, and is where it begins.
fn watch(command: &mut Command, target: &str, seconds: u32, log: &PathBuf) -> anyhow::Result<Run> {
    let corpus = workspace::root().join("fuzz/corpus").join(target);
    fs::create_dir_all(&corpus).with_context(|| format!("{} cannot be made", corpus.display()))?;
    let output = File::create(log).with_context(|| format!("{} cannot be written", log.display()))?;
    command.arg(target).arg(&corpus).arg(format!("fuzz/seeds/{target}"));
    command.arg("--").args(BOUNDS).arg(format!("-max_total_time={seconds}"));
    command.stdout(output.try_clone()?).stderr(output);
    let ended_well = command.status().context("cargo-fuzz cannot be started")?.success();
    let said = fs::read(log).with_context(|| format!("{} cannot be read", log.display()))?;
    let run = Run::read(target, &String::from_utf8_lossy(&said), ended_well);
    if let Some(words) = run.trouble() {
        println!("{words}\nThe whole log: {}", log.display());
    }
    Ok(run)
}
