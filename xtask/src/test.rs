//! `cargo xtask test`: every check there is, in one run that goes on after a failure.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use crate::engine::{self, Engine, Optimised};
use crate::skips::Skips;
use crate::step::Steps;
use crate::tally::Tally;
use crate::{clients, codex, debian, licences, workspace};

/// What may be said on the command line.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only the tests: no format check, lints, documentation and licences.
    #[arg(long)]
    fast: bool,
    /// Without a Docker engine, leaving out all that needs one.
    #[arg(long)]
    without_docker: bool,
    /// Only tests whose names contain one of these; implies `--fast`.
    filter: Vec<String>,
}

/// Runs everything, then says in a few lines how it went; the last line counts the tests.
pub(crate) fn run(options: &Options) -> ExitCode {
    let mut skips = Skips::default();
    let mut steps = Steps::default();
    let tests_only = options.fast || !options.filter.is_empty();
    if !tests_only {
        check_style(&mut steps, &mut skips);
    }
    let tally = run_tests(&mut steps, &mut skips, options);
    if !tests_only {
        check_papers(&mut steps, &mut skips);
    }
    conclude(&steps, &skips, tally)
}

fn check_style(steps: &mut Steps, skips: &mut Skips) {
    if has_component("fmt", "rustfmt", skips) {
        steps.run("format", &mut workspace::cargo(["fmt", "--all", "--check"]));
    }
    if has_component("clippy", "clippy", skips) {
        let clippy = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
        steps.run("lints", &mut workspace::cargo(clippy));
    }
}

/// `None` when the runners did not say how many tests ran.
fn run_tests(steps: &mut Steps, skips: &mut Skips, options: &Options) -> Option<Tally> {
    let filter = &options.filter;
    let codex = match std::env::var_os("ARGUS_TEST_CODEX") {
        Some(own) => Some(own.into()),
        None => codex::ensure().inspect_err(|error| skips.add("real codex", &format!("{error:#}"))).ok(),
    };
    if workspace::on_path("tmux").is_none() {
        let installed =
            debian::install("`tmux` is not there, in which the agent's own terminal is tested", &["tmux"]);
        if let Err(error) = installed {
            skips.add("codex's terminal", &format!("{error:#}"));
        }
    }
    let packages = Packages::ensure(skips);
    let engine = if options.without_docker { None } else { engine(skips) };
    let images = engine.as_ref().is_some_and(|engine| build_images(engine, steps, skips));
    let parts = Parts { codex, packages, engine, images };
    // Tests start the other programs of the workspace, which a test runner would not build by itself. The test
    // targets are named too, so that dependencies are built once and not again with other features.
    if !steps.run("build", &mut workspace::cargo(["build", "--workspace", "--bins", "--tests"])) {
        return None;
    }
    let nextest = succeeds(&mut workspace::cargo(["nextest", "--version"]));
    let mut tests = if nextest {
        workspace::cargo(["nextest", "run", "--workspace"])
    } else {
        workspace::cargo(["test", "--workspace", "--lib", "--bins", "--tests", "--no-fail-fast"])
    };
    tests.arg("--").args(filter);
    clean_environment(&mut tests, &parts);
    let mut tally = steps.run_tests("tests", &mut tests)?;
    if !filter.is_empty() {
        // What the filter left out was not asked for, so it was not skipped.
        tally.skipped = 0;
        return Some(tally);
    }
    let mut doc_tests = workspace::cargo(["test", "--workspace", "--doc", "--quiet"]);
    clean_environment(&mut doc_tests, &parts);
    tally += steps.run_tests("doc tests", &mut doc_tests)?;
    Some(tally)
}

/// The real parts that tests are given.
struct Parts {
    /// The agent's native binary.
    codex: Option<PathBuf>,
    packages: Packages,
    /// The container engine; one of this run's own ends with this value.
    engine: Option<Engine>,
    /// Whether the engine has the shipped images.
    images: bool,
}

/// What the clients of the guide are written with, and what tests `/mcp`: folders of packages.
struct Packages {
    node: Option<PathBuf>,
    python: Option<PathBuf>,
    mcp: Option<PathBuf>,
}

impl Packages {
    fn ensure(skips: &mut Skips) -> Self {
        let mut had = |part: &str, folder: anyhow::Result<PathBuf>| {
            folder.inspect_err(|error| skips.add(part, &format!("{error:#}"))).ok()
        };
        Self {
            node: had("client in TypeScript", clients::node()),
            python: had("client in Python", clients::python()),
            mcp: had("conformance of `/mcp`", clients::mcp()),
        }
    }
}

/// An engine needs rights over the kernel that no package brings, for its containers and for their network. So a run without one is whole all the same, unless
/// `ARGUS_TEST_DOCKER=required` says otherwise.
fn engine(skips: &mut Skips) -> Option<Engine> {
    let usable = || {
        let engine = engine::ensure()?;
        engine.ensure_bases()?;
        engine.reaches_packages()?;
        anyhow::Ok(engine)
    };
    match usable() {
        Ok(engine) => Some(engine),
        Err(error) if std::env::var("ARGUS_TEST_DOCKER").is_ok_and(|word| word == "required") => {
            skips.require("docker", &format!("{error:#}"));
            None
        }
        Err(error) => {
            skips.tolerate("docker", &format!("{error:#}"));
            None
        }
    }
}

fn build_images(engine: &Engine, steps: &mut Steps, skips: &mut Skips) -> bool {
    if let Err(error) = engine::ensure_compose() {
        skips.add("compose", &format!("{error:#}"));
    }
    match engine.image_builds(Optimised::Quickly) {
        Ok(builds) => builds.into_iter().all(|(name, mut build)| steps.run(name, &mut build)),
        Err(error) => {
            skips.add("images", &format!("{error:#}"));
            false
        }
    }
}

fn check_papers(steps: &mut Steps, skips: &mut Skips) {
    let mut documentation =
        workspace::cargo(["doc", "--workspace", "--no-deps", "--document-private-items", "--quiet"]);
    steps.run("documentation", documentation.env("RUSTDOCFLAGS", "-D warnings"));
    match licences::DENY.ensure() {
        Ok(program) => {
            // Crates of other platforms are checked too, and nothing has asked for their sources yet.
            steps.run("sources", &mut workspace::cargo(["fetch", "--locked", "--quiet"]));
            steps.run("licences", &mut licences::check(program));
        }
        Err(error) => skips.add("licences", &format!("{error:#}")),
    }
}

fn conclude(steps: &Steps, skips: &Skips, tally: Option<Tally>) -> ExitCode {
    println!();
    let (words, mut passed) = match steps.summary() {
        Ok(words) => (words, true),
        Err(words) => (words, false),
    };
    println!("{words}");
    if let Some(words) = skips.summary() {
        println!("{words}");
        if skips.are_intolerable() {
            println!("error: this run must leave nothing out (CI=true, or ARGUS_TEST_DOCKER=required)");
            passed = false;
        }
    }
    if let Some(tally) = tally {
        let skipped = tally.skipped + skips.count() as u64;
        println!("{} passed, {} failed, {skipped} skipped", tally.passed, tally.failed);
    }
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Takes away the person's own settings, which the programs under test would read, and names the real agent.
fn clean_environment(tests: &mut Command, parts: &Parts) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let ours = text.starts_with("ARGUS_") && !text.starts_with("ARGUS_TEST_");
        let theirs = ["TELEGRAM_", "NEXT_PUBLIC_ARGUS_", "CODEX_", "OPENAI_"];
        if ours || theirs.iter().any(|prefix| text.starts_with(prefix)) || text == "HOST" {
            tests.env_remove(&name);
        }
    }
    if let Some(codex) = &parts.codex {
        tests.env("ARGUS_TEST_CODEX", codex);
    }
    let packages = [
        ("ARGUS_TEST_NODE_PACKAGES", &parts.packages.node),
        ("ARGUS_TEST_MCP_PACKAGES", &parts.packages.mcp),
        ("ARGUS_TEST_PYTHON_PACKAGES", &parts.packages.python),
    ];
    for (name, folder) in packages {
        if let Some(folder) = folder {
            tests.env(name, folder);
        }
    }
    match &parts.engine {
        Some(engine) => tests.env("ARGUS_TEST_DOCKER", engine.url()),
        None => tests.env_remove("ARGUS_TEST_DOCKER"),
    };
    if parts.images {
        tests.env("ARGUS_TEST_IMAGES", Optimised::Quickly.tag());
    }
}

/// Whether a part of the toolchain is there; rustup brings it where it can.
fn has_component(subcommand: &str, component: &str, skips: &mut Skips) -> bool {
    let present = || succeeds(&mut workspace::cargo([subcommand, "--version"]));
    if present() {
        return true;
    }
    let mut rustup = Command::new("rustup");
    if succeeds(rustup.args(["component", "add", component])) && present() {
        return true;
    }
    skips.add(component, &format!("it is not installed: `rustup component add {component}`"));
    false
}

fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}
