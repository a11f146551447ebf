//! Reaching a runtime: made on demand, tried again, told when there is none.

use argus_session::{Answer, Input, Target};
use serde_json::json;

use crate::world::{End, Host, World, completed, failed, lane_of};

const PASSING: Host = Host::Fails { reason: "the engine starts", passing: true };
const LASTING: Host = Host::Fails { reason: "no bridge program; set ARGUS_BRIDGE", passing: false };

#[test]
fn a_session_that_nobody_needs_reaches_for_nothing() {
    let mut world = World::new();
    world.pass(1_000_000);
    assert_eq!(world.provisioned, 0);
    assert!(world.session.is_at_rest());
    assert_eq!(world.status(Target::Main).runtime, "absent");
}

#[test]
fn many_simultaneous_clients_make_one_runtime() {
    let mut world = World::new();
    world.host = Host::Silent;
    (1..=5).for_each(|client| world.attach(client));
    world.host = Host::Works;
    world.run();
    assert_eq!((world.provisioned, world.bridge.as_ref().unwrap().starts), (1, 1));
}

#[test]
fn a_passing_failure_keeps_submissions_waiting_and_tells_clients() {
    let mut world = World::new();
    world.host = PASSING;
    world.attach(1);
    world.send(1, &json!({ "id": 1, "method": "initialize", "params": {} }));
    let id = world.chat_says("a", "one");
    world.pass(600_000);
    assert_eq!(world.got_errors(1), [(json!(1), -32000)]);
    assert_eq!(world.outcome(&id), End::Open);
    assert_eq!(world.answer(), Some(&Answer::Queued { thread: None, depth: 1 }));
    let status = world.status(lane_of("a"));
    assert_eq!((status.runtime, status.trouble.as_deref()), ("failing", Some("the engine starts")));
    assert!(world.provisioned < 30, "with growing pauses: {}", world.provisioned);
    world.host = Host::Works;
    world.pass(30_000);
    world.agent_says(|agent| agent.complete("thread-1", "done"));
    assert_eq!(world.outcome(&id), completed("done"));
}

#[test]
fn it_is_tried_again_at_once_when_there_may_be_a_runtime() {
    let mut world = World::new();
    world.host = PASSING;
    let id = world.chat_says("a", "one");
    world.pass(200_000);
    world.host = Host::Works;
    world.feed(Input::RuntimeMayBeHad);
    world.run();
    world.agent_says(|agent| agent.complete("thread-1", "done"));
    assert_eq!(world.outcome(&id), completed("done"));
}

#[test]
fn a_lasting_failure_fails_what_waits_after_the_third_try() {
    let mut world = World::new();
    world.host = LASTING;
    let id = world.chat_says("a", "one");
    assert_eq!((world.outcome(&id), world.provisioned), (End::Open, 1));
    world.pass(5_000);
    assert_eq!(
        (failed(world.outcome(&id)).0.as_str(), world.provisioned),
        ("no bridge program; set ARGUS_BRIDGE", 3)
    );
    let told = Answer::Failed("no bridge program; set ARGUS_BRIDGE".into());
    assert_eq!(world.ensure_main(), Some(told), "whoever comes later is told after one try");
    let tried = world.provisioned;
    world.pass(1_000_000);
    assert_eq!(world.provisioned, tried, "nobody needs it");
}

#[test]
fn waiting_for_a_passing_reason_does_not_count_as_failing() {
    let mut world = World::new();
    world.host = PASSING;
    let id = world.chat_says("a", "one");
    world.pass(600_000);
    world.host = LASTING;
    world.feed(Input::RuntimeMayBeHad);
    world.step(crate::world::Step::Provision);
    assert_eq!(world.outcome(&id), End::Open, "one lasting failure is not yet the end");
    world.host = Host::Works;
    world.pass(30_000);
    world.agent_says(|agent| agent.complete("thread-1", "done"));
    assert_eq!(world.outcome(&id), completed("done"));
}

#[test]
fn a_failure_to_reach_a_runtime_does_not_end_what_runs_there() {
    for (host, away) in [(PASSING, 30_000), (LASTING, 1_000)] {
        let mut world = World::new();
        let id = world.chat_says("a", "one");
        world.host = host;
        world.lose_link();
        world.pass(away);
        world.says_unheard(|agent| agent.complete("thread-1", "done meanwhile"));
        world.host = Host::Works;
        world.pass(40_000);
        assert_eq!(world.outcome(&id), completed("done meanwhile"));
    }
}

#[test]
fn a_runtime_that_cannot_be_reached_for_good_fails_what_ran_there() {
    let mut world = World::new();
    let id = world.chat_says("a", "one");
    world.agent_says(|agent| agent.delta("thread-1", "so far"));
    world.host = LASTING;
    world.lose_link();
    world.pass(10_000);
    assert_eq!(failed(world.outcome(&id)), ("no bridge program; set ARGUS_BRIDGE".into(), "so far".into()));
}

#[test]
fn a_link_that_breaks_again_and_again_is_not_made_without_pause() {
    let mut world = World::new();
    world.chat_says("a", "one");
    for _ in 0..100 {
        world.lose_link();
        world.pass(1_000);
    }
    assert!(world.provisioned < 15, "{}", world.provisioned);
    world.pass(60_000);
    let before = world.provisioned;
    world.lose_link();
    world.run();
    assert_eq!(world.provisioned, before + 1, "one that lived a while is made again at once");
}

#[test]
fn nobody_is_kept_waiting_by_a_link_that_breaks_again_and_again() {
    let mut world = World::new();
    world.chat_says("a", "one");
    for _ in 0..4 {
        world.lose_link();
        world.attach(1);
        world.send(1, &json!({ "id": 1, "method": "m" }));
        world.pass(1_000);
    }
    assert!(!world.got(1).is_empty());
}

#[test]
fn a_link_that_lived_a_while_makes_up_for_those_that_did_not() {
    let mut world = World::new();
    let id = world.chat_says("a", "one");
    for _ in 0..2 {
        world.lose_link();
        world.pass(2_000);
    }
    world.pass(20_000);
    world.host = LASTING;
    world.lose_link();
    world.run();
    world.host = Host::Works;
    world.pass(2_000);
    world.agent_says(|agent| agent.complete("thread-1", "done"));
    assert_eq!(world.outcome(&id), completed("done"));
}
