//! The agent dies: what had begun is failed with what was said, what had not begun is begun again.

use argus_session::{Answer, Target};
use serde_json::json;

use crate::world::{End, Prompts, Store, World, completed, failed, from_chat, interrupted, lane_of};

/// The agent dies now; after a while its successor answers what waits.
fn die_and_go_on(world: &mut World) {
    world.agent_dies("exit 1", "out of memory");
    world.run();
    world.pass(5_000);
}

fn finish(world: &mut World, thread: &str) {
    world.agent_says(|agent| agent.complete(thread, "done"));
}

#[test]
fn a_running_turn_fails_with_the_last_words_and_is_never_run_again() {
    let mut world = World::new();
    world.greeted(1);
    let id = world.chat_says("a", "one");
    let next = world.chat_says("a", "two");
    world.agent_says(|agent| agent.delta("thread-1", "so far"));
    world.got(1);
    die_and_go_on(&mut world);
    let reason = "the agent ended (exit 1); its last words: out of memory";
    assert_eq!(failed(world.outcome(&id)), (reason.into(), "so far".into()));
    let end = world.got_of(1, "turn/completed");
    assert_eq!(
        (end.len(), end[0]["params"]["turn"]["status"].clone()),
        (1, json!("failed")),
        "clients are told too"
    );
    finish(&mut world, "thread-1");
    assert_eq!((world.outcome(&next), world.executed()), (completed("done"), vec!["one", "two"]));
}

#[test]
fn a_turn_that_may_have_begun_fails_and_is_never_run_again() {
    let mut world = World::new();
    world.manners.silent.insert("turn/start");
    let id = world.chat_says("a", "one");
    world.manners.silent.clear();
    die_and_go_on(&mut world);
    assert!(failed(world.outcome(&id)).0.contains("out of memory"));
    assert_eq!(world.executed(), Vec::<&str>::new());
}

#[test]
fn a_turn_that_was_never_named_fails_without_words_that_may_be_anothers() {
    let mut world = World::new();
    world.manners.reply = crate::world::agent::Reply::AfterEnd;
    let id = world.chat_says("a", "one");
    let told = world.bridge.as_mut().unwrap().agent.as_mut().unwrap().complete("thread-1", "done");
    world.agent_says(|_| told[..2].to_vec());
    world.agent_dies("exit 1", "");
    world.run();
    assert_eq!(failed(world.outcome(&id)), ("the agent ended (exit 1)".into(), String::new()));
}

#[test]
fn a_turn_that_was_stopped_on_the_way_was_stopped() {
    let mut world = World::new();
    world.manners.silent.insert("turn/start");
    let id = world.chat_says("a", "one");
    world.stop(lane_of("a"));
    die_and_go_on(&mut world);
    assert_eq!(world.outcome(&id), interrupted(""));
}

#[test]
fn a_turn_whose_thread_was_being_opened_begins_again() {
    let mut world = World::new();
    world.manners.silent.insert("thread/start");
    let id = world.chat_says("a", "one");
    world.manners.silent.clear();
    die_and_go_on(&mut world);
    finish(&mut world, "thread-1");
    assert_eq!((world.outcome(&id), world.executed()), (completed("done"), vec!["one"]));
}

#[test]
fn a_turn_whose_thread_was_being_stored_begins_again() {
    let mut world = World::new();
    world.greeted(1);
    world.store = Store::Held;
    let id = world.chat_says("a", "one");
    world.agent_dies("exit 1", "");
    world.run();
    world.release_store();
    world.pass(5_000);
    finish(&mut world, "thread-2");
    assert_eq!((world.outcome(&id), world.executed()), (completed("done"), vec!["one"]));
    assert_eq!(
        world.disk.chats.values().map(argus_protocol::ThreadId::as_str).collect::<Vec<_>>(),
        ["thread-2"]
    );
}

#[test]
fn a_turn_whose_prompt_was_being_written_begins_again() {
    let mut world = World::new();
    world.chat_says("a", "zero");
    finish(&mut world, "thread-1");
    world.prompts = Prompts::Held;
    let id = world.chat_says("a", "one");
    world.agent_dies("exit 1", "");
    world.run();
    world.prompts = Prompts::AtOnce;
    world.pass(5_000);
    finish(&mut world, "thread-1");
    assert_eq!((world.outcome(&id), world.executed()), (completed("done"), vec!["zero", "one"]));
}

#[test]
fn a_turn_that_was_being_recorded_begins_again_and_its_number_goes_to_nobody_before() {
    let mut world = World::new();
    world.ensure_main();
    world.store = Store::Held;
    let id = world.submit(Target::Main, from_chat("a"), "one");
    world.agent_dies("exit 1", "");
    world.run();
    world.pass(600);
    assert_eq!(world.agent().read.len(), 0, "not even the greeting of the next agent");
    world.release_store();
    world.pass(5_000);
    finish(&mut world, "thread-2");
    assert_eq!((world.outcome(&id), world.executed()), (completed("done"), vec!["one"]));
}

#[test]
fn an_agent_that_does_not_start_fails_what_waits_after_the_third_try_with_its_last_words() {
    let mut world = World::new();
    world.manners.stillborn = Some(("exit 127".into(), "codex: not found".into()));
    let id = world.chat_says("a", "one");
    assert_eq!(world.outcome(&id), End::Open);
    world.pass(5_000);
    let reason = "the agent ended (exit 127); its last words: codex: not found";
    assert_eq!(failed(world.outcome(&id)), (reason.into(), String::new()));
    assert_eq!(world.answer(), Some(&Answer::Failed(reason.into())));
    let starts = world.bridge.as_ref().unwrap().starts;
    assert_eq!(starts, 3);
    world.pass(100_000);
    assert_eq!(world.bridge.as_ref().unwrap().starts, starts, "nobody needs it");
    let status = world.status(lane_of("a"));
    assert_eq!((status.runtime, status.trouble.as_deref()), ("failing", Some(reason)));
    world.manners.stillborn = None;
    let id = world.chat_says("a", "two");
    world.pass(5_000);
    finish(&mut world, "thread-1");
    assert_eq!(world.outcome(&id), completed("done"), "mended, it works again");
}

#[test]
fn clients_are_told_at_once_that_the_agent_does_not_start() {
    let mut world = World::new();
    world.manners.stillborn = Some(("exit 127".into(), "codex: not found".into()));
    world.attach(1);
    world.send(1, &json!({ "id": 1, "method": "initialize", "params": {} }));
    world.pass(500);
    let words = "the agent ended (exit 127); its last words: codex: not found";
    assert_eq!(world.got(1).pop().unwrap()["error"]["message"], words);
    assert_eq!(world.bridge.as_ref().unwrap().starts, 2);
}

#[test]
fn an_agent_that_dies_of_whatever_comes_before_a_turn_is_not_tried_for_ever() {
    for method in ["account/read", "thread/start", "initialize"] {
        let mut world = World::new();
        world.manners.deadly.insert(method);
        let id = world.chat_says("a", "one");
        world.pass(60_000);
        assert!(failed(world.outcome(&id)).0.contains("it broke"), "{method}");
        assert_eq!(world.bridge.as_ref().unwrap().starts, 3, "{method}");
    }
}

#[test]
fn an_agent_that_dies_of_its_turns_fails_each_of_them_once() {
    let mut world = World::new();
    world.manners.deadly.insert("turn/start");
    let ids = [world.chat_says("a", "one"), world.chat_says("a", "two")];
    world.pass(60_000);
    for id in ids {
        assert!(failed(world.outcome(&id)).0.contains("it broke"));
    }
    assert_eq!(world.bridge.as_ref().unwrap().starts, 2);
}

#[test]
fn an_agent_that_served_for_a_while_is_started_again_at_once() {
    let mut world = World::new();
    world.chat_says("a", "one");
    world.pass(20_000);
    let id = world.chat_says("a", "two");
    world.agent_dies("signal 9", "");
    world.run();
    assert!(world.has_agent());
    finish(&mut world, "thread-1");
    assert_eq!(world.outcome(&id), completed("done"));
}

#[test]
fn an_agent_that_nobody_needs_is_not_started_again() {
    let mut world = World::new();
    world.greeted(1);
    world.agent_dies("signal 9", "");
    world.pass(100_000);
    assert!(!world.has_agent());
    assert_eq!(world.status(Target::Main).runtime, "failing");
}

#[test]
fn an_agent_that_hangs_before_every_turn_is_not_tried_for_ever() {
    let mut world = World::new();
    world.manners.silent.insert("thread/start");
    let id = world.chat_says("a", "one");
    world.pass(600_000);
    let reason = "the turn could not be begun: the agent did not answer in time, so it was ended";
    assert_eq!(failed(world.outcome(&id)).0, reason);
    assert_eq!(world.orders.iter().filter(|order| **order == "kill").count(), 3);
}

#[test]
fn losses_before_a_turn_are_forgotten_when_one_begins() {
    let mut world = World::new();
    for round in 0..4 {
        world.manners.silent.insert("thread/resume");
        world.manners.silent.insert("thread/start");
        let id = world.chat_says("a", "one");
        world.pass(120_100);
        world.manners.silent.clear();
        world.pass(5_000);
        finish(&mut world, "thread-1");
        assert_eq!(world.outcome(&id), completed("done"), "{round}");
        world.agent_dies("exit 0", "");
        world.pass(1_000);
    }
    assert_eq!(world.orders.iter().filter(|order| **order == "kill").count(), 4);
}

#[test]
fn an_agent_that_brings_turns_to_an_end_is_never_given_up() {
    let mut world = World::new();
    for _ in 0..6 {
        let id = world.chat_says("a", "one");
        world.pass(1_000);
        finish(&mut world, "thread-1");
        assert_eq!(world.outcome(&id), completed("done"));
        world.agent_dies("exit 0", "");
        world.run();
    }
}
