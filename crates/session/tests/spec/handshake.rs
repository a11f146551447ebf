//! One `initialize` for the agent, an answer for every client.

use serde_json::{Value, json};

use crate::world::World;

fn introduction(id: &Value, name: &str) -> Value {
    json!({ "id": id, "method": "initialize", "params": { "clientInfo": { "name": name } } })
}

#[test]
fn the_agent_is_greeted_once_and_every_client_is_answered_under_its_own_name() {
    let mut world = World::new();
    for (client, name) in [(1, "one"), (2, "two"), (3, "three")] {
        world.attach(client);
        world.send(client, &introduction(&json!(client), name));
        world.send(client, &json!({ "method": "initialized" }));
    }
    for (client, name) in [(1, "one"), (2, "two"), (3, "three")] {
        let got = world.got(client);
        assert_eq!(got[0]["method"], "argus/session");
        let reply = got.iter().find(|frame| frame["id"] == client).unwrap();
        assert_eq!(reply["result"]["userAgent"], format!("{name}/0.169.0 (Test)"));
    }
    assert_eq!(world.agent().read_of("initialize").len(), 1);
    assert_eq!(world.agent().read_of("initialized").len(), 1);
}

#[test]
fn clients_that_came_before_the_agent_are_all_answered_when_it_is_there() {
    let mut world = World::new();
    world.manners.silent.insert("initialize");
    for client in 1..=3 {
        world.attach(client);
        world.send(client, &introduction(&json!("a"), "x"));
    }
    assert_eq!(world.agent().read_of("initialize").len(), 1);
    assert_eq!(world.got(1).len(), 1, "only `argus/session` so far");
    world.agent_says(|agent| vec![json!({ "id": agent.read[0]["id"], "result": { "userAgent": "g/1" } })]);
    for client in 1..=3 {
        let reply = json!({ "id": "a", "result": { "userAgent": "x/1" } });
        assert!(world.got(client).contains(&reply), "{client}");
    }
}

#[test]
fn the_greeting_is_stored_before_anything_else_is_said_to_the_agent() {
    let mut world = World::new();
    world.store = crate::world::Store::Held;
    world.attach(1);
    world.send(1, &json!({ "id": 1, "method": "model/list" }));
    let read =
        |world: &World| world.agent().read.iter().map(|line| line["method"].clone()).collect::<Vec<_>>();
    assert_eq!(read(&world), ["initialize"]);
    world.release_store();
    assert_eq!(read(&world), ["initialize", "initialized", "account/read", "model/list"]);
    assert_eq!(world.disk.handshake.as_ref().map(|(epoch, _)| *epoch), Some(world.agent().epoch));
}

#[test]
fn an_agent_that_does_not_answer_the_greeting_in_time_is_ended_and_another_one_started() {
    let mut world = World::new();
    world.manners.silent.insert("initialize");
    world.attach(1);
    world.send(1, &introduction(&json!(1), "x"));
    world.pass(29_000);
    assert!(world.orders.is_empty());
    world.manners.silent.clear();
    world.pass(3_000);
    assert_eq!(world.orders, ["kill"]);
    let refusal = world.got(1).pop().unwrap();
    let words = "the agent did not answer `initialize` in time, so it was ended";
    assert_eq!(refusal, json!({ "id": 1, "error": { "code": -32000, "message": words } }));
    world.send(1, &introduction(&json!(2), "x"));
    world.pass(1_000);
    assert_eq!(world.got(1)[0]["result"]["userAgent"], "x/0.169.0 (Test)");
}

#[test]
fn after_the_wake_the_new_agent_is_greeted_anew_and_clients_need_not_be() {
    let mut world = World::with(|config| config.idle_stop_ms = 60_000);
    world.greeted(1);
    world.pass(61_000);
    assert!(world.bridge.is_none());
    world.send(1, &json!({ "id": 1, "method": "model/list" }));
    assert_eq!(world.agent().read_of("initialize").len(), 1);
    assert_eq!(world.got(1).pop().unwrap()["result"]["echo"], "model/list");
}

#[test]
fn a_gateway_that_died_before_it_stored_the_greeting_starts_another_agent() {
    let mut world = World::new();
    world.store = crate::world::Store::Held;
    world.attach(1);
    world.restart_gateway();
    world.store = crate::world::Store::AtOnce;
    world.greeted(1);
    world.pass(2_000);
    world.send(1, &json!({ "id": 1, "method": "model/list" }));
    assert_eq!(world.got(1).pop().unwrap()["result"]["echo"], "model/list");
    assert_eq!((world.provisioned, world.bridge.as_ref().unwrap().starts), (2, 2));
}

#[test]
fn a_gateway_that_adopts_a_greeted_agent_does_not_greet_it_again() {
    let mut world = World::new();
    world.greeted(1);
    world.restart_gateway();
    world.greeted(1);
    world.send(1, &json!({ "id": 1, "method": "model/list" }));
    assert_eq!(world.got(1).pop().unwrap()["result"]["echo"], "model/list");
    assert_eq!(world.agent().read_of("initialize").len(), 1);
}

#[test]
fn a_client_sees_no_notification_it_opted_out_of_and_no_experimental_one_unasked() {
    let mut world = World::new();
    world.greeted(1);
    world.attach(2);
    let capabilities = json!({ "experimentalApi": true, "optOutNotificationMethods": ["warning"] });
    let params = json!({ "clientInfo": { "name": "x" }, "capabilities": capabilities });
    world.send(2, &json!({ "id": 1, "method": "initialize", "params": params }));
    world.got(2);
    let warning = json!({ "method": "warning", "params": {} });
    let experimental = json!({ "method": "thread/readState/changed", "params": {} });
    let told = vec![warning.clone(), experimental.clone()];
    world.agent_says(|_| told);
    assert_eq!((world.got(1), world.got(2)), (vec![warning], vec![experimental]));
}

#[test]
fn introductions_that_wait_are_bounded() {
    let mut world = World::new();
    world.host = crate::world::Host::Silent;
    world.attach(1);
    (0..300).for_each(|id| world.say(1, &introduction(&json!(id), "x").to_string()));
    let refused = world.got(1).iter().filter(|frame| frame["error"]["code"] == -32001).count();
    assert_eq!(refused, 44);
}

#[test]
fn what_is_experimental_is_for_those_who_asked_for_it() {
    let mut world = World::new();
    world.greeted(1);
    world.attach(2);
    let params = json!({ "clientInfo": { "name": "x" }, "capabilities": { "experimentalApi": true } });
    world.send(2, &json!({ "id": 0, "method": "initialize", "params": params }));
    for client in [1, 2] {
        world.got(client);
        world.send(client, &json!({ "id": 5, "method": "thread/search", "params": {} }));
    }
    let refusal = json!({ "code": -32600, "message": "thread/search requires experimentalApi capability" });
    assert_eq!(world.got(1), [json!({ "id": 5, "error": refusal })]);
    assert_eq!(world.agent().read_of("thread/search").len(), 1);
}
