//! A client that says who it is comes back as who it was: its replies, its turns and what it is asked are its own.

use serde_json::{Value, json};

use crate::world::World;

const APPROVE: &str = "item/commandExecution/requestApproval";

/// The ids of the replies that a client got.
fn replies(world: &mut World, client: u64) -> Vec<Value> {
    let got = world.got(client).into_iter();
    got.filter(|frame| frame["method"].is_null()).map(|frame| frame["id"].clone()).collect()
}

/// What the first frame says of who it is.
fn returned(world: &mut World, client: u64) -> Value {
    let hello = world.got(client).remove(0);
    assert_eq!(hello["method"], "argus/session");
    hello["params"]["returned"].clone()
}

/// A world in which client 1, who is `phone`, asked something that is not answered yet.
fn waiting() -> World {
    let mut world = World::new();
    world.manners.silent.insert("model/list");
    world.come_named(1, "phone", None);
    world.run();
    assert_eq!(returned(&mut world, 1), false);
    world.send(1, &json!({ "id": "q", "method": "model/list" }));
    world
}

fn answer(world: &mut World) {
    let asked = world.agent().read.iter().find(|line| line["method"] == "model/list").unwrap();
    let reply = json!({ "id": asked["id"], "result": {} });
    world.agent_says(|_| vec![reply]);
}

#[test]
fn a_reply_that_came_while_it_was_away_waits_for_it() {
    let mut world = waiting();
    world.detach(1);
    answer(&mut world);
    world.attach(2);
    assert_eq!(replies(&mut world, 2), Vec::<Value>::new(), "it is nobody else's");
    world.come_named(3, "phone", None);
    let got = world.got(3);
    assert_eq!(got[0]["params"]["returned"], true);
    assert_eq!(got[1], json!({ "id": "q", "result": {} }));
    world.run();
}

#[test]
fn a_reply_that_comes_later_finds_it_at_its_new_connection() {
    let mut world = waiting();
    world.detach(1);
    world.come_named(2, "phone", None);
    world.run();
    assert_eq!(returned(&mut world, 2), true);
    answer(&mut world);
    assert_eq!(replies(&mut world, 2), ["q"]);
}

#[test]
fn a_second_connection_takes_the_place_of_the_first() {
    let mut world = waiting();
    world.come_named(2, "phone", None);
    world.run();
    assert_eq!(world.attached(), [2], "the first is let go");
    answer(&mut world);
    assert_eq!(replies(&mut world, 2), ["q"]);
}

#[test]
fn a_reply_after_which_it_heard_nothing_more_is_said_again_to_one_with_numbers() {
    let mut world = World::new();
    world.chat_says("a", "go");
    world.come_named(1, "phone", Some(0));
    let seq = world.got(1)[0]["params"]["seq"].as_u64().unwrap();
    world.send(1, &json!({ "id": "early", "method": "model/list" }));
    world.agent_says(|agent| agent.delta("thread-1", "heard"));
    world.send(1, &json!({ "id": "late", "method": "model/list" }));
    assert_eq!(replies(&mut world, 1), ["early", "late"]);
    world.detach(1);
    // It owes itself nothing: what is said again is what it may have missed.
    world.expect_again(2, &[json!("late")]);
    world.come_named(2, "phone", Some(seq + 1));
    assert_eq!(replies(&mut world, 2), ["late"]);
}

#[test]
fn its_introduction_is_remembered() {
    let mut world = World::new();
    world.come_named(1, "phone", None);
    let capabilities = json!({ "experimentalApi": true, "optOutNotificationMethods": ["warning"] });
    let params = json!({ "clientInfo": { "name": "p" }, "capabilities": capabilities });
    world.send(1, &json!({ "id": 1, "method": "initialize", "params": params }));
    world.detach(1);
    world.come_named(2, "phone", None);
    world.run();
    world.got(2);
    world.agent_says(|_| {
        vec![json!({ "method": "warning" }), json!({ "method": "thread/readState/changed" })]
    });
    let methods: Vec<_> = world.got(2).into_iter().map(|frame| frame["method"].clone()).collect();
    assert_eq!(methods, ["thread/readState/changed"]);
}

#[test]
fn what_is_asked_in_its_turn_is_asked_the_next_and_then_itself_when_it_is_back() {
    let mut world = World::new();
    world.greeted(9);
    world.come_named(1, "phone", None);
    world.run();
    world.got(1);
    let thread = world.client_thread(1);
    world.client_turn(1, &thread, "go");
    world.agent_says(|agent| vec![agent.ask(APPROVE, &thread)]);
    assert_eq!(world.got_of(1, APPROVE).len(), 1);
    world.got(9);
    world.detach(1);
    let asked = world.got_of(9, APPROVE);
    assert_eq!(asked.len(), 1);
    world.come_named(2, "phone", None);
    world.run();
    assert_eq!(world.got_of(2, APPROVE), asked);
    world.agent_says(|agent| vec![agent.ask(APPROVE, &thread)]);
    assert_eq!((world.got_of(2, APPROVE).len(), world.got_of(9, APPROVE).len()), (1, 0));
    // Whoever answers first has answered.
    world.send(9, &json!({ "id": asked[0]["id"], "result": { "decision": "decline" } }));
    world.send(2, &json!({ "id": asked[0]["id"], "result": { "decision": "accept" } }));
    let answers: Vec<_> = world.agent().read.iter().filter(|line| line["id"] == 0).cloned().collect();
    assert_eq!(answers, [json!({ "id": 0, "result": { "decision": "decline" } })]);
}

#[test]
fn who_is_away_for_ten_minutes_is_forgotten() {
    let mut world = waiting();
    world.detach(1);
    world.pass(600_000);
    answer(&mut world);
    world.come_named(2, "phone", None);
    let got = world.got(2);
    assert_eq!((got.len(), &got[0]["params"]["returned"]), (1, &json!(false)));
    world.run();
}
