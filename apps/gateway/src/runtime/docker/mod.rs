//! Runtimes as containers: one for each session, on a network of their own, known by its labels.
//!
//! Reading order: `spec` says what a container is made of, `decide` what is to be done about the one that was found;
//! `reaching` does it for the `provisioner`, `opening` waits for the bridge, `watch` sees its end, and `reaper` removes
//! what nobody knows any more; `ourselves` is the container of the gateway. Only `engine` knows the engine's interface.

mod decide;
mod engine;
mod found;
mod opening;
mod ourselves;
mod provisioner;
mod reaching;
mod reaper;
mod seed;
mod spec;
mod watch;
mod words;

pub use provisioner::{DockerProvisioner, DockerSettings};
pub use spec::{WORKSPACE as CONTAINER_WORKSPACE, installation};
