//! The real Codex in a real container with the tools of its gateway: its own node, a device beside it, a job in the
//! background, a scheduled job, a file for the chat. And the node of a container: how it comes back, what it needs.

use argus_testkit::device::{Device, is_connected};
use argus_testkit::docker::Docker;
use argus_testkit::gateway::Gateway;
use argus_testkit::programs::{PATIENCE, eventually};
use serde_json::{Value, json};

use crate::chats::Scene;

/// Waits for a message that holds these words; the whole of it.
async fn told(scene: &Scene, words: &str) -> String {
    let sent = scene.api.wait_sent_until(PATIENCE, |sent| sent.iter().any(|one| one.text.contains(words)));
    sent.await.into_iter().find(|one| one.text.contains(words)).unwrap().text
}

fn call(name: &str, arguments: &Value) -> String {
    format!("[tool: {name} {arguments}]")
}

fn run(node: &str, words: &str, more: &Value) -> String {
    let mut params = json!({ "argv": ["sh", "-c", words] });
    params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    call("node_invoke", &json!({ "node": node, "command": "system.run", "params": params }))
}

#[tokio::test]
async fn an_agent_in_a_container_uses_its_own_node_and_a_device_and_reports_a_job_in_the_background() {
    let Some(docker) = Docker::here() else { return };
    let Some(scene) = Scene::with(&docker, &[("ARGUS_HEARTBEAT_SECONDS", "3600")]).await else { return };
    let mut device = Device::enrolled(&scene.gateway, "mac").await;
    device.start(&scene.gateway).await;

    scene.say(&run("self", "echo inside-$(cat /etc/hostname | wc -l)-$((40+2)); ls /.dockerenv", &json!({})));
    let answer = told(&scene, "inside-1-42").await;
    assert!(answer.contains("/.dockerenv"), "{answer}");
    scene.say(&run("mac", "echo outside-$((40+2)); ls state", &json!({ "cwd": device.folder() })));
    let answer = told(&scene, "outside-42").await;
    assert!(answer.contains("jobs"), "{answer}");

    // What the job prints is what the model says when it hears of its end.
    scene.say(&run("self", "sleep 0.5; echo '[say: the job is done-'$((40+2))']'", &json!({ "yieldMs": 0 })));
    told(&scene, "the job is done-42").await;

    let due = argus_gateway::clock::unix_ms() + 2000;
    let job = json!({ "action": "add", "jobId": "later", "atMs": due, "text": "[say: it fired-42]" });
    scene.say(&call("cron", &job));
    told(&scene, "it fired-42").await;

    std::fs::write(scene.gateway.home().join("workspace/report.txt"), "all is well").unwrap();
    scene.say(&call("message_send", &json!({ "text": "here it is", "files": [{ "path": "report.txt" }] })));
    let file = eventually("the file comes", async || {
        let sent = scene.api.sent_to(&scene.chat);
        sent.into_iter().find(|one| one.file.as_ref().is_some_and(|file| file.name == "report.txt"))
    });
    file.await;
}

/// A shell's words for the number of a program's process in a container, which has neither `ps` nor `pgrep`.
fn pid_of(program: &str) -> String {
    // As much of a program's name as the system keeps.
    let name = &program[..program.len().min(15)];
    format!("$(grep -lx {name} /proc/[0-9]*/comm | head -n 1 | cut -d / -f 3)")
}

/// The session's own node, as the gateway shows it.
async fn node(gateway: &Gateway) -> Option<Value> {
    let told = gateway.rpc("argus/node/list", json!({})).await;
    let nodes = told["result"]["nodes"].as_array()?.clone();
    nodes.into_iter().find(|node| node["nodeId"].as_str().is_some_and(|id| id.starts_with("runtime:")))
}

#[tokio::test]
async fn the_node_of_a_container_comes_back_when_it_is_killed_and_after_its_gateway_was() {
    let Some(docker) = Docker::here() else { return };
    let mut gateway = Gateway::new().in_docker(&docker).start().await;
    let client = gateway.client("session=default").await;
    let first = eventually("the node is there", async || node(&gateway).await).await;
    let id = first["nodeId"].as_str().unwrap().to_owned();
    let container = docker.container(id.strip_prefix("runtime:").unwrap());
    let resident =
        docker.shell(&container, &format!("grep VmRSS /proc/{}/status", pid_of("argus-node-host")));
    println!("the node of a container, a debug build: {resident}");

    let killed = docker.shell(&container, &format!("kill -9 {}; echo $?", pid_of("argus-node-host")));
    assert_eq!(killed, "0");
    eventually("another one is there", async || {
        let now = node(&gateway).await?;
        (now["connectedAtMs"].as_u64() > first["connectedAtMs"].as_u64()).then_some(())
    })
    .await;
    drop(client);
    gateway.kill();
    gateway.restart().await;
    eventually("it is back", async || is_connected(&gateway, &id).await.then_some(())).await;
}

#[tokio::test]
async fn a_container_holds_no_token_but_those_of_its_own_session() {
    let Some(docker) = Docker::here() else { return };
    let gateway = Gateway::new().in_docker(&docker).start().await;
    let _client = gateway.client("session=default").await;
    let own = eventually("the node is there", async || node(&gateway).await).await;
    let container = docker.container(own["nodeId"].as_str().unwrap().strip_prefix("runtime:").unwrap());
    let described = docker.inspect(&container).unwrap().to_string();
    assert!(!described.contains("argus1."), "no token stands in the container's description");
    let agent = pid_of("scripted-app-server");
    let tokens = format!("tr '\\0' '\\n' </proc/{agent}/environ | grep -o '^[A-Z_]*=argus1'");
    let found = docker.shell(&container, &tokens);
    assert_eq!(found, "ARGUS_MCP_TOKEN=argus1", "the agent has the one for its tools");
}
