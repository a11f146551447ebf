//! Gets the Codex that this project is tested with into `.tools/codex`, and finds its native binary.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};

use crate::workspace;

/// The version of npm's `@openai/codex` that is installed.
pub(crate) const VERSION: &str = "0.169.0";

/// The native binary of the pinned version; installs it when it is not there. An error says what to do.
pub(crate) fn ensure() -> anyhow::Result<PathBuf> {
    let tools = workspace::root().join(".tools");
    fs::create_dir_all(&tools).with_context(|| format!("`{}` cannot be made", tools.display()))?;
    // Two commands at once must not install into the same folder; the lock ends with the process.
    let lock = File::create(tools.join("lock")).context("`.tools/lock` cannot be made")?;
    lock.lock().context("`.tools/lock` cannot be locked")?;
    let folder = tools.join("codex");
    if let Some(binary) = installed(&folder) {
        return Ok(binary);
    }
    if workspace::on_path("npm").is_none() {
        bail!("`npm` is not there: install Node.js 18 or newer (Debian: `apt-get install nodejs npm`)");
    }
    println!("── installing Codex {VERSION} into {} (about 400 MB)", folder.display());
    // Beside the final place, so that a run that is cut short leaves nothing that looks complete.
    let part = tools.join("codex.part");
    remove(&part)?;
    npm_install(&part)?;
    let Some(binary) = installed(&part) else {
        bail!("`@openai/codex@{VERSION}` has no native binary for this machine");
    };
    let within = binary.strip_prefix(&part).context("the binary is in the folder it was found in")?;
    remove(&folder)?;
    fs::rename(&part, &folder).context("`.tools/codex` cannot be put in place")?;
    Ok(folder.join(within))
}

fn npm_install(folder: &Path) -> anyhow::Result<()> {
    let status = Command::new("npm")
        .args(["install", "--no-audit", "--no-fund", "--loglevel=error", "--prefix"])
        .arg(folder)
        .arg(format!("@openai/codex@{VERSION}"))
        .status()
        .context("`npm` cannot be started")?;
    ensure!(status.success(), "`npm install @openai/codex@{VERSION}` failed: is the npm registry reachable?");
    Ok(())
}

/// The native binary below `folder`, if the pinned version is there whole.
fn installed(folder: &Path) -> Option<PathBuf> {
    let scope = folder.join("node_modules/@openai");
    let manifest = fs::read(scope.join("codex/package.json")).ok()?;
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).ok()?;
    if manifest["version"] != VERSION {
        return None;
    }
    // npm installs one package per platform: `codex-linux-x64/vendor/x86_64-unknown-linux-musl/bin/codex`.
    let platforms = folders(&scope)
        .into_iter()
        .filter(|folder| folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with("codex-")));
    let vendors = platforms.flat_map(|platform| folders(&platform.join("vendor")));
    vendors.map(|vendor| vendor.join("bin/codex")).find(|binary| workspace::is_program(binary))
}

fn folders(of: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(of).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

fn remove(folder: &Path) -> anyhow::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("`{}` cannot be removed", folder.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::{VERSION, installed};

    #[test]
    fn an_installation_counts_only_whole_and_in_the_pinned_version() {
        let home = tempfile::tempdir().unwrap();
        let scope = home.path().join("node_modules/@openai");
        let bin = scope.join("codex-linux-x64/vendor/x86_64-unknown-linux-musl/bin");
        fs::create_dir_all(&bin).unwrap();
        fs::create_dir_all(scope.join("codex/bin")).unwrap();
        assert_eq!(installed(home.path()), None);

        let manifest = |version: &str| {
            fs::write(scope.join("codex/package.json"), format!(r#"{{"version":"{version}"}}"#)).unwrap();
        };
        manifest(VERSION);
        assert_eq!(installed(home.path()), None);

        fs::write(bin.join("codex"), "").unwrap();
        fs::set_permissions(bin.join("codex"), fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(installed(home.path()), Some(bin.join("codex")));

        manifest("0.1.0");
        assert_eq!(installed(home.path()), None);
    }
}
