//! Another agent in the place of Codex, by the two build arguments of Dockerfile.runtime.

use argus_testkit::docker::Docker;
use argus_testkit::gateway::Gateway;
use serde_json::json;

#[tokio::test]
async fn any_agent_on_stdio_takes_the_place_of_codex_by_two_build_arguments() {
    let Some(docker) = Docker::here() else { return };
    let Some(tag) = super::system::shipped() else { return };
    let gateway = Gateway::new().in_docker(&docker);
    let gateway = gateway.with("ARGUS_RUNTIME_IMAGE", format!("argus-runtime-tiny:{tag}"));
    let gateway = gateway.with("ARGUS_RUNTIME_CMD", "tiny-agent --greeting hello").start().await;
    let mut client = gateway.client("session=default").await;
    client.initialize().await;
    let started = client.call("argus/input/enqueue", json!({ "text": "who are you?" })).await;
    assert_eq!(started["result"]["ok"], true, "{started}");
    assert_eq!(client.turn().await, ("hello from a tiny agent".to_owned(), "completed".to_owned()));
}
