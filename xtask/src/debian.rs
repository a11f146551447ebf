//! Installs Debian packages where this run may: as root, on Debian or one of its like.

use std::process::Command;

use anyhow::{Context, bail, ensure};

use crate::workspace;

/// Installs packages. The error says `why` they were wanted, and what to do.
pub(crate) fn install(why: &str, packages: &[&str]) -> anyhow::Result<()> {
    let all = packages.join(" ");
    if workspace::on_path("apt-get").is_none() {
        bail!("{why}, and this is not Debian: install what `{all}` is called here");
    }
    if !is_root() {
        bail!("{why}, and only root may install it: `apt-get install {all}`");
    }
    println!("── installing {all}");
    // The lists may be missing, as in a fresh image, or old.
    apt(&["update"]).context("`apt-get update` cannot be started")?;
    let arguments = [&["install", "--yes", "--no-install-recommends"], packages].concat();
    let installed = apt(&arguments).context("`apt-get install` cannot be started")?;
    ensure!(installed, "`apt-get install {all}` failed: are Debian's packages reachable?");
    Ok(())
}

/// Whether this run has root's rights.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn apt(arguments: &[&str]) -> std::io::Result<bool> {
    let mut command = Command::new("apt-get");
    command.arg("-qq").args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    command.stdout(std::process::Stdio::null()).status().map(|status| status.success())
}
