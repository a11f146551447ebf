//! `system.info`: what machine this is.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use serde::Serialize;
use sysinfo::{MemoryRefreshKind, RefreshKind, System};

use crate::call::{Answer, Call, Command, told};
use crate::policy::Policy;

/// Tells of the machine.
#[derive(Clone, Debug)]
pub struct Info {
    policy: Policy,
    version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    /// `linux` or `macos`.
    os: &'static str,
    os_name: Option<String>,
    os_version: Option<String>,
    kernel: Option<String>,
    arch: &'static str,
    hostname: Option<String>,
    /// How many processors may be used.
    cpus: usize,
    memory: Option<Memory>,
    uptime_seconds: Option<u64>,
    /// The processes that want to run, on average of the last 1, 5 and 15 minutes.
    load: Option<[f64; 3]>,
    /// The disks of the folders that the owner opened, and of the home.
    disks: Vec<Disk>,
    user: Option<String>,
    home: String,
    /// Of this program.
    version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Memory {
    total_bytes: u64,
    available_bytes: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Disk {
    folder: String,
    total_bytes: u64,
    /// What this user may still use.
    available_bytes: u64,
}

impl Info {
    /// By that policy; `version` is the program's.
    pub fn new(policy: Policy, version: &'static str) -> Self {
        Self { policy, version }
    }

    fn look(&self) -> Told {
        let memory = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
        let system = System::new_with_specifics(memory);
        let host = self.policy.host();
        let (read, write) = self.policy.folders();
        let mut folders: Vec<PathBuf> = read.into_iter().chain(write).chain([host.home.clone()]).collect();
        folders.sort();
        folders.dedup();
        let user = ["USER", "LOGNAME"].iter().find_map(|name| host.var(name));
        Told {
            os: std::env::consts::OS,
            os_name: System::name().ok(),
            os_version: System::os_version().ok(),
            kernel: System::kernel_version().ok(),
            arch: std::env::consts::ARCH,
            hostname: System::host_name().ok(),
            cpus: std::thread::available_parallelism().map_or(1, usize::from),
            memory: system.ok().map(|system| Memory {
                total_bytes: system.total_memory(),
                available_bytes: system.available_memory(),
            }),
            uptime_seconds: System::uptime().ok(),
            load: System::load_average().ok().map(|load| [load.one, load.five, load.fifteen]),
            disks: folders.iter().take(32).filter_map(|folder| disk(folder)).collect(),
            user: user.map(|user| user.to_string_lossy().into_owned()),
            home: host.home.to_string_lossy().into_owned(),
            version: self.version,
        }
    }
}

fn disk(folder: &Path) -> Option<Disk> {
    let of = rustix::fs::statvfs(folder).ok()?;
    Some(Disk {
        folder: folder.to_string_lossy().into_owned(),
        total_bytes: of.f_blocks.saturating_mul(of.f_frsize),
        available_bytes: of.f_bavail.saturating_mul(of.f_frsize),
    })
}

#[async_trait]
impl Command for Info {
    fn names(&self) -> Vec<&'static str> {
        ["system.info"].into_iter().filter(|name| self.policy.offers(name)).collect()
    }

    async fn call(&self, _call: Call) -> Answer {
        let own = self.clone();
        let looked = tokio::task::spawn_blocking(move || own.look()).await;
        let failed = |error| {
            argus_protocol::node::Fault::new(
                argus_protocol::node::code::FAILED,
                format!("it failed: {error}"),
            )
        };
        told(&looked.map_err(failed)?)
    }
}
