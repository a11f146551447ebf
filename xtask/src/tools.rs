//! Gets programs of cargo's kind that a command needs: the person's own, else one built into `.tools`, once.

use std::path::PathBuf;

use anyhow::{Context, ensure};

use crate::workspace;

/// A program that `cargo install` builds.
pub(crate) struct Tool {
    /// The crate, and the program.
    pub(crate) name: &'static str,
    /// The version that is installed where none is there.
    pub(crate) version: &'static str,
}

impl Tool {
    /// The person's own, else one in `.tools`. An error says what to do.
    pub(crate) fn ensure(&self) -> anyhow::Result<PathBuf> {
        let Self { name, version } = self;
        if let Some(own) = workspace::on_path(name) {
            return Ok(own);
        }
        let folder = workspace::root().join(".tools").join(name);
        let program = folder.join("bin").join(name);
        if workspace::is_program(&program) {
            return Ok(program);
        }
        println!("── installing {name} {version} into {} (once, about a minute)", folder.display());
        // Without optimisation: it builds in a third of the time, and none of these has much to do.
        let status = workspace::cargo(["install", "--quiet", "--locked", "--debug", "--root"])
            .arg(&folder)
            .arg(format!("{name}@{version}"))
            .status()
            .context("`cargo install` cannot be started")?;
        ensure!(status.success(), "`cargo install {name}` failed: is the crate registry reachable?");
        Ok(program)
    }
}
