//! Runtimes that run already: upstreams that the settings name. They are reached, and never made, ended or forgotten.

mod dial;
mod plain;
mod standing;

use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use argus_protocol::SessionId;
use argus_protocol::token::Secret;
use async_trait::async_trait;

use self::dial::dial;
use self::plain::Plain;
use self::standing::Standing;
use super::giving::{Giving, Whereabouts};
use super::link::{DialError, Fate, Greeting, OnStop, greet};
use super::provision::{KnownRuntime, ProvisionError, Provisioner, Reached};
use crate::config::{Upstream, UpstreamProtocol};

/// How upstreams are reached.
#[derive(Clone, Debug)]
pub struct FixedSettings {
    /// All of them.
    pub upstreams: Vec<Upstream>,
    /// `<home>/sessions`, where what was said in a session is kept.
    pub sessions: PathBuf,
    /// The longest line in bytes.
    pub line_limit: usize,
    /// How long one may take to answer.
    pub limit: Duration,
    /// Who we are, for bridge logs.
    pub gateway: String,
}

/// Reaches upstreams.
#[derive(Debug)]
pub struct FixedProvisioner {
    settings: FixedSettings,
    sessions: FixedSessions,
    standing: Standing,
    giving: Arc<dyn Giving>,
}

/// The only sessions there are, and which one a caller means.
#[derive(Clone, Debug)]
pub struct FixedSessions(Vec<(String, SessionId)>);

impl FixedSessions {
    /// The session of the upstream with that id.
    pub fn named(&self, id: &str) -> Option<&SessionId> {
        self.0.iter().find(|(own, _)| own == id).map(|(_, session)| session)
    }

    /// That session, if it is one of them; it may be called as its upstream is, too.
    pub fn with_session(&self, name: &str) -> Option<&SessionId> {
        let by_session = self.0.iter().map(|(_, session)| session).find(|session| session.as_str() == name);
        by_session.or_else(|| self.named(name))
    }

    /// The session of a client that names none: the only one, else the one called `default`.
    pub fn unnamed(&self) -> Option<&SessionId> {
        match self.0.as_slice() {
            [(_, only)] => Some(only),
            _ => self.named("default"),
        }
    }

    /// The session of chats: the one called `default`, else the first.
    pub fn of_chats(&self) -> Option<&SessionId> {
        self.named("default").or_else(|| self.0.first().map(|(_, session)| session))
    }
}

impl FixedProvisioner {
    /// Over these upstreams.
    pub fn new(settings: FixedSettings, giving: Arc<dyn Giving>) -> Self {
        let sessions = settings.upstreams.iter().map(|up| (up.id.clone(), up.session.clone())).collect();
        Self { settings, sessions: FixedSessions(sessions), standing: Standing::default(), giving }
    }

    fn upstream(&self, session: &SessionId) -> Result<&Upstream, ProvisionError> {
        let found = self.settings.upstreams.iter().find(|upstream| upstream.session == *session);
        found.ok_or_else(|| {
            ProvisionError::lasting(format!(
                "no upstream has session `{session}`, and no session is made beside those"
            ))
        })
    }

    fn make_folder(&self, session: &SessionId) -> Result<(), ProvisionError> {
        let folder = self.settings.sessions.join(session.as_str());
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder);
        made.map_err(|error| {
            ProvisionError::lasting(format!("cannot make the folder {}: {error}", folder.display()))
        })
    }

    async fn connect(&self, upstream: &Upstream) -> Result<Reached, ProvisionError> {
        let Upstream { id, host, port, .. } = upstream;
        let place = format!("upstream `{id}` at {host}:{port}");
        let unreachable = |why: &dyn std::fmt::Display| {
            ProvisionError::passing(format!("{place} cannot be reached: {why}; see that it runs there"))
        };
        let limit = self.settings.limit;
        let dialed = tokio::time::timeout(limit, dial(host, *port)).await;
        let stream = match dialed {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(unreachable(&error)),
            Err(_) => return Err(unreachable(&format!("no answer in {limit:?}"))),
        };
        match &upstream.protocol {
            UpstreamProtocol::Plain => Ok(Plain { place, line_limit: self.settings.line_limit }.talk(stream)),
            UpstreamProtocol::Bridge { secret } => {
                self.greet(&place, stream, &upstream.session, secret).await
            }
        }
    }

    /// A bridge is told all that it is told elsewhere, but not to end: whoever started it may.
    async fn greet(
        &self,
        place: &str,
        stream: tokio::net::TcpStream,
        session: &SessionId,
        secret: &Secret,
    ) -> Result<Reached, ProvisionError> {
        let given = self.giving.given(session, Whereabouts::Elsewhere).await;
        let greeting = Greeting { secret: secret.reveal(), gateway: &self.settings.gateway, given };
        let greeted = greet(stream, greeting, Fate::untold(), OnStop::HangUp).await;
        greeted.map_err(|error| match error {
            DialError::Broken(_) => ProvisionError::passing(format!("{place}: {error}")),
            DialError::Refused(_) | DialError::NotABridge(_) => {
                ProvisionError::lasting(format!("{place}: {error}; mend its entry in ARGUS_UPSTREAMS_JSON"))
            }
        })
    }
}

#[async_trait]
impl Provisioner for FixedProvisioner {
    fn fixed(&self) -> Option<&FixedSessions> {
        Some(&self.sessions)
    }

    async fn reserve(&self, session: &SessionId) -> Result<(), ProvisionError> {
        self.upstream(session).map(|_| ())
    }

    async fn knows(&self, session: &SessionId) -> bool {
        self.upstream(session).is_ok()
    }

    async fn reach(&self, session: &SessionId) -> Result<Reached, ProvisionError> {
        let upstream = self.upstream(session)?;
        self.make_folder(session)?;
        let reached = self.connect(upstream).await;
        self.standing.note(session, &reached);
        if let Ok(reached) = &reached {
            tracing::info!(session.id = %session, boot = reached.welcome.boot, "reached the upstream");
        }
        reached
    }

    async fn list(&self) -> Result<Vec<KnownRuntime>, ProvisionError> {
        let known = self.settings.upstreams.iter().map(|upstream| KnownRuntime {
            session_id: upstream.session.clone(),
            container_id: None,
            name: upstream.id.clone(),
            status: self.standing.of(upstream).to_owned(),
            runtime_layout: "static_v1".to_owned(),
        });
        let mut list: Vec<_> = known.collect();
        list.sort_by_key(|known| known.status != standing::RUNNING);
        Ok(list)
    }

    async fn remove(&self, session: &SessionId) -> Result<(), ProvisionError> {
        Err(ProvisionError::lasting(format!(
            "session `{session}` is that of an upstream, which is not ours to end"
        )))
    }

    fn trouble(&self) -> Vec<String> {
        self.standing.trouble()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sessions(ids: &[&str]) -> FixedSessions {
        FixedSessions(ids.iter().map(|id| ((*id).to_owned(), id.parse().unwrap())).collect())
    }

    #[test]
    fn who_names_no_upstream_gets_the_only_one_or_the_one_called_default() {
        let unnamed = |ids: &[&str]| sessions(ids).unnamed().map(ToString::to_string);
        assert_eq!(unnamed(&["a"]).as_deref(), Some("a"));
        assert_eq!(unnamed(&["a", "default"]).as_deref(), Some("default"));
        assert_eq!(unnamed(&["a", "b"]), None);
    }

    #[test]
    fn chats_have_the_one_called_default_or_the_first() {
        let of_chats = |ids: &[&str]| sessions(ids).of_chats().map(ToString::to_string);
        assert_eq!(of_chats(&["b", "a"]).as_deref(), Some("b"));
        assert_eq!(of_chats(&["b", "default"]).as_deref(), Some("default"));
    }
}
