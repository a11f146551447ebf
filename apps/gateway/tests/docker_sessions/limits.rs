//! What one container may use: processes and memory are limited for real, and by default.

use argus_testkit::docker::Docker;
use argus_testkit::gateway::Gateway;
use serde_json::json;

use crate::support::{gateway, introduced, logged, say};

#[tokio::test]
async fn without_settings_a_container_has_one_processor_two_gigabytes_and_1024_processes() {
    let Some(docker) = Docker::here() else { return };
    let gateway = gateway(&docker).await;
    let client = introduced(&gateway).await;
    let host = docker.inspect(&docker.container(&client.session)).unwrap()["HostConfig"].clone();
    let of = |name: &str| host[name].clone();
    assert_eq!([of("CpuPeriod"), of("CpuQuota")], [json!(100_000), json!(100_000)]);
    assert_eq!([of("Memory"), of("PidsLimit")], [json!(2_u64 << 30), json!(1024)]);
    assert_eq!([of("CapDrop"), of("Init"), of("Privileged")], [json!(["ALL"]), json!(true), json!(false)]);
    assert!(["", "no"].contains(&of("RestartPolicy")["Name"].as_str().unwrap()));
    assert_eq!(of("LogConfig")["Config"], json!({ "max-size": "8m", "max-file": "2" }));
}

#[tokio::test]
async fn a_fork_bomb_ends_at_the_limit_and_the_session_lives() {
    let Some(docker) = Docker::here() else { return };
    let gateway = Gateway::new().in_docker(&docker).with("ARGUS_RUNTIME_PIDS_LIMIT", "64").start().await;
    let mut client = introduced(&gateway).await;
    let container = docker.container(&client.session);
    let said = docker.shell(&container, "for n in $(seq 200); do sleep 60 & done; echo unlimited");
    assert!(said.contains("Resource temporarily unavailable"), "{said}");
    docker.shell(&container, "exec kill -9 -1");
    assert_eq!(say(&mut client, "[say: alive]").await, "alive");
}

#[tokio::test]
async fn a_process_that_takes_all_memory_is_ended_and_the_session_lives() {
    let Some(docker) = Docker::here() else { return };
    let gateway = Gateway::new().in_docker(&docker).with("ARGUS_RUNTIME_MEM_LIMIT", "64m");
    let gateway = gateway.with("ARGUS_RUNTIME_MEMSWAP_LIMIT", "64m").start().await;
    let mut client = introduced(&gateway).await;
    let greedy = docker.try_run(&[
        "exec",
        &docker.container(&client.session),
        "perl",
        "-e",
        "my $all = 'x' x (512 << 20); print length $all",
    ]);
    assert_eq!(greedy.status.code(), Some(137), "{greedy:?}");
    logged(&gateway, "a container used all its memory").await;
    assert_eq!(say(&mut client, "[say: alive]").await, "alive");
}
