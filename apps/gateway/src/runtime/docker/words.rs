//! What is said to people when a container cannot be had: what is wrong, and what to do.

use super::decide::Obstacle;
use crate::runtime::link::DialError;
use crate::runtime::provision::ProvisionError;

pub(super) fn refusal(name: &str, obstacle: Obstacle) -> ProvisionError {
    ProvisionError::lasting(match obstacle {
        Obstacle::Foreign => format!(
            "the container `{name}` is of another installation and is left alone; remove it, or set \
             ARGUS_CONTAINER_PREFIX to another name"
        ),
        Obstacle::Paused => format!("the container `{name}` is paused; run `docker unpause {name}`"),
    })
}

pub(super) fn no_image(image: &str) -> ProvisionError {
    ProvisionError::lasting(format!(
        "there is no image `{image}`; build it with `docker compose build runtime-image`, or `docker build -f \
         Dockerfile.runtime -t {image} .`"
    ))
}

pub(super) fn no_bridge(name: &str, error: &DialError) -> ProvisionError {
    ProvisionError::lasting(format!("container `{name}`: {error}; remove it with `docker rm -f {name}`"))
}
