//! One call of a command on a node.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Fault;

/// `node.invoke.request`: do this. The same `id` again is the same call: it is not done twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// The call.
    pub id: String,
    /// Who is meant.
    pub node_id: String,
    /// What to do, such as `system.run`.
    pub command: String,
    /// Its parameters, as JSON text.
    #[serde(rename = "paramsJSON")]
    pub params_json: Option<String>,
    /// Milliseconds for which the gateway waits.
    pub timeout_ms: Option<u64>,
    /// Calls with the same key are one deed: the second is told what the first one began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// The session that asks; none: the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// With this the node may tell that session of the job's end ([`super::Exited`]), and no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
}

/// `node.invoke.cancel`: nobody waits for that call any more. What it runs is ended, and it is settled with
/// [`super::code::TIMEOUT`] or [`super::code::CANCELLED`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cancel {
    /// The call.
    pub id: String,
    /// Why, as one of [`super::code`].
    pub reason: String,
}

/// `node.invoke.job`: the call has begun this job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobKnown {
    /// The call.
    pub id: String,
    /// The job.
    pub job_id: String,
}

/// `node.invoke.waiting`: the call waits for somebody's yes; its time begins when that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Waiting {
    /// The call.
    pub id: String,
    /// How long at most, in milliseconds; 0: it waits no longer.
    pub ms: u64,
}

/// `node.invoke.result`: how a call ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Settled {
    /// The call.
    pub id: String,
    /// Who says so.
    pub node_id: String,
    /// Whether the command was done; a program's exit code does not matter.
    pub ok: bool,
    /// What came of it, once: the reference's nodes send it a second time as `payloadJSON`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Box<RawValue>>,
    /// The same as JSON text; read, never written.
    #[serde(rename = "payloadJSON", default, skip_serializing_if = "Option::is_none")]
    pub payload_json: Option<String>,
    /// Why it was not done.
    #[serde(default)]
    pub error: Option<Fault>,
}

/// `node.invoke.ack`: the result has come; the node need not keep it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResultAck {
    /// The call.
    pub id: String,
}

impl Settled {
    /// What came of it, wherever it stands; `null` where nothing does.
    pub fn into_payload(self) -> Box<RawValue> {
        let text = self.payload_json.filter(|_| self.payload.as_ref().is_none_or(|raw| raw.get() == "null"));
        text.and_then(|text| RawValue::from_string(text).ok())
            .or(self.payload)
            .unwrap_or_else(|| RawValue::NULL.to_owned())
    }
}
