//! A session in a real container: started on demand, adopted, stopped when idle, woken, deleted.

use argus_testkit::client::Client;
use argus_testkit::docker::Docker;
use argus_testkit::gateway::Gateway;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

async fn ask(gateway: &Gateway, method: Method, path: &str) -> (StatusCode, Value) {
    let request = reqwest::Client::new().request(method, format!("{}{path}", gateway.url()));
    let reply = request.bearer_auth(gateway.token()).send().await.unwrap();
    (reply.status(), reply.json().await.unwrap_or_default())
}

async fn introduced(gateway: &Gateway) -> Client {
    let mut client = gateway.client("session=default").await;
    client.initialize().await;
    client
}

/// Says something in the main thread and waits for the answer.
async fn say(client: &mut Client, text: &str) -> String {
    let started = client.call("argus/input/enqueue", json!({ "text": text })).await;
    assert_eq!(started["result"]["ok"], true, "{started}");
    let (answer, status) = client.turn().await;
    assert_eq!(status, "completed");
    answer
}

#[tokio::test]
async fn a_session_runs_in_a_container_of_its_own_from_its_first_need_to_its_deletion() {
    let Some(docker) = Docker::here() else { return };
    let gateway = Gateway::new().in_docker(&docker).start().await;
    let mut client = introduced(&gateway).await;
    let id = client.session.clone();
    assert_eq!(say(&mut client, "[say: from inside]").await, "from inside");

    let container = docker.inspect(&docker.container(&id)).expect("the container is there");
    let shown = json!({ "sessionId": id, "containerId": container["Id"], "name": docker.container(&id),
        "status": "running", "runtimeLayout": "root_argus_v1" });
    assert_eq!(ask(&gateway, Method::GET, "/sessions").await.1, json!({ "sessions": [shown] }));

    let deleted = ask(&gateway, Method::DELETE, &format!("/sessions/{id}")).await;
    assert_eq!(deleted, (StatusCode::OK, json!({ "ok": true, "sessionId": id })));
    assert_eq!(client.closed().await, Some((1000, "session deleted".to_owned())));
    assert_eq!(docker.inspect(&docker.container(&id)), None);
    assert_eq!(ask(&gateway, Method::GET, "/sessions").await.1, json!({ "sessions": [] }));
    assert!(gateway.home().join("workspace/AGENTS.md").is_file(), "files stay");
}
