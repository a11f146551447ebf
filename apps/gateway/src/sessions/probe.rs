//! Asks an agent how it stands, as any client would.

use std::time::Duration;

use argus_protocol::agent::{AccountReply, method};
use argus_protocol::argus::session::Attached;
use argus_protocol::{ClientId, Frame, frame};
use argus_session::{Arrival, Listening};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{ClientReceiver, SessionHandle, Share, outbound};

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

/// Asks how the agent stands.
pub async fn stand(session: &SessionHandle, client: ClientId) -> Result<AgentProbe, String> {
    as_a_client(session, client, async |receiver| converse(session, client, receiver).await).await
}

/// Asks the agent one thing; its result.
pub async fn ask(
    session: &SessionHandle,
    client: ClientId,
    method: &str,
    params: &Value,
) -> Result<Value, String> {
    let asking = async |receiver: &mut ClientReceiver| {
        greet(session, client, receiver).await?;
        let reply = call(session, client, receiver, 2, method, params).await?;
        reply.result_as::<Value>().ok_or_else(|| "the agent gave no result".to_owned())
    };
    as_a_client(session, client, asking).await
}

async fn as_a_client<T>(
    session: &SessionHandle,
    client: ClientId,
    talk: impl AsyncFnOnce(&mut ClientReceiver) -> Result<T, String>,
) -> Result<T, String> {
    let (sender, mut receiver) = outbound();
    let hello = Attached::new(session.id().clone(), "");
    let listening = Listening::Numbered { after: None };
    let arrival = Arrival { hello, listening, handler: false, identity: None };
    session.attach(client, arrival, sender).await.map_err(|error| error.to_string())?;
    let asked = tokio::time::timeout(LIMIT, talk(&mut receiver)).await;
    session.detach(client).await;
    asked.unwrap_or_else(|_| Err(format!("the agent did not answer in {LIMIT:?}")))
}

async fn converse(
    session: &SessionHandle,
    client: ClientId,
    receiver: &mut ClientReceiver,
) -> Result<AgentProbe, String> {
    let told = greet(session, client, receiver).await?;
    let account =
        call(session, client, receiver, 2, method::ACCOUNT_READ, &json!({ "refreshToken": false })).await;
    let missing = account.ok().and_then(|reply| reply.result_as::<AccountReply>());
    let credentials = missing.is_none_or(|reply| !reply.requires_openai_auth || reply.account.is_some());
    Ok(AgentProbe { version: version(&told), credentials })
}

/// Introduces us; what the agent calls itself.
async fn greet(
    session: &SessionHandle,
    client: ClientId,
    receiver: &mut ClientReceiver,
) -> Result<String, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Greeting {
        #[serde(default)]
        user_agent: String,
    }
    let info =
        json!({ "clientInfo": { "name": "agent", "title": "Argus", "version": env!("CARGO_PKG_VERSION") } });
    let greeting = call(session, client, receiver, 1, method::INITIALIZE, &info).await?;
    Ok(greeting.result_as::<Greeting>().map(|greeting| greeting.user_agent).unwrap_or_default())
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
    params: &Value,
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
