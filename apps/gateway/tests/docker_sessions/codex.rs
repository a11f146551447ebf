//! The real Codex in a real container, with a model of our own.

use argus_testkit::docker::Docker;
use argus_testkit::gateway::Gateway;
use argus_testkit::model::ModelServer;
use serde_json::Value;

use crate::support::{introduced, say};

/// A gateway whose sessions run the real Codex, and the model it asks; `None` without engine or Codex.
pub(crate) fn with_codex(docker: Option<&Docker>) -> Option<(ModelServer, Gateway)> {
    let docker = docker?;
    let image = docker.codex_image()?;
    let model = ModelServer::start_at(docker.own_address());
    let gateway = Gateway::new().in_docker(docker).with("ARGUS_RUNTIME_IMAGE", image);
    let gateway = gateway.with("ARGUS_RUNTIME_CMD", "codex app-server");
    let home = gateway.home().join(".codex");
    std::fs::create_dir(&home).unwrap();
    std::fs::write(home.join("config.toml"), model.codex_config()).unwrap();
    Some((model, gateway))
}

/// What the model was told of the last command's output.
fn last_output(model: &ModelServer) -> String {
    let requests = model.requests();
    let inputs = requests.iter().rev().flat_map(|body| body["input"].as_array().into_iter().flatten().rev());
    let mut outputs = inputs.filter(|item| item["type"] == "function_call_output");
    outputs.next().map(|item| item["output"].to_string()).unwrap_or_default()
}

#[tokio::test]
async fn codex_runs_commands_in_its_container_and_remembers_after_a_stop() {
    let docker = Docker::here();
    let Some((model, gateway)) = with_codex(docker.as_ref()) else { return };
    let docker = docker.unwrap();
    let gateway = gateway.with("ARGUS_SESSION_IDLE_STOP", "2").start().await;
    let mut client = introduced(&gateway).await;
    say(&mut client, "[run: pwd && id -u && hostname && touch made]").await;
    let container = docker.container(&client.session);
    let told = docker.inspect(&container).unwrap();
    let output = last_output(&model);
    let hostname = told["Config"]["Hostname"].as_str().unwrap();
    assert!(output.contains(&format!("/root/.argus/workspace\\n0\\n{hostname}")), "{output}");
    assert!(gateway.home().join("workspace/made").is_file());
    docker.wait_state(&container, "exited").await;
    assert_eq!(say(&mut client, "[say: still here]").await, "still here");
    let last = model.requests().pop().unwrap();
    let earlier = |item: &Value| item.to_string().contains("hostname && touch made");
    assert!(last["input"].as_array().unwrap().iter().any(earlier), "the thread was resumed");
}

#[tokio::test]
async fn the_second_wall_keeps_codex_in_its_workspace() {
    let docker = Docker::here();
    let Some((model, gateway)) = with_codex(docker.as_ref()) else { return };
    // Where nothing of the gateway's is hidden in what a session sees.
    let seed = gateway.home().join("seed");
    std::fs::create_dir(&seed).unwrap();
    std::fs::write(seed.join("config.toml"), model.codex_config()).unwrap();
    let gateway =
        gateway.with("ARGUS_RUNTIME_SANDBOX", "codex").with("ARGUS_SESSION_SCOPE", "user").start().await;
    let mut client = introduced(&gateway).await;
    let own = gateway.home().join("sessions").join(&client.session);
    say(&mut client, "[run: touch inside && echo in; touch /root/.argus/outside || echo refused]").await;
    let output = last_output(&model);
    assert!(output.contains("in\\n") && output.contains("refused"), "{output}");
    assert!(own.join("workspace/inside").is_file());
    assert!(!own.join("home/outside").exists());
}
