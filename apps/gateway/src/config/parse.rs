//! One setting's text to its value; what is wrong with it, in words, otherwise.

use std::path::{Path, PathBuf};
use std::time::Duration;

use argus_protocol::command::AgentCommand;

use super::{LARGEST_LINE_LIMIT, LogFormat, ProvisionMode, Sandbox};

pub(super) fn log_filter(text: &str) -> Result<String, String> {
    let filter = tracing_subscriber::EnvFilter::try_new(text).map_err(|error| error.to_string())?;
    Ok(filter.to_string())
}

pub(super) fn mode(text: &str) -> Result<ProvisionMode, String> {
    match text.to_lowercase().as_str() {
        "process" => Ok(ProvisionMode::Process),
        "docker" | "static" => {
            Err("this version makes runtimes as local processes only; use `process`".to_owned())
        }
        _ => Err("expected `process`".to_owned()),
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
