//! A plain client of the protocol, which shows what goes over the wire.

use std::sync::atomic::{AtomicU64, Ordering};

use argus_testkit::gateway::Gateway;
use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

/// What a client says first.
pub(crate) fn initialize() -> Value {
    json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {},
        "clientInfo": { "name": "codex-mcp-client", "version": "0.1.0" } } })
}

/// A session's token of scope `mcp:<session>`.
pub(crate) async fn token_for(gateway: &Gateway, session: &str) -> String {
    let wish = json!({ "scope": format!("mcp:{session}") });
    let reply = gateway.rpc("argus/token/create", wish).await;
    reply["result"]["token"].as_str().unwrap_or_else(|| panic!("{reply}")).to_owned()
}

/// One answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    /// The body, or the last message of the stream.
    pub(crate) fn json(&self) -> Value {
        let data = self.events().pop();
        data.unwrap_or_else(|| serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{self:?}")))
    }

    /// The messages of the stream.
    pub(crate) fn events(&self) -> Vec<Value> {
        let data = self.text.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim);
        data.filter(|data| !data.is_empty())
            .map(|data| serde_json::from_str(data).unwrap_or_else(|_| panic!("{data}")))
            .collect()
    }

    /// The words of a refusal.
    pub(crate) fn detail(&self) -> String {
        let body: Value = serde_json::from_str(&self.text).unwrap_or_default();
        let words = [&body["detail"], &body["error"]["message"]].into_iter().find_map(Value::as_str);
        words.unwrap_or_else(|| panic!("{self:?}")).to_owned()
    }
}

/// Sends a request as it is.
pub(crate) async fn send(request: RequestBuilder) -> Reply {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    Reply { status, headers, text: response.text().await.unwrap() }
}

/// A client with a token, and its session once it has one.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) http: reqwest::Client,
    pub(crate) url: String,
    pub(crate) token: String,
    pub(crate) session: Option<String>,
}

impl Caller {
    pub(crate) fn new(gateway: &Gateway, token: &str) -> Self {
        let url = format!("{}/mcp", gateway.url());
        Self { http: reqwest::Client::new(), url, token: token.to_owned(), session: None }
    }

    /// With a session.
    pub(crate) async fn initialized(gateway: &Gateway, token: &str) -> Self {
        let mut caller = Self::new(gateway, token);
        let reply = caller.post(&initialize()).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        caller.session = Some(reply.headers["mcp-session-id"].to_str().unwrap().to_owned());
        let initialized = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        assert_eq!(caller.post(&initialized).await.status, StatusCode::ACCEPTED);
        caller
    }

    pub(crate) fn request(&self, method: Method) -> RequestBuilder {
        let request = self.http.request(method, &self.url).bearer_auth(&self.token);
        let request = request.header("accept", "text/event-stream, application/json");
        match &self.session {
            Some(session) => {
                request.header("mcp-session-id", session).header("mcp-protocol-version", "2025-06-18")
            }
            None => request,
        }
    }

    pub(crate) async fn post(&self, message: &Value) -> Reply {
        send(self.request(Method::POST).json(message)).await
    }

    /// A request's answer.
    pub(crate) async fn ask(&self, method: &str, params: Value) -> Value {
        // Within a session no two requests have the same id.
        static NEXT: AtomicU64 = AtomicU64::new(100);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let message = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        let reply = self.post(&message).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        reply.json()
    }

    /// A tool's result.
    pub(crate) async fn tool(&self, name: &str, arguments: Value) -> Value {
        let reply = self.ask("tools/call", json!({ "name": name, "arguments": arguments })).await;
        assert!(reply["result"].is_object(), "{reply}");
        reply["result"].clone()
    }

    /// What a model reads of a tool's result.
    pub(crate) async fn text(&self, name: &str, arguments: Value) -> String {
        text_of(&self.tool(name, arguments).await)
    }

    /// The error of a tool's result, for programs.
    pub(crate) async fn error(&self, name: &str, arguments: Value) -> Value {
        let result = self.tool(name, arguments).await;
        assert_eq!(
            (&result["isError"], &result["structuredContent"]["ok"]),
            (&json!(true), &json!(false)),
            "{result}"
        );
        result["structuredContent"]["error"].clone()
    }
}

/// What a model reads of a result.
pub(crate) fn text_of(result: &Value) -> String {
    result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{result}")).to_owned()
}
