//! The gateway's JSON-RPC side, as the bot uses it.

use std::time::Duration;

use argus_protocol::argus::channel::{self, Report};
use argus_protocol::argus::chat::{self, Moved, Press, Pressed, Receive, Received};
use argus_protocol::error::{INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND, PARSE_ERROR, RpcError};
use argus_protocol::token::Secret;
use reqwest::StatusCode;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::config::{BotConfig, TokenSource};
use crate::poll::causes;

/// Why the gateway did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CallError {
    /// The same call will never be taken.
    #[error("the gateway refuses it for good: {0}")]
    Refused(String),
    /// No call will be taken until a person mends something.
    #[error("{0}")]
    Misconfigured(String),
    /// Later it may go through.
    #[error("{0}")]
    Unavailable(String),
}

/// One gateway.
#[derive(Debug)]
pub(crate) struct Gateway {
    client: reqwest::Client,
    rpc: Url,
    token: TokenSource,
}

/// An answer longer than this is none of ours.
const ANSWER_LIMIT: usize = 256 * 1024;

#[derive(Serialize)]
struct Request<'a, P> {
    jsonrpc: &'static str,
    id: u8,
    method: &'static str,
    params: &'a P,
}

#[derive(Deserialize)]
struct Answer<R> {
    result: Option<R>,
    error: Option<RpcError>,
}

impl Gateway {
    pub(crate) fn new(config: &BotConfig) -> anyhow::Result<Self> {
        // The gateway is on this machine or next to it; a proxy for the outside must not stand in between.
        let client = reqwest::Client::builder()
            .no_proxy()
            .tcp_nodelay(true)
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(30))
            .build()?;
        Ok(Self { client, rpc: config.gateway_url.join("rpc")?, token: config.gateway_token.clone() })
    }

    /// Hands a message over; when this is `Ok` the gateway has it durably.
    pub(crate) async fn receive(&self, message: &Receive) -> Result<Received, CallError> {
        self.call(chat::RECEIVE, message).await
    }

    /// Hands a press of a button over; the answer is what the person is to see.
    pub(crate) async fn press(&self, press: &Press) -> Result<Pressed, CallError> {
        self.call(chat::PRESS, press).await
    }

    /// Tells that a chat has another key; when this is `Ok` the gateway has it durably.
    pub(crate) async fn moved(&self, moved: &Moved) -> Result<(), CallError> {
        self.call::<_, serde::de::IgnoredAny>(chat::MOVED, moved).await.map(drop)
    }

    /// Tells how the receiving side stands.
    pub(crate) async fn report(&self, report: &Report) -> Result<(), CallError> {
        self.call::<_, serde::de::IgnoredAny>(channel::REPORT, report).await.map(drop)
    }

    async fn call<P: Serialize, R: DeserializeOwned>(
        &self,
        method: &'static str,
        params: &P,
    ) -> Result<R, CallError> {
        let request = Request { jsonrpc: "2.0", id: 1, method, params };
        let token = self.token()?;
        let sending = self.client.post(self.rpc.clone()).bearer_auth(token.reveal()).json(&request).send();
        let unreachable = |error: reqwest::Error| {
            CallError::Unavailable(format!(
                "the gateway cannot be reached at {}: {}",
                self.rpc,
                causes(&error)
            ))
        };
        let mut response = sending.await.map_err(unreachable)?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            body.extend_from_slice(&chunk);
            if body.len() > ANSWER_LIMIT {
                return Err(self.stranger("a very long answer"));
            }
        }
        self.judge(status, &body, method)
    }

    fn judge<R: DeserializeOwned>(
        &self,
        status: StatusCode,
        body: &[u8],
        method: &str,
    ) -> Result<R, CallError> {
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                return Err(CallError::Misconfigured(format!(
                    "the gateway refuses our token ({status}): set `ARGUS_TOKEN` or `ARGUS_TOKEN_FILE` to the gateway's \
                     own (`<home>/gateway/token`)"
                )));
            }
            StatusCode::PAYLOAD_TOO_LARGE => return Err(CallError::Refused("it is too long".to_owned())),
            _ => {}
        }
        match serde_json::from_slice(body) {
            Ok(Answer { error: Some(error), .. }) => Err(match error.code {
                INVALID_PARAMS | INVALID_REQUEST | PARSE_ERROR => CallError::Refused(error.to_string()),
                METHOD_NOT_FOUND => CallError::Misconfigured(format!(
                    "the gateway at {} knows no `{method}`: bring gateway and bot to the same version",
                    self.rpc
                )),
                _ => CallError::Unavailable(format!("the gateway could not take it: {error}")),
            }),
            Ok(Answer { result: Some(result), .. }) if status.is_success() => Ok(result),
            _ if matches!(status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED) => {
                Err(CallError::Misconfigured(format!(
                    "there is no gateway at {}: set `ARGUS_GATEWAY_HTTP_URL` to its address",
                    self.rpc
                )))
            }
            _ => Err(self.stranger(&format!("{status} and no JSON-RPC"))),
        }
    }

    fn stranger(&self, what: &str) -> CallError {
        CallError::Unavailable(format!("what answers at {} says {what}", self.rpc))
    }

    fn token(&self) -> Result<Secret, CallError> {
        let file = match &self.token {
            TokenSource::Given(token) => return Ok(token.clone()),
            TokenSource::File(file) => file,
        };
        let text = std::fs::read_to_string(file).map_err(|error| {
            let file = file.display();
            CallError::Unavailable(format!(
                "the gateway's token cannot be read from `{file}` ({error}): start the gateway, or set `ARGUS_TOKEN`"
            ))
        })?;
        let empty = || {
            CallError::Unavailable(format!(
                "`{}` is empty: it should hold the gateway's token",
                file.display()
            ))
        };
        match Secret::bearer(&text) {
            Ok(token) => token.ok_or_else(empty),
            Err(why) => Err(CallError::Misconfigured(format!("`{}`: {why}", file.display()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use argus_protocol::argus::chat::Disposition;

    use super::*;
    use crate::config::{BotToken, Pace, Reception};

    fn judge(status: u16, body: &str) -> Result<Received, CallError> {
        let url = Url::parse("http://127.0.0.1:1/").unwrap();
        let gateway = Gateway::new(&BotConfig {
            tokens: vec![BotToken::parse("1:a").unwrap()],
            api_url: url.clone(),
            gateway_url: url,
            gateway_token: TokenSource::Given(Secret::parse("t").unwrap()),
            reception: Reception::default(),
            pace: Pace::default(),
        });
        gateway.unwrap().judge(StatusCode::from_u16(status).unwrap(), body.as_bytes(), "argus/chat/receive")
    }

    fn failed(code: i32) -> String {
        format!(r#"{{"jsonrpc":"2.0","id":1,"error":{{"code":{code},"message":"m"}}}}"#)
    }

    #[test]
    fn only_a_received_answer_counts_as_durable() {
        let done = r#"{"jsonrpc":"2.0","id":1,"result":{"ok":true,"disposition":"submitted"}}"#;
        assert_eq!(judge(200, done), Ok(Received { ok: true, disposition: Disposition::Submitted }));
        for (status, body) in [(200, ""), (200, "{}"), (200, "<html>"), (502, done), (500, "oops"), (429, "")]
        {
            assert!(matches!(judge(status, body), Err(CallError::Unavailable(_))), "{status} {body}");
        }
    }

    #[test]
    fn only_what_the_gateway_can_never_take_is_given_up() {
        for code in [-32602, -32600, -32700] {
            assert!(matches!(judge(200, &failed(code)), Err(CallError::Refused(_))), "{code}");
            assert!(matches!(judge(400, &failed(code)), Err(CallError::Refused(_))), "{code}");
        }
        assert!(matches!(judge(413, ""), Err(CallError::Refused(_))));
        for code in [-32000, -32001, -32603, 7] {
            assert!(matches!(judge(200, &failed(code)), Err(CallError::Unavailable(_))), "{code}");
        }
    }

    #[test]
    fn what_a_person_must_mend_says_how() {
        for (status, body, word) in [
            (401, String::new(), "ARGUS_TOKEN"),
            (403, String::new(), "ARGUS_TOKEN"),
            (404, "not here".to_owned(), "ARGUS_GATEWAY_HTTP_URL"),
            (200, failed(-32601), "same version"),
        ] {
            let Err(CallError::Misconfigured(words)) = judge(status, &body) else { panic!("{status}") };
            assert!(words.contains(word), "{words}");
        }
    }
}
