//! Many nodes at once: they come back after a restart, each in its own time.

use std::collections::BTreeSet;

use argus_testkit::device::Device;
use argus_testkit::gateway::Gateway;
use argus_testkit::programs::eventually;
use serde_json::json;

const MANY: usize = 50;

/// When each of them connected, unix milliseconds.
async fn connected(gateway: &Gateway) -> Vec<u64> {
    let told = gateway.rpc("argus/node/list", json!({})).await;
    let nodes = told["result"]["nodes"].as_array().cloned().unwrap_or_default();
    nodes.iter().filter_map(|node| node["connectedAtMs"].as_u64()).collect()
}

#[tokio::test]
async fn fifty_nodes_come_back_after_a_restart_and_not_all_at_once() {
    let mut gateway = Gateway::new().start().await;
    let mut devices = Vec::new();
    for number in 0..MANY {
        let mut device = Device::enrolled(&gateway, &format!("device-{number}")).await;
        device.spawn();
        devices.push(device);
    }
    eventually("all are there", async || (connected(&gateway).await.len() == MANY).then_some(())).await;
    gateway.kill();
    gateway.restart().await;
    eventually("all are back", async || (connected(&gateway).await.len() == MANY).then_some(())).await;
    let times = connected(&gateway).await;
    let tenths: BTreeSet<_> = times.iter().map(|ms| ms / 100).collect();
    let (first, last) = (times.iter().min().unwrap(), times.iter().max().unwrap());
    println!(
        "{MANY} nodes came back in {} ms, in {} different tenths of a second",
        last - first,
        tenths.len()
    );
    assert!(tenths.len() >= 5, "all at once: {times:?}");
}
