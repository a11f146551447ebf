//! The thread of a lane: resumed, replaced, waited for.

use argus_session::{Answer, Target, says_thread_is_gone};

use crate::world::{End, World, chat, completed, failed, from_client, lane_of, thread_of};

/// A world whose agent was made anew after one turn of chat `a`.
fn woken() -> World {
    let mut world = World::new();
    world.chat_says("a", "one");
    world.agent_says(|agent| agent.complete("thread-1", "done"));
    world.pass(20_000);
    world.agent_dies("exit 0", "");
    world.run();
    world
}

#[test]
fn a_thread_that_an_agent_before_had_is_resumed_before_its_next_turn() {
    let mut world = woken();
    let id = world.chat_says("a", "two");
    let resumed = world.agent().read_of("thread/resume");
    assert_eq!(
        (resumed.len(), resumed[0]["threadId"].clone(), resumed[0]["cwd"].clone()),
        (1, "thread-1".into(), "/work".into())
    );
    world.agent_says(|agent| agent.complete("thread-1", "done"));
    assert_eq!(world.outcome(&id), completed("done"));
}

#[test]
fn a_thread_without_a_turn_is_replaced_by_a_new_one() {
    let mut world = World::new();
    world.ensure_main();
    world.pass(20_000);
    world.agent_dies("exit 0", "");
    world.run();
    assert_eq!(world.ensure_main(), Some(Answer::Thread("thread-2".parse().unwrap())));
    assert_eq!(world.disk.main_thread, Some("thread-2".parse().unwrap()));
    let id = world.submit(thread_of("thread-1"), from_client(), "to the old one by its id");
    assert!(failed(world.outcome(&id)).0.contains("no rollout"));
    assert_eq!(world.executed(), Vec::<&str>::new());
}

#[test]
fn a_thread_that_was_named_is_never_replaced() {
    let mut world = World::new();
    let id = world.submit(thread_of("nothing"), from_client(), "hello");
    let reason = failed(world.outcome(&id)).0;
    assert_eq!(reason, "the agent could not open the thread: no rollout found for thread");
    assert!(says_thread_is_gone(&reason) && !says_thread_is_gone("no rollout"));
    assert!(world.threads.turns.is_empty());
}

#[test]
fn a_thread_in_use_elsewhere_is_waited_for() {
    let mut world = woken();
    world.threads.held_elsewhere.insert("thread-1".into());
    let id = world.chat_says("a", "two");
    assert_eq!(world.answer(), Some(&Answer::Queued { thread: Some("thread-1".parse().unwrap()), depth: 1 }));
    world.pass(30_000);
    assert_eq!(world.outcome(&id), End::Open);
    assert_eq!(
        world.status(lane_of("a")).trouble.as_deref(),
        Some("the thread is in use by another program")
    );
    world.threads.held_elsewhere.clear();
    world.pass(32_000);
    world.agent_says(|agent| agent.complete("thread-1", "done"));
    assert_eq!(world.outcome(&id), completed("done"));
    assert_eq!(world.disk.chats[&(chat("a"), 0)].as_str(), "thread-1", "and never forked");
}

#[test]
fn a_thread_in_use_elsewhere_for_long_is_said_to_be() {
    let mut world = woken();
    world.threads.held_elsewhere.insert("thread-1".into());
    let id = world.chat_says("a", "two");
    world.pass(300_000);
    assert!(failed(world.outcome(&id)).0.contains("active writer"));
    assert_eq!(world.agent().read_of("thread/resume").len(), 11);
    let id = world.chat_says("a", "three");
    assert_eq!(world.outcome(&id), End::Open, "the next one is patient again");
}

#[test]
fn a_thread_that_was_closed_is_opened_again() {
    let mut world = World::new();
    world.submit(Target::Main, from_client(), "one");
    world.agent_says(|agent| agent.complete("thread-1", "done"));
    let closed = serde_json::json!({ "method": "thread/closed", "params": { "threadId": "thread-1" } });
    world.agent_says(|_| vec![closed]);
    world.submit(Target::Main, from_client(), "two");
    assert_eq!(world.agent().read_of("thread/resume").len(), 1);
    assert_eq!(world.executed(), ["one", "two"]);
}

#[test]
fn many_chats_have_their_lanes_and_the_oldest_idle_ones_are_forgotten() {
    let mut world = World::new();
    for n in 0..600 {
        let id = world.chat_says(&format!("chat {n}"), "hello");
        world.agent_says(|agent| agent.complete(&format!("thread-{}", n + 1), "done"));
        assert_eq!(world.outcome(&id), completed("done"));
    }
    let id = world.chat_says("chat 0", "again");
    world.agent_says(|agent| agent.complete("thread-1", "remembered"));
    assert_eq!(world.outcome(&id), completed("remembered"));
}

#[test]
fn the_main_thread_is_told_to_nobody_before_it_is_stored() {
    let mut world = World::new();
    world.greeted(1);
    world.store = crate::world::Store::Held;
    assert_eq!((world.ensure_main(), world.ensure_main()), (None, None));
    world.release_store();
    let made = Answer::Thread("thread-1".parse().unwrap());
    assert_eq!(world.answers.values().collect::<Vec<_>>(), [&made, &made]);
}

#[test]
fn a_thread_that_the_agent_dropped_without_a_word_is_resumed_after_one_refusal() {
    let mut world = World::new();
    world.chat_says("a", "one");
    world.agent_says(|agent| agent.complete("thread-1", "done"));
    world.agent_says(|agent| {
        agent.loaded.clear();
        vec![]
    });
    let two = world.chat_says("a", "two");
    assert!(failed(world.outcome(&two)).0.contains("thread not found"));
    world.chat_says("a", "three");
    assert_eq!(world.executed(), ["one", "three"]);
}

#[test]
fn the_main_thread_of_a_turn_found_again_is_known_to_be_loaded() {
    let mut world = World::new();
    world.submit(Target::Main, from_client(), "one");
    world.restart_gateway();
    world.run();
    assert_eq!(world.ensure_main(), Some(Answer::Thread("thread-1".parse().unwrap())));
}

#[test]
fn a_clients_thread_that_becomes_the_main_one_can_be_replaced() {
    let mut world = World::new();
    world.disk.main_thread = Some("thread-7".parse().unwrap());
    world.restart_gateway();
    world.greeted(1);
    world.client_turn(1, "thread-7", "it has a lane before main is asked for");
    let id = world.submit(Target::Main, from_client(), "one");
    world.agent_says(|agent| agent.complete("thread-1", "done"));
    assert_eq!(world.outcome(&id), completed("done"));
}
