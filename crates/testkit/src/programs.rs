//! Our own programs as processes of a test: found, started, killed, and all gone at its end.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs};

use rustix::process::{Pid, Signal, kill_process};

/// How long any wait of a test may take.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// A program of this workspace in the folder that the running test was built into.
///
/// # Panics
/// When it was not built: `cargo build --workspace --bins` does.
pub fn program(name: &str) -> PathBuf {
    let test = env::current_exe().expect("a test knows its own file");
    let folders = test.ancestors().skip(1).take(2);
    let found = folders.map(|folder| folder.join(name)).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("`{name}` is not built; run `cargo build --workspace --bins` first"))
}

/// The native binary of the real codex, where the test command installed it; otherwise says that a test is skipped.
pub fn real_codex() -> Option<PathBuf> {
    let codex = env::var_os("ARGUS_TEST_CODEX").map(PathBuf::from).filter(|path| path.is_file());
    if codex.is_none() {
        eprintln!("skipped: ARGUS_TEST_CODEX names no codex");
    }
    codex
}

/// The environment of a program under test: nothing of the person's own settings.
pub fn clean_environment() -> BTreeMap<OsString, OsString> {
    let kept = ["PATH", "LANG", "TMPDIR", "USER", "LOGNAME", "TERM"];
    kept.iter().filter_map(|name| Some((name.into(), env::var_os(name)?))).collect()
}

/// Every process that was started with `part` in its command line or environment, by the name of its program.
pub fn processes_with(part: &Path) -> Vec<(u32, String)> {
    let needle = part.as_os_str().as_encoded_bytes();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        if pid == std::process::id() {
            continue;
        }
        let read = |name: &str| fs::read(entry.path().join(name)).unwrap_or_default();
        let told = [read("cmdline"), read("environ")];
        if told.iter().any(|bytes| bytes.windows(needle.len()).any(|window| window == needle)) {
            found.push((pid, String::from_utf8_lossy(&read("comm")).trim().to_owned()));
        }
    }
    found
}

/// Ends a process as suddenly as a power cut does. One that is gone already is none of our business.
pub fn kill_9(pid: u32) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        _ = kill_process(pid, Signal::KILL);
    }
}

/// Ends every process that was started with `part` in its command line or environment.
pub fn kill_all_with(part: &Path) {
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        let left = processes_with(part);
        if left.is_empty() || Instant::now() > deadline {
            return;
        }
        for (pid, _) in left {
            kill_9(pid);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until `ready` gives something.
///
/// # Panics
/// After [`PATIENCE`], with `what`.
pub async fn eventually<T>(what: &str, mut ready: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = ready().await {
            return value;
        }
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain until {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
