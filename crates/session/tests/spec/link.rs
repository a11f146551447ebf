//! The link to the bridge: lost and back, with the same bridge or with another.

use argus_session::Target;
use serde_json::{Value, json};

use crate::world::{End, Host, Step, Store, World, completed, failed, from_chat, lane_of};

#[test]
fn frames_that_the_bridge_did_not_take_are_sent_once_more_and_the_others_are_not() {
    let mut world = World::new();
    world.greeted(1);
    world.say(1, r#"{"id":1,"method":"taken"}"#);
    world.step(Step::Down);
    world.say(1, r#"{"id":2,"method":"lost"}"#);
    world.lose_link();
    world.pass(1_000);
    assert_eq!((world.agent().read_of("taken").len(), world.agent().read_of("lost").len()), (1, 1));
    let echoes: Vec<_> = world.got(1).into_iter().map(|frame| frame["result"]["echo"].clone()).collect();
    assert_eq!(echoes, ["taken", "lost"]);
}

#[test]
fn lines_that_were_seen_are_not_seen_again() {
    let mut world = World::new();
    world.greeted(1);
    let id = world.chat_says("a", "one");
    for (n, text) in ["a", "b", "c"].into_iter().enumerate() {
        world.agent_says(|agent| agent.delta("thread-1", text));
        if n == 1 {
            world.lose_link();
            world.pass(1_000);
        }
    }
    assert_eq!(world.got_of(1, "item/agentMessage/delta").len(), 3);
    world.agent_says(|agent| agent.fail("thread-1", "no more"));
    assert_eq!(failed(world.outcome(&id)), ("no more".into(), "abc".into()));
}

#[test]
fn a_turn_goes_on_while_the_link_is_away_and_its_answer_comes_whole() {
    let mut world = World::new();
    let id = world.chat_says("a", "one");
    world.agent_says(|agent| agent.delta("thread-1", "half"));
    world.host = Host::Silent;
    world.lose_link();
    world.says_unheard(|agent| agent.complete("thread-1", "whole"));
    world.pass(100_000);
    assert_eq!(world.status(lane_of("a")).trouble.as_deref(), Some("the link ended"));
    world.host = Host::Works;
    world.run();
    assert_eq!(world.status(lane_of("a")).trouble, None);
    assert_eq!(world.outcome(&id), completed("whole"));
}

#[test]
fn frames_of_clients_wait_while_the_link_is_away() {
    let mut world = World::new();
    world.greeted(1);
    world.host = Host::Silent;
    world.lose_link();
    world.send(1, &json!({ "id": 1, "method": "m" }));
    assert_eq!(world.got(1), Vec::<Value>::new());
    world.pass(1_000);
    world.host = Host::Works;
    world.run();
    assert_eq!(world.got(1)[0]["result"]["echo"], "m");
}

#[test]
fn a_recorded_turn_waits_for_the_link_and_begins_once() {
    let mut world = World::new();
    world.ensure_main();
    world.store = Store::Held;
    let id = world.submit(Target::Main, from_chat("a"), "one");
    world.lose_link();
    world.release_store();
    assert_eq!(world.executed(), Vec::<&str>::new());
    world.pass(1_000);
    world.agent_says(|agent| agent.complete("thread-1", "done"));
    assert_eq!((world.outcome(&id), world.executed()), (completed("done"), vec!["one"]));
}

#[test]
fn a_recorded_turn_that_never_left_begins_at_another_bridge() {
    let mut world = World::new();
    world.ensure_main();
    world.store = Store::Held;
    let id = world.submit(Target::Main, from_chat("a"), "one");
    world.lose_bridge();
    world.release_store();
    world.pass(5_000);
    world.agent_says(|agent| agent.complete("thread-2", "done"));
    assert_eq!((world.outcome(&id), world.executed()), (completed("done"), vec!["one"]));
}

#[test]
fn with_another_bridge_what_ran_fails_with_what_was_said_and_what_waits_goes_on() {
    let mut world = World::new();
    let id = world.chat_says("a", "one");
    let next = world.chat_says("a", "two");
    world.agent_says(|agent| agent.delta("thread-1", "so far"));
    world.lose_bridge();
    world.pass(5_000);
    assert_eq!(failed(world.outcome(&id)), ("the runtime was lost and made anew".into(), "so far".into()));
    world.agent_says(|agent| agent.complete("thread-1", "done"));
    assert_eq!((world.outcome(&next), world.executed()), (completed("done"), vec!["one", "two"]));
}

#[test]
fn with_another_bridge_a_turn_that_may_have_begun_is_not_run_again() {
    let mut world = World::new();
    world.manners.silent.insert("turn/start");
    let id = world.chat_says("a", "one");
    world.manners.silent.clear();
    world.lose_bridge();
    world.pass(5_000);
    assert_eq!(failed(world.outcome(&id)).0, "the runtime was lost and made anew");
    assert_eq!(world.executed(), Vec::<&str>::new());
}

#[test]
fn an_order_lost_with_the_link_is_given_again() {
    let mut world = World::new();
    world.greeted(1);
    world.pass(20_000);
    world.agent_dies("exit 0", "");
    world.run();
    world.say(1, r#"{"id":1,"method":"m"}"#);
    assert_eq!(world.orders, ["start"]);
    world.lose_link();
    world.pass(1_000);
    assert_eq!(world.got(1)[0]["result"]["echo"], "m");
}

#[test]
fn an_agent_that_was_to_be_killed_when_the_link_broke_is_killed_when_it_is_back() {
    let mut world = World::new();
    world.manners.silent.insert("turn/start");
    let id = world.chat_says("a", "one");
    world.now = 120_000;
    world.feed(argus_session::Input::Tick);
    assert_eq!(world.orders, ["kill"]);
    world.lose_link();
    world.pass(1_000);
    assert!(failed(world.outcome(&id)).0.contains("did not answer in time"));
}

#[test]
fn an_answer_that_was_due_while_the_link_was_away_has_time_to_come() {
    let mut world = World::new();
    world.manners.silent.insert("turn/start");
    let id = world.chat_says("a", "one");
    let request = world.agent().read.last().unwrap()["id"].clone();
    world.host = Host::Silent;
    world.lose_link();
    world.pass(500_000);
    world.host = Host::Works;
    world.run();
    world.pass(29_000);
    assert_eq!((world.outcome(&id), world.orders.len()), (End::Open, 0));
    world.agent_says(|agent| {
        agent.running.insert("thread-1".into(), "turn-1".into());
        vec![json!({ "id": request, "result": { "turn": { "id": "turn-1" } } })]
    });
    world.agent_says(|agent| agent.complete("thread-1", "done"));
    assert_eq!(world.outcome(&id), completed("done"));
}

#[test]
fn an_interrupt_sent_while_the_link_was_away_has_its_whole_grace() {
    let mut world = World::new();
    let id = world.chat_says("a", "one");
    world.host = Host::Silent;
    world.lose_link();
    world.stop(lane_of("a"));
    world.pass(60_000);
    world.host = Host::Works;
    world.run();
    world.pass(1_000);
    assert_eq!((world.outcome(&id), world.orders.len()), (crate::world::interrupted(""), 0));
}

#[test]
fn threads_known_before_are_resumed_before_a_clients_frame_reaches_another_agent() {
    let mut world = World::new();
    world.greeted(1);
    let thread = world.client_thread(1);
    world.client_turn(1, &thread, "go");
    world.agent_says(|agent| agent.complete(&thread, "done"));
    world.lose_bridge();
    world.pass(2_000);
    for n in 0..3 {
        world.say(1, &json!({ "id": n, "method": "m", "params": { "threadId": thread } }).to_string());
    }
    world.run();
    let read: Vec<_> = world.agent().read.iter().map(|line| line["method"].clone()).collect();
    assert_eq!(read, ["initialize", "initialized", "account/read", "thread/resume", "m", "m", "m"]);
}

#[test]
fn a_thread_that_cannot_be_resumed_does_not_keep_its_frames() {
    let mut world = World::new();
    world.greeted(1);
    let thread = world.client_thread(1);
    world.lose_bridge();
    world.pass(2_000);
    world.got(1);
    world.send(1, &json!({ "id": 1, "method": "m", "params": { "threadId": thread } }));
    assert_eq!(world.got(1)[0]["result"]["echo"], "m", "the agent has its own words for it");
    world.manners.silent.insert("thread/resume");
}

#[test]
fn frames_that_wait_for_a_resume_that_never_ends_are_refused() {
    let mut world = World::new();
    world.greeted(1);
    let thread = world.client_thread(1);
    world.lose_bridge();
    world.pass(2_000);
    world.got(1);
    world.manners.silent.insert("thread/resume");
    for n in 0..300 {
        world.send(1, &json!({ "id": n, "method": "m", "params": { "threadId": thread } }));
    }
    assert_eq!(world.got_errors(1).len(), 44, "bounded");
    world.pass(120_000);
    assert_eq!(world.got_errors(1).len(), 256);
}

#[test]
fn a_client_that_left_gets_nothing_though_its_frames_waited_for_a_resume() {
    let mut world = World::new();
    world.greeted(1);
    let thread = world.client_thread(1);
    world.lose_bridge();
    world.pass(2_000);
    world.manners.silent.insert("thread/resume");
    world.send(1, &json!({ "id": 1, "method": "m", "params": { "threadId": thread } }));
    world.detach(1);
    world.agent_dies("exit 0", "");
    world.run();
    assert!(world.owed.is_empty());
}
