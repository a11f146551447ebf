//! What is told to the engine and by it, between its own shapes and ours.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::path::Path;

use bollard::models::{
    ContainerCreateBody, ContainerInspectResponse, ContainerStateStatusEnum, ContainerSummary,
    ContainerSummaryStateEnum, EndpointSettings, EventMessage, HostConfig, HostConfigLogConfig, Mount,
    MountType,
};

use super::super::found::{Found, State};
use super::super::spec::{ContainerSpec, label};
use super::{Event, Happened};

pub(super) fn body(spec: &ContainerSpec, image: &str) -> ContainerCreateBody {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let number = |value: Option<u64>| value.and_then(|value| i64::try_from(value).ok());
    let mounts = spec.binds.iter().map(|bind| Mount {
        source: Some(text(&bind.source)),
        target: Some(bind.target.to_owned()),
        typ: Some(MountType::BIND),
        ..Mount::default()
    });
    let pairs = |map: &BTreeMap<&str, &str>| {
        map.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<HashMap<_, _>>()
    };
    let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let host = HostConfig {
        network_mode: Some(spec.network.clone()),
        mounts: Some(mounts.collect()),
        tmpfs: Some(pairs(&spec.tmpfs)),
        cpu_period: spec.limits.milli_cpus.map(|_| 100_000),
        cpu_quota: number(spec.limits.milli_cpus.map(|milli| (milli * 100).max(1000))),
        memory: number(spec.limits.memory),
        memory_swap: number(spec.limits.memory_and_swap),
        pids_limit: number(spec.limits.pids),
        cap_drop: Some(names(&["ALL"])),
        cap_add: Some(names(&spec.capabilities)),
        security_opt: Some(spec.security.clone()),
        readonly_rootfs: Some(spec.read_only_root),
        init: Some(true),
        log_config: Some(HostConfigLogConfig {
            typ: Some("json-file".to_owned()),
            config: Some(pairs(&spec.log)),
        }),
        ..HostConfig::default()
    };
    let mut labels: HashMap<_, _> =
        spec.labels.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    labels.insert(label::IMAGE.to_owned(), image.to_owned());
    ContainerCreateBody {
        image: Some(spec.image.clone()),
        user: spec.user.clone(),
        env: Some(spec.env.iter().map(|(name, value)| format!("{name}={value}")).collect()),
        labels: Some(labels),
        host_config: Some(host),
        ..ContainerCreateBody::default()
    }
}

pub(super) fn inspected(told: ContainerInspectResponse) -> Found {
    use ContainerStateStatusEnum as S;
    let state = match told.state.and_then(|state| state.status) {
        Some(S::RUNNING | S::RESTARTING | S::STOPPING) => State::Running,
        Some(S::PAUSED) => State::Paused,
        Some(S::DEAD | S::REMOVING) => State::Broken,
        Some(S::CREATED | S::EXITED | S::EMPTY) | None => State::Stopped,
    };
    Found {
        id: told.id.unwrap_or_default(),
        name: told.name.unwrap_or_default().trim_start_matches('/').to_owned(),
        labels: told.config.and_then(|config| config.labels).unwrap_or_default().into_iter().collect(),
        state,
        addresses: addresses(told.network_settings.and_then(|settings| settings.networks)),
    }
}

pub(super) fn listed(told: ContainerSummary) -> Found {
    use ContainerSummaryStateEnum as S;
    let state = match told.state {
        Some(S::RUNNING | S::RESTARTING | S::STOPPING) => State::Running,
        Some(S::PAUSED) => State::Paused,
        Some(S::DEAD | S::REMOVING) => State::Broken,
        Some(S::CREATED | S::EXITED | S::EMPTY) | None => State::Stopped,
    };
    let name = told.names.unwrap_or_default().into_iter().next().unwrap_or_default();
    Found {
        id: told.id.unwrap_or_default(),
        name: name.trim_start_matches('/').to_owned(),
        labels: told.labels.unwrap_or_default().into_iter().collect(),
        state,
        addresses: addresses(told.network_settings.and_then(|settings| settings.networks)),
    }
}

fn addresses(networks: Option<HashMap<String, EndpointSettings>>) -> HashMap<String, IpAddr> {
    let endpoints = networks.unwrap_or_default().into_values();
    endpoints.filter_map(|end| Some((end.network_id?, end.ip_address?.parse().ok()?))).collect()
}

pub(super) fn understood(told: EventMessage) -> Option<Event> {
    let actor = told.actor?;
    let mut attributes = actor.attributes.unwrap_or_default();
    let happened = match told.action?.as_str() {
        "die" => Happened::Died { code: attributes.remove("exitCode").unwrap_or_else(|| "unknown".into()) },
        "oom" => Happened::OutOfMemory,
        "destroy" => Happened::Removed,
        _ => return None,
    };
    Some(Event { container: actor.id?, name: attributes.remove("name").unwrap_or_default(), happened })
}
