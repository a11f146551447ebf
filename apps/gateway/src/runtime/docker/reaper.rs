//! Removes containers of sessions that are not known any more.

use argus_protocol::SessionId;

use super::engine::{Engine, EngineError, Result};
use super::spec::label;

/// Removes what this installation made for sessions of which `known` says no. Nobody else's is touched.
pub(super) async fn reap(
    engine: &Engine,
    installation: &str,
    known: impl Fn(&SessionId) -> bool,
) -> Result<()> {
    for found in engine.list(&format!("{}={installation}", label::INSTALLATION)).await? {
        if !found.is_of(installation) || found.session().is_some_and(|session| known(&session)) {
            continue;
        }
        tracing::info!(
            container = found.name,
            "removing the container of a session that is not known any more"
        );
        match engine.remove(&found.id).await {
            Err(error @ EngineError::Away { .. }) => return Err(error),
            Err(error) => tracing::warn!(container = found.name, %error, "it cannot be removed"),
            Ok(()) => {}
        }
    }
    Ok(())
}
