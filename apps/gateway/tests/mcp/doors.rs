//! Who comes in, with what, and how it is answered.

use argus_testkit::gateway::Gateway;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::caller::{Caller, initialize, send, token_for};

#[tokio::test]
async fn a_client_of_codex_gets_a_session_and_the_tools_by_a_stream() {
    let gateway = Gateway::new().start().await;
    let own = gateway.client("session=default").await.session;
    let caller = Caller::new(&gateway, &token_for(&gateway, &own).await);
    let reply = caller.post(&initialize()).await;
    assert_eq!(
        (reply.status, &reply.headers["content-type"]),
        (StatusCode::OK, &"text/event-stream".parse().unwrap())
    );
    let result = &reply.json()["result"];
    assert_eq!(result["protocolVersion"], "2025-06-18");
    assert_eq!(result["serverInfo"]["name"], "argus_gateway");
    assert!(result["capabilities"]["tools"].is_object());
    assert!(result["instructions"].as_str().unwrap().contains("node_invoke"));

    let caller = Caller::initialized(&gateway, &caller.token).await;
    let tools = caller.ask("tools/list", json!({})).await["result"]["tools"].clone();
    for tool in tools.as_array().unwrap() {
        assert_eq!(tool["inputSchema"]["additionalProperties"], false, "{tool}");
        for hint in ["title", "readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] {
            assert!(!tool["annotations"][hint].is_null(), "{hint}: {tool}");
        }
    }
    assert_eq!(caller.ask("ping", json!({})).await["result"], json!({}));
}

#[tokio::test]
async fn who_takes_no_stream_gets_json() {
    let gateway = Gateway::new().start().await;
    let own = gateway.client("session=default").await.session;
    let caller = Caller::initialized(&gateway, &token_for(&gateway, &own).await).await;
    let call = json!({ "jsonrpc": "2.0", "id": "x", "method": "tools/call",
        "params": { "name": "cron", "arguments": { "action": "status" } } });
    let request = caller.request(Method::POST).header("accept", "").json(&call);
    let mut request = request.build().unwrap();
    request.headers_mut().insert("accept", "application/json".parse().unwrap());
    let response = caller.http.execute(request).await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/json");
    let reply: Value = response.json().await.unwrap();
    assert_eq!((&reply["id"], &reply["result"]["structuredContent"]["jobs"]), (&json!("x"), &json!(0)));
}

#[tokio::test]
async fn a_session_is_of_the_token_that_made_it_and_ends_by_delete() {
    let gateway = Gateway::new().start().await;
    let own = gateway.client("session=default").await.session;
    let (token, other) = (token_for(&gateway, &own).await, token_for(&gateway, &own).await);
    let caller = Caller::initialized(&gateway, &token).await;
    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
    let stranger = Caller { token: other, ..caller.clone() };
    for method in [Method::POST, Method::GET, Method::DELETE] {
        let reply = send(stranger.request(method.clone()).json(&ping)).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{method}");
        assert!(reply.detail().contains("no such MCP session of this token"), "{reply:?}");
    }
    assert_eq!(caller.post(&ping).await.json()["result"], json!({}));
    assert_eq!(send(caller.request(Method::DELETE)).await.status, StatusCode::ACCEPTED);
    assert_eq!(caller.post(&ping).await.status, StatusCode::NOT_FOUND);
    assert_eq!(send(caller.request(Method::DELETE)).await.status, StatusCode::NOT_FOUND);
    assert_eq!(Caller { session: None, ..caller }.post(&ping).await.status, StatusCode::BAD_REQUEST);
}
