//! Requests of the agent: one client is asked, the first answer counts, none waits for ever.

use serde_json::{Value, json};

use crate::world::{World, lane_of};

const APPROVE: &str = "item/commandExecution/requestApproval";

/// A world with two clients, the second of which started a turn that asks.
fn asking() -> (World, String) {
    let mut world = World::new();
    world.greeted(1);
    world.greeted(2);
    let thread = world.client_thread(2);
    world.client_turn(2, &thread, "go");
    world.got(1);
    world.got(2);
    asks(&mut world, &thread);
    (world, thread)
}

fn asks(world: &mut World, thread: &str) {
    world.agent_says(|agent| vec![agent.ask(APPROVE, thread)]);
}

/// What the agent was answered: the lines it read that answer something.
fn answered(world: &World) -> Vec<Value> {
    world.agent().read.iter().filter(|line| line["method"].is_null()).cloned().collect()
}

fn shown(world: &World, number: u64) -> Value {
    json!(format!("{}:{number}", world.agent().epoch))
}

#[test]
fn the_one_who_started_the_turn_is_asked_and_the_answer_goes_back_under_the_agents_own_id() {
    let (mut world, thread) = asking();
    let id = shown(&world, 0);
    assert_eq!(world.got(1), Vec::<Value>::new());
    assert_eq!(world.got(2), [json!({ "id": id, "method": APPROVE, "params": { "threadId": thread } })]);
    world.send(2, &json!({ "id": id, "result": { "decision": "accept" } }));
    assert_eq!(answered(&world), [json!({ "id": 0, "result": { "decision": "accept" } })]);
}

#[test]
fn when_the_one_who_was_asked_leaves_the_next_is_asked() {
    let (mut world, _) = asking();
    world.detach(2);
    let id = shown(&world, 0);
    assert_eq!(world.got_of(1, APPROVE)[0]["id"], id);
    world.detach(1);
    world.greeted(3);
    world.detach(3);
    world.attach(4);
    assert_eq!(world.got_of(4, APPROVE)[0]["id"], id);
}

#[test]
fn whoever_attaches_later_is_asked_what_nobody_could_be_asked() {
    let mut world = World::new();
    world.greeted(1);
    let thread = world.client_thread(1);
    world.detach(1);
    for _ in 0..11 {
        asks(&mut world, &thread);
    }
    world.agent_says(|_| vec![json!({ "method": "warning" })]);
    world.attach_as(2, false);
    assert_eq!(world.got_of(2, APPROVE), Vec::<Value>::new(), "it declined the role");
    world.attach(3);
    let ids: Vec<_> = world.got_of(3, APPROVE).into_iter().map(|frame| frame["id"].clone()).collect();
    assert_eq!(ids, (0..11).map(|n| shown(&world, n)).collect::<Vec<_>>(), "in the order they came");
}

#[test]
fn what_waits_for_an_answer_comes_before_what_was_only_said() {
    let mut world = World::new();
    world.greeted(1);
    let thread = world.client_thread(1);
    world.detach(1);
    world.agent_says(|_| vec![json!({ "method": "warning" })]);
    asks(&mut world, &thread);
    world.attach(2);
    let methods: Vec<_> = world.got(2).into_iter().map(|frame| frame["method"].clone()).collect();
    assert_eq!(methods, ["argus/session", APPROVE, "warning"]);
}

#[test]
fn the_first_answer_wins_and_a_later_one_goes_nowhere() {
    let (mut world, _) = asking();
    let id = shown(&world, 0);
    world.send(1, &json!({ "id": id, "result": { "decision": "decline" } }));
    world.send(2, &json!({ "id": id, "result": { "decision": "accept" } }));
    assert_eq!(answered(&world), [json!({ "id": 0, "result": { "decision": "decline" } })]);
}

#[test]
fn an_error_is_an_answer_too() {
    let (mut world, _) = asking();
    let id = shown(&world, 0);
    world.send(2, &json!({ "id": id, "error": { "code": 1, "message": "no" } }));
    assert_eq!(answered(&world), [json!({ "id": 0, "error": { "code": 1, "message": "no" } })]);
}

#[test]
fn an_answer_for_an_agent_that_is_gone_approves_nothing() {
    let (mut world, thread) = asking();
    let old = shown(&world, 0);
    world.got(1);
    world.agent_dies("signal 9", "");
    world.run();
    let resolved =
        json!({ "method": "serverRequest/resolved", "params": { "threadId": thread, "requestId": old } });
    assert!(world.got(1).contains(&resolved), "it is withdrawn");
    world.send(2, &json!({ "id": 1, "method": "thread/resume", "params": { "threadId": thread } }));
    world.pass(2_000);
    asks(&mut world, &thread);
    world.send(2, &json!({ "id": old, "result": { "decision": "accept" } }));
    assert_eq!(answered(&world), Vec::<Value>::new());
    let new = shown(&world, 0);
    world.send(2, &json!({ "id": new, "result": { "decision": "decline" } }));
    assert_eq!(answered(&world).len(), 1);
}

#[test]
fn what_nobody_answers_is_declined_in_the_words_of_its_kind() {
    let mut world = World::new();
    world.greeted(1);
    let thread = world.client_thread(1);
    for method in
        [APPROVE, "item/permissions/requestApproval", "mcpServer/elicitation/request", "item/tool/call"]
    {
        world.agent_says(|agent| vec![agent.ask(method, &thread)]);
    }
    world.pass(599_999);
    assert_eq!(answered(&world), Vec::<Value>::new());
    world.pass(1);
    assert_eq!(
        answered(&world),
        [
            json!({ "id": 0, "result": { "decision": "decline" } }),
            json!({ "id": 1, "result": { "permissions": {}, "scope": "turn" } }),
            json!({ "id": 2, "result": { "action": "decline" } }),
            json!({ "id": 3, "error": { "code": -32000, "message": "nobody answered in time" } }),
        ]
    );
}

#[test]
fn what_the_agent_calls_resolved_is_asked_nobody_any_more_and_said_in_the_clients_ids() {
    let (mut world, thread) = asking();
    let id = shown(&world, 0);
    world.got(1);
    world.got(2);
    let resolved =
        json!({ "method": "serverRequest/resolved", "params": { "threadId": thread, "requestId": 0 } });
    world.agent_says(|_| vec![resolved]);
    let told =
        json!({ "method": "serverRequest/resolved", "params": { "threadId": thread, "requestId": id } });
    assert_eq!((world.got(1), world.got(2)), (vec![told.clone()], vec![told]));
    world.detach(2);
    assert_eq!(world.got(1), Vec::<Value>::new());
    world.send(1, &json!({ "id": id, "result": {} }));
    assert_eq!(answered(&world), Vec::<Value>::new());
}

#[test]
fn what_was_asked_in_a_turn_that_is_over_is_withdrawn_also_by_an_agent_that_does_not_say_so() {
    let (mut world, thread) = asking();
    let (id, turn) = (shown(&world, 0), world.agent().running[&thread].clone());
    let params = json!({ "threadId": thread, "turnId": turn, "itemId": "i" });
    world.agent_says(|_| vec![json!({ "id": 7, "method": APPROVE, "params": params })]);
    world.agent_says(|agent| agent.complete(&thread, "done"));
    world.got(1);
    let later = shown(&world, 7);
    world.send(2, &json!({ "id": later, "result": { "decision": "accept" } }));
    world.detach(2);
    assert_eq!(world.got(1), [json!({ "id": id, "method": APPROVE, "params": { "threadId": thread } })]);
    world.pass(2_000);
    let told =
        json!({ "method": "serverRequest/resolved", "params": { "threadId": thread, "requestId": later } });
    assert_eq!(world.got(1), [told]);
    assert_eq!(answered(&world), Vec::<Value>::new());
}

#[test]
fn so_many_questions_may_wait_and_one_more_is_declined_at_once() {
    let mut world = World::new();
    world.greeted(1);
    let thread = world.client_thread(1);
    for _ in 0..257 {
        asks(&mut world, &thread);
    }
    assert_eq!(world.got_of(1, APPROVE).len(), 256);
    assert_eq!(answered(&world), [json!({ "id": 256, "result": { "decision": "decline" } })]);
}

#[test]
fn the_time_is_told_by_the_gateway_itself() {
    let mut world = World::new();
    world.greeted(1);
    world.agent_says(|agent| vec![agent.ask("currentTime/read", "t")]);
    assert_eq!(answered(&world), [json!({ "id": 0, "result": { "currentTimeAt": 1_700_000_000 } })]);
    assert_eq!(world.got(1), Vec::<Value>::new());
}

#[test]
fn the_agent_asks_in_turns_of_clients_when_one_can_answer_and_always_in_those_of_chats() {
    let mut world = World::new();
    let policies = |world: &World| -> Vec<Value> {
        world.agent().read_of("turn/start").iter().map(|params| params["approvalPolicy"].clone()).collect()
    };
    world.submit(argus_session::Target::Main, crate::world::from_client(), "nobody is there");
    world.agent_says(|agent| agent.complete("thread-1", "done"));
    world.greeted(1);
    world.submit(argus_session::Target::Main, crate::world::from_client(), "somebody is");
    world.submit(lane_of("a"), crate::world::from_chat("a"), "a chat");
    assert_eq!(policies(&world), ["never", "on-request", "on-request"]);
}

#[test]
fn a_request_that_was_answered_before_a_restart_is_asked_nobody_again() {
    let (mut world, thread) = asking();
    let id = shown(&world, 0);
    world.send(2, &json!({ "id": id, "result": { "decision": "accept" } }));
    let resolved =
        json!({ "method": "serverRequest/resolved", "params": { "threadId": thread, "requestId": 0 } });
    world.agent_says(|_| vec![resolved]);
    world.restart_gateway();
    world.attach(3);
    assert_eq!(world.got_of(3, APPROVE), Vec::<Value>::new());
}

#[test]
fn a_request_without_an_answer_survives_a_restart_of_the_gateway() {
    let (mut world, _) = asking();
    world.pass(5_000);
    world.restart_gateway();
    world.attach(3);
    let id = shown(&world, 0);
    assert_eq!(world.got_of(3, APPROVE)[0]["id"], id);
    world.send(3, &json!({ "id": id, "result": { "decision": "accept" } }));
    assert_eq!(answered(&world), [json!({ "id": 0, "result": { "decision": "accept" } })]);
}
