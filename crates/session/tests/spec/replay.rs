//! What the bridge kept, seen again by another gateway.

use argus_protocol::bridge::Event;
use argus_session::Target;
use serde_json::{Value, json};

use crate::world::agent::Reply;
use crate::world::bridge::Line;
use crate::world::{End, Host, Step, World, completed, failed, from_client};

#[test]
fn a_turn_that_was_settled_but_not_forgotten_by_the_bridge_is_not_settled_again() {
    let mut world = World::new();
    world.chat_says("a", "one");
    world.agent_says(|agent| agent.complete("thread-1", "done"));
    assert_eq!(world.acked, 0, "not yet");
    world.restart_gateway();
    world.attach(1);
    assert_eq!(world.disk.settlements.len(), 1);
    world.pass(1_000);
    assert_eq!(world.acked, world.bridge.as_ref().unwrap().last());
}

#[test]
fn a_settled_turn_in_what_the_bridge_kept_is_not_mistaken_for_the_open_one() {
    let mut world = World::new();
    let first = world.chat_says("a", "one");
    world.agent_says(|agent| agent.delta("thread-1", "the first "));
    world.agent_says(|agent| agent.complete("thread-1", "the first answer"));
    let second = world.chat_says("a", "two");
    world.agent_says(|agent| agent.delta("thread-1", "the second"));
    assert_eq!(world.acked, 0, "the bridge kept both");
    world.restart_gateway();
    world.run();
    assert_eq!(world.outcome(&first), completed("the first answer"));
    world.agent_says(|agent| agent.fail("thread-1", "broken"));
    assert_eq!(failed(world.outcome(&second)), ("broken".into(), "the second".into()));
}

#[test]
fn a_settled_turn_in_what_the_bridge_kept_is_not_mistaken_for_one_that_is_starting() {
    let mut world = World::new();
    world.ensure_main();
    world.submit(Target::Main, from_client(), "one");
    world.agent_says(|agent| agent.complete("thread-1", "the first answer"));
    let second = world.submit_until_sent(Target::Main, "two");
    world.step(Step::Down);
    while world.step(Step::Agent) {}
    world.restart_gateway();
    world.run();
    assert_eq!(world.outcome(&second), End::Open);
    world.agent_says(|agent| agent.complete("thread-1", "the second answer"));
    assert_eq!(world.outcome(&second), completed("the second answer"));
}

#[test]
fn what_the_bridge_kept_is_not_acted_upon_before_all_of_it_is_seen() {
    let mut world = World::new();
    world.chat_says("a", "one");
    world.chat_says("a", "two");
    world.restart_gateway();
    world.says_unheard(|agent| agent.complete("thread-1", "done"));
    world.step(Step::Provision);
    let before = world.bridge.as_ref().unwrap().taken;
    while world.executed().len() == 1 && world.step(Step::Up) {
        while world.step(Step::Store) || world.step(Step::Prepare) || world.step(Step::Down) {}
        let seen_all = world.link.as_ref().unwrap().next() > world.bridge.as_ref().unwrap().last();
        assert!(seen_all || world.bridge.as_ref().unwrap().taken == before);
    }
}

#[test]
fn a_dropped_line_that_was_kept_ends_its_turn_after_a_restart_too() {
    let mut world = World::new();
    let id = world.chat_says("a", "one");
    world.agent_says(|agent| agent.delta("thread-1", "almost"));
    world.host = Host::Silent;
    world.restart_gateway();
    world.host = Host::Works;
    let dropped = Event::Dropped {
        method: Some("turn/completed".into()),
        id: None,
        thread_id: Some("thread-1".into()),
        bytes: 1,
        limit: 0,
    };
    world.bridge_says(Line::Event(dropped));
    assert_eq!(world.outcome(&id), completed("almost"));
}

fn notice(method: &str, params: &Value) -> Value {
    let mut all = json!({ "threadId": "thread-1" });
    all.as_object_mut().unwrap().extend(params.as_object().unwrap().clone());
    json!({ "method": method, "params": all })
}

#[test]
fn a_settled_turn_is_not_taken_for_one_whose_agent_died_before_it_answered() {
    let mut world = World::new();
    world.ensure_main();
    world.submit(Target::Main, from_client(), "one");
    world.agent_says(|agent| agent.complete("thread-1", "the first answer"));
    world.manners.silent.insert("turn/start");
    let second = world.submit_until_sent(Target::Main, "two");
    world.step(Step::Down);
    while world.step(Step::Agent) {}
    world.restart_gateway();
    world.agent_dies("signal 9", "");
    world.run();
    assert_eq!(failed(world.outcome(&second)), ("the agent ended (signal 9)".into(), String::new()));
}

#[test]
fn what_the_agent_said_by_itself_before_our_turn_is_not_in_our_answer() {
    let mut world = World::new();
    world.ensure_main();
    world.manners.silent.insert("turn/start");
    let id = world.submit(Target::Main, from_client(), "one");
    let request = world.agent().read.last().unwrap()["id"].clone();
    let lines = [
        notice("turn/started", &json!({ "turn": { "id": "other" } })),
        notice("item/agentMessage/delta", &json!({ "turnId": "other", "itemId": "m", "delta": "not ours " })),
        notice("turn/completed", &json!({ "turn": { "id": "other", "status": "completed" } })),
        json!({ "id": request, "result": { "turn": { "id": "ours" } } }),
        notice("turn/started", &json!({ "turn": { "id": "ours" } })),
        notice("item/agentMessage/delta", &json!({ "turnId": "ours", "itemId": "m", "delta": "ours" })),
    ];
    world.agent_says(|_| lines.to_vec());
    world.restart_gateway();
    world.run();
    let end = notice("turn/completed", &json!({ "turn": { "id": "ours", "status": "completed" } }));
    world.agent_says(|_| vec![end]);
    assert_eq!(world.outcome(&id), completed("ours"));
}

#[test]
fn lines_before_a_turn_are_not_its_own_though_they_do_not_name_theirs() {
    let mut world = World::new();
    world.ensure_main();
    world.submit(Target::Main, from_client(), "one");
    let unnamed = notice("item/agentMessage/delta", &json!({ "itemId": "m", "delta": "the first" }));
    world.agent_says(|_| vec![unnamed]);
    world.agent_says(|agent| agent.complete("thread-1", "the first"));
    let second = world.submit(Target::Main, from_client(), "two");
    world.restart_gateway();
    world.run();
    world.agent_says(|agent| agent.fail("thread-1", "so"));
    assert_eq!(failed(world.outcome(&second)), ("so".into(), String::new()));
}

#[test]
fn nothing_heard_before_the_reply_is_lost_in_a_checkpoint() {
    let mut world = World::new();
    world.ensure_main();
    world.manners.reply = Reply::AfterEnd;
    let id = world.submit(Target::Main, from_client(), "one");
    world.agent_says(|agent| agent.delta("thread-1", "It begins. "));
    for _ in 0..5 {
        let wide = notice("item/commandExecution/outputDelta", &json!({ "delta": "x".repeat(1 << 20) }));
        world.agent_says(|_| vec![wide]);
    }
    world.pass(1_000);
    world.restart_gateway();
    world.run();
    world.agent_says(|agent| agent.delta("thread-1", "It ends."));
    world.agent_says(|agent| agent.fail("thread-1", "so"));
    assert_eq!(failed(world.outcome(&id)), ("so".into(), "It begins. It ends.".into()));
}

#[test]
fn a_checkpoint_stored_just_before_the_end_of_the_gateway_still_lets_lines_be_forgotten() {
    let mut world = World::new();
    world.ensure_main();
    world.submit(Target::Main, from_client(), "one");
    let wide = notice("item/commandExecution/outputDelta", &json!({ "delta": "x".repeat(5 << 20) }));
    world.agent_says(|_| vec![wide]);
    let (_, seq, _) = world.disk.checkpoint.clone().unwrap();
    assert!(world.acked < seq);
    world.restart_gateway();
    world.pass(1_000);
    assert_eq!(world.acked, seq);
}
