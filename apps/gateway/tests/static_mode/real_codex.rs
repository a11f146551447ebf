//! The real Codex behind a port, with a model of our own.

use argus_testkit::gateway::Gateway;
use argus_testkit::model::ModelServer;
use argus_testkit::programs::real_codex;
use serde_json::json;

use crate::upstream::{Agent, Upstream};
use crate::{completed, introduced, start_turn, thread};

/// Codex, with its files and its folder in the home of that gateway.
fn codex(gateway: &Gateway, model: &ModelServer) -> Option<Agent> {
    let program = real_codex()?;
    let folder = gateway.home().join("codex");
    std::fs::write(folder.join("config.toml"), model.codex_config()).unwrap();
    let environment = vec![("CODEX_HOME", folder.into()), ("HOME", gateway.home().join("user").into())];
    Some(Agent { program, arguments: vec!["app-server".into()], environment })
}

#[tokio::test]
async fn codex_behind_a_port_serves_clients_and_chats_and_comes_back_after_a_lost_connection() {
    let (gateway, model) = (Gateway::new(), ModelServer::start());
    let Some(agent) = codex(&gateway, &model) else { return };
    let upstream = Upstream::of(agent).await;
    let gateway = upstream.behind(gateway).start().await;
    let mut asker = introduced(&gateway, "").await;
    let mut witness = introduced(&gateway, "").await;
    let thread = thread(&mut asker).await;
    start_turn(&mut asker, &thread, "[say: over a port]").await;
    for client in [&mut asker, &mut witness] {
        assert_eq!(client.turn().await, completed("over a port"));
    }
    start_turn(&mut asker, &thread, "[say: never whole] [hold: gate]").await;
    asker.notification("item/agentMessage/delta").await;
    upstream.cut();
    for client in [&mut asker, &mut witness] {
        assert_eq!(client.turn().await.1, "failed");
    }
    start_turn(&mut witness, &thread, "[say: remembered]").await;
    assert_eq!(witness.turn().await, completed("remembered"));
    let last = model.requests().pop().unwrap();
    assert!(last["input"].to_string().contains("over a port"), "the thread was resumed: {last}");
    // Turns of the gateway's own name no folder that only the gateway has.
    let queued = witness.call("argus/input/enqueue", json!({ "text": "[say: in line]" })).await;
    assert_eq!(queued["result"]["ok"], true, "{queued}");
    assert_eq!(witness.turn().await, completed("in line"));
}
