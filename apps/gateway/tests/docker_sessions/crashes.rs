//! The gateway is killed at each step of making and replacing a container: the next one goes on, once.

use argus_testkit::docker::Docker;
use argus_testkit::gateway::Gateway;
use argus_testkit::programs::eventually;
use serde_json::json;

use crate::support::{introduced, say};

/// Holds a gateway at that step of a message's way, kills it there, and sees that the next one does what was asked.
async fn killed_at(step: &str, gateway: &mut Gateway) {
    let marks = tempfile::tempdir().unwrap();
    gateway.set("ARGUS_CRASH_HOLD", step);
    gateway.set("ARGUS_CRASH_DIR", marks.path());
    gateway.restart().await;
    let text = format!("[say: after {step}]");
    let asked = json!({ "text": text, "wait": false, "idempotencyKey": step });
    let taken = gateway.rpc("argus/input/enqueue", asked).await;
    assert_eq!(taken["result"]["ok"], true, "{taken}");
    let held = marks.path().join(format!("{step}.held"));
    eventually(&format!("it is held at {step}"), async || held.exists().then_some(())).await;
    gateway.kill();
    gateway.set("ARGUS_CRASH_HOLD", "");
    gateway.restart().await;
    eventually("it was done", async || {
        gateway.turns().iter().any(|turn| turn.text.contains(&text)).then_some(())
    })
    .await;
    let times = gateway.turns().iter().filter(|turn| turn.text.contains(&text)).count();
    assert_eq!(times, 1, "{step}");
}

#[tokio::test]
async fn a_gateway_killed_while_it_makes_a_container_goes_on_in_its_next_life() {
    let Some(docker) = Docker::here() else { return };
    for step in ["container.made", "container.started"] {
        let mut gateway = Gateway::new().in_docker(&docker);
        killed_at(step, &mut gateway).await;
        let mut client = introduced(&gateway).await;
        client.turn().await;
        assert_eq!(say(&mut client, "[say: well]").await, "well", "{step}");
    }
}

#[tokio::test]
async fn a_gateway_killed_while_it_replaces_a_container_goes_on_in_its_next_life() {
    let Some(docker) = Docker::here() else { return };
    let mut gateway = Gateway::new().in_docker(&docker).start().await;
    let mut client = introduced(&gateway).await;
    say(&mut client, "[say: first]").await;
    let container = docker.container(&client.session);
    for (step, pids) in [("container.stopped", "500"), ("container.removed", "600")] {
        gateway.stop().await;
        docker.run(&["stop", &container]);
        gateway.set("ARGUS_RUNTIME_PIDS_LIMIT", pids);
        killed_at(step, &mut gateway).await;
        let limit = docker.inspect(&container).unwrap()["HostConfig"]["PidsLimit"].to_string();
        assert_eq!(limit, pids, "{step}");
    }
}
