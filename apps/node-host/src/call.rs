//! One call of a command: what the link hands to the commands, and what it gets back.

use std::time::Duration;

use argus_protocol::node::Fault;
use async_trait::async_trait;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// A call, as the gateway made it.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its id; the same id is the same call.
    pub id: String,
    /// What to do, such as `system.run`.
    pub command: String,
    /// With what; `null` where nothing was said.
    pub params: Value,
    /// Calls with the same key are one deed.
    pub idempotency_key: Option<String>,
    /// Who asks.
    pub asker: Asker,
    /// Cancelled when nobody waits any more: what the call runs is ended, and it is answered with
    /// [`argus_protocol::node::code::CANCELLED`] and its job; the link puts the gateway's own reason in the code's place.
    pub cancel: CancellationToken,
    /// Hears what happens before the answer. What it has no room for is not waited for.
    pub progress: mpsc::Sender<Progress>,
}

/// Who asks for a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asker {
    /// The session; none: the gateway's operator.
    pub session_id: Option<String>,
    /// With this its session can be told of a job's end.
    pub ticket: Option<String>,
}

/// What happens before the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The call has begun that job.
    Job(String),
    /// It waits for its owner's yes, so long at most.
    Waiting(Duration),
    /// It has that, and goes on.
    GoesOn,
}

/// What comes of a call: JSON, or why nothing does.
pub type Answer = Result<Box<RawValue>, Fault>;

/// A group of commands.
#[async_trait]
pub trait Command: Send + Sync {
    /// The names of those that work on this machine.
    fn names(&self) -> Vec<&'static str>;

    /// Does one of them.
    async fn call(&self, call: Call) -> Answer;
}

/// Any value that can be told, as an answer.
pub fn told<T: serde::Serialize>(value: &T) -> Answer {
    serde_json::value::to_raw_value(value).map_err(|error| {
        Fault::new(argus_protocol::node::code::FAILED, format!("it cannot be told: {error}"))
    })
}

/// The parameters of a call, as the command takes them.
pub fn read<T: serde::de::DeserializeOwned>(call: &Call) -> Result<T, Fault> {
    let params =
        if call.params.is_null() { Value::Object(serde_json::Map::new()) } else { call.params.clone() };
    serde_json::from_value(params).map_err(|error| {
        let words = format!("`{}` does not take these parameters: {error}", call.command);
        Fault::new(argus_protocol::node::code::BAD_INPUT, words)
    })
}
