//! Who waits in line keeps their place and hears the answer where they asked, whatever becomes of runtime and gateway.

use argus_protocol::SubmissionId;
use argus_session::{Beat, Origin, Target};

use crate::world::{End, Host, World, chat, completed, failed, from_chat, from_client};

/// Who waits for the main thread there: another one each time, so that nothing is merged.
fn waiting(world: &mut World) -> Vec<(SubmissionId, Origin)> {
    let job = Origin::Cron { job: "j".into(), run: "j@1".into(), chat: Some(chat("home")) };
    let beat = Origin::Heartbeat { why: Beat::Due, chat: None };
    let all = [from_chat("a"), from_client(), job, from_chat("b"), beat];
    all.map(|origin| (world.submit(Target::Main, origin.clone(), "x"), origin)).to_vec()
}

fn each_is_answered_to_who_asked(world: &mut World, asked: &[(SubmissionId, Origin)]) {
    for (n, (id, origin)) in asked.iter().enumerate() {
        let text = format!("answer {n}");
        world.agent_says(|agent| agent.complete("thread-1", &text));
        assert_eq!(world.outcome(id), completed(&text));
        assert_eq!(world.settlement(id).map(|end| &end.origin), Some(origin));
    }
    assert_eq!(world.executed().len(), asked.len());
}

#[test]
fn who_waits_in_line_keeps_place_and_origin_through_failed_starts_of_the_runtime() {
    let mut world = World::new();
    world.host = Host::Fails { reason: "the engine starts", passing: true };
    let asked = waiting(&mut world);
    world.pass(600_000);
    assert!(asked.iter().all(|(id, _)| world.outcome(id) == End::Open));
    world.host = Host::Works;
    world.pass(30_000);
    each_is_answered_to_who_asked(&mut world, &asked);
}

#[test]
fn who_waits_in_line_keeps_place_and_origin_when_the_start_fails_before_and_after_a_restart() {
    let mut world = World::new();
    world.host = Host::Fails { reason: "no bridge program", passing: false };
    let asked = waiting(&mut world);
    world.restart_gateway();
    world.run();
    assert!(asked.iter().all(|(id, _)| world.outcome(id) == End::Open));
    world.host = Host::Works;
    world.pass(30_000);
    each_is_answered_to_who_asked(&mut world, &asked);
}

#[test]
fn who_waits_behind_a_turn_whose_runtime_died_is_served_by_the_next_one() {
    let mut world = World::new();
    let first = world.submit(Target::Main, from_chat("z"), "first");
    let asked = waiting(&mut world);
    world.lose_bridge();
    world.pass(30_000);
    assert_eq!(failed(world.outcome(&first)).1, "");
    assert_eq!(world.executed().iter().filter(|prompt| **prompt == "first").count(), 1);
    for (n, (id, origin)) in asked.iter().enumerate() {
        let text = format!("answer {n}");
        world.agent_says(|agent| agent.complete("thread-1", &text));
        assert_eq!(
            (world.outcome(id), world.settlement(id).map(|end| &end.origin)),
            (completed(&text), Some(origin))
        );
    }
    assert!(world.status(Target::Main).running_since.is_none(), "the lane is free");
}
