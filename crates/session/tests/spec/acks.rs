//! An ack says: forget this even if we die now.

use argus_session::{StoreOp, Target};
use serde_json::json;

use crate::world::{Host, Store, World, completed, failed};

fn last(world: &World) -> u64 {
    world.bridge.as_ref().unwrap().last()
}

/// The number of the newest line when the first turn of the main thread began.
fn in_a_turn() -> (World, argus_protocol::SubmissionId, u64) {
    let mut world = World::new();
    world.ensure_main();
    world.pass(1_000);
    let before = last(&world);
    assert_eq!(world.acked, before, "nothing is open");
    let id = world.submit(Target::Main, crate::world::from_client(), "one");
    (world, id, before)
}

fn deltas(world: &mut World, thread: &str, count: usize, text: &str) {
    for _ in 0..count {
        world.agent_says(|agent| agent.delta(thread, text));
    }
}

#[test]
fn lines_are_acknowledged_soon_but_not_one_by_one() {
    let mut world = World::new();
    world.greeted(1);
    world.pass(1_000);
    let before = world.acked;
    for n in 1..=255 {
        world.agent_says(|_| vec![json!({ "method": "warning" })]);
        assert_eq!(world.acked, before, "{n}");
    }
    world.agent_says(|_| vec![json!({ "method": "warning" })]);
    assert_eq!(world.acked, before + 255, "the last one is not written yet");
    world.pass(200);
    assert_eq!(world.acked, before + 256);
    world.agent_says(|_| vec![json!({ "method": "warning" })]);
    world.pass(200);
    assert_eq!(world.acked, before + 257);
}

#[test]
fn no_ack_goes_past_the_beginning_of_an_open_turn_until_its_end_is_durable() {
    let (mut world, id, before) = in_a_turn();
    deltas(&mut world, "thread-1", 300, "x");
    world.pass(1_000);
    assert_eq!(world.acked, before);
    world.store = Store::Held;
    world.agent_says(|agent| agent.complete("thread-1", "done"));
    world.pass(10_000);
    assert_eq!(world.acked, before);
    world.release_store();
    world.pass(1_000);
    assert_eq!((world.outcome(&id), world.acked), (completed("done"), last(&world)));
}

#[test]
fn no_ack_goes_past_a_request_that_waits_for_an_answer() {
    let mut world = World::new();
    world.greeted(1);
    world.pass(1_000);
    let before = last(&world);
    world.agent_says(|agent| vec![agent.ask("item/tool/call", "t")]);
    deltas_elsewhere(&mut world);
    assert_eq!(world.acked, before);
    let asked = world.got_of(1, "item/tool/call");
    world.send(1, &json!({ "id": asked[0]["id"], "result": {} }));
    world.pass(1_000);
    assert_eq!(world.acked, last(&world));
}

fn deltas_elsewhere(world: &mut World) {
    for _ in 0..300 {
        world.agent_says(|_| vec![json!({ "method": "warning" })]);
    }
    world.pass(1_000);
}

#[test]
fn no_ack_goes_past_a_turn_that_is_being_recorded() {
    let mut world = World::new();
    world.ensure_main();
    world.pass(1_000);
    let before = last(&world);
    world.store = Store::Held;
    world.submit(Target::Main, crate::world::from_client(), "one");
    deltas_elsewhere(&mut world);
    assert_eq!(world.acked, before);
}

#[test]
fn no_ack_goes_past_a_clients_turn() {
    let mut world = World::new();
    world.greeted(1);
    let thread = world.client_thread(1);
    world.pass(1_000);
    let before = last(&world);
    world.client_turn(1, &thread, "go");
    world.pass(1_000);
    assert!(world.acked <= before + 1, "the reply comes before the turn");
    world.agent_says(|agent| agent.complete(&thread, "done"));
    world.pass(1_000);
    assert_eq!(world.acked, last(&world));
}

#[test]
fn acks_go_on_after_everything_that_was_ever_held() {
    let (mut world, ..) = in_a_turn();
    world.agent_says(|agent| vec![agent.ask("item/tool/call", "thread-1")]);
    world.submit(Target::Main, crate::world::from_client(), "two");
    world.agent_dies("signal 9", "");
    world.pass(5_000);
    world.agent_says(|agent| agent.complete("thread-1", "done"));
    world.manners.refused.insert("turn/start", "no".into());
    world.submit(Target::Main, crate::world::from_client(), "three");
    world.pass(1_000);
    assert_eq!(world.acked, last(&world));
}

/// A turn whose lines are many, with a checkpoint in the middle.
fn long() -> (World, argus_protocol::SubmissionId, u64) {
    let (mut world, id, before) = in_a_turn();
    deltas(&mut world, "thread-1", 1, "It begins. ");
    let wide = json!({ "method": "item/commandExecution/outputDelta",
        "params": { "threadId": "thread-1", "delta": "x".repeat(1 << 20) } });
    for _ in 0..5 {
        world.agent_says(|_| vec![wide.clone()]);
    }
    (world, id, before)
}

#[test]
fn when_much_is_held_what_is_open_is_stored_instead() {
    let (mut world, id, before) = long();
    let Some((boot, seq, _)) = world.disk.checkpoint.clone() else { panic!("no checkpoint") };
    assert_eq!(boot, "boot-1");
    world.pass(1_000);
    assert!(seq > before && world.acked == seq, "{} {seq}", world.acked);
    deltas(&mut world, "thread-1", 1, "It ends.");
    world.agent_says(|agent| agent.fail("thread-1", "so"));
    assert_eq!(failed(world.outcome(&id)), ("so".into(), "It begins. It ends.".into()));
}

#[test]
fn a_checkpoint_that_cannot_be_stored_lets_nothing_be_forgotten() {
    let (mut world, _, before) = in_a_turn();
    world.store = Store::Failing;
    let wide =
        json!({ "method": "warning", "params": { "threadId": "thread-1", "text": "x".repeat(5 << 20) } });
    world.agent_says(|_| vec![wide]);
    world.pass(1_000);
    assert_eq!((world.acked, world.disk.checkpoint.is_none()), (before, true));
}

#[test]
fn after_a_restart_the_checkpoint_stands_for_the_lines_that_are_gone() {
    let (mut world, id, _) = long();
    world.agent_says(|agent| vec![agent.ask("item/tool/call", "thread-1")]);
    world.pass(1_000);
    let (_, seq, _) = world.disk.checkpoint.clone().unwrap();
    assert_eq!(world.bridge.as_ref().unwrap().first(), seq + 1);
    deltas(&mut world, "thread-1", 1, "It ends.");
    world.restart_gateway();
    world.attach(1);
    assert_eq!(world.got_of(1, "item/tool/call").len(), 1);
    world.pass(200_000);
    assert!(world.orders.is_empty(), "a healthy agent is left alone: {:?}", world.orders);
    world.agent_says(|agent| agent.fail("thread-1", "so"));
    assert_eq!(failed(world.outcome(&id)), ("so".into(), "It begins. It ends.".into()));
    world.pass(1_000);
    assert_eq!(world.executed(), ["one"]);
}

#[test]
fn a_request_in_the_checkpoint_is_asked_again_after_a_restart() {
    let (mut world, _, before) = in_a_turn();
    world.agent_says(|agent| vec![agent.ask("item/tool/call", "thread-1")]);
    let wide = json!({ "method": "warning", "params": { "text": "x".repeat(5 << 20) } });
    world.agent_says(|_| vec![wide]);
    world.pass(1_000);
    assert!(world.acked > before + 3);
    world.restart_gateway();
    world.attach(1);
    let asked = world.got_of(1, "item/tool/call");
    assert_eq!(asked.len(), 1);
    world.send(1, &json!({ "id": asked[0]["id"], "result": { "ok": true } }));
    let answered: Vec<_> = world.agent().read.iter().filter(|line| line["method"].is_null()).collect();
    assert_eq!(answered, [&json!({ "id": 0, "result": { "ok": true } })]);
}

#[test]
fn a_checkpoint_whose_turn_ended_since_revives_nothing() {
    let (mut world, id, _) = long();
    world.agent_says(|agent| agent.complete("thread-1", "done"));
    let next = world.submit(Target::Main, crate::world::from_client(), "two");
    deltas(&mut world, "thread-1", 1, "second");
    world.restart_gateway();
    world.run();
    world.agent_says(|agent| agent.fail("thread-1", "so"));
    assert_eq!(world.outcome(&id), completed("done"));
    assert_eq!(failed(world.outcome(&next)), ("so".into(), "second".into()));
}

#[test]
fn a_checkpoint_of_another_bridge_means_nothing() {
    let (mut world, id, _) = long();
    world.bridge = None;
    world.restart_gateway();
    world.run();
    assert!(failed(world.outcome(&id)).0.contains("the runtime ended"));
    world.submit(Target::Main, crate::world::from_client(), "two");
    assert_eq!(world.executed(), ["one", "two"]);
}

#[test]
fn a_turn_in_the_checkpoint_whose_name_was_never_stored_is_found_by_its_submissions() {
    let (mut world, id, _) = long();
    let row = world.disk.row(&id);
    let Some(argus_session::OpenState::Starting { turn, .. }) = &mut row.state else { panic!("{row:?}") };
    *turn = None;
    world.restart_gateway();
    world.pass(200_000);
    assert!(world.orders.is_empty(), "{:?}", world.orders);
    assert_eq!(world.running.len(), 1);
    world.agent_says(|agent| agent.complete("thread-1", "done"));
    assert_eq!(world.outcome(&id), completed("done"));
}

#[test]
fn an_ack_lost_with_the_link_is_said_again_but_only_of_lines_that_came_again() {
    let mut world = World::new();
    world.greeted(1);
    world.now += 200;
    world.feed(argus_session::Input::Tick);
    world.host = Host::Silent;
    world.lose_link();
    assert_eq!((world.bridge.as_ref().unwrap().first(), world.acked), (1, last(&world)));
    world.host = Host::Works;
    world.send(1, &json!({ "id": 1, "method": "m" }));
    world.pass(1_000);
    assert_eq!(world.bridge.as_ref().unwrap().first(), last(&world) + 1);
}

#[test]
fn what_is_stored_is_stored_in_the_order_of_what_happened() {
    let mut world = World::new();
    world.store = Store::Held;
    world.chat_says("a", "one");
    let mut ops = Vec::new();
    while let Some((_, op)) = world.stores.front() {
        ops.push(match op {
            StoreOp::Handshake { .. } => "handshake",
            StoreOp::Bind { .. } => "bind",
            StoreOp::Starting { .. } => "starting",
            StoreOp::Running { .. } => "running",
            _ => "else",
        });
        world.store_one();
        world.run();
    }
    assert_eq!(ops, ["handshake", "bind", "starting", "running"]);
}

#[test]
fn the_thread_of_a_turn_in_the_checkpoint_is_known_to_be_loaded() {
    for name_is_stored in [true, false] {
        let (mut world, id, _) = long();
        let Some(argus_session::OpenState::Starting { turn, .. }) = &mut world.disk.row(&id).state else {
            panic!("it is not open")
        };
        *turn = turn.take().filter(|_| name_is_stored);
        world.pass(1_000);
        world.restart_gateway();
        world.run();
        assert!(matches!(world.ensure_main(), Some(argus_session::Answer::Thread(_))));
    }
}
