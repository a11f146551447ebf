//! The gateway ends and another one takes its place; the runtime lives on.

use argus_session::{OpenState, StoreOp, Target};
use serde_json::json;

use crate::world::agent::Reply;
use crate::world::{End, Host, Step, Store, World, completed, failed, from_chat, from_client, lane_of};

fn state(world: &World, n: usize) -> Option<&OpenState> {
    world.disk.rows[n].state.as_ref()
}

#[test]
fn what_waited_in_line_is_begun() {
    let mut world = World::new();
    world.host = Host::Silent;
    let ids = [world.chat_says("a", "one"), world.chat_says("b", "two")];
    world.restart_gateway();
    world.host = Host::Works;
    world.run();
    for (n, id) in ids.iter().enumerate() {
        world.agent_says(|agent| agent.complete(&format!("thread-{}", n + 1), "done"));
        assert_eq!(world.outcome(id), completed("done"));
    }
}

#[test]
fn a_turn_that_runs_is_found_again_and_its_answer_is_whole() {
    let mut world = World::new();
    let id = world.chat_says("a", "one");
    world.agent_says(|agent| agent.delta("thread-1", "It begins "));
    world.pass(1_000);
    world.restart_gateway();
    world.run();
    assert_eq!(world.running, [from_chat("a")], "it is shown as running");
    world.agent_says(|agent| agent.delta("thread-1", "and goes on"));
    world.agent_says(|agent| agent.fail("thread-1", "and breaks"));
    assert_eq!(failed(world.outcome(&id)), ("and breaks".into(), "It begins and goes on".into()));
    assert_eq!(world.executed(), ["one"]);
}

#[test]
fn a_turn_that_ended_meanwhile_is_answered_from_what_the_bridge_kept() {
    let mut world = World::new();
    let id = world.chat_says("a", "one");
    let next = world.chat_says("a", "two");
    world.host = Host::Silent;
    world.restart_gateway();
    world.says_unheard(|agent| agent.complete("thread-1", "meanwhile"));
    world.host = Host::Works;
    world.run();
    assert_eq!(world.outcome(&id), completed("meanwhile"));
    world.agent_says(|agent| agent.complete("thread-1", "after"));
    assert_eq!((world.outcome(&next), world.executed()), (completed("after"), vec!["one", "two"]));
}

#[test]
fn a_recorded_turn_that_the_bridge_never_took_stands_in_line_again() {
    let mut world = World::new();
    world.ensure_main();
    let id = world.submit_until_sent(Target::Main, "one");
    world.restart_gateway();
    assert!(matches!(state(&world, 0), Some(OpenState::Starting { turn: None, .. })));
    world.run();
    assert_eq!(world.executed(), ["one"]);
    world.agent_says(|agent| agent.complete("thread-1", "done"));
    assert_eq!(world.outcome(&id), completed("done"));
}

#[test]
fn the_number_of_a_turn_that_was_never_taken_goes_to_nobody_before_it_is_in_line_again() {
    let mut world = World::new();
    world.ensure_main();
    world.submit_until_sent(Target::Main, "one");
    world.restart_gateway();
    world.store = Store::Held;
    world.run();
    assert!(matches!(world.held_stores()[..], [StoreOp::Queued { .. }]), "{:?}", world.held_stores());
    let before = world.agent().read.len();
    world.restart_gateway();
    world.release_store();
    assert!(world.agent().read.len() > before);
    world.agent_says(|agent| agent.complete("thread-1", "done"));
    assert_eq!(world.executed(), ["one"]);
    assert_eq!(world.disk.settlements.len(), 1);
}

#[test]
fn a_turn_that_the_bridge_took_is_recognized_by_its_reply() {
    for reply in [Reply::First, Reply::AfterStarted, Reply::AfterEnd] {
        let mut world = World::new();
        world.ensure_main();
        world.manners.reply = reply;
        let id = world.submit_until_sent(Target::Main, "one");
        world.step(Step::Down);
        while world.step(Step::Agent) {}
        world.restart_gateway();
        world.run();
        world.agent_says(|agent| agent.complete("thread-1", "done"));
        assert_eq!((world.outcome(&id), world.executed()), (completed("done"), vec!["one"]), "{reply:?}");
    }
}

#[test]
fn a_turn_that_was_refused_meanwhile_fails_with_the_reason() {
    let mut world = World::new();
    world.ensure_main();
    world.manners.refused.insert("turn/start", "no such model".into());
    let id = world.submit_until_sent(Target::Main, "one");
    world.step(Step::Down);
    while world.step(Step::Agent) {}
    world.restart_gateway();
    world.run();
    assert_eq!(failed(world.outcome(&id)).0, "the agent refused the turn: no such model");
}

#[test]
fn merged_submissions_are_one_turn_again() {
    let mut world = World::new();
    world.chat_says("a", "zero");
    let ids = [world.chat_says("a", "one"), world.chat_says("a", "two")];
    world.agent_says(|agent| agent.complete("thread-1", "done"));
    world.restart_gateway();
    world.run();
    world.agent_says(|agent| agent.complete("thread-1", "both"));
    assert_eq!(world.disk.settlements[1].submissions, ids);
}

#[test]
fn with_another_bridge_what_was_open_fails_and_what_waited_goes_on() {
    let mut world = World::new();
    let id = world.chat_says("a", "one");
    let next = world.chat_says("a", "two");
    world.bridge = None;
    world.restart_gateway();
    world.pass(1_000);
    assert!(failed(world.outcome(&id)).0.contains("nothing was run twice"));
    world.agent_says(|agent| agent.complete("thread-1", "done"));
    assert_eq!((world.outcome(&next), world.executed()), (completed("done"), vec!["one", "two"]));
}

#[test]
fn an_agent_that_died_meanwhile_fails_its_turn_and_the_next_one_is_greeted() {
    let mut world = World::new();
    let id = world.chat_says("a", "one");
    let next = world.chat_says("a", "two");
    world.restart_gateway();
    world.agent_dies("signal 9", "");
    world.pass(2_000);
    assert_eq!(failed(world.outcome(&id)).0, "the agent ended (signal 9)");
    world.agent_says(|agent| agent.complete("thread-1", "done"));
    assert_eq!((world.outcome(&next), world.executed()), (completed("done"), vec!["one", "two"]));
}

#[test]
fn a_settlement_that_was_not_durable_is_made_again_from_what_the_bridge_kept() {
    let mut world = World::new();
    let id = world.chat_says("a", "one");
    world.store = Store::Held;
    world.agent_says(|agent| agent.complete("thread-1", "done"));
    world.pass(10_000);
    assert_eq!(world.outcome(&id), End::Open);
    world.restart_gateway();
    world.release_store();
    assert_eq!((world.outcome(&id), world.executed()), (completed("done"), vec!["one"]));
}

#[test]
fn a_gateway_that_never_came_to_store_the_turns_name_knows_it_all_the_same() {
    let mut world = World::new();
    world.ensure_main();
    let id = world.submit_until_sent(Target::Main, "one");
    world.store = Store::Held;
    world.run();
    assert!(matches!(world.held_stores()[..], [StoreOp::Running { .. }]));
    world.restart_gateway();
    world.release_store();
    world.agent_says(|agent| agent.complete("thread-1", "done"));
    assert_eq!(world.outcome(&id), completed("done"));
}

#[test]
fn a_clients_turn_that_runs_is_found_again_and_blocks_ours() {
    let mut world = World::new();
    world.greeted(1);
    world.chat_says("a", "one");
    world.agent_says(|agent| agent.complete("thread-1", "done"));
    world.client_turn(1, "thread-1", "by hand");
    world.restart_gateway();
    world.run();
    world.chat_says("a", "two");
    assert_eq!(world.executed(), ["one", "by hand"]);
    world.agent_says(|agent| agent.complete("thread-1", "done"));
    assert_eq!(world.executed(), ["one", "by hand", "two"]);
}

#[test]
fn threads_known_before_are_resumed_for_clients_of_the_next_gateway_too() {
    let mut world = World::new();
    world.submit(Target::Main, from_client(), "one");
    world.agent_says(|agent| agent.complete("thread-1", "done"));
    world.bridge = None;
    world.restart_gateway();
    world.greeted(1);
    world.send(1, &json!({ "id": 1, "method": "m", "params": { "threadId": "thread-1" } }));
    let read: Vec<_> = world.agent().read.iter().map(|line| line["method"].clone()).collect();
    assert_eq!(read[3..], ["thread/resume", "m"]);
}

#[test]
fn the_status_of_a_turn_that_is_looked_for_is_running() {
    let mut world = World::new();
    world.chat_says("a", "one");
    world.host = Host::Silent;
    world.restart_gateway();
    let status = world.status(lane_of("a"));
    assert_eq!((status.running_since.is_some(), status.runtime), (true, "starting"));
}
