//! An agent that is reached without a bridge: it ends with its connection, and so does all that it owed.

use serde_json::json;

use crate::world::{Host, Step, Store, World, completed, failed, from_chat, interrupted, lane_of};

const LOST: &str = "the link ended";

fn introduction(id: u64) -> serde_json::Value {
    json!({ "id": id, "method": "initialize", "params": { "clientInfo": { "name": "x" } } })
}

#[test]
fn when_the_connection_is_lost_everybody_is_told_at_once() {
    let mut world = World::plain();
    world.greeted(1);
    let id = world.chat_says("a", "one");
    world.agent_says(|agent| agent.delta("thread-1", "so far"));
    world.manners.silent.insert("m");
    world.send(1, &json!({ "id": 7, "method": "m" }));
    world.got(1);
    world.host = Host::Silent;
    world.lose_link();
    let words = format!("{LOST}; it starts again with the next request");
    let told = world.got(1);
    assert_eq!(told[0], json!({ "id": 7, "error": { "code": -32000, "message": words } }));
    assert_eq!(told[1]["params"]["turn"]["status"], "failed");
    assert_eq!((told[1]["params"]["turn"]["error"]["message"].as_str(), told.len()), (Some(LOST), 2));
    world.run();
    assert_eq!(failed(world.outcome(&id)), (LOST.into(), "so far".into()));
}

#[test]
fn the_next_request_has_a_connection_of_its_own_on_which_the_agent_is_greeted() {
    let mut world = World::plain();
    world.greeted(1);
    world.pass(20_000);
    world.lose_link();
    assert!(!world.provisioning, "nobody needs it");
    world.send(1, &json!({ "id": 1, "method": "model/list" }));
    assert_eq!(world.got(1).pop().unwrap()["result"]["echo"], "model/list");
    assert_eq!((world.provisioned, world.agent().read_of("initialize").len()), (2, 1));
}

#[test]
fn what_was_on_its_way_down_is_not_said_to_another_agent() {
    let mut world = World::plain();
    world.greeted(1);
    world.say(1, r#"{"id":1,"method":"taken"}"#);
    world.step(Step::Down);
    world.say(1, r#"{"id":2,"method":"not taken"}"#);
    world.lose_link();
    world.pass(60_000);
    let told = world.got(1);
    assert_eq!(told.iter().map(|frame| frame["id"].clone()).collect::<Vec<_>>(), [1, 2]);
    assert!(told.iter().all(|frame| frame["error"]["code"] == -32000), "{told:?}");
    assert_eq!(world.provisioned, 1, "nothing is left that needs it");
}

#[test]
fn a_turn_that_was_recorded_and_did_not_go_waits_for_the_next_connection() {
    let mut world = World::plain();
    world.ensure_main();
    world.store = Store::Held;
    let id = world.submit(argus_session::Target::Main, from_chat("a"), "one");
    world.lose_link();
    world.release_store();
    world.pass(5_000);
    assert_eq!(world.executed(), ["one"]);
    // The main thread had no turn yet, so that nobody could resume it.
    world.agent_says(|agent| agent.complete("thread-2", "done"));
    assert_eq!(world.outcome(&id), completed("done"));
}

#[test]
fn what_waits_in_line_outlives_the_connection_and_threads_are_resumed_first() {
    let mut world = World::plain();
    let first = world.chat_says("a", "one");
    let next = world.chat_says("a", "two");
    world.lose_link();
    world.pass(5_000);
    assert_eq!(failed(world.outcome(&first)).0, LOST);
    assert_eq!((world.agent().read_of("thread/resume").len(), world.executed()), (1, vec!["one", "two"]));
    world.agent_says(|agent| agent.complete("thread-1", "done"));
    assert_eq!(world.outcome(&next), completed("done"));
}

#[test]
fn a_gateway_that_was_restarted_finds_another_agent_and_reports_the_turn_as_lost() {
    let mut world = World::plain();
    let id = world.chat_says("a", "one");
    world.restart_gateway();
    world.pass(5_000);
    assert!(failed(world.outcome(&id)).0.starts_with("the runtime ended while it worked on this"));
    assert_eq!(world.executed(), ["one"]);
}

#[test]
fn an_agent_that_hangs_is_left_alone_on_its_connection() {
    let mut world = World::plain();
    let id = world.chat_says("a", "one");
    world.manners.silent.insert("turn/interrupt");
    world.stop(lane_of("a"));
    world.pass(15_000);
    assert_eq!((world.orders.as_slice(), world.outcome(&id)), (&["kill"][..], interrupted("")));
}

#[test]
fn connections_that_end_at_once_are_not_made_over_and_over() {
    let mut world = World::plain();
    world.manners.stillborn = Some(("exit 1".into(), String::new()));
    world.attach(1);
    world.send(1, &introduction(1));
    let id = world.chat_says("a", "one");
    world.pass(60_000);
    assert_eq!(world.got(1).pop().unwrap()["error"]["message"], LOST);
    assert_eq!(failed(world.outcome(&id)).0, LOST);
    assert!(world.provisioned < 5, "{}", world.provisioned);
}

#[test]
fn an_agent_that_was_greeted_before_serves_with_what_it_said_then() {
    let mut world = World::plain();
    world.greeted(1);
    world.pass(20_000);
    world.manners.refused.insert("initialize", "Already initialized".into());
    world.lose_link();
    world.attach(2);
    world.send(2, &introduction(1));
    assert_eq!(world.got(2).pop().unwrap()["result"]["userAgent"], "x/0.169.0 (Test)");
    world.send(1, &json!({ "id": 1, "method": "model/list" }));
    assert_eq!(world.got(1).pop().unwrap()["result"]["echo"], "model/list");
    assert_eq!((world.provisioned, world.orders.len()), (2, 0));
}

#[test]
fn of_an_agent_that_others_greeted_nothing_is_said_that_is_not_known() {
    let mut world = World::plain();
    world.manners.refused.insert("initialize", "Already initialized".into());
    world.attach(1);
    world.send(1, &introduction(1));
    let unknown = json!({ "userAgent": "x/unknown", "codexHome": "/unknown", "platformFamily": "unknown", "platformOs": "unknown" });
    assert_eq!(world.got(1).pop().unwrap()["result"], unknown);
}

#[test]
fn another_refusal_of_the_greeting_ends_the_connection() {
    let mut world = World::plain();
    world.manners.refused.insert("initialize", "no such version".into());
    world.attach(1);
    world.send(1, &introduction(1));
    let words = "the agent refused `initialize`: no such version, so it was ended";
    world.pass(1_000);
    assert_eq!(world.got(1).pop().unwrap()["error"]["message"], words);
    assert_eq!((world.orders.as_slice(), world.provisioned), (&["kill", "kill"][..], 2));
}

#[test]
fn much_that_was_said_in_a_turn_is_not_stored_for_an_agent_that_keeps_nothing() {
    let mut world = World::plain();
    world.chat_says("a", "one");
    let much = json!({ "method": "warning", "params": { "message": "x".repeat(5 << 20) } });
    world.agent_says(|_| vec![much.clone(), much]);
    assert_eq!(world.disk.checkpoint, None);
}
