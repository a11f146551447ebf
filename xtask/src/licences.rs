//! Gets cargo-deny, which holds the dependencies to deny.toml.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, ensure};

use crate::workspace;

/// The version that is installed where none is there.
const VERSION: &str = "0.20.2";

/// The person's own cargo-deny, else one in `.tools/cargo-deny`, built there once. An error says what to do.
pub(crate) fn ensure() -> anyhow::Result<PathBuf> {
    if let Some(own) = workspace::on_path("cargo-deny") {
        return Ok(own);
    }
    let folder = workspace::root().join(".tools/cargo-deny");
    let program = folder.join("bin/cargo-deny");
    if workspace::is_program(&program) {
        return Ok(program);
    }
    println!("── installing cargo-deny {VERSION} into {} (once, about a minute)", folder.display());
    // Without optimisation: it builds in a third of the time, and checks in two seconds all the same.
    let status = workspace::cargo(["install", "--quiet", "--locked", "--debug", "--root"])
        .arg(&folder)
        .arg(format!("cargo-deny@{VERSION}"))
        .status()
        .context("`cargo install` cannot be started")?;
    ensure!(status.success(), "`cargo install cargo-deny` failed: is the crate registry reachable?");
    Ok(program)
}

/// The check that depends on this repository alone: no advisories, which change by the day.
pub(crate) fn check(program: PathBuf) -> Command {
    let mut command = Command::new(program);
    command.current_dir(workspace::root());
    command.args([
        "--offline",
        "--all-features",
        "check",
        "--hide-inclusion-graph",
        "licenses",
        "bans",
        "sources",
    ]);
    command
}
