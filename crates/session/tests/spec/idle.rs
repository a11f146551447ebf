//! A runtime that nobody needs is stopped, and wakes when it is needed.

use argus_session::{Input, Occupancy, Target};
use serde_json::{Value, json};

use crate::world::{Step, Store, World, completed, from_client};

fn idle_after_a_minute() -> World {
    World::with(|config| config.idle_stop_ms = 60_000)
}

#[test]
fn an_idle_runtime_is_stopped_though_clients_are_attached() {
    let mut world = idle_after_a_minute();
    world.greeted(1);
    world.attach(2);
    world.pass(59_000);
    assert!(world.has_agent());
    world.pass(1_000);
    assert_eq!((world.bridge.is_none(), &world.orders[..]), (true, &["stop"][..]));
    world.pass(1_000_000);
    assert_eq!(world.provisioned, 1, "and stays so");
    assert!(!world.session.is_at_rest(), "somebody is attached");
    world.detach(1);
    world.detach(2);
    assert!(world.session.is_at_rest());
}

#[test]
fn a_turn_a_question_and_a_frame_keep_it_awake() {
    let mut world = idle_after_a_minute();
    world.greeted(1);
    world.submit(Target::Main, from_client(), "one");
    world.pass(300_000);
    assert!(world.has_agent());
    world.agent_says(|agent| agent.complete("thread-1", "done"));
    world.pass(59_000);
    assert!(world.has_agent(), "a minute from its end, however silent it was");
    world.agent_says(|agent| vec![agent.ask("item/tool/call", "thread-1")]);
    world.pass(300_000);
    assert!(world.has_agent());
    let asked = world.got_of(1, "item/tool/call");
    world.send(1, &json!({ "id": asked[0]["id"], "result": {} }));
    world.pass(59_000);
    world.send(1, &json!({ "id": 1, "method": "m" }));
    world.pass(59_000);
    assert!(world.has_agent());
    world.pass(1_000);
    assert!(world.bridge.is_none());
}

#[test]
fn it_is_not_stopped_while_an_answer_is_not_durable() {
    let mut world = idle_after_a_minute();
    let id = world.submit(Target::Main, from_client(), "one");
    world.store = Store::Held;
    world.agent_says(|agent| agent.complete("thread-1", "done"));
    world.pass(600_000);
    assert!(world.has_agent());
    world.release_store();
    world.pass(60_000);
    assert_eq!((world.outcome(&id), world.bridge.is_none()), (completed("done"), true));
}

#[test]
fn a_submission_wakes_it_and_the_thread_is_resumed_first() {
    let mut world = idle_after_a_minute();
    world.submit(Target::Main, from_client(), "one");
    world.agent_says(|agent| agent.complete("thread-1", "done"));
    world.pass(61_000);
    let id = world.submit(Target::Main, from_client(), "two");
    let read: Vec<_> = world.agent().read.iter().map(|line| line["method"].clone()).collect();
    assert_eq!(read, ["initialize", "initialized", "account/read", "thread/resume", "turn/start"]);
    world.agent_says(|agent| agent.complete("thread-1", "done"));
    assert_eq!(world.outcome(&id), completed("done"));
}

#[test]
fn known_threads_are_resumed_before_a_clients_frame_is_forwarded_after_the_wake() {
    let mut world = idle_after_a_minute();
    world.greeted(1);
    let thread = world.client_thread(1);
    world.client_turn(1, &thread, "go");
    world.agent_says(|agent| agent.complete(&thread, "done"));
    world.pass(61_000);
    world.got(1);
    world.send(1, &json!({ "id": 1, "method": "thread/read", "params": { "threadId": thread } }));
    world.client_turn(1, &thread, "again");
    let read: Vec<_> = world.agent().read.iter().map(|line| line["method"].clone()).collect();
    assert_eq!(read[3..], ["thread/read", "thread/resume", "turn/start"]);
    assert_eq!(world.executed(), ["go", "again"]);
}

#[test]
fn what_comes_while_it_is_stopping_is_served_after_the_wake() {
    let mut world = idle_after_a_minute();
    world.greeted(1);
    world.now += 60_000;
    world.feed(Input::Tick);
    assert_eq!(world.orders, ["stop"]);
    world.say(1, r#"{"id":1,"method":"m"}"#);
    let id = world.hand_over(Target::Main, from_client(), "one");
    assert_eq!(world.got(1), Vec::<Value>::new());
    world.run();
    assert_eq!(world.got(1)[0]["result"]["echo"], "m");
    world.agent_says(|agent| agent.complete("thread-1", "done"));
    assert_eq!((world.outcome(&id), world.provisioned), (completed("done"), 2));
}

#[test]
fn a_stop_that_was_lost_with_the_link_leaves_a_runtime_that_is_used_again() {
    let mut world = idle_after_a_minute();
    world.greeted(1);
    world.now += 60_000;
    world.feed(Input::Tick);
    world.lose_link();
    world.got(1);
    world.send(1, &json!({ "id": 1, "method": "m" }));
    assert_eq!(world.got(1)[0]["result"]["echo"], "m");
    assert_eq!(world.bridge.as_ref().unwrap().starts, 1);
}

#[test]
fn an_idle_runtime_makes_room_for_another_session_and_one_at_work_does_not() {
    let mut world = World::new();
    world.greeted(1);
    world.pass(5_000);
    assert_eq!(world.session.occupancy(), Occupancy::Idle { since: 0 });
    world.submit(Target::Main, from_client(), "one");
    assert_eq!(world.session.occupancy(), Occupancy::Working);
    world.feed(Input::MakeRoom);
    world.run();
    assert!(world.has_agent());
    world.pass(1_000);
    world.agent_says(|agent| agent.complete("thread-1", "done"));
    assert_eq!(world.session.occupancy(), Occupancy::Idle { since: 6_000 });
    world.feed(Input::MakeRoom);
    assert_eq!(world.session.occupancy(), Occupancy::Leaving);
    world.run();
    assert_eq!((world.bridge.is_none(), &world.orders[..]), (true, &["stop"][..]));
    assert_eq!(world.session.occupancy(), Occupancy::None);
}

#[test]
fn a_runtime_that_lives_is_adopted_though_nothing_needs_it() {
    let mut world = World::new();
    world.feed(Input::RuntimeLives);
    world.run();
    assert_eq!((world.provisioned, world.session.occupancy()), (1, Occupancy::Idle { since: 0 }));
}

#[test]
fn what_a_turn_left_at_work_keeps_the_runtime_awake_and_wakes_none() {
    let mut world = idle_after_a_minute();
    world.feed(Input::StillAtWork);
    world.run();
    assert_eq!(world.provisioned, 0);
    world.greeted(1);
    for _ in 0..10 {
        world.pass(50_000);
        world.feed(Input::StillAtWork);
    }
    world.pass(59_000);
    assert!(world.has_agent());
    world.pass(1_000);
    assert!(world.bridge.is_none());
    world.feed(Input::StillAtWork);
    world.run();
    assert_eq!(world.provisioned, 1);
}

#[test]
fn zero_means_never() {
    let mut world = World::new();
    world.greeted(1);
    world.pass(1_000_000_000);
    assert!(world.has_agent());
    assert!(!world.step(Step::Down));
}
