//! What does not come in: pages of others, wrong tokens, wrong bodies, too much.

use argus_testkit::gateway::Gateway;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::caller::{Caller, initialize, send, token_for};

async fn started() -> (Gateway, Caller) {
    let gateway = Gateway::new().start().await;
    let own = gateway.client("session=default").await.session;
    let token = token_for(&gateway, &own).await;
    let caller = Caller::initialized(&gateway, &token).await;
    (gateway, caller)
}

#[tokio::test]
async fn a_token_comes_in_a_header_and_is_for_this() {
    let (gateway, caller) = started().await;
    let fresh = Caller { session: None, ..caller.clone() };
    let without = fresh.http.post(&fresh.url).json(&initialize()).header("accept", "*/*");
    let reply = send(without).await;
    assert_eq!((reply.status, reply.detail().as_str()), (StatusCode::UNAUTHORIZED, "Unauthorized"));
    assert_eq!(reply.headers["www-authenticate"], "Bearer realm=\"argus\"");
    let in_url = fresh.http.post(format!("{}?token={}", fresh.url, fresh.token)).json(&initialize());
    let reply = send(in_url).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert!(reply.detail().contains("never into the URL"), "{reply:?}");
    let wrong = Caller { token: "wrong".to_owned(), ..fresh.clone() };
    assert_eq!(wrong.post(&initialize()).await.status, StatusCode::UNAUTHORIZED);
    let node = gateway.rpc("argus/token/create", json!({ "scope": "node:mac" })).await;
    let node = Caller { token: node["result"]["token"].as_str().unwrap().to_owned(), ..fresh };
    let reply = node.post(&initialize()).await;
    assert_eq!(reply.status, StatusCode::FORBIDDEN);
    assert_eq!(reply.detail(), "`/mcp` is not for a token of scope `node:mac`");
}

#[tokio::test]
async fn pages_of_others_are_refused_and_any_name_of_the_gateway_will_do() {
    let (_gateway, caller) = started().await;
    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
    for (name, value, status) in [
        ("origin", "https://evil.example", StatusCode::FORBIDDEN),
        ("origin", "null", StatusCode::FORBIDDEN),
        ("host", "gateway:8080", StatusCode::OK),
        ("host", "argus.example", StatusCode::OK),
    ] {
        let reply = send(caller.request(Method::POST).header(name, value).json(&ping)).await;
        assert_eq!(reply.status, status, "{name}: {value}: {reply:?}");
    }
    let own = caller.url.trim_end_matches("/mcp").to_owned();
    let reply = send(caller.request(Method::POST).header("origin", own).json(&ping)).await;
    assert_eq!(reply.status, StatusCode::OK);
    // A page of a name that somebody has pointed to us.
    let rebound =
        caller.request(Method::POST).header("host", "evil.example").header("origin", "http://evil.example");
    assert_eq!(send(rebound.json(&ping)).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn what_is_no_message_is_refused_with_words() {
    let (_gateway, caller) = started().await;
    let deep = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"cron","arguments":{{"action":{}{}}}}}}}"#,
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    let large =
        json!({ "jsonrpc": "2.0", "id": 1, "method": "ping", "params": { "x": "x".repeat(5 << 20) } })
            .to_string();
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    for (body, status, words) in [
        ("", StatusCode::BAD_REQUEST, "the body is no JSON"),
        ("{", StatusCode::BAD_REQUEST, "the body is no JSON"),
        ("\u{0}\u{1}garbage", StatusCode::BAD_REQUEST, "the body is no JSON"),
        (&format!("[{ping}]"), StatusCode::BAD_REQUEST, "batches are not taken"),
        ("[]", StatusCode::BAD_REQUEST, "batches are not taken"),
        ("7", StatusCode::BAD_REQUEST, "a message is a JSON object"),
        ("{}", StatusCode::BAD_REQUEST, "no message of the Model Context Protocol"),
        (r#"{"id":1,"method":"ping"}"#, StatusCode::BAD_REQUEST, "no message of the Model Context Protocol"),
        (
            r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#,
            StatusCode::BAD_REQUEST,
            "no message of the Model Context Protocol",
        ),
        (&deep, StatusCode::BAD_REQUEST, "no message of the Model Context Protocol"),
        (&large, StatusCode::PAYLOAD_TOO_LARGE, "over the limit of 4194304 bytes"),
    ] {
        let request = caller.request(Method::POST).header("content-type", "application/json");
        let reply = send(request.body(body.to_owned())).await;
        let shown: String = body.chars().take(60).collect();
        assert_eq!(reply.status, status, "{shown}: {reply:?}");
        assert!(reply.detail().contains(words), "{shown}: {reply:?}");
    }
    let plain = caller.request(Method::POST).header("content-type", "text/plain").body(ping);
    assert_eq!(send(plain).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let put = send(caller.request(Method::PUT).body(ping)).await;
    assert_eq!(put.status, StatusCode::METHOD_NOT_ALLOWED);
    let version = caller.request(Method::POST).header("mcp-protocol-version", "1999-01-01");
    let mut version = version.header("content-type", "application/json").body(ping).build().unwrap();
    version.headers_mut().insert("mcp-protocol-version", "1999-01-01".parse().unwrap());
    let reply = caller.http.execute(version).await.unwrap();
    assert_eq!(reply.status(), StatusCode::BAD_REQUEST);
    let reply: Value = reply.json().await.unwrap();
    assert!(reply["detail"].as_str().unwrap().contains("1999-01-01"), "{reply}");
    // It still serves.
    assert_eq!(caller.ask("ping", json!({})).await["result"], json!({}));
    let unknown = caller.post(&json!({ "jsonrpc": "2.0", "id": 1, "method": "no/such" })).await.json();
    assert_eq!(unknown["error"]["code"], -32601, "{unknown}");
    let tool = caller.ask("tools/call", json!({ "name": "rm", "arguments": {} })).await;
    assert_eq!(
        (&tool["error"]["code"], &tool["error"]["message"]),
        (&json!(-32602), &json!("Unknown tool: rm"))
    );
}

#[tokio::test]
async fn arguments_that_no_schema_allows_are_named() {
    let (_gateway, caller) = started().await;
    for (tool, arguments, field, words) in [
        ("nodes_list", json!({ "all": true }), "all", "`all` is not known here"),
        ("node_invoke", json!({}), "command", "`command` is missing"),
        ("node_invoke", json!({ "command": 7 }), "command", "`command` must be a text, not 7"),
        ("node_invoke", json!({ "command": "x".repeat(129) }), "command", "`command` has 129 bytes"),
        (
            "node_invoke",
            json!({ "command": "a", "timeoutMs": "soon" }),
            "timeoutMs",
            "must be a whole number, not \"soon\"",
        ),
        (
            "node_invoke",
            json!({ "command": "a", "timeoutMs": 0 }),
            "timeoutMs",
            "must be at least 1 and at most 3600000, not 0",
        ),
        (
            "node_invoke",
            json!({ "command": "a", "timeoutMs": 3_000_000_000_u64 }),
            "timeoutMs",
            "at most 3600000",
        ),
        ("node_invoke", json!({ "command": "a", "params": "x" }), "params", "`params` must be an object"),
        ("cron", json!({}), "action", "`action` is missing"),
        (
            "cron",
            json!({ "action": "add", "text": "x" }),
            "expr",
            "`expr` is missing (or one of `at`, `atMs`, `everyMs`)",
        ),
        ("cron", json!({ "action": "add", "expr": "* * * * *" }), "text", "`text` is missing"),
        (
            "cron",
            json!({ "action": "add", "expr": "61 * * * *", "text": "x" }),
            "expr",
            "`expr` cannot be taken",
        ),
        (
            "cron",
            json!({ "action": "add", "expr": "* * * * *", "text": "x", "enabled": "yes" }),
            "enabled",
            "true or false",
        ),
        (
            "cron",
            json!({ "action": "add", "everyMs": 60_000, "text": "x", "deliver": "moon" }),
            "deliver",
            "cannot be taken",
        ),
        (
            "cron",
            json!({ "action": "add", "everyMs": 60_000, "text": "x", "color": "red" }),
            "color",
            "is not known here",
        ),
        ("cron", json!({ "action": "run" }), "jobId", "`jobId` is missing"),
        ("cron", json!({ "action": "update", "text": "x" }), "jobId", "`jobId` is missing"),
        ("message_send", json!({ "files": "a.png" }), "files", "`files` must be a list"),
        (
            "message_send",
            json!({ "files": [{ "kind": "photo" }] }),
            "files[0].path",
            "`files[0].path` is missing",
        ),
        ("message_send", json!({ "text": "x", "to": "home" }), "to", "must name a chat"),
        ("heartbeat", json!({ "action": "skip" }), "action", "must be one of now, status"),
        ("sessions_list", json!({ "x": null }), "x", "`x` is not known here"),
    ] {
        let result = caller.tool(tool, arguments.clone()).await;
        let error = &result["structuredContent"]["error"];
        assert_eq!(
            (&error["code"], &error["field"]),
            (&json!("INVALID_ARGUMENT"), &json!(field)),
            "{tool} {arguments}: {result}"
        );
        assert_eq!(result["isError"], true);
        let text = super::caller::text_of(&result);
        assert!(text.starts_with("INVALID_ARGUMENT: ") && text.contains(words), "{tool} {arguments}: {text}");
    }
}

#[tokio::test]
async fn a_token_is_kept_to_its_pace_and_to_its_size() {
    let gateway = Gateway::new().start().await;
    let own = gateway.client("session=default").await.session;
    let wish = json!({ "scope": format!("mcp:{own}"), "maxRequestsPerSecond": 1, "maxFrameBytes": 4096 });
    let reply = gateway.rpc("argus/token/create", wish).await;
    let caller = Caller::new(&gateway, reply["result"]["token"].as_str().unwrap());
    let padded = json!({ "jsonrpc": "2.0", "id": 0, "method": "ping", "params": { "x": "x".repeat(4096) } });
    let mut replies = Vec::new();
    for _ in 0..20 {
        replies.push(caller.post(&padded).await);
    }
    let first = &replies[0];
    assert_eq!(first.status, StatusCode::PAYLOAD_TOO_LARGE, "{first:?}");
    assert!(first.detail().contains("limit of 4096 bytes"), "{first:?}");
    let late = replies.iter().find(|reply| reply.status == StatusCode::TOO_MANY_REQUESTS).expect("a refusal");
    assert!(late.headers.contains_key("retry-after"), "{late:?}");
    assert!(late.detail().contains("too many requests with this token"), "{late:?}");
}
