//! The container engine's interface in our own words: nobody else knows the library behind it.

mod shapes;

use std::collections::HashMap;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bollard::container::LogOutput;
use bollard::errors::Error;
use bollard::models::{EndpointSettings, Network, NetworkConnectRequest, NetworkCreateRequest};
use bollard::query_parameters::{
    AttachContainerOptions, CreateContainerOptions, EventsOptions, ListContainersOptions,
    ListNetworksOptions, RemoveContainerOptions, StopContainerOptions, WaitContainerOptions,
};
use bollard::{API_DEFAULT_VERSION, Docker};
use bytes::Bytes;
use futures::{Stream, StreamExt as _};

use self::shapes::{body, inspected, listed, understood};
use super::found::Found;
use super::spec::ContainerSpec;
use crate::config::EngineHost;
use crate::runtime::ProvisionError;

/// Why the engine did not do something.
#[derive(Debug, thiserror::Error)]
pub(super) enum EngineError {
    /// It does not answer.
    #[error("the container engine at {host} cannot be reached: {why}")]
    Away {
        /// Where it was looked for.
        host: String,
        /// What happened there.
        why: String,
    },
    /// What was named is not there.
    #[error("the container engine does not know it: {0}")]
    Missing(String),
    /// It said no.
    #[error("the container engine refuses: {message}")]
    Refused {
        /// The status of its answer.
        status: u16,
        /// Its words.
        message: String,
    },
}

impl From<EngineError> for ProvisionError {
    fn from(error: EngineError) -> Self {
        match error {
            // Busy with the same container, or with its own start.
            EngineError::Away { .. } | EngineError::Refused { status: 409 | 503, .. } => {
                Self::passing(error.to_string())
            }
            EngineError::Missing(_) | EngineError::Refused { .. } => Self::lasting(error.to_string()),
        }
    }
}

pub(super) type Result<T> = std::result::Result<T, EngineError>;

/// What a container writes, as it comes.
pub(super) type Output = Pin<Box<dyn Stream<Item = Bytes> + Send>>;

/// What happened to a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// The container's id.
    pub(super) container: String,
    /// Its name.
    pub(super) name: String,
    /// What.
    pub(super) happened: Happened,
}

/// What can happen to a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Happened {
    /// Its processes ended.
    Died {
        /// The exit code, as the engine writes it.
        code: String,
    },
    /// Something in it was ended for want of memory.
    OutOfMemory,
    /// It is gone.
    Removed,
}

/// What happens, as it does; an error is the last.
pub(super) type Events = Pin<Box<dyn Stream<Item = Result<Event>> + Send>>;

/// Which part of a container's output is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Since {
    /// What comes from now on.
    Now,
    /// What the engine has kept of it, too.
    Begin,
}

/// One engine. A connection is made when it is needed and forgotten when the engine goes.
#[derive(Debug)]
pub(super) struct Engine {
    host: EngineHost,
    /// How long one answer may take.
    limit: Duration,
    connection: Mutex<Option<Docker>>,
}

impl Engine {
    /// The engine there, which need not run yet.
    pub(super) fn new(host: EngineHost, limit: Duration) -> Self {
        Self { host, limit, connection: Mutex::default() }
    }

    /// The id of the image that this name means now.
    pub(super) async fn image(&self, name: &str) -> Result<Option<String>> {
        let docker = self.docker().await?;
        let told = found(self.told(docker.inspect_image(name).await))?;
        Ok(told.and_then(|image| image.id))
    }

    /// The id of the network of this name, made if there is none. Of several the oldest is taken: names are not unique.
    pub(super) async fn network(&self, name: &str) -> Result<String> {
        if let Some(id) = self.oldest_network(name).await? {
            return Ok(id);
        }
        let docker = self.docker().await?;
        let wanted = NetworkCreateRequest {
            name: name.to_owned(),
            driver: Some("bridge".to_owned()),
            ..NetworkCreateRequest::default()
        };
        let made = self.told(docker.create_network(wanted).await)?.id;
        tracing::info!(network = name, "made the network of the runtimes");
        match self.oldest_network(name).await? {
            Some(id) if id != made => {
                // Somebody else made one meanwhile.
                _ = docker.remove_network(&made).await;
                Ok(id)
            }
            _ => Ok(made),
        }
    }

    /// Puts a container onto a network, unless it is there; others find it by `name`. A container that the engine does
    /// not know is another engine's, and is left alone.
    pub(super) async fn join(&self, container: &str, network: &str, name: &str) -> Result<()> {
        let Some(there) = self.find(container).await? else { return Ok(()) };
        if there.addresses.contains_key(network) {
            return Ok(());
        }
        let endpoint =
            EndpointSettings { aliases: Some(vec![name.to_owned()]), ..EndpointSettings::default() };
        let request = NetworkConnectRequest { container: there.id, endpoint_config: Some(endpoint) };
        self.told(self.docker().await?.connect_network(network, request).await)
    }

    /// The address that the engine's machine has in a network.
    pub(super) async fn address_in(&self, network: &str) -> Result<Option<IpAddr>> {
        let told = found(self.told(self.docker().await?.inspect_network(network, None).await))?;
        let ranges = told.and_then(|network| network.ipam?.config).unwrap_or_default();
        Ok(ranges.into_iter().filter_map(|range| range.gateway).find_map(|address| address.parse().ok()))
    }

    async fn oldest_network(&self, name: &str) -> Result<Option<String>> {
        let docker = self.docker().await?;
        let options = ListNetworksOptions { filters: Some(filters("name", name)) };
        let told = self.told(docker.list_networks(Some(options)).await)?;
        // The engine takes the name for a part of one.
        let same = told.into_iter().filter(|network| network.name.as_deref() == Some(name));
        let age = |network: &Network| (network.created.clone(), network.id.clone());
        Ok(same.min_by_key(age).and_then(|network| network.id))
    }

    /// The container of this name or id.
    pub(super) async fn find(&self, name: &str) -> Result<Option<Found>> {
        let docker = self.docker().await?;
        let told = found(self.told(docker.inspect_container(name, None).await))?;
        Ok(told.map(inspected))
    }

    /// Every container with that label, running or not.
    pub(super) async fn list(&self, label: &str) -> Result<Vec<Found>> {
        let docker = self.docker().await?;
        let options = ListContainersOptions {
            all: true,
            filters: Some(filters("label", label)),
            ..ListContainersOptions::default()
        };
        let told = self.told(docker.list_containers(Some(options)).await)?;
        Ok(told.into_iter().map(listed).collect())
    }

    /// Makes a container; its id. `image` is the id of its image, which it is labelled with.
    pub(super) async fn create(&self, spec: &ContainerSpec, image: &str) -> Result<String> {
        let docker = self.docker().await?;
        let options =
            CreateContainerOptions { name: Some(spec.name.clone()), ..CreateContainerOptions::default() };
        let made = self.told(docker.create_container(Some(options), body(spec, image)).await)?;
        for warning in &made.warnings {
            tracing::warn!(container = spec.name, warning, "the container engine warns");
        }
        Ok(made.id)
    }

    /// Starts a container; one that runs is left running.
    pub(super) async fn start(&self, id: &str) -> Result<()> {
        self.told(self.docker().await?.start_container(id, None).await)
    }

    /// What a container writes on both its outputs, until it ends or the engine goes.
    pub(super) async fn output(&self, id: &str, since: Since) -> Result<Output> {
        let docker = self.docker().await?;
        let options = AttachContainerOptions {
            stdout: true,
            stderr: true,
            stream: true,
            logs: since == Since::Begin,
            ..AttachContainerOptions::default()
        };
        let attached = self.told(docker.attach_container(id, Some(options)).await)?;
        // An error is the engine's end, which whoever waits finds out soon enough.
        let parts = attached.output.take_while(|part| std::future::ready(part.is_ok()));
        let texts = parts.filter_map(|part| std::future::ready(part.ok().map(LogOutput::into_bytes)));
        // The connection lives as long as both its halves.
        let input = attached.input;
        Ok(Box::pin(texts.inspect(move |_| _ = &input)))
    }

    /// What happens to containers with that label. The engine is told to begin when this is first polled.
    pub(super) async fn events(&self, label: &str) -> Result<Events> {
        let docker = self.docker().await?;
        let mut filters = filters("label", label);
        filters.insert("type".to_owned(), vec!["container".to_owned()]);
        let wanted = ["die", "oom", "destroy"].map(str::to_owned);
        filters.insert("event".to_owned(), wanted.into());
        let options = EventsOptions { filters: Some(filters), ..EventsOptions::default() };
        let host = self.host.clone();
        let told = docker.events(Some(options));
        Ok(Box::pin(told.filter_map(move |told| {
            let event = told.map_err(|error| away(&host, &in_full(&error))).map(understood).transpose();
            std::future::ready(event)
        })))
    }

    /// Waits until a container's processes have ended; their exit code, `None` when it is gone.
    pub(super) async fn ended(&self, id: &str) -> Result<Option<i64>> {
        let docker = self.docker().await?;
        let mut told = Box::pin(docker.wait_container(id, None::<WaitContainerOptions>));
        match told.next().await {
            Some(Err(Error::DockerContainerWaitError { code, .. })) => Ok(Some(code)),
            Some(told) => Ok(found(self.told(told))?.map(|told| told.status_code)),
            None => Ok(None),
        }
    }

    /// Ends a container's processes: politely first, and what is left after `grace` at once.
    pub(super) async fn stop(&self, id: &str, grace: Duration) -> Result<()> {
        let docker = self.docker().await?;
        let seconds = i32::try_from(grace.as_secs()).unwrap_or(i32::MAX);
        let options = StopContainerOptions { t: Some(seconds), ..StopContainerOptions::default() };
        let told = docker.stop_container(id, Some(options));
        // It answers when they have ended, which may take as long as it was allowed.
        match tokio::time::timeout(grace + self.limit, told).await {
            Ok(told) => found(self.told(told)).map(drop),
            Err(_) => Err(self.away(&"it does not answer")),
        }
    }

    /// Removes a container, running or not.
    pub(super) async fn remove(&self, id: &str) -> Result<()> {
        let docker = self.docker().await?;
        let options = RemoveContainerOptions { force: true, v: true, ..RemoveContainerOptions::default() };
        found(self.told(docker.remove_container(id, Some(options)).await)).map(drop)
    }

    /// The connection, in a version of the interface that both know.
    async fn docker(&self) -> Result<Docker> {
        let known = self.connection.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(docker) = known {
            return Ok(docker);
        }
        let seconds = self.limit.as_secs().max(1);
        let fresh = match &self.host {
            EngineHost::Unix(path) => {
                Docker::connect_with_unix(&path.to_string_lossy(), seconds, API_DEFAULT_VERSION)
            }
            EngineHost::Tcp(address) => Docker::connect_with_http(address, seconds, API_DEFAULT_VERSION),
        };
        let fresh = self.told(fresh)?;
        let docker = self.told(fresh.negotiate_version().await)?;
        *self.connection.lock().unwrap_or_else(PoisonError::into_inner) = Some(docker.clone());
        Ok(docker)
    }

    /// The next call finds out again what the engine speaks: another one may have taken its place.
    pub(super) fn forget(&self) {
        *self.connection.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn told<T>(&self, answer: std::result::Result<T, Error>) -> Result<T> {
        answer.map_err(|error| match error {
            Error::DockerResponseServerError { status_code: 404, message } => EngineError::Missing(message),
            Error::DockerResponseServerError { status_code, message } => {
                EngineError::Refused { status: status_code, message }
            }
            Error::SocketNotFoundError(_) => self.away(&"there is no such socket"),
            Error::RequestTimeoutError => self.away(&"it does not answer"),
            other => self.away(&in_full(&other)),
        })
    }

    /// That this engine does not answer.
    pub(super) fn away(&self, why: &dyn std::fmt::Display) -> EngineError {
        away(&self.host, why)
    }
}

fn away(host: &EngineHost, why: &dyn std::fmt::Display) -> EngineError {
    EngineError::Away { host: host.to_string(), why: why.to_string() }
}

/// An error with what caused it: the outermost says little.
fn in_full(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        words = format!("{words}: {inner}");
        cause = inner.source();
    }
    words
}

/// What is not there is no error.
fn found<T>(told: Result<T>) -> Result<Option<T>> {
    match told {
        Err(EngineError::Missing(_)) => Ok(None),
        told => told.map(Some),
    }
}

fn filters(kind: &str, value: &str) -> HashMap<String, Vec<String>> {
    [(kind.to_owned(), vec![value.to_owned()])].into()
}
