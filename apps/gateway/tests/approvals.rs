//! What the agent asks a person: offered to one client at a time, answered once, never lost with who leaves.

use argus_testkit::client::Client;
use argus_testkit::gateway::Gateway;
use argus_testkit::programs::{eventually, kill_9};
use serde_json::{Value, json};

async fn introduced(gateway: &Gateway, query: &str) -> Client {
    let mut client = gateway.client(query).await;
    client.initialize().await;
    client
}

/// Starts a turn in a thread of its own; the thread.
async fn turn(client: &mut Client, text: &str) -> Value {
    let started = client.call("thread/start", json!({})).await;
    let thread = started["result"]["thread"]["id"].clone();
    let input = json!([{ "type": "text", "text": text }]);
    let turn = client.call("turn/start", json!({ "threadId": thread, "input": input })).await;
    assert!(turn["result"]["turn"]["id"].is_string(), "{turn}");
    thread
}

async fn answer(client: &mut Client, request: &Value, decision: &str) {
    let answer = json!({ "id": request["id"], "result": { "decision": decision } });
    client.send_text(&answer.to_string()).await;
}

async fn command_status(client: &mut Client) -> Value {
    let ended = client.wait("the command's end", |frame| {
        frame["method"] == "item/completed" && frame["params"]["item"]["type"] == "commandExecution"
    });
    ended.await["params"]["item"]["status"].clone()
}

/// That this client was asked nothing: its own round trip comes back first.
async fn was_not_asked(client: &mut Client) {
    client.call("account/read", json!({})).await;
    let frames = client.drain(std::time::Duration::ZERO).await;
    let request = frames.iter().find(|frame| frame.get("method").is_some() && frame.get("id").is_some());
    assert!(request.is_none(), "{request:?}");
}

#[tokio::test]
async fn who_started_the_turn_is_asked_and_nobody_else() {
    let gateway = Gateway::new().start().await;
    let mut first = introduced(&gateway, "session=default").await;
    let mut second = introduced(&gateway, "session=default").await;
    let thread = turn(&mut second, "[approve: rm -r build] [say: done]").await;
    let request = second.server_request().await;
    assert_eq!(request["method"], "item/commandExecution/requestApproval");
    assert_eq!(request["params"]["threadId"], thread);
    assert!(request["params"]["command"].as_str().unwrap().contains("rm -r build"), "{request}");
    let id = request["id"].as_str().unwrap();
    assert!(id.split_once(':').is_some_and(|(epoch, id)| epoch.parse::<u64>().is_ok() && id == "0"), "{id}");
    was_not_asked(&mut first).await;
    answer(&mut second, &request, "accept").await;
    for client in [&mut first, &mut second] {
        let resolved = client.notification("serverRequest/resolved").await;
        assert_eq!(resolved["params"], json!({ "threadId": thread, "requestId": request["id"] }));
        assert_eq!(command_status(client).await, "completed");
        assert_eq!(client.turn().await, ("done".to_owned(), "completed".to_owned()));
    }
}

#[tokio::test]
async fn a_request_goes_to_the_next_client_when_the_asked_one_leaves_and_is_answered_once() {
    let gateway = Gateway::new().start().await;
    let mut asker = introduced(&gateway, "session=default").await;
    let mut witness = introduced(&gateway, "session=default").await;
    turn(&mut asker, "[approve] [say: done]").await;
    let request = asker.server_request().await;
    asker.leave().await;
    let again = witness.server_request().await;
    assert_eq!(again, request);
    answer(&mut witness, &again, "decline").await;
    answer(&mut witness, &again, "accept").await;
    assert_eq!(command_status(&mut witness).await, "declined");
    assert_eq!(witness.turn().await, ("done".to_owned(), "completed".to_owned()));
}

#[tokio::test]
async fn with_nobody_there_a_request_waits_for_who_comes_after_saying_who_the_session_is() {
    let gateway = Gateway::new().start().await;
    let mut asker = introduced(&gateway, "session=default").await;
    turn(&mut asker, "[approve] [say: done]").await;
    let request = asker.server_request().await;
    asker.leave().await;
    eventually("it has left", async || gateway.log().contains("a client left").then_some(())).await;
    let mut deaf = introduced(&gateway, "session=default&handler=0").await;
    was_not_asked(&mut deaf).await;
    let mut comes = Client::open(gateway.url(), "session=default", &gateway.token()).await.unwrap();
    assert_eq!(comes.next().await.unwrap()["method"], "argus/session");
    let again = comes.server_request().await;
    assert_eq!(again, request);
    answer(&mut comes, &again, "accept").await;
    assert_eq!(comes.turn().await, ("done".to_owned(), "completed".to_owned()));
}

#[tokio::test]
async fn what_nobody_answers_in_time_is_declined() {
    let gateway = Gateway::new().with("ARGUS_APPROVAL_TIMEOUT_S", "0.2").start().await;
    let mut client = introduced(&gateway, "session=default").await;
    turn(&mut client, "[approve] [say: done]").await;
    client.server_request().await;
    assert_eq!(command_status(&mut client).await, "declined");
    assert_eq!(client.turn().await, ("done".to_owned(), "completed".to_owned()));
}

#[tokio::test]
async fn any_request_of_the_agent_comes_through_and_so_does_any_answer() {
    let gateway = Gateway::new().start().await;
    let mut client = introduced(&gateway, "session=default").await;
    turn(&mut client, "[ask: item/tool/requestUserInput]").await;
    let request = client.server_request().await;
    assert_eq!(request["method"], "item/tool/requestUserInput");
    let reply = json!({ "id": request["id"], "error": { "code": -1, "message": "not now" } });
    client.send_text(&reply.to_string()).await;
    let (text, status) = client.turn().await;
    assert_eq!(
        (text.as_str(), status.as_str()),
        (r#"answered: {"code":-1,"message":"not now"}"#, "completed")
    );
}

#[tokio::test]
async fn an_answer_meant_for_a_dead_agent_approves_nothing() {
    let gateway = Gateway::new().start().await;
    let mut client = introduced(&gateway, "session=default").await;
    turn(&mut client, "[approve: first] [say: done]").await;
    let request = client.server_request().await;
    for agent in gateway.processes("scripted-app-se") {
        kill_9(agent);
    }
    let resolved = client.notification("serverRequest/resolved").await;
    assert_eq!(resolved["params"]["requestId"], request["id"], "nobody needs to answer any more");
    assert_eq!(client.turn().await.1, "failed");
    turn(&mut client, "[approve: second] [say: done]").await;
    let second = client.server_request().await;
    assert!(second["params"]["command"].as_str().unwrap().contains("second"), "{second}");
    assert_ne!(second["id"], request["id"]);
    answer(&mut client, &request, "accept").await;
    answer(&mut client, &second, "decline").await;
    assert_eq!(command_status(&mut client).await, "declined");
}

#[tokio::test]
async fn a_request_that_waits_outlives_the_gateway() {
    let mut gateway = Gateway::new().start().await;
    let mut client = introduced(&gateway, "session=default").await;
    turn(&mut client, "[approve] [say: done]").await;
    let request = client.server_request().await;
    gateway.kill();
    gateway.restart().await;
    let mut client = gateway.client("session=default").await;
    let again = client.server_request().await;
    assert_eq!(again, request);
    answer(&mut client, &again, "accept").await;
    assert_eq!(command_status(&mut client).await, "completed");
    assert_eq!(client.turn().await, ("done".to_owned(), "completed".to_owned()));
}
