//! Stop ends what runs, whatever state it is in; what waits behind it stays.

use argus_session::{Answer, Target};

use crate::world::agent::Reply;
use crate::world::{End, Host, Prompts, Store, World, completed, failed, interrupted, lane_of};

fn stopped(waiting: usize) -> Answer {
    Answer::Stopped { running: true, waiting }
}

/// Stops the first of two messages of chat `a`; the second one is answered all the same.
fn stop_the_first(
    mut world: World,
    first: &argus_protocol::SubmissionId,
    go_on: impl FnOnce(&mut World),
) -> World {
    let second = world.submit(lane_of("a"), crate::world::from_client(), "two");
    assert_eq!(world.stop(lane_of("a")), stopped(1));
    go_on(&mut world);
    assert_eq!(world.outcome(first), interrupted(""));
    let thread = world.agent().running.keys().next().unwrap().clone();
    world.agent_says(|agent| agent.complete(&thread, "done"));
    assert_eq!(world.outcome(&second), completed("done"));
    world
}

#[test]
fn a_running_turn_is_interrupted_and_keeps_what_it_said() {
    let mut world = World::new();
    let id = world.chat_says("a", "one");
    world.agent_says(|agent| agent.delta("thread-1", "so far"));
    assert_eq!(world.stop(lane_of("a")), stopped(0));
    assert_eq!(world.outcome(&id), interrupted("so far"));
    assert_eq!(world.agent().read_of("turn/interrupt")[0]["turnId"], "turn-1");
}

#[test]
fn where_nothing_runs_there_is_nothing_to_stop() {
    let mut world = World::new();
    let nothing = Answer::Stopped { running: false, waiting: 0 };
    assert_eq!(world.stop(lane_of("a")), nothing);
    world.chat_says("a", "one");
    world.agent_says(|agent| agent.complete("thread-1", "done"));
    assert_eq!(world.stop(lane_of("a")), nothing);
}

#[test]
fn what_waits_for_the_runtime_is_stopped_before_it_begins() {
    let mut world = World::new();
    world.host = Host::Silent;
    let first = world.chat_says("a", "one");
    let world = stop_the_first(world, &first, |world| {
        world.host = Host::Works;
        world.run();
    });
    assert_eq!(world.executed(), ["two"]);
}

#[test]
fn what_waits_for_its_thread_is_stopped_before_it_begins() {
    let mut world = World::new();
    world.manners.silent.insert("thread/start");
    let first = world.chat_says("a", "one");
    let id = world.agent().read.last().unwrap()["id"].clone();
    let world = stop_the_first(world, &first, |world| {
        world.threads.turns.insert("thread-9".into(), 0);
        world.agent_says(|agent| {
            agent.loaded.insert("thread-9".into());
            vec![serde_json::json!({ "id": id, "result": { "thread": { "id": "thread-9" } } })]
        });
    });
    assert_eq!(world.executed(), ["two"]);
}

#[test]
fn what_waits_for_its_prompt_is_stopped_before_it_begins() {
    let mut world = World::new();
    world.prompts = Prompts::Held;
    let first = world.chat_says("a", "one");
    let world = stop_the_first(world, &first, |world| {
        world.prompts = Prompts::AtOnce;
        world.run();
    });
    assert_eq!(world.executed(), ["two"]);
}

#[test]
fn what_is_being_recorded_is_stopped_before_it_begins() {
    let mut world = World::new();
    world.ensure_main();
    world.store = Store::Held;
    let first = world.submit(Target::Main, crate::world::from_chat("a"), "one");
    assert_eq!(world.stores.len(), 1);
    assert_eq!(world.stop(Target::Main), stopped(0));
    let second = world.submit(Target::Main, crate::world::from_chat("a"), "two");
    world.release_store();
    assert_eq!((world.outcome(&first), world.executed()), (interrupted(""), vec!["two"]));
    world.agent_says(|agent| agent.complete("thread-1", "done"));
    assert_eq!(world.outcome(&second), completed("done"));
}

#[test]
fn a_turn_stopped_in_line_behind_another_lanes_record_does_not_disturb_its_successor() {
    let mut world = World::new();
    world.chat_says("a", "a1");
    world.chat_says("b", "b1");
    for thread in ["thread-1", "thread-2"] {
        world.agent_says(|agent| agent.complete(thread, "done"));
    }
    world.store = Store::Held;
    world.chat_says("a", "a2");
    let stopped_in_line = world.chat_says("b", "b2");
    world.stop(lane_of("b"));
    let last = world.chat_says("b", "b3");
    world.release_store();
    assert_eq!(world.outcome(&stopped_in_line), interrupted(""));
    for thread in ["thread-1", "thread-2"] {
        world.agent_says(|agent| agent.complete(thread, "done"));
    }
    assert_eq!((world.outcome(&last), world.executed()), (completed("done"), vec!["a1", "b1", "a2", "b3"]));
    world.pass(1_000);
    assert_eq!(world.acked, world.bridge.as_ref().unwrap().last(), "nothing is held for ever");
}

#[test]
fn a_turn_that_was_sent_but_not_answered_is_interrupted_as_soon_as_its_name_is_known() {
    let mut world = World::new();
    world.manners.reply = Reply::AfterEnd;
    let id = world.chat_says("a", "one");
    assert_eq!(world.stop(lane_of("a")), stopped(0));
    assert_eq!(world.agent().read_of("turn/interrupt").len(), 0);
    let request = world.agent().read_of("turn/start").len();
    assert_eq!(request, 1);
    let reply = world.agent().read.last().unwrap()["id"].clone();
    world.agent_says(|_| vec![serde_json::json!({ "id": reply, "result": { "turn": { "id": "turn-1" } } })]);
    assert_eq!((world.agent().read_of("turn/interrupt").len(), world.outcome(&id)), (1, interrupted("")));
}

#[test]
fn a_turn_refused_after_it_was_stopped_was_stopped() {
    let mut world = World::new();
    world.manners.silent.insert("turn/start");
    let id = world.chat_says("a", "one");
    world.stop(lane_of("a"));
    let reply = world.agent().read.last().unwrap()["id"].clone();
    world.agent_says(|_| vec![serde_json::json!({ "id": reply, "error": { "code": 1, "message": "no" } })]);
    assert_eq!(world.outcome(&id), interrupted(""));
}

#[test]
fn a_turn_of_the_last_owner_is_stopped_as_soon_as_it_is_found() {
    let mut world = World::new();
    let id = world.chat_says("a", "one");
    world.host = Host::Silent;
    world.restart_gateway();
    assert_eq!(world.stop(lane_of("a")), stopped(0));
    assert_eq!(world.outcome(&id), End::Open);
    world.host = Host::Works;
    world.run();
    assert_eq!((world.outcome(&id), world.agent().read_of("turn/interrupt").len()), (interrupted(""), 1));
}

#[test]
fn an_interrupt_that_the_agent_ignores_ends_its_processes_and_the_turn_was_stopped() {
    let mut world = World::new();
    world.manners.silent.insert("turn/interrupt");
    let id = world.chat_says("a", "one");
    let other = world.chat_says("b", "an innocent");
    world.agent_says(|agent| agent.delta("thread-1", "so far"));
    world.stop(lane_of("a"));
    world.pass(9_999);
    assert_eq!((world.outcome(&id), world.orders.len()), (End::Open, 0));
    world.pass(1);
    assert_eq!((world.outcome(&id), &world.orders[..]), (interrupted("so far"), &["kill"][..]));
    let reason = "the agent did not end a turn when it was told to, so it was ended";
    assert_eq!(failed(world.outcome(&other)), (reason.into(), String::new()));
}

#[test]
fn an_agent_that_does_not_even_take_a_turn_which_was_stopped_is_ended_as_soon() {
    let mut world = World::new();
    world.manners.silent.insert("turn/start");
    let id = world.chat_says("a", "one");
    world.pass(5_000);
    assert_eq!(world.stop(lane_of("a")), stopped(0));
    world.pass(9_999);
    assert_eq!((world.outcome(&id), world.orders.len()), (End::Open, 0));
    world.pass(1);
    assert_eq!((world.outcome(&id), &world.orders[..]), (interrupted(""), &["kill"][..]));
}

#[test]
fn a_stop_said_twice_interrupts_once() {
    let mut world = World::new();
    world.manners.silent.insert("turn/interrupt");
    world.chat_says("a", "one");
    world.stop(lane_of("a"));
    world.stop(lane_of("a"));
    assert_eq!(world.agent().read_of("turn/interrupt").len(), 1);
}

#[test]
fn a_stop_ends_a_clients_turn_in_the_same_thread_too() {
    let mut world = World::new();
    world.greeted(1);
    world.chat_says("a", "one");
    world.agent_says(|agent| agent.complete("thread-1", "done"));
    world.client_turn(1, "thread-1", "by hand");
    assert_eq!(world.stop(lane_of("a")), stopped(0));
    assert!(world.agent().running.is_empty());
}

#[test]
fn the_number_of_a_recorded_turn_that_was_stopped_goes_to_nobody_before_its_end_is_durable() {
    let mut world = World::new();
    world.ensure_main();
    let id = world.submit_until_sent(Target::Main, "one");
    world.restart_gateway();
    world.host = Host::Silent;
    world.stop(Target::Main);
    (world.host, world.store) = (Host::Works, Store::Held);
    let read = world.agent().read.len();
    world.pass(1_000);
    assert_eq!(world.agent().read.len(), read);
    world.release_store();
    assert!(world.agent().read.len() > read);
    assert_eq!((world.outcome(&id), world.executed()), (interrupted(""), vec![]));
}

#[test]
fn a_turn_stopped_while_it_is_recorded_keeps_its_number_until_its_end_is_durable() {
    let mut world = World::new();
    world.greeted(1);
    world.ensure_main();
    world.store = Store::Held;
    world.submit(Target::Main, crate::world::from_chat("a"), "one");
    world.stop(Target::Main);
    world.send(1, &serde_json::json!({ "id": 1, "method": "m" }));
    assert_eq!(world.agent().read_of("m").len(), 0);
    world.release_store();
    assert_eq!(world.agent().read_of("m").len(), 1);
}
