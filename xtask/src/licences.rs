//! cargo-deny, which holds the dependencies to deny.toml.

use std::path::PathBuf;
use std::process::Command;

use crate::tools::Tool;
use crate::workspace;

/// The program.
pub(crate) const DENY: Tool = Tool { name: "cargo-deny", version: "0.20.2" };

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
