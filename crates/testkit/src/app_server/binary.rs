//! Finds the scripted agent's program for the tests of any package, and builds it when it is missing or old.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::SystemTime;
use std::{env, fs};

const NAME: &str = "scripted-app-server";

/// The path of `scripted-app-server`, built by Cargo into the target folder that the calling test runs from.
pub fn binary() -> PathBuf {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(find).clone()
}

fn find() -> PathBuf {
    let test = env::current_exe().expect("a running test has a program file");
    let profile = test
        .ancestors()
        .find(|folder| folder.file_name().is_some_and(|name| name == "deps"))
        .and_then(Path::parent)
        .unwrap_or_else(|| test.parent().expect("a program file is in a folder"))
        .to_owned();
    let program = profile.join(NAME).with_extension(env::consts::EXE_EXTENSION);
    if is_current(&program) {
        return program;
    }
    let mut build = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    build.args(["build", "--quiet", "--package", "argus-testkit", "--bin", NAME]);
    build.current_dir(env!("CARGO_MANIFEST_DIR"));
    if let Some(target) = profile.parent() {
        build.arg("--target-dir").arg(target);
    }
    if profile.file_name().is_some_and(|name| name == "release") {
        build.arg("--release");
    }
    let status = build.status().expect("cargo can be started");
    assert!(status.success() && program.exists(), "`{NAME}` could not be built at {}", program.display());
    program
}

/// Whether the program is there and newer than every source of this package.
fn is_current(program: &Path) -> bool {
    let Ok(built) = fs::metadata(program).and_then(|data| data.modified()) else { return false };
    newest(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).is_none_or(|source| source <= built)
}

fn newest(folder: &Path) -> Option<SystemTime> {
    let entries = fs::read_dir(folder).ok()?.flatten();
    entries
        .filter_map(|entry| {
            let path = entry.path();
            if path.is_dir() { newest(&path) } else { entry.metadata().ok()?.modified().ok() }
        })
        .max()
}
