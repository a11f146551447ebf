//! How long a turn may take.

use argus_session::SessionConfig;
use serde_json::json;

use crate::world::{End, World, completed, failed, lane_of};

fn limited(change: impl FnOnce(&mut SessionConfig)) -> World {
    World::with(|config| {
        config.run_timeout_ms = 100_000;
        config.no_output_timeout_ms = 30_000;
        change(config);
    })
}

#[test]
fn a_turn_over_its_limit_is_interrupted_and_fails_with_what_it_said() {
    let mut world = limited(|config| config.no_output_timeout_ms = 0);
    let id = world.chat_says("a", "one");
    world.agent_says(|agent| agent.delta("thread-1", "so far"));
    world.pass(99_999);
    assert_eq!(world.outcome(&id), End::Open);
    world.pass(1);
    assert_eq!(
        failed(world.outcome(&id)),
        ("the turn ran for 100 s, so it was stopped".into(), "so far".into())
    );
    let next = world.chat_says("a", "two");
    world.agent_says(|agent| agent.complete("thread-1", "in time"));
    assert_eq!(world.outcome(&next), completed("in time"));
}

#[test]
fn any_sign_in_its_thread_keeps_a_turn_from_being_silent() {
    let mut world = limited(|_| {});
    let id = world.chat_says("a", "one");
    for _ in 0..3 {
        world.pass(29_000);
        let sign =
            json!({ "method": "item/commandExecution/outputDelta", "params": { "threadId": "thread-1" } });
        world.agent_says(|_| vec![sign]);
    }
    assert_eq!(world.outcome(&id), End::Open);
    let elsewhere = json!({ "method": "warning", "params": { "threadId": "thread-2" } });
    world.agent_says(|_| vec![elsewhere]);
    world.pass(13_000);
    assert_eq!(failed(world.outcome(&id)).0, "the turn ran for 100 s, so it was stopped");
    let id = world.chat_says("a", "two");
    world.pass(30_000);
    assert_eq!(failed(world.outcome(&id)).0, "the agent gave no sign for 30 s, so it was stopped");
}

#[test]
fn no_limit_goes_on_while_a_person_is_asked() {
    let mut world = limited(|_| {});
    world.greeted(1);
    let id = world.chat_says("a", "one");
    world.pass(20_000);
    world.agent_says(|agent| vec![agent.ask("item/fileChange/requestApproval", "thread-1")]);
    world.pass(500_000);
    assert_eq!(world.outcome(&id), End::Open);
    assert_eq!(world.got_of(1, "item/fileChange/requestApproval"), Vec::<serde_json::Value>::new());
    let asked = world.open_question().unwrap();
    world.chat_answers(&asked, r#"{"decision":"accept"}"#);
    world.pass(29_999);
    assert_eq!(world.outcome(&id), End::Open, "silence counts from the answer");
    let sign = json!({ "method": "warning", "params": { "threadId": "thread-1" } });
    for _ in 0..4 {
        world.agent_says(|_| vec![sign.clone()]);
        world.pass(12_500);
    }
    assert_eq!(world.outcome(&id), End::Open);
    world.agent_says(|_| vec![sign.clone()]);
    world.pass(1);
    assert_eq!(failed(world.outcome(&id)).0, "the turn ran for 100 s, so it was stopped", "without the wait");
}

#[test]
fn an_answer_that_comes_just_before_the_interrupt_counts() {
    let mut world = limited(|_| {});
    world.manners.silent.insert("turn/interrupt");
    let id = world.chat_says("a", "one");
    world.pass(31_000);
    world.agent_says(|agent| agent.complete("thread-1", "just in time"));
    assert_eq!(world.outcome(&id), completed("just in time"));
}

#[test]
fn an_agent_that_ignores_the_interrupt_is_ended_and_the_turn_failed_by_its_limit() {
    let mut world = limited(|_| {});
    world.manners.silent.insert("turn/interrupt");
    let id = world.chat_says("a", "one");
    world.pass(40_000);
    assert_eq!(failed(world.outcome(&id)).0, "the agent gave no sign for 30 s, so it was stopped");
    assert_eq!(world.orders, ["kill"]);
    let next = world.chat_says("a", "two");
    world.pass(1_000);
    world.agent_says(|agent| agent.complete("thread-1", "in time"));
    assert_eq!(world.outcome(&next), completed("in time"));
}

#[test]
fn an_agent_that_hears_no_order_to_end_is_told_again() {
    let mut world = limited(|_| {});
    world.manners.silent.insert("turn/interrupt");
    world.chat_says("a", "one");
    world.pass(39_999);
    world.now += 1;
    world.feed(argus_session::Input::Tick);
    world.link.as_mut().unwrap().forget_orders();
    world.pass(9_999);
    assert_eq!(world.orders, ["kill"]);
    world.pass(1);
    assert_eq!(world.orders, ["kill", "kill"]);
}

#[test]
fn an_agent_that_does_not_answer_turn_start_is_ended_and_the_turn_failed() {
    let mut world = World::new();
    world.manners.silent.insert("turn/start");
    let id = world.chat_says("a", "one");
    world.pass(120_000);
    assert_eq!(failed(world.outcome(&id)).0, "the agent did not answer in time, so it was ended");
    assert_eq!(world.orders, ["kill"]);
}

#[test]
fn zero_means_no_limit() {
    let mut world = limited(|config| (config.run_timeout_ms, config.no_output_timeout_ms) = (0, 0));
    let id = world.chat_says("a", "one");
    world.pass(1_000_000_000);
    assert_eq!(world.outcome(&id), End::Open);
    assert_eq!(world.status(lane_of("a")).runtime, "ready");
}

#[test]
fn while_the_link_is_away_no_limit_passes() {
    let mut world = limited(|_| {});
    let id = world.chat_says("a", "one");
    world.host = crate::world::Host::Fails { reason: "the engine restarts", passing: true };
    world.lose_link();
    world.pass(50_000);
    world.bridge.as_mut().unwrap().agent.as_mut().unwrap().stdin.clear();
    world.says_unheard(|agent| agent.complete("thread-1", "all the while"));
    world.host = crate::world::Host::Works;
    world.pass(30_000);
    assert_eq!(world.outcome(&id), completed("all the while"));
}
