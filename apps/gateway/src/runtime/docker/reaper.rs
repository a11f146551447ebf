//! Removes containers of sessions that are not known any more, or that were made under another name.

use argus_protocol::SessionId;

use super::engine::{Engine, EngineError, Result};
use super::spec::label;

/// Removes what this installation made for sessions of which, with the container's name, `known` says no. Nobody else's is touched.
pub(super) async fn reap(
    engine: &Engine,
    installation: &str,
    known: impl Fn(&SessionId, &str) -> bool,
) -> Result<()> {
    for found in engine.list(&format!("{}={installation}", label::INSTALLATION)).await? {
        if !found.is_of(installation) || found.session().is_some_and(|session| known(&session, &found.name)) {
            continue;
        }
        tracing::info!(
            container = found.name,
            "removing a container whose session is not known any more, or has another one"
        );
        match engine.remove(&found.id).await {
            Err(error @ EngineError::Away { .. }) => return Err(error),
            Err(error) => tracing::warn!(container = found.name, %error, "it cannot be removed"),
            Ok(()) => {}
        }
    }
    Ok(())
}
