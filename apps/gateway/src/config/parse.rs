//! One setting's text to its value; what is wrong with it, in words, otherwise.

use std::path::{Path, PathBuf};
use std::time::Duration;

use argus_protocol::command::AgentCommand;

use super::{EngineHost, InnerSandbox, LARGEST_LINE_LIMIT, LogFormat, ProvisionMode, Sandbox, Scope};

pub(super) fn log_filter(text: &str) -> Result<String, String> {
    let filter = tracing_subscriber::EnvFilter::try_new(text).map_err(|error| error.to_string())?;
    Ok(filter.to_string())
}

pub(super) fn mode(text: &str) -> Result<ProvisionMode, String> {
    match text.to_lowercase().as_str() {
        "process" => Ok(ProvisionMode::Process),
        "docker" => Ok(ProvisionMode::Docker),
        "static" => Ok(ProvisionMode::Static),
        _ => Err("expected `process`, `docker` or `static`".to_owned()),
    }
}

pub(super) fn sandbox(text: &str) -> Result<Sandbox, String> {
    match text {
        "workspace-write" => Ok(Sandbox::WorkspaceWrite),
        "read-only" => Ok(Sandbox::ReadOnly),
        "danger-full-access" => Ok(Sandbox::DangerFullAccess),
        _ => Err("expected workspace-write, read-only or danger-full-access".to_owned()),
    }
}

pub(super) fn runtime_sandbox(text: &str) -> Result<InnerSandbox, String> {
    match text {
        "none" => Ok(InnerSandbox::None),
        "codex" => Ok(InnerSandbox::Codex),
        _ => Err("expected none or codex".to_owned()),
    }
}

/// Without TLS and without a tunnel: both are better made by programs of their own.
pub(super) fn engine_host(text: &str) -> Result<EngineHost, String> {
    if let Some(path) = text.strip_prefix("unix://") {
        return absolute(Path::new(path)).map(EngineHost::Unix);
    }
    match text.strip_prefix("tcp://").map(|address| address.trim_end_matches('/')) {
        Some(address) if address.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) => {
            Ok(EngineHost::Tcp(address.to_owned()))
        }
        _ => Err("expected unix:///path or tcp://host:port".to_owned()),
    }
}

/// The name of a network, or the beginning of a container's, as engines take them.
pub(super) fn name(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    if text.len() <= 64 && text.chars().all(fits) && text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        Ok(text.to_owned())
    } else {
        Err("expected at most 64 letters, digits, `_`, `.` and `-`".to_owned())
    }
}

/// A user and a group, by number or by the image's names.
pub(super) fn user(text: &str) -> Result<Option<String>, String> {
    let named =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
    let (user, group) = text.split_once(':').unwrap_or((text, "0"));
    if named(user) && named(group) {
        Ok(Some(text.to_owned()))
    } else {
        Err("expected a user such as 1000 or 1000:1000".to_owned())
    }
}

fn none(text: &str) -> bool {
    text == "0" || text.eq_ignore_ascii_case("none")
}

/// Thousandths of a processor.
pub(super) fn cpus(text: &str) -> Result<Option<u64>, String> {
    if none(text) {
        return Ok(None);
    }
    let number = text.parse::<f64>().ok().filter(|number| (0.01..=4096.0).contains(number));
    let number = number.ok_or("expected a number of processors such as 1.5, or none")?;
    Ok(format!("{:.0}", number * 1000.0).parse().ok())
}

pub(super) fn pids(text: &str) -> Result<Option<u64>, String> {
    if none(text) {
        return Ok(None);
    }
    let number = text.parse::<u64>().ok().filter(|number| (1..=4_194_304).contains(number));
    number.map(Some).ok_or_else(|| "expected a number of processes, or none".to_owned())
}

/// Bytes, from a number and a unit (powers of 1024): `512m`, `1.5g`.
pub(super) fn memory(text: &str) -> Result<Option<u64>, String> {
    if none(text) {
        return Ok(None);
    }
    let lower = text.to_ascii_lowercase();
    let digits = lower.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(lower.len());
    let (number, unit) = lower.split_at(digits);
    let unit = match unit.trim() {
        "" | "b" => 1.0,
        "k" | "kb" | "kib" => 1024.0,
        "m" | "mb" | "mib" => 1024.0 * 1024.0,
        "g" | "gb" | "gib" => 1024.0 * 1024.0 * 1024.0,
        "t" | "tb" | "tib" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return Err("expected a size such as 512m or 2g, or none".to_owned()),
    };
    let bytes = number.parse::<f64>().map(|number| number * unit);
    let bytes = bytes.ok().filter(|bytes| (LEAST_MEMORY..=MOST_MEMORY).contains(bytes));
    let bytes = bytes.ok_or("expected a size from 6m to 1024t, such as 512m or 2g, or none")?;
    Ok(format!("{bytes:.0}").parse().ok())
}

/// What engines take at least, in bytes.
const LEAST_MEMORY: f64 = 6.0 * 1024.0 * 1024.0;
/// More than any machine has, in bytes.
const MOST_MEMORY: f64 = 1024.0 * 1024.0 * 1024.0 * 1024.0 * 1024.0;

pub(super) fn scope(text: &str) -> Result<Scope, String> {
    match text {
        "shared" => Ok(Scope::Shared),
        "user" => Ok(Scope::User),
        "chat" => Ok(Scope::Chat),
        _ => Err("expected shared, user or chat".to_owned()),
    }
}

pub(super) fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err("expected text or json".to_owned()),
    }
}

pub(super) fn line_limit(text: &str) -> Result<usize, String> {
    let bytes: usize = text.parse().map_err(|_| "expected a number of bytes".to_owned())?;
    if (4096..=LARGEST_LINE_LIMIT).contains(&bytes) {
        Ok(bytes)
    } else {
        Err(format!("expected 4096 to {LARGEST_LINE_LIMIT}"))
    }
}

/// The bridge reads it in the same way, so that a mistake shows at the start and not with the first turn.
pub(super) fn command(text: &str) -> Result<String, String> {
    text.parse::<AgentCommand>().map(|_| text.to_owned()).map_err(|error| error.to_string())
}

pub(super) fn bridge(text: Option<&String>) -> Vec<PathBuf> {
    if let Some(path) = text.filter(|text| !text.trim().is_empty()) {
        return vec![path.into()];
    }
    let own = std::env::current_exe().unwrap_or_else(|_| "argus".into());
    let beside = own.with_file_name("argus-runtime-bridge");
    if beside.is_file() { vec![beside] } else { vec![own, "runtime-bridge".into()] }
}

pub(super) fn days(days: u64) -> Option<Duration> {
    (days > 0).then(|| Duration::from_secs(days.min(36_500) * 86_400))
}

pub(super) fn list(text: Option<&String>) -> Vec<String> {
    let items = text.map(String::as_str).unwrap_or_default().split(',');
    items.map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
}

pub(super) fn absolute(path: &Path) -> Result<PathBuf, String> {
    if path.is_absolute() { Ok(path.to_owned()) } else { Err("expected an absolute path".to_owned()) }
}

pub(super) fn expand(text: &str, user_home: Option<&Path>) -> PathBuf {
    match (text.strip_prefix("~/"), user_home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        let of = |text| memory(text).ok();
        for (text, bytes) in
            [("512m", 512 << 20), ("1.5G", 3 << 29), ("8388608", 8 << 20), ("10 MiB", 10 << 20)]
        {
            assert_eq!(of(text), Some(Some(bytes)), "{text}");
        }
        assert_eq!((of("none"), of("0")), (Some(None), Some(None)));
        for wrong in ["1", "-1g", "1x", "g", "1e3", "99999999t", "NaN", "inf"] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn processors_and_processes_are_limited_or_not() {
        assert_eq!((cpus("1.5"), cpus("none"), cpus("0")), (Ok(Some(1500)), Ok(None), Ok(None)));
        assert!(["-1", "x", "NaN", "0.001"].iter().all(|text| cpus(text).is_err()));
        assert_eq!((pids("64"), pids("0")), (Ok(Some(64)), Ok(None)));
        assert!(["-1", "x", "1.5"].iter().all(|text| pids(text).is_err()));
    }

    #[test]
    fn an_engine_is_named_by_its_socket_or_its_port() {
        let unix = Ok(EngineHost::Unix("/run/user/1000/docker.sock".into()));
        assert_eq!(engine_host("unix:///run/user/1000/docker.sock"), unix);
        assert_eq!(engine_host("tcp://engine:2375/"), Ok(EngineHost::Tcp("engine:2375".into())));
        for wrong in ["unix://", "unix://relative", "tcp://engine", "ssh://engine", "/var/run/docker.sock"] {
            assert!(engine_host(wrong).is_err(), "{wrong}");
        }
    }
}
