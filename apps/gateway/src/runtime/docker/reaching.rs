//! One attempt to reach a session's bridge: looks, decides, and does what was decided.

use argus_protocol::SessionId;

use super::decide::{Change, Decision, decide};
use super::engine::Since;
use super::found::Found;
use super::opening::{Call, Called, last_words};
use super::provisioner::{DockerProvisioner, GRACE};
use super::spec::{self, ContainerSpec};
use super::words::{no_bridge, no_image, refusal};
use crate::runtime::link::DialError;
use crate::runtime::provision::{ProvisionError, Reached};

impl DockerProvisioner {
    /// Reaches the container's bridge; `None` when the container ended meanwhile and everything is to be looked at
    /// again.
    pub(super) async fn attempt(&self, session: &SessionId) -> Result<Option<Reached>, ProvisionError> {
        let config = &self.settings.config;
        let name = spec::name(config, session);
        let image = async { Ok(self.engine.image(&config.image).await?) };
        let there = async { Ok(self.engine.find(&name).await?) };
        let (image, network, there) = futures::future::try_join3(image, self.network(), there).await?;
        let wanted = self.wanted(session, &network);
        let decision = decide(&wanted, image.as_deref(), &self.installation, there.as_ref());
        let image = image.as_deref();
        match (decision, there) {
            (Decision::Refuse(obstacle), _) => Err(refusal(&name, obstacle)),
            (Decision::Reuse, Some(found)) => self.adopt(session, &wanted, found).await,
            (Decision::ReplaceIfFree(change), Some(found)) => {
                self.replace_if_free(session, &wanted, image, found, change).await
            }
            (Decision::Start, Some(found)) => self.open(session, &wanted, &found.id).await.map(Some),
            (Decision::Replace(change), Some(found)) => {
                self.replace(session, &wanted, image, &found, change).await.map(Some)
            }
            (_, _) => self.create(session, &wanted, image).await.map(Some),
        }
    }

    async fn create(
        &self,
        session: &SessionId,
        wanted: &ContainerSpec,
        image: Option<&str>,
    ) -> Result<Reached, ProvisionError> {
        let image = image.ok_or_else(|| no_image(&self.settings.config.image))?;
        let id = self.engine.create(wanted, image).await?;
        tracing::info!(session.id = %session, container = wanted.name, "made a container");
        argus_crash_point::here("container.made").await;
        self.open(session, wanted, &id).await
    }

    async fn replace(
        &self,
        session: &SessionId,
        wanted: &ContainerSpec,
        image: Option<&str>,
        found: &Found,
        change: Change,
    ) -> Result<Reached, ProvisionError> {
        tracing::info!(session.id = %session, container = found.name, ?change, "the container is made anew");
        self.engine.stop(&found.id, GRACE).await?;
        argus_crash_point::here("container.stopped").await;
        self.engine.remove(&found.id).await?;
        argus_crash_point::here("container.removed").await;
        self.create(session, wanted, image).await
    }

    async fn replace_if_free(
        &self,
        session: &SessionId,
        wanted: &ContainerSpec,
        image: Option<&str>,
        found: Found,
        change: Change,
    ) -> Result<Option<Reached>, ProvisionError> {
        let Some(reached) = self.adopt(session, wanted, found.clone()).await? else { return Ok(None) };
        if !reached.welcome.free {
            tracing::info!(
                session.id = %session, container = found.name, ?change,
                "the container is not as it would be made today; it is kept while it is at work"
            );
            return Ok(Some(reached));
        }
        drop(reached);
        self.replace(session, wanted, image, &found, change).await.map(Some)
    }

    /// Starts a container and greets its bridge once it listens.
    async fn open(
        &self,
        session: &SessionId,
        wanted: &ContainerSpec,
        id: &str,
    ) -> Result<Reached, ProvisionError> {
        // First, so that nothing it writes is missed.
        let output = self.engine.output(id, Since::Now).await?;
        self.engine.start(id).await?;
        argus_crash_point::here("container.started").await;
        let secret = self.key.derive("bridge", session.as_str());
        let heard = match self.call(session, id, &wanted.network, secret.reveal()).await? {
            Some(call) => {
                call.when_listening(output).await.map_err(|error| no_bridge(&wanted.name, &error))?
            }
            None => Err(last_words(output).await),
        };
        match heard {
            Ok(reached) => {
                tracing::info!(session.id = %session, boot = reached.welcome.boot, "started a container");
                Ok(*reached)
            }
            Err(last_words) => {
                let code = self.engine.ended(id).await?;
                let code = code.map_or_else(|| "it was removed".to_owned(), |code| format!("exit {code}"));
                Err(ProvisionError::lasting(format!(
                    "the container `{}` ended at once ({code}); its last words: {last_words}",
                    wanted.name
                )))
            }
        }
    }

    /// Greets the bridge of a container that runs; `None` when it ended instead.
    async fn adopt(
        &self,
        session: &SessionId,
        wanted: &ContainerSpec,
        found: Found,
    ) -> Result<Option<Reached>, ProvisionError> {
        let secret = self.key.derive("bridge", session.as_str());
        let Some(call) = self.call(session, &found.id, &wanted.network, secret.reveal()).await? else {
            return Ok(None);
        };
        let told = |error: DialError| no_bridge(&found.name, &error);
        let mut called = call.once().await;
        if matches!(called, Err(DialError::NotABridge(_))) {
            // Once more: it may only be slow.
            called = call.once().await;
        }
        if let Err(error @ DialError::NotABridge(_)) = &called {
            tracing::warn!(session.id = %session, container = found.name, %error, "its bridge hangs; it is stopped");
            self.engine.stop(&found.id, GRACE).await?;
            return Ok(None);
        }
        let reached = match called.map_err(told)? {
            Called::Reached(reached) => Ok(reached),
            // It may have been started a moment ago, or be about to end.
            Called::Nobody => {
                let output = self.engine.output(&found.id, Since::Begin).await?;
                call.when_listening(output).await.map_err(told)?
            }
        };
        let Ok(reached) = reached else {
            self.engine.ended(&found.id).await?;
            return Ok(None);
        };
        tracing::info!(session.id = %session, boot = reached.welcome.boot, "adopted the running container");
        Ok(Some(*reached))
    }

    /// How to call a container's bridge; `None` when it has no address, since it ended.
    async fn call<'a>(
        &'a self,
        session: &SessionId,
        id: &str,
        network: &str,
        secret: &'a str,
    ) -> Result<Option<Call<'a>>, ProvisionError> {
        let fate = self.watch.follow(id);
        let address = self.engine.find(id).await?.and_then(|found| found.address(network));
        let Some(address) = address else { return Ok(None) };
        let given = self.giving.given(session, self.whereabouts(network).await).await;
        let gateway = &self.settings.gateway;
        Ok(Some(Call { address, secret, gateway, given, fate }))
    }
}
