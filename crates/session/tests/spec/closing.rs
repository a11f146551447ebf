//! The end of a session for good.

use argus_session::{Answer, Input, Target};
use serde_json::json;

use crate::world::{Host, World, failed, from_client, lane_of};

const WHY: &str = "the session was deleted";

fn close(world: &mut World) {
    world.feed(Input::Closed { reason: WHY.into() });
    world.run();
}

#[test]
fn everything_that_waits_gets_its_end_and_the_runtime_is_stopped() {
    let mut world = World::new();
    world.greeted(1);
    world.manners.silent.insert("slow");
    world.send(1, &json!({ "id": 1, "method": "slow" }));
    let ids = [world.chat_says("a", "one"), world.chat_says("a", "two"), world.chat_says("b", "three")];
    world.agent_says(|agent| agent.delta("thread-1", "so far"));
    close(&mut world);
    let texts = ["so far", "", ""];
    for (id, text) in ids.iter().zip(texts) {
        assert_eq!(failed(world.outcome(id)), (WHY.into(), text.into()));
    }
    assert!(world.got(1).iter().any(|frame| frame["id"] == 1 && frame["error"]["code"] == -32000));
    assert_eq!((world.bridge.is_none(), &world.orders[..]), (true, &["stop"][..]));
    world.detach(1);
    assert!(world.session.is_at_rest());
}

#[test]
fn whoever_comes_later_is_turned_away() {
    let mut world = World::new();
    close(&mut world);
    world.attach(1);
    world.send(1, &json!({ "id": 1, "method": "m" }));
    assert_eq!(world.got(1).pop().unwrap()["error"]["message"], WHY);
    let id = world.submit(Target::Main, from_client(), "one");
    assert_eq!(failed(world.outcome(&id)).0, WHY);
    assert_eq!(world.ensure_main(), Some(Answer::Failed(WHY.into())));
    assert_eq!(world.provisioned, 0);
}

#[test]
fn a_runtime_that_is_reached_afterwards_is_stopped() {
    let mut world = World::new();
    world.host = Host::Silent;
    let id = world.chat_says("a", "one");
    close(&mut world);
    assert_eq!(failed(world.outcome(&id)).0, WHY);
    world.host = Host::Works;
    world.run();
    assert_eq!((world.bridge.is_none(), &world.orders[..]), (true, &["stop"][..]));
    assert!(world.session.is_at_rest());
}

#[test]
fn turns_of_the_last_owner_that_were_not_found_again_fail_too() {
    let mut world = World::new();
    let id = world.chat_says("a", "one");
    world.host = Host::Silent;
    world.restart_gateway();
    close(&mut world);
    assert_eq!(failed(world.outcome(&id)).0, WHY);
    assert_eq!(world.status(lane_of("a")).waiting, 0);
}
