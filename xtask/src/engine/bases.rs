//! The public images that ours are built from: pulled, or where no registry can be reached, stand-ins made of this
//! machine's own Debian, Node.js and Rust.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};
use tempfile::TempDir;

use super::{Engine, quietly};
use crate::{debian, workspace};

pub(super) const DEBIAN: &str = "debian:bookworm-slim";
const NODE: &str = "node:22-bookworm-slim";
const RUST: &str = "rust:1.95-bookworm";

impl Engine {
    /// Sees to it that all three are there; an error says which is not, and why.
    pub(crate) fn ensure_bases(&self) -> anyhow::Result<()> {
        for image in [DEBIAN, NODE, RUST] {
            if self.has(image) {
                continue;
            }
            println!("── docker: pulling {image}");
            let Err(pull) = quietly(&mut self.docker(["pull", "--quiet", image])) else { continue };
            println!("── docker: no registry gives {image}; making a stand-in from this machine");
            let made = match image {
                DEBIAN => self.stand_in_for_debian(),
                NODE => self.stand_in_for_node(),
                _ => self.stand_in_for_rust(),
            };
            made.with_context(|| format!("`{image}` cannot be had ({pull:#}), nor a stand-in"))?;
        }
        Ok(())
    }

    /// Whether the engine has the image.
    fn has(&self, image: &str) -> bool {
        self.docker(["image", "inspect", image]).output().is_ok_and(|output| output.status.success())
    }

    /// Debian's smallest system, with the certificates that this machine trusts.
    fn stand_in_for_debian(&self) -> anyhow::Result<()> {
        if workspace::on_path("debootstrap").is_none() {
            debian::install("`debootstrap` is not there", &["debootstrap"])?;
        }
        let folder = TempDir::new().context("no temporary folder")?;
        let root = folder.path().join("root");
        let mut bootstrap = Command::new("debootstrap");
        bootstrap.args(["--variant=minbase", "--include=ca-certificates", "bookworm"]).arg(&root);
        quietly(&mut bootstrap)?;
        for unneeded in ["var/cache/apt/archives", "var/lib/apt/lists"] {
            fs::remove_dir_all(root.join(unneeded)).context("a package cache cannot be removed")?;
        }
        let (own, inside) =
            (Path::new("/usr/local/share/ca-certificates"), "usr/local/share/ca-certificates");
        if own.is_dir() {
            quietly(Command::new("cp").arg("-a").arg(own.join(".")).arg(root.join(inside)))?;
        }
        quietly(Command::new("chroot").arg(&root).arg("update-ca-certificates"))?;
        let certificates = "/etc/ssl/certs/ca-certificates.crt";
        let mut import = self.docker(["import"]);
        for variable in ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"] {
            import.args(["--change", &format!("ENV {variable}={certificates}")]);
        }
        let mut tar = Command::new("tar");
        tar.arg("-C").arg(&root).args(["-c", "."]);
        piped(&mut tar, import.args(["-", DEBIAN]))
    }

    /// This machine's Node.js and npm.
    fn stand_in_for_node(&self) -> anyhow::Result<()> {
        let node =
            workspace::on_path("node").context("`node` is not there: install Node.js")?.canonicalize()?;
        let npm = workspace::on_path("npm").context("`npm` is not there: install Node.js")?.canonicalize()?;
        let npm = above(&npm, "npm").context("`npm` is not where it usually is")?;
        let dockerfile = format!(
            "FROM {DEBIAN}\nCOPY node /usr/local/bin/node\nCOPY npm /usr/local/lib/node_modules/npm\nRUN \
             ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm && \
             ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx && npm --version\n"
        );
        self.build(NODE, &dockerfile, &[(&node, "node"), (&npm, "npm")])
    }

    /// This machine's Rust, and the C compiler that crates ask for.
    fn stand_in_for_rust(&self) -> anyhow::Result<()> {
        let told =
            Command::new("rustc").args(["--print", "sysroot"]).output().context("`rustc` is not there")?;
        let sysroot = PathBuf::from(String::from_utf8_lossy(&told.stdout).trim());
        let dockerfile = format!(
            "FROM {DEBIAN}\nRUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev make \
             pkg-config && rm -rf /var/lib/apt/lists/*\nCOPY bin /usr/local/bin\nCOPY lib /usr/local/lib\n\
             ENV CARGO_HOME=/usr/local/cargo\nRUN cargo --version && rustc --version\n"
        );
        self.build(RUST, &dockerfile, &[(&sysroot.join("bin"), "bin"), (&sysroot.join("lib"), "lib")])
    }

    /// Builds an image from a few files of this machine, each under a name of its own.
    fn build(&self, image: &str, dockerfile: &str, files: &[(&Path, &str)]) -> anyhow::Result<()> {
        let folder = TempDir::new().context("no temporary folder")?;
        fs::write(folder.path().join("Dockerfile"), dockerfile).context("a temporary file")?;
        for (file, name) in files {
            std::os::unix::fs::symlink(file, folder.path().join(name)).context("a temporary link")?;
        }
        let names = files.iter().map(|(_, name)| *name);
        let mut tar = Command::new("tar");
        tar.arg("-C").arg(folder.path()).args(["--dereference", "-c", "Dockerfile"]).args(names);
        piped(&mut tar, &mut self.docker(["build", "--quiet", "-t", image, "-"]))
    }
}

/// The nearest folder above a file with that name.
fn above(file: &Path, name: &str) -> Option<PathBuf> {
    file.ancestors().skip(1).find(|folder| folder.ends_with(name)).map(Path::to_owned)
}

/// Runs `from` into `to`.
fn piped(from: &mut Command, to: &mut Command) -> anyhow::Result<()> {
    let mut source = from.stdout(Stdio::piped()).spawn().context("`tar` cannot be started")?;
    let Some(output) = source.stdout.take() else { bail!("`tar` has no output") };
    let taken = quietly(to.stdin(output));
    let packed = source.wait().context("`tar` cannot be watched")?.success();
    taken?;
    ensure!(packed, "`tar` failed");
    Ok(())
}
