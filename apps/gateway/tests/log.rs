//! The log's reader may go away at any time.

use std::process::{Command, Stdio};

use argus_testkit::client::Client;
use argus_testkit::gateway::Gateway;
use argus_testkit::programs::{clean_environment, eventually, program};
use serde_json::json;

#[tokio::test]
async fn when_nobody_reads_the_log_any_more_the_gateway_serves_on() {
    let home = Gateway::new();
    let mut command = Command::new(program("argus-gateway"));
    command
        .env_clear()
        .envs(clean_environment())
        .env("ARGUS_HOME", home.home())
        .env("ARGUS_BIND", "127.0.0.1:0")
        .env("ARGUS_BRIDGE", program("argus-runtime-bridge"))
        .env("ARGUS_RUNTIME_CMD", argus_testkit::app_server::binary())
        .env("SCRIPTED_STATE", home.home().join("threads"))
        .env("ARGUS_LOG", "debug")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut gateway = command.spawn().unwrap();
    drop((gateway.stdout.take(), gateway.stderr.take()));
    let file = home.home().join("gateway/address");
    let whole = async || std::fs::read_to_string(&file).ok().filter(|text| text.ends_with('\n'));
    let url = eventually("the gateway serves", whole).await;
    for _ in 0..3 {
        let mut client = Client::connect(url.trim(), "session=default", &home.token()).await;
        client.initialize().await;
        client.call("argus/input/enqueue", json!({ "text": "[say: unlogged]" })).await;
        assert_eq!(client.turn().await, ("unlogged".to_owned(), "completed".to_owned()));
        client.leave().await;
    }
    assert!(gateway.try_wait().unwrap().is_none(), "it lives");
    _ = gateway.kill();
    _ = gateway.wait();
}
