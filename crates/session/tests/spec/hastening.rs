//! What waits and does not have to: told within the turn that runs, put in its place, or changed.

use argus_session::{Haste, Hastened, StoreOp, Target};
use serde_json::json;

use crate::world::{
    End, Prompts, Step, Store, World, completed, from_chat, from_client, interrupted, lane_of,
};

/// A turn of chat `a`, and a submission that waits behind it.
fn waiting() -> (World, argus_protocol::SubmissionId, argus_protocol::SubmissionId) {
    let mut world = World::new();
    let first = world.chat_says("a", "one");
    let second = world.chat_says("a", "two");
    (world, first, second)
}

fn told(world: &World) -> Vec<&str> {
    world.threads.told.iter().map(|(_, prompt)| prompt.as_str()).collect()
}

#[test]
fn what_is_told_within_a_turn_is_answered_with_it() {
    let (mut world, first, second) = waiting();
    assert_eq!(world.hasten(&second, Haste::Steer), Hastened::Steered);
    assert!(world.prepared.last().unwrap().steers);
    assert_eq!(told(&world), ["two"]);
    let steer = &world.agent().read_of("turn/steer")[0];
    assert_eq!(
        *steer,
        json!({ "threadId": "thread-1", "expectedTurnId": "turn-1", "input": [{ "type": "text", "text": "two" }] })
    );
    world.agent_says(|agent| agent.complete("thread-1", "both"));
    assert_eq!(world.disk.settlements.len(), 1);
    assert_eq!(world.disk.settlements[0].submissions, [first, second]);
    assert_eq!(world.executed(), ["one", "two"]);
}

#[test]
fn what_the_agent_does_not_take_has_its_own_turn() {
    let (mut world, first, second) = waiting();
    world.manners.refused.insert("turn/steer", "no".into());
    assert_eq!(world.hasten(&second, Haste::Steer), Hastened::Steered);
    assert_eq!(world.disk.row(&second).state, Some(argus_session::OpenState::Queued));
    world.agent_says(|agent| agent.complete("thread-1", "one"));
    world.agent_says(|agent| agent.complete("thread-1", "two"));
    assert_eq!([world.outcome(&first), world.outcome(&second)], [completed("one"), completed("two")]);
}

#[test]
fn a_turn_that_ends_while_it_is_told_something_waits_for_the_word_on_that() {
    for refused in [false, true] {
        let (mut world, first, second) = waiting();
        world.ask_to_hasten(&second, Haste::Steer);
        while world.step(Step::Prepare) || world.step(Step::Store) || world.step(Step::Down) {}
        let mut end = vec![];
        if refused {
            // It ends before it reads what it was told.
            world.says_unheard(|agent| agent.complete("thread-1", "done"));
        } else {
            world.step(Step::Agent);
            world.says_unheard(|agent| agent.complete("thread-1", "done"));
            end.push(second.clone());
        }
        world.run();
        let settled = &world.disk.settlements[0].submissions;
        assert_eq!(*settled, [vec![first.clone()], end].concat());
        assert_eq!(world.executed(), ["one", "two"]);
        assert_eq!(world.has_agent() && !world.agent().running.is_empty(), refused, "its own turn runs");
    }
}

#[test]
fn nothing_is_told_before_it_is_recorded_and_what_cannot_be_waits_again() {
    let (mut world, _, second) = waiting();
    world.store = Store::Held;
    world.ask_to_hasten(&second, Haste::Steer);
    world.run();
    assert!(matches!(world.held_stores()[0], StoreOp::Steering { submission, .. } if *submission == second));
    assert!(told(&world).is_empty());
    world.store = Store::Failing;
    world.run();
    assert!(told(&world).is_empty());
    world.store = Store::AtOnce;
    world.agent_says(|agent| agent.complete("thread-1", "one"));
    assert_eq!(world.executed(), ["one", "two"]);
}

#[test]
fn wherever_the_gateway_dies_it_is_told_once_and_answered() {
    // So many things are done before it is killed.
    for steps in 0..8 {
        let (mut world, first, second) = waiting();
        world.ask_to_hasten(&second, Haste::Steer);
        let order = [Step::Prepare, Step::Store, Step::Down, Step::Agent, Step::Up, Step::Store, Step::Took];
        order.into_iter().take(steps).for_each(|step| _ = world.step(step));
        world.restart_gateway();
        world.run();
        assert_eq!(told(&world).len(), usize::from(steps > 2), "{steps}");
        world.agent_says(|agent| agent.complete("thread-1", "one"));
        if steps <= 2 {
            world.agent_says(|agent| agent.complete("thread-1", "two"));
        }
        assert_eq!(world.executed(), ["one", "two"], "{steps}");
        assert!(world.outcome(&first) != End::Open && world.outcome(&second) != End::Open, "{steps}");
    }
}

#[test]
fn several_that_were_told_survive_a_restart_in_their_turn() {
    let (mut world, first, second) = waiting();
    let third = world.chat_says("a", "three");
    // The newer one is told first, so that the ledger has them in another order.
    world.hasten(&third, Haste::Steer);
    world.hasten(&second, Haste::Steer);
    world.restart_gateway();
    world.run();
    world.agent_says(|agent| agent.complete("thread-1", "all"));
    let mut settled = world.disk.settlements[0].submissions.clone();
    settled.sort();
    assert_eq!(settled, [first, second, third]);
    assert_eq!(world.disk.settlements.len(), 1);
}

#[test]
fn what_was_told_before_a_checkpoint_belongs_to_its_turn_after_a_restart() {
    let (mut world, first, second) = waiting();
    world.hasten(&second, Haste::Steer);
    let much = json!({ "threadId": "thread-1", "turnId": "turn-1", "delta": "x".repeat(5 << 20) });
    world.agent_says(|_| vec![json!({ "method": "item/commandExecution/outputDelta", "params": much })]);
    world.pass(1_000);
    assert!(world.disk.checkpoint.is_some());
    world.restart_gateway();
    world.run();
    world.agent_says(|agent| agent.complete("thread-1", "both"));
    assert_eq!(world.disk.settlements[0].submissions, [first, second]);
}

#[test]
fn a_turn_of_a_client_or_of_another_chat_is_told_nothing() {
    let mut world = World::new();
    world.submit(Target::Main, from_chat("a"), "one");
    let second = world.submit(Target::Main, from_chat("b"), "two");
    assert_eq!(world.hasten(&second, Haste::Steer), Hastened::NothingRuns);
    let mut world = World::new();
    world.greeted(1);
    world.submit(lane_of("a"), from_client(), "one");
    world.agent_says(|agent| agent.complete("thread-1", "done"));
    world.client_turn(1, "thread-1", "by hand");
    let second = world.chat_says("a", "two");
    assert_eq!(world.hasten(&second, Haste::Steer), Hastened::NothingRuns);
    world.agent_says(|agent| agent.complete("thread-1", "done"));
    assert_eq!(world.executed(), ["one", "by hand", "two"], "it comes in its own time");
}

#[test]
fn what_the_agent_gives_no_word_on_counts_as_told() {
    let (mut world, first, second) = waiting();
    world.manners.silent.insert("turn/steer");
    world.hasten(&second, Haste::Steer);
    world.agent_says(|agent| agent.complete("thread-1", "one"));
    assert_eq!(world.outcome(&first), End::Open);
    world.pass(10_000);
    assert_eq!([world.outcome(&first), world.outcome(&second)], [completed("one"), completed("one")]);
}

#[test]
fn a_stop_takes_back_what_was_not_told_yet() {
    let (mut world, first, second) = waiting();
    world.prompts = Prompts::Held;
    world.ask_to_hasten(&second, Haste::Steer);
    world.stop(lane_of("a"));
    assert_eq!(world.outcome(&first), interrupted(""));
    world.prompts = Prompts::AtOnce;
    world.run();
    world.agent_says(|agent| agent.complete("thread-1", "two"));
    assert_eq!(world.outcome(&second), completed("two"));
    assert_eq!(world.executed(), ["one", "two"]);
}

#[test]
fn what_takes_the_place_of_the_turn_that_runs_comes_before_all_that_waits() {
    let mut world = World::new();
    let first = world.submit(Target::Main, from_chat("a"), "one");
    world.submit(Target::Main, from_chat("b"), "two");
    let third = world.submit(Target::Main, from_chat("c"), "three");
    assert_eq!(world.hasten(&third, Haste::Interrupt), Hastened::Interrupting);
    assert_eq!(world.outcome(&first), interrupted(""));
    assert_eq!(world.executed(), ["one", "three"]);
    assert_eq!(world.hasten(&third, Haste::Interrupt), Hastened::NotWaiting);
    assert_eq!(world.hasten(&first, Haste::Steer), Hastened::NotWaiting);
}

#[test]
fn what_comes_next_anyway_keeps_its_place_among_what_its_chat_said() {
    let mut world = World::new();
    world.chat_says("a", "one");
    let said = ["two", "three", "four"].map(|text| world.chat_says("a", text));
    for one in [&said[1], &said[2]] {
        world.ask_to_hasten(one, Haste::Interrupt);
    }
    world.run();
    assert_eq!(world.executed(), ["one", "Follow-ups (batched):\n1) two\n2) three\n3) four"]);
}

#[test]
fn what_waits_can_be_changed_and_what_was_told_cannot() {
    let (mut world, first, second) = waiting();
    assert!(!world.amend(&first, "ONE"));
    assert!(world.amend(&second, "TWO"));
    world.prompts = Prompts::Held;
    world.agent_says(|agent| agent.complete("thread-1", "one"));
    assert!(world.amend(&second, "Two"), "its turn has not left");
    world.prompts = Prompts::AtOnce;
    world.run();
    assert_eq!(world.executed(), ["one", "Two"]);
}
