//! A session's container: started on demand, adopted, stopped when idle, woken, made anew, deleted.

use std::fs;

use argus_testkit::docker::{Docker, EngineDoor};
use argus_testkit::gateway::Gateway;
use argus_testkit::programs::eventually;
use futures::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{ask, gateway, id_of, in_the_middle, introduced, logged, say, words};

#[tokio::test]
async fn a_session_has_a_container_of_its_own_from_its_first_need_to_its_deletion() {
    let Some(docker) = Docker::here() else { return };
    let gateway = gateway(&docker).await;
    let mut client = introduced(&gateway).await;
    let id = client.session.clone();
    assert_eq!(say(&mut client, "[say: from inside]").await, "from inside");
    let shown = json!({ "sessionId": id, "containerId": id_of(&docker, &docker.container(&id)),
        "name": docker.container(&id), "status": "running", "runtimeLayout": "root_argus_v1" });
    assert_eq!(ask(&gateway, Method::GET, "/sessions").await.1, json!({ "sessions": [shown] }));

    let deleted = ask(&gateway, Method::DELETE, &format!("/sessions/{id}")).await;
    assert_eq!(deleted, (StatusCode::OK, json!({ "ok": true, "sessionId": id })));
    assert_eq!(client.closed().await, Some((1000, "session deleted".to_owned())));
    assert_eq!(docker.inspect(&docker.container(&id)), None);
    assert_eq!(ask(&gateway, Method::GET, "/sessions").await.1, json!({ "sessions": [] }));
    assert!(gateway.home().join("workspace/AGENTS.md").is_file(), "files stay");
}

#[tokio::test]
async fn five_simultaneous_needs_make_one_container_and_one_network() {
    let Some(docker) = Docker::here() else { return };
    let gateway = gateway(&docker).await;
    join_all((0..5).map(|_| introduced(&gateway))).await;
    let mut others = join_all((0..3).map(|_| gateway.client(""))).await;
    join_all(others.iter_mut().map(argus_testkit::client::Client::initialize)).await;
    let named = format!("name=^{}", docker.name());
    assert_eq!(docker.run(&["ps", "--quiet", "--filter", &named]).lines().count(), 4);
    assert_eq!(docker.run(&["network", "ls", "--quiet", "--filter", &named]).lines().count(), 1);
}

#[tokio::test]
async fn a_turn_goes_on_while_the_gateway_is_killed_and_is_heard_by_the_next_one() {
    let Some(docker) = Docker::here() else { return };
    let mut gateway = gateway(&docker).await;
    let mut client = introduced(&gateway).await;
    let container = docker.container(&client.session);
    in_the_middle(&mut client, "[hold: /root/.argus/go]").await;
    let before = id_of(&docker, &container);
    gateway.kill();
    fs::write(gateway.home().join("go"), "").unwrap();
    gateway.restart().await;
    let mut client = introduced(&gateway).await;
    assert_eq!(client.turn().await, ("never said to its end".to_owned(), "completed".to_owned()));
    assert_eq!(say(&mut client, "[say: next]").await, "next");
    let said: Vec<_> = gateway.turns().into_iter().map(|turn| turn.text).collect();
    assert_eq!(said.len(), 2, "nothing is run twice: {said:?}");
    assert_eq!(id_of(&docker, &container), before);
    logged(&gateway, "adopted the running container").await;
}

#[tokio::test]
async fn an_idle_session_stops_and_wakes_in_the_same_container_with_its_thread() {
    let Some(docker) = Docker::here() else { return };
    let gateway = Gateway::new().in_docker(&docker).with("ARGUS_SESSION_IDLE_STOP", "1").start().await;
    let mut client = introduced(&gateway).await;
    let container = docker.container(&client.session);
    say(&mut client, "[say: first]").await;
    let before = id_of(&docker, &container);
    docker.wait_state(&container, "exited").await;
    let status = ask(&gateway, Method::GET, "/sessions").await.1["sessions"][0]["status"].clone();
    assert_eq!(status, "stopped");
    assert_eq!(say(&mut client, "[say: second]").await, "second");
    assert_eq!(id_of(&docker, &container), before);
    let threads: Vec<_> = gateway.turns().into_iter().map(|turn| turn.thread).collect();
    assert_eq!(threads[0], threads[1]);
}

#[tokio::test]
async fn a_changed_image_is_taken_at_once_when_nothing_runs() {
    let Some(docker) = Docker::here() else { return };
    let mut gateway = gateway(&docker).await;
    let mut client = introduced(&gateway).await;
    let container = docker.container(&client.session);
    say(&mut client, "[say: first]").await;
    let before = docker.inspect(&container).unwrap();
    let image = docker.another_image("next");
    gateway.set("ARGUS_RUNTIME_IMAGE", &image);
    // A restart that comes before the last lines were acknowledged lets the container be; that takes 200 ms at most.
    let mut after = before.clone();
    for _ in 0..5 {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        gateway.stop().await;
        gateway.restart().await;
        introduced(&gateway).await;
        after = docker.inspect(&container).unwrap();
        if after["Id"] != before["Id"] {
            break;
        }
    }
    assert_ne!(before["Image"], after["Image"]);
    assert_eq!(after["Image"], docker.inspect(&image).unwrap()["Id"]);
}

#[tokio::test]
async fn a_changed_setting_waits_for_the_end_of_the_work() {
    let Some(docker) = Docker::here() else { return };
    let mut gateway = gateway(&docker).await;
    let mut client = introduced(&gateway).await;
    let container = docker.container(&client.session);
    in_the_middle(&mut client, "[hold: /root/.argus/go]").await;
    let before = id_of(&docker, &container);
    gateway.kill();
    gateway.set("ARGUS_RUNTIME_PIDS_LIMIT", "500");
    gateway.set("ARGUS_SESSION_IDLE_STOP", "1");
    gateway.restart().await;
    logged(&gateway, "it is kept while it is at work").await;
    assert_eq!(id_of(&docker, &container), before);
    fs::write(gateway.home().join("go"), "").unwrap();
    docker.wait_state(&container, "exited").await;
    let mut client = introduced(&gateway).await;
    say(&mut client, "[say: anew]").await;
    let after = docker.inspect(&container).unwrap();
    assert_ne!(after["Id"].as_str().map(str::to_owned), before);
    assert_eq!(after["HostConfig"]["PidsLimit"], 500);
    assert_eq!(gateway.turns().len(), 2);
}

#[tokio::test]
async fn a_missing_image_is_named_with_the_command_that_makes_it() {
    let Some(docker) = Docker::here() else { return };
    let gateway =
        Gateway::new().in_docker(&docker).with("ARGUS_RUNTIME_IMAGE", "argus-test-none").start().await;
    let mut client = gateway.client("session=default").await;
    let said = words(&client.call("thread/list", json!({})).await);
    assert!(said.contains("no image `argus-test-none`") && said.contains("docker build"), "{said}");
}

#[tokio::test]
async fn a_container_that_ends_at_once_is_told_with_its_last_words() {
    let Some(docker) = Docker::here() else { return };
    let image = docker.broken_image("broken", "echo it cannot be; exit 3");
    let gateway = Gateway::new().in_docker(&docker).with("ARGUS_RUNTIME_IMAGE", image).start().await;
    let mut client = gateway.client("session=default").await;
    let said = words(&client.call("thread/list", json!({})).await);
    assert!(said.contains("ended at once (exit 3); its last words: it cannot be"), "{said}");
}

#[tokio::test]
async fn containers_of_forgotten_sessions_go_and_those_of_others_stay() {
    let Some(docker) = Docker::here() else { return };
    let mut gateway = gateway(&docker).await;
    let mut clients = [gateway.client("").await, gateway.client("").await];
    for client in &mut clients {
        client.initialize().await;
    }
    let [forgotten, kept] = clients.each_ref().map(|client| docker.container(&client.session));
    gateway.stop().await;
    fs::remove_dir_all(gateway.home().join("sessions").join(&clients[0].session)).unwrap();

    let image = docker.image();
    let other = |name: &str, labels: &[&str]| {
        let name = format!("{}-{name}", docker.name());
        let mut arguments = vec!["create", "--name", &name];
        arguments.extend(labels.iter().flat_map(|label| ["--label", label]));
        arguments.push(&image);
        docker.run(&arguments)
    };
    let foreign = other(
        "foreign",
        &["io.argus.gateway=argus", "io.argus.installation=another", "io.argus.session_id=f1"],
    );
    let reference = other(
        "reference",
        &["io.argus.gateway=apps/api", "io.argus.session_id=r1", "io.argus.runtime_layout=root_argus_v1"],
    );
    gateway.restart().await;
    eventually("the forgotten one is gone", async || docker.inspect(&forgotten).is_none().then_some(()))
        .await;
    for container in [&kept, &foreign, &reference] {
        assert!(docker.inspect(container).is_some(), "{container}");
    }

    let listed = ask(&gateway, Method::GET, "/sessions").await.1;
    let listed = listed["sessions"].as_array().unwrap();
    let last = json!({ "sessionId": "r1", "containerId": reference, "name": format!("{}-reference", docker.name()),
        "status": "stopped", "runtimeLayout": "root_argus_v1" });
    assert_eq!((listed.len(), &listed[1]), (2, &last));
    assert_eq!(ask(&gateway, Method::DELETE, "/sessions/r1").await.0, StatusCode::NOT_FOUND);
    assert!(docker.inspect(&reference).is_some());
}

#[tokio::test]
async fn a_name_that_somebody_elses_container_has_is_told_and_left_alone() {
    let Some(docker) = Docker::here() else { return };
    let mut door = EngineDoor::shut(&docker);
    let gateway = Gateway::new().in_docker(&docker).with("DOCKER_HOST", door.url()).start().await;
    let mut client = gateway.client("").await;
    let name = docker.container(&client.session);
    let foreign = docker.run(&["create", "--name", &name, &docker.image()]);
    door.open();
    eventually("it is told", async || {
        let said = client.call("thread/list", json!({})).await["error"]["message"].to_string();
        said.contains("is of another installation and is left alone").then_some(())
    })
    .await;
    assert_eq!(id_of(&docker, &name), Some(foreign));
}
