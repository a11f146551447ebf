//! Turns that clients start by themselves come first: nothing of ours steers them.

use argus_session::Target;
use serde_json::json;

use crate::world::{Prompts, Store, World, completed, from_client};

/// A world with a client and an open main thread.
fn with_client() -> World {
    let mut world = World::new();
    world.greeted(1);
    world.ensure_main();
    world
}

fn finish(world: &mut World, text: &str) {
    world.agent_says(|agent| agent.complete("thread-1", text));
}

#[test]
fn ours_waits_until_a_clients_turn_is_over() {
    let mut world = with_client();
    world.client_turn(1, "thread-1", "by hand");
    let id = world.submit(Target::Main, from_client(), "ours");
    assert_eq!(world.executed(), ["by hand"]);
    finish(&mut world, "theirs");
    finish(&mut world, "ours done");
    assert_eq!((world.outcome(&id), world.executed()), (completed("ours done"), vec!["by hand", "ours"]));
    assert_eq!(world.disk.settlements.len(), 1, "nobody is told of theirs");
}

#[test]
fn ours_waits_while_a_clients_request_is_not_answered() {
    let mut world = with_client();
    world.manners.silent.insert("turn/start");
    world.client_turn(1, "thread-1", "by hand");
    world.manners.silent.clear();
    world.submit(Target::Main, from_client(), "ours");
    assert_eq!(world.executed(), Vec::<&str>::new());
    let id = world.agent().read.last().unwrap()["id"].clone();
    world.agent_says(|_| vec![json!({ "id": id, "error": { "code": 1, "message": "no" } })]);
    assert_eq!(world.executed(), ["ours"]);
}

#[test]
fn a_clients_request_that_is_never_answered_does_not_block_ours_for_ever() {
    let mut world = with_client();
    world.manners.silent.insert("turn/start");
    world.client_turn(1, "thread-1", "by hand");
    world.manners.silent.clear();
    world.submit(Target::Main, from_client(), "ours");
    world.got(1);
    world.pass(121_000);
    assert_eq!((world.executed(), &world.orders[..]), (vec!["ours"], &["kill", "start"][..]));
    assert_eq!(world.got_errors(1), [(json!("by hand"), -32000)]);
}

#[test]
fn ours_that_is_being_prepared_gives_way() {
    let mut world = with_client();
    world.prompts = Prompts::Held;
    let id = world.submit(Target::Main, from_client(), "ours");
    world.client_turn(1, "thread-1", "by hand");
    world.prompts = Prompts::AtOnce;
    world.run();
    assert_eq!(world.executed(), ["by hand"]);
    let thread = Some("thread-1".parse().unwrap());
    assert_eq!(
        world.answer(),
        Some(&argus_session::Answer::Queued { thread, depth: 1 }),
        "it stands in line"
    );
    finish(&mut world, "theirs");
    finish(&mut world, "ours done");
    assert_eq!((world.outcome(&id), world.executed()), (completed("ours done"), vec!["by hand", "ours"]));
}

#[test]
fn ours_that_is_being_recorded_gives_way() {
    let mut world = with_client();
    world.store = Store::Held;
    let id = world.submit(Target::Main, from_client(), "ours");
    world.client_turn(1, "thread-1", "by hand");
    world.release_store();
    assert_eq!(world.executed(), ["by hand"]);
    finish(&mut world, "theirs");
    finish(&mut world, "ours done");
    assert_eq!((world.outcome(&id), world.executed()), (completed("ours done"), vec!["by hand", "ours"]));
    assert!(world.threads.steered.is_empty());
}

#[test]
fn ours_that_is_being_recorded_gives_way_to_a_turn_the_agent_begins_by_itself() {
    let mut world = with_client();
    world.store = Store::Held;
    let id = world.submit(Target::Main, from_client(), "ours");
    world.agent_says(|agent| agent.begin("thread-1", "own"));
    world.release_store();
    assert_eq!(world.executed(), Vec::<&str>::new());
    finish(&mut world, "its own");
    finish(&mut world, "ours done");
    assert_eq!(world.outcome(&id), completed("ours done"));
}

#[test]
fn a_client_may_steer_ours() {
    let mut world = with_client();
    let id = world.submit(Target::Main, from_client(), "ours");
    world.client_turn(1, "thread-1", "and also");
    assert_eq!(world.threads.steered, [("turn-1".into(), "and also".into())]);
    finish(&mut world, "both");
    assert_eq!(world.outcome(&id), completed("both"));
    let id = world.submit(Target::Main, from_client(), "next");
    finish(&mut world, "done");
    assert_eq!(world.outcome(&id), completed("done"));
}

#[test]
fn a_late_reply_for_a_turn_that_is_over_blocks_nothing() {
    let mut world = with_client();
    world.manners.reply = crate::world::agent::Reply::AfterEnd;
    world.client_turn(1, "thread-1", "by hand");
    let id = world.submit(Target::Main, from_client(), "ours");
    finish(&mut world, "theirs");
    finish(&mut world, "ours done");
    assert_eq!(world.outcome(&id), completed("ours done"));
}

#[test]
fn a_clients_turn_that_dies_with_its_agent_blocks_nothing() {
    let mut world = with_client();
    world.client_turn(1, "thread-1", "by hand");
    let id = world.submit(Target::Main, from_client(), "ours");
    world.agent_dies("signal 9", "");
    world.pass(5_000);
    finish(&mut world, "ours done");
    assert_eq!(world.outcome(&id), completed("ours done"));
}

#[test]
fn a_turn_that_takes_the_place_of_ours_ends_ours_with_what_was_said() {
    let mut world = with_client();
    let id = world.submit(Target::Main, from_client(), "ours");
    world.agent_says(|agent| agent.delta("thread-1", "so far"));
    let other =
        json!({ "method": "turn/started", "params": { "threadId": "thread-1", "turn": { "id": "other" } } });
    world.agent_says(|_| vec![other]);
    assert_eq!(
        crate::world::failed(world.outcome(&id)),
        ("another turn took its place".into(), "so far".into())
    );
}

#[test]
fn a_clients_request_whose_agent_died_blocks_nothing() {
    let mut world = with_client();
    world.submit(Target::Main, from_client(), "zero");
    finish(&mut world, "done");
    world.manners.silent.insert("turn/start");
    world.client_turn(1, "thread-1", "by hand");
    world.manners.silent.clear();
    let id = world.submit(Target::Main, from_client(), "ours");
    world.agent_dies("signal 9", "");
    world.pass(5_000);
    finish(&mut world, "ours done");
    assert_eq!(world.outcome(&id), completed("ours done"));
}

#[test]
fn a_clients_turn_is_known_by_its_reply_alone() {
    let mut world = World::new();
    world.greeted(1);
    world.store = Store::Held;
    world.submit(Target::Main, from_client(), "ours");
    world.manners.silent.insert("turn/start");
    world.client_turn(1, "thread-1", "by hand");
    let request = world.agent().read.last().unwrap()["id"].clone();
    world.agent_says(|agent| {
        agent.running.insert("thread-1".into(), "theirs".into());
        vec![json!({ "id": request, "result": { "turn": { "id": "theirs" } } })]
    });
    world.manners.silent.clear();
    world.release_store();
    assert_eq!(world.executed(), Vec::<&str>::new(), "while the thread was being stored, too");
    finish(&mut world, "done");
    assert_eq!(world.executed(), ["ours"]);
}
