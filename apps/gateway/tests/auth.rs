//! Who may call: tokens, web origins, and what is open to everybody.

use argus_testkit::client::Client;
use argus_testkit::gateway::Gateway;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// Every route that needs a token.
const GUARDED: [(Method, &str); 20] = [
    (Method::GET, "/sessions"),
    (Method::GET, "/sessions/0123456789ab"),
    (Method::DELETE, "/sessions/0123456789ab"),
    (Method::POST, "/rpc"),
    (Method::GET, "/nodes"),
    (Method::POST, "/nodes/invoke"),
    (Method::POST, "/automation/systemEvent/enqueue"),
    (Method::GET, "/automation/events"),
    (Method::GET, "/automation/cron/jobs"),
    (Method::POST, "/automation/cron/jobs"),
    (Method::DELETE, "/automation/cron/jobs/j"),
    (Method::POST, "/automation/cron/jobs/j/run"),
    (Method::POST, "/automation/cron/jobs/j/pause"),
    (Method::POST, "/automation/cron/jobs/j/resume"),
    (Method::GET, "/automation/cron/jobs/j/history"),
    (Method::GET, "/automation/heartbeat"),
    (Method::POST, "/automation/heartbeat/now"),
    (Method::GET, "/automation/state"),
    (Method::POST, "/automation/pause"),
    (Method::POST, "/automation/resume"),
];

async fn ask(gateway: &Gateway, method: Method, path: &str, headers: &[(&str, &str)]) -> (StatusCode, Value) {
    let mut request = reqwest::Client::new().request(method, format!("{}{path}", gateway.url()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let reply = request.send().await.unwrap();
    (reply.status(), reply.json().await.unwrap_or_default())
}

#[tokio::test]
async fn without_the_right_token_there_is_nothing_but_unauthorized() {
    let gateway = Gateway::new().start().await;
    let unauthorized = (StatusCode::UNAUTHORIZED, json!({ "detail": "Unauthorized" }));
    let right = gateway.token();
    let right_by_query = format!("?token={right}");
    for (method, path) in GUARDED {
        for (query, headers) in [
            ("", vec![]),
            ("", vec![("authorization", "Bearer wrong")]),
            ("", vec![("authorization", "Bearer ")]),
            ("?token=wrong", vec![]),
            ("?token=", vec![]),
            // A wrong header is not rescued by a right query.
            (&right_by_query, vec![("authorization", "Bearer wrong")]),
        ] {
            let got = ask(&gateway, method.clone(), &format!("{path}{query}"), &headers).await;
            assert_eq!(got, unauthorized, "{method} {path} {headers:?}");
        }
        let (status, _) = ask(&gateway, method.clone(), &format!("{path}?token={right}"), &[]).await;
        assert_ne!(status, StatusCode::UNAUTHORIZED, "{method} {path}");
    }
}

#[tokio::test]
async fn a_client_without_the_right_token_is_taken_in_and_closed_as_unauthorized() {
    let gateway = Gateway::new().start().await;
    for (query, headers) in [
        ("", vec![]),
        ("token=wrong", vec![]),
        ("", vec![("authorization", "Bearer wrong")]),
        ("session=default", vec![("authorization", "nonsense")]),
    ] {
        let mut client = Client::open_with(gateway.url(), query, &headers).await.unwrap();
        assert_eq!(client.closed().await, Some((1008, "Unauthorized".to_owned())), "{query} {headers:?}");
    }
    assert!(gateway.processes("argus-runtime-b").is_empty(), "nobody's session was started");
}

#[tokio::test]
async fn a_client_may_give_the_token_in_the_query() {
    let gateway = Gateway::new().with("ARGUS_TOKEN", "a&word=/with%unusual+signs#").start().await;
    let query = "token=a%26word%3D%2Fwith%25unusual%2Bsigns%23&session=default";
    let mut client = Client::open_with(gateway.url(), query, &[]).await.unwrap();
    assert_eq!(client.notification("argus/session").await["params"]["attached"], true);
}

#[tokio::test]
async fn foreign_web_pages_are_refused_and_our_own_and_named_ones_are_not() {
    let gateway = Gateway::new().with("ARGUS_CORS_ORIGINS", "https://chat.example").start().await;
    let (token, own) = (format!("Bearer {}", gateway.token()), gateway.url().to_owned());
    for (origin, allowed) in [
        (own.as_str(), true),
        ("https://chat.example", true),
        ("https://evil.example", false),
        ("https://chat.example.evil.example", false),
        ("null", false),
    ] {
        let headers = [("authorization", token.as_str()), ("origin", origin)];
        let (status, body) = ask(&gateway, Method::GET, "/sessions", &headers).await;
        let opened = Client::open_with(gateway.url(), "session=default", &headers).await;
        if allowed {
            assert_eq!(status, StatusCode::OK, "{origin}: {body}");
            assert!(opened.is_ok(), "{origin}");
        } else {
            assert_eq!(status, StatusCode::FORBIDDEN, "{origin}");
            assert!(body["detail"].as_str().unwrap().contains("ARGUS_CORS_ORIGINS"), "{body}");
            let refused = opened.err().map(|error| error.to_string()).unwrap_or_default();
            assert!(refused.contains("403"), "{origin}: {refused}");
        }
    }
}

#[tokio::test]
async fn a_named_web_page_may_read_the_answers_and_is_told_so_before() {
    let gateway = Gateway::new().with("ARGUS_CORS_ORIGINS", "https://chat.example").start().await;
    for (origin, told) in [("https://chat.example", true), ("https://evil.example", false)] {
        for (path, method) in [("/sessions", "GET"), ("/rpc", "POST"), ("/sessions/0123456789ab", "DELETE")] {
            let preflight = reqwest::Client::new()
                .request(Method::OPTIONS, format!("{}{path}", gateway.url()))
                .header("origin", origin)
                .header("access-control-request-method", method)
                .header("access-control-request-headers", "authorization,content-type");
            let reply = preflight.send().await.unwrap();
            let header = |name: &str| {
                reply.headers().get(name).map(|value| value.to_str().unwrap().to_ascii_lowercase())
            };
            let allowed = header("access-control-allow-origin");
            assert_eq!(allowed.as_deref(), told.then_some(origin), "{origin}");
            assert_eq!(header("access-control-allow-credentials"), None);
            if told {
                let methods = header("access-control-allow-methods").unwrap();
                assert!(methods.split(',').any(|one| one == method.to_ascii_lowercase()), "{methods}");
                let headers = header("access-control-allow-headers").unwrap();
                assert!(
                    ["authorization", "content-type"].iter().all(|one| headers.contains(one)),
                    "{headers}"
                );
            }
        }
    }
    // A refusal can be read too, with when to come again.
    let headers = [("authorization", "Bearer wrong"), ("origin", "https://chat.example")];
    let mut request = reqwest::Client::new().get(format!("{}/sessions", gateway.url()));
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let reply = request.send().await.unwrap();
    assert_eq!(reply.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(reply.headers()["access-control-allow-origin"], "https://chat.example");
    let exposed = reply.headers()["access-control-expose-headers"].to_str().unwrap().to_ascii_lowercase();
    assert!(exposed.contains("retry-after") && exposed.contains("mcp-session-id"), "{exposed}");
}

#[tokio::test]
async fn what_there_is_not_is_said_as_everything_else_is() {
    let gateway = Gateway::new().start().await;
    let missing = (StatusCode::NOT_FOUND, json!({ "detail": "Not Found" }));
    assert_eq!(ask(&gateway, Method::GET, "/no/such/route", &[]).await, missing);
    let refused = (StatusCode::METHOD_NOT_ALLOWED, json!({ "detail": "Method Not Allowed" }));
    assert_eq!(ask(&gateway, Method::POST, "/healthz", &[]).await, refused);
}

#[tokio::test]
async fn everybody_may_ask_whether_it_lives_and_only_the_operator_why_it_is_not_ready() {
    let gateway = Gateway::new().start().await;
    let token = format!("Bearer {}", gateway.token());
    assert_eq!(ask(&gateway, Method::GET, "/healthz", &[]).await, (StatusCode::OK, json!({ "ok": true })));
    let report = json!({ "jsonrpc": "2.0", "id": 1, "method": "argus/channel/report", "params": {
        "channel": "telegram", "bot": "42", "state": "unauthorized", "detail": "no such bot", "lastPollMs": null,
    } });
    let rpc = reqwest::Client::new().post(format!("{}/rpc", gateway.url())).bearer_auth(gateway.token());
    let told: Value = rpc.json(&report).send().await.unwrap().json().await.unwrap();
    assert_eq!(told["result"], json!({ "ok": true }), "{told}");

    let bare = (StatusCode::SERVICE_UNAVAILABLE, json!({ "ok": false }));
    assert_eq!(ask(&gateway, Method::GET, "/readyz", &[]).await, bare);
    assert_eq!(ask(&gateway, Method::GET, "/readyz", &[("authorization", "Bearer wrong")]).await, bare);
    let (status, body) = ask(&gateway, Method::GET, "/readyz", &[("authorization", &token)]).await;
    let reasons = json!(["telegram bot 42: its token is refused: no such bot"]);
    assert_eq!((status, &body["reasons"]), (StatusCode::SERVICE_UNAVAILABLE, &reasons), "{body}");
    assert_eq!(ask(&gateway, Method::GET, "/healthz", &[]).await.0, StatusCode::OK);
}

#[tokio::test]
async fn no_token_reaches_the_log() {
    let secrets = ["operators-own-word", "wrong-word-of-somebody", "4242:telegram-word"];
    let mut gateway = Gateway::new()
        .with("ARGUS_LOG", "trace")
        .with("ARGUS_TOKEN", secrets[0])
        .with("TELEGRAM_BOT_TOKEN", secrets[2])
        .with("TELEGRAM_API_URL", "http://127.0.0.1:9")
        .start()
        .await;
    let by_query = format!("token={}&session=default", secrets[0]);
    let mut client = Client::open_with(gateway.url(), &by_query, &[]).await.unwrap();
    client.initialize().await;
    for (path, header) in
        [(format!("/sessions?token={}", secrets[1]), secrets[0]), ("/readyz".to_owned(), secrets[1])]
    {
        ask(&gateway, Method::GET, &path, &[("authorization", &format!("Bearer {header}"))]).await;
    }
    client.leave().await;
    gateway.stop().await;
    let mut logs = gateway.log();
    for file in walk(&gateway.home().join("sessions")) {
        logs += &String::from_utf8_lossy(&std::fs::read(file).unwrap_or_default());
    }
    assert!(logs.contains("a client attached"), "{logs}");
    for secret in secrets {
        assert!(!logs.contains(secret), "{}", logs.lines().find(|line| line.contains(secret)).unwrap_or(""));
    }
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}
