//! Containers that are killed, removed or starved in the middle of the work: noticed at once, told, and gone on from.

use argus_testkit::docker::Docker;

use crate::support::{failed_turn, gateway, in_the_middle, introduced, logged, say};

#[tokio::test]
async fn a_container_killed_in_a_turn_fails_the_turn_and_the_next_message_works() {
    let Some(docker) = Docker::here() else { return };
    let gateway = gateway(&docker).await;
    let mut client = introduced(&gateway).await;
    in_the_middle(&mut client, "[hang]").await;
    docker.run(&["kill", &docker.container(&client.session)]);
    let reason = failed_turn(&mut client).await;
    assert!(reason.contains("runtime"), "{reason}");
    logged(&gateway, "the container ended (exit 137)").await;
    assert_eq!(say(&mut client, "[say: on it goes]").await, "on it goes");
    assert_eq!(gateway.turns().len(), 2, "the lost one is not run again");
}

#[tokio::test]
async fn a_container_removed_in_a_turn_is_replaced_by_a_new_one() {
    let Some(docker) = Docker::here() else { return };
    let gateway = gateway(&docker).await;
    let mut client = introduced(&gateway).await;
    say(&mut client, "[say: before]").await;
    in_the_middle(&mut client, "[hang]").await;
    docker.run(&["rm", "--force", &docker.container(&client.session)]);
    failed_turn(&mut client).await;
    assert_eq!(say(&mut client, "[say: after]").await, "after");
    let threads: Vec<_> = gateway.turns().into_iter().map(|turn| turn.thread).collect();
    assert!(threads.len() == 3 && threads[0] == threads[2], "the thread goes on: {threads:?}");
}

#[tokio::test]
async fn a_container_whose_network_was_removed_is_made_anew() {
    let Some(docker) = Docker::here() else { return };
    let mut gateway = gateway(&docker).await;
    let mut client = introduced(&gateway).await;
    say(&mut client, "[say: before]").await;
    gateway.stop().await;
    docker.run(&["stop", &docker.container(&client.session)]);
    docker.run(&["network", "rm", docker.name()]);
    gateway.restart().await;
    let mut client = introduced(&gateway).await;
    assert_eq!(say(&mut client, "[say: after]").await, "after");
}
