//! Frames between clients and the agent.

use serde_json::{Value, json};

use crate::world::{Host, Step, World};

#[test]
fn frames_sent_before_the_agent_serves_are_forwarded_in_order() {
    let mut world = World::new();
    world.host = Host::Silent;
    world.attach(1);
    for n in 0..5 {
        world.send(1, &json!({ "id": n, "method": format!("m{n}") }));
    }
    assert_eq!(world.got(1).len(), 1);
    world.host = Host::Works;
    world.run();
    let echoes: Vec<_> = world.got(1).into_iter().map(|reply| reply["result"]["echo"].clone()).collect();
    assert_eq!(echoes, ["m0", "m1", "m2", "m3", "m4"]);
}

#[test]
fn a_reply_goes_back_under_the_clients_own_id_whatever_that_is() {
    let mut world = World::new();
    world.greeted(1);
    world.greeted(2);
    let ids =
        [json!(7), json!("seven"), json!(-1), json!(1.5), json!(null), json!({ "a": [1] }), json!("s:\"7\"")];
    for id in &ids {
        world.send(1, &json!({ "id": id, "method": "m" }));
        world.send(2, &json!({ "id": id, "method": "n" }));
    }
    for (client, method) in [(1, "m"), (2, "n")] {
        let got: Vec<_> =
            world.got(client).iter().map(|f| (f["id"].clone(), f["result"]["echo"].clone())).collect();
        assert_eq!(got, ids.clone().map(|id| (id, json!(method))));
    }
}

#[test]
fn towards_the_agent_every_request_has_a_fresh_id_with_the_gateways_boot_in_it() {
    let mut world = World::new();
    world.greeted(1);
    world.send(1, &json!({ "id": 1, "method": "m" }));
    world.restart_gateway();
    world.greeted(1);
    world.send(1, &json!({ "id": 1, "method": "m" }));
    let mut ids: Vec<_> = world.agent().read.iter().filter_map(|line| line["id"].as_u64()).collect();
    let boots: Vec<_> = ids.iter().map(|id| id >> 32).collect();
    assert_eq!(boots, [1, 1, 1, 2, 2]);
    ids.dedup();
    assert_eq!(ids.len(), 5);
}

#[test]
fn a_reply_that_nobody_waits_for_goes_nowhere() {
    let mut world = World::new();
    world.greeted(1);
    world.agent_says(|_| vec![json!({ "id": 5, "result": 1 }), json!({ "id": "x", "error": {} })]);
    world.manners.silent.insert("slow");
    world.send(1, &json!({ "id": 1, "method": "slow" }));
    world.greeted(2);
    world.detach(1);
    world.agent_says(|agent| vec![json!({ "id": agent.read.last().unwrap()["id"], "result": 1 })]);
    assert_eq!(world.got(2), Vec::<Value>::new());
}

#[test]
fn a_pretty_printed_frame_reaches_the_agent_as_one_line() {
    let mut world = World::new();
    world.greeted(1);
    world.send_text(1, "{\n  \"id\": \"a\",\r\n  \"method\": \"m\",\n  \"params\": { \"n\":\n 1 }\n}");
    assert_eq!(world.agent().read_of("m"), [json!({ "n": 1 })]);
    assert_eq!(world.got(1)[0]["id"], "a");
}

#[test]
fn too_many_frames_before_the_agent_serves_are_answered_with_overloaded() {
    let mut world = World::new();
    world.host = Host::Silent;
    world.attach(1);
    (0..300).for_each(|n| world.say(1, &json!({ "id": n, "method": "m" }).to_string()));
    let got = world.got(1);
    assert_eq!(got.len(), 45);
    assert_eq!((got[1]["id"].clone(), got[1]["error"]["code"].clone()), (json!(256), json!(-32001)));
}

#[test]
fn a_flood_to_an_agent_that_does_not_read_is_answered_with_overloaded_and_ours_still_go_through() {
    let mut world = World::new();
    world.greeted(1);
    world.chat_says("a", "hello");
    let big = "x".repeat(1 << 20);
    for n in 0..12 {
        world.say(1, &json!({ "id": n, "method": "m", "params": big }).to_string());
    }
    let refused = world.got_errors(1);
    assert_eq!(refused.iter().map(|(_, code)| *code).collect::<Vec<_>>(), [-32001; 5]);
    world.stop(crate::world::lane_of("a"));
    assert_eq!(world.agent().read_of("turn/interrupt").len(), 1);
}

#[test]
fn a_client_with_a_thousand_requests_unanswered_may_not_ask_more() {
    let mut world = World::new();
    world.greeted(1);
    world.greeted(2);
    world.manners.silent.insert("slow");
    (0..1100).for_each(|n| world.send(1, &json!({ "id": n, "method": "slow" })));
    assert_eq!(world.got_errors(1).len(), 76);
    world.send(2, &json!({ "id": 1, "method": "m" }));
    assert_eq!(world.got(2)[0]["result"]["echo"], "m");
}

#[test]
fn no_more_frames_are_under_way_than_the_bridge_holds() {
    let mut world = World::new();
    world.greeted(1);
    (0..1000).for_each(|n| world.say(1, &json!({ "id": n, "method": "m" }).to_string()));
    while world.step(Step::Down) {}
    let taken = world.bridge.as_ref().unwrap().taken;
    assert_eq!(world.agent().stdin.len(), 256, "{taken}");
    world.run();
    assert_eq!(world.got(1).len(), 1000);
}

#[test]
fn an_endless_id_is_refused() {
    let mut world = World::new();
    world.greeted(1);
    world.send(1, &json!({ "id": "x".repeat(2000), "method": "m" }));
    assert_eq!(world.got_errors(1).iter().map(|(_, code)| *code).collect::<Vec<_>>(), [-32600]);
}

#[test]
fn notifications_reach_everybody_and_wait_for_the_first_while_nobody_is_there() {
    let mut world = World::new();
    world.greeted(1);
    world.detach(1);
    let told: Vec<_> = (0..2100).map(|n| json!({ "method": "warning", "params": { "n": n } })).collect();
    let kept = told[100..].to_vec();
    world.agent_says(|_| told);
    world.agent_says(|_| vec![json!({ "method": "thread/readState/changed", "params": {} })]);
    world.attach(2);
    world.attach(3);
    let got = world.got(2);
    assert_eq!((got.len(), &got[1], &got[2]), (2001, &kept[0], &kept[1]), "the experimental one is not kept");
    assert_eq!(world.got(3).len(), 1);
    world.agent_says(|_| vec![json!({ "method": "warning" })]);
    assert_eq!((world.got(2).len(), world.got(3).len()), (1, 1));
}

#[test]
fn a_reply_too_long_to_arrive_is_answered_with_an_error_that_names_the_limit() {
    let mut world = World::new();
    world.greeted(1);
    world.manners.silent.insert("huge");
    world.send(1, &json!({ "id": "h", "method": "huge" }));
    let id = world.agent().read.last().unwrap()["id"].to_string();
    world.drops(None, Some(&id), None);
    let got = world.got(1);
    let words = "a line of 100 bytes from the agent is over the limit of 10";
    assert_eq!(got[0], json!({ "id": "h", "error": { "code": -32000, "message": words } }));
    assert_eq!(
        (got[1]["method"].clone(), got[1]["params"]["message"].clone()),
        (json!("argus/dropped"), json!(words))
    );
}

#[test]
fn when_the_agent_dies_what_is_pending_is_answered_and_the_next_request_starts_another() {
    let mut world = World::new();
    world.greeted(1);
    world.manners.silent.insert("slow");
    world.send(1, &json!({ "id": "s", "method": "slow" }));
    world.pass(20_000);
    world.agent_dies("exit 3", "no memory");
    world.run();
    let words = "the agent ended (exit 3); its last words: no memory; it starts again with the next request";
    assert_eq!(world.got(1), [json!({ "id": "s", "error": { "code": -32000, "message": words } })]);
    assert!(!world.has_agent());
    world.send(1, &json!({ "id": 2, "method": "m" }));
    assert_eq!(world.got(1)[0]["result"]["echo"], "m");
}

#[test]
fn a_question_too_long_to_arrive_is_answered_only_under_an_id_that_is_json() {
    let mut world = World::new();
    world.greeted(1);
    let before = world.agent().read.len();
    for id in ["5%", "{", "", "5\n6"] {
        world.drops(Some("item/tool/call"), Some(id), None);
    }
    assert_eq!(world.agent().read.len(), before, "nothing goes to the agent");
    world.drops(Some("item/tool/call"), Some("5"), None);
    assert_eq!(world.agent().read.last().unwrap()["id"], 5);
}
