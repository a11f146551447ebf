//! Asks an agent how it stands, as any client would.

use std::time::Duration;

use argus_protocol::agent::{AccountReply, method};
use argus_protocol::argus::session::Attached;
use argus_protocol::{ClientId, Frame, frame};
use argus_session::{Arrival, Listening};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use crate::sessions::{ClientReceiver, SessionHandle, Share, outbound};

/// How an agent stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentProbe {
    /// Its version, as it tells; empty when it does not.
    pub version: String,
    /// Whether it can sign in at its model provider, or need not.
    pub credentials: bool,
}

/// How long a start may take.
const LIMIT: Duration = Duration::from_secs(45);

pub(super) async fn ask(session: &SessionHandle, client: ClientId) -> Result<AgentProbe, String> {
    let (sender, mut receiver) = outbound();
    let hello = Attached::new(session.id().clone(), "");
    let listening = Listening::Numbered { after: None };
    let arrival = Arrival { hello, listening, handler: false, identity: None };
    session.attach(client, arrival, sender).await.map_err(|error| error.to_string())?;
    let asked = tokio::time::timeout(LIMIT, converse(session, client, &mut receiver)).await;
    session.detach(client).await;
    asked.unwrap_or_else(|_| Err(format!("the agent did not answer in {LIMIT:?}")))
}

async fn converse(
    session: &SessionHandle,
    client: ClientId,
    receiver: &mut ClientReceiver,
) -> Result<AgentProbe, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Greeting {
        #[serde(default)]
        user_agent: String,
    }
    let info =
        json!({ "clientInfo": { "name": "agent", "title": "Argus", "version": env!("CARGO_PKG_VERSION") } });
    let greeting = call(session, client, receiver, 1, method::INITIALIZE, &info).await?;
    let told = greeting.result_as::<Greeting>().map(|greeting| greeting.user_agent).unwrap_or_default();
    let account =
        call(session, client, receiver, 2, method::ACCOUNT_READ, &json!({ "refreshToken": false })).await;
    let missing = account.ok().and_then(|reply| reply.result_as::<AccountReply>());
    let credentials = missing.is_none_or(|reply| !reply.requires_openai_auth || reply.account.is_some());
    Ok(AgentProbe { version: version(&told), credentials })
}

/// `agent/0.169.0 (Linux; …)` → `0.169.0`
fn version(user_agent: &str) -> String {
    let first = user_agent.split_whitespace().next().unwrap_or_default();
    first.split_once('/').map_or(String::new(), |(_, version)| version.to_owned())
}

async fn call(
    session: &SessionHandle,
    client: ClientId,
    receiver: &mut ClientReceiver,
    id: u64,
    method: &str,
    params: &serde_json::Value,
) -> Result<Frame, String> {
    let request = Frame::parse(frame::request(id, method, params)).map_err(|error| error.to_string())?;
    session.relay(client, request, &Share::default()).await.map_err(|error| error.to_string())?;
    let wanted = id.to_string();
    let mut taken = Vec::new();
    loop {
        receiver.take(&mut taken).await.map_err(|reason| format!("the session let us go: {reason:?}"))?;
        let frames = taken.drain(..).flat_map(|parcel| parcel.packed(<[Bytes]>::to_vec).to_vec());
        let replies = frames.filter_map(|text| Frame::parse(text).ok());
        let Some(reply) = { replies }.find(|reply| reply.id() == Some(&wanted) && reply.method().is_empty())
        else {
            continue;
        };
        return match reply.error() {
            Some(error) => Err(serde_json::from_str::<argus_protocol::RpcError>(error)
                .map_or_else(|_| error.to_owned(), |error| error.message)),
            None => Ok(reply),
        };
    }
}
