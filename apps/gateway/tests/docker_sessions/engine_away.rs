//! An engine that goes and comes back: readiness says so, what waits goes on.

use argus_testkit::docker::{Docker, EngineDoor};
use argus_testkit::gateway::Gateway;
use argus_testkit::programs::eventually;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{ask, introduced, say, words};

#[tokio::test]
async fn without_an_engine_readiness_says_so_and_what_waits_is_done_when_it_comes() {
    let Some(docker) = Docker::here() else { return };
    let mut door = EngineDoor::shut(&docker);
    let gateway = Gateway::new().in_docker(&docker).with("DOCKER_HOST", door.url()).start().await;
    let reasons = eventually("readiness says so", async || {
        let (status, told) = ask(&gateway, Method::GET, "/readyz").await;
        (status == StatusCode::SERVICE_UNAVAILABLE).then(|| told.to_string())
    });
    let expected = format!("the container engine at {} cannot be reached", door.url());
    assert!(reasons.await.contains(&expected));
    let mut client = gateway.client("session=default").await;
    let said = words(&client.call("thread/list", json!({})).await);
    assert!(said.contains(&expected), "{said}");
    let waiting = json!({ "text": "[say: done at last]", "wait": false });
    assert_eq!(client.call("argus/input/enqueue", waiting).await["result"]["ok"], true);
    let listed = ask(&gateway, Method::GET, "/sessions").await.1;
    assert_eq!(listed["sessions"][0]["status"], "unknown");

    door.open();
    assert_eq!(client.turn().await, ("done at last".to_owned(), "completed".to_owned()));
    eventually("readiness says so", async || {
        (ask(&gateway, Method::GET, "/readyz").await.0 == StatusCode::OK).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_turn_goes_on_without_the_engine_and_what_happened_meanwhile_is_noticed() {
    let Some(docker) = Docker::here() else { return };
    let mut door = EngineDoor::shut(&docker);
    door.open();
    let gateway = Gateway::new().in_docker(&docker).with("DOCKER_HOST", door.url()).start().await;
    let mut client = introduced(&gateway).await;
    assert_eq!(say(&mut client, "[say: before]").await, "before");
    door.close();
    eventually("readiness says so", async || {
        (ask(&gateway, Method::GET, "/readyz").await.0 != StatusCode::OK).then_some(())
    })
    .await;
    assert_eq!(say(&mut client, "[say: without it]").await, "without it");
    docker.run(&["rm", "--force", &docker.container(&client.session)]);
    let waiting = json!({ "text": "[say: after]", "wait": false });
    assert_eq!(client.call("argus/input/enqueue", waiting).await["result"]["ok"], true);
    door.open();
    assert_eq!(client.turn().await, ("after".to_owned(), "completed".to_owned()));
}
