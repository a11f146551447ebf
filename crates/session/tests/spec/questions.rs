//! Questions of the agent in turns that chats asked for: put to the chat, answered by it, over once.

use argus_session::QuestionEnd;
use serde_json::{Value, json};

use crate::world::{World, completed, from_client, lane_of};

const APPROVE: &str = "item/commandExecution/requestApproval";
const CHANGE: &str = "item/fileChange/requestApproval";
const YES: &str = r#"{"decision":"accept"}"#;

/// A world with a turn of chat `a`, and its thread.
fn turn_of_chat() -> (World, String) {
    let mut world = World::new();
    world.greeted(1);
    world.chat_says("a", "go");
    let thread = world.agent().running.keys().next().unwrap().clone();
    world.got(1);
    (world, thread)
}

fn asks(world: &mut World, method: &str, thread: &str) {
    world.agent_says(|agent| vec![agent.ask_in_turn(method, thread)]);
}

fn asking() -> (World, String, String) {
    let (mut world, thread) = turn_of_chat();
    asks(&mut world, APPROVE, &thread);
    let key = world.open_question().expect("the chat is asked");
    (world, thread, key)
}

/// What agents were answered.
fn answered(world: &World) -> Vec<Value> {
    world.agent().read.iter().filter(|line| line["method"].is_null()).cloned().collect()
}

fn ends(world: &World) -> Vec<Option<QuestionEnd>> {
    world.disk.questions.iter().map(|asked| asked.end).collect()
}

#[test]
fn the_chat_that_asked_for_the_turn_is_asked_and_no_client_is() {
    let (mut world, thread, key) = asking();
    assert_eq!(world.got_of(1, APPROVE), Vec::<Value>::new());
    let question = world.disk.questions[0].question.clone();
    assert_eq!(question.origin, crate::world::from_chat("a"));
    assert_eq!(question.method, APPROVE);
    let params: Value = serde_json::from_str(&question.params).unwrap();
    assert_eq!(params["threadId"], thread);
    assert_eq!(question.expires_ms, 1_700_000_000_000 + world.now + world.config.approval_timeout_ms);
    world.chat_answers(&key, YES);
    world.run();
    assert_eq!(answered(&world), [json!({ "id": 0, "result": { "decision": "accept" } })]);
    assert_eq!(ends(&world), [Some(QuestionEnd::Answered)]);
}

#[test]
fn a_chats_turn_may_ask_and_one_whose_answer_only_goes_to_a_chat_may_not() {
    let mut world = World::new();
    world.chat_says("a", "go");
    let chat = Some(crate::world::chat("b"));
    world.submit(lane_of("b"), argus_session::Origin::Client { chat }, "go");
    world.submit(argus_session::Target::Main, from_client(), "go");
    let policies: Vec<_> =
        world.agent().read_of("turn/start").iter().map(|params| params["approvalPolicy"].clone()).collect();
    assert_eq!(policies, ["on-request", "never", "never"]);
}

#[test]
fn what_nobody_asked_for_may_never_ask_whoever_is_there() {
    let mut world = World::new();
    world.greeted(1);
    let chat = Some(crate::world::chat("a"));
    let why = argus_session::Beat::Due;
    world.submit(
        argus_session::Target::Main,
        argus_session::Origin::Heartbeat { why, chat: chat.clone() },
        "look",
    );
    let (job, run) = ("j".to_owned(), "j@1".to_owned());
    world.submit(lane_of("b"), argus_session::Origin::Cron { job, run, chat }, "go");
    let policies: Vec<_> =
        world.agent().read_of("turn/start").iter().map(|params| params["approvalPolicy"].clone()).collect();
    assert_eq!(policies, ["never", "never"]);
}

#[test]
fn what_a_client_asked_for_is_asked_of_clients_and_so_is_what_only_programs_can_answer() {
    let (mut world, thread) = turn_of_chat();
    asks(&mut world, "item/tool/call", &thread);
    assert_eq!(world.got_of(1, "item/tool/call").len(), 1);
    world.agent_says(|agent| agent.complete(&thread, "done"));
    world.submit(lane_of("a"), from_client(), "more");
    asks(&mut world, APPROVE, &thread);
    assert_eq!(world.got_of(1, APPROVE).len(), 1);
    assert!(world.disk.questions.is_empty());
}

#[test]
fn a_question_about_a_file_change_comes_with_the_change() {
    let (mut world, thread) = turn_of_chat();
    let item = json!({ "type": "fileChange", "id": "i", "changes": [{ "path": "/a", "diff": "+x" }] });
    let turn = world.agent().running[&thread].clone();
    let params = json!({ "threadId": thread, "turnId": turn, "item": item });
    world.agent_says(|_| vec![json!({ "method": "item/started", "params": params })]);
    asks(&mut world, CHANGE, &thread);
    let shown = world.disk.questions[0].question.item.as_deref().unwrap();
    assert_eq!(serde_json::from_str::<Value>(shown).unwrap(), item);
}

#[test]
fn a_gateway_that_comes_after_another_asks_again_under_the_same_name() {
    let (mut world, _, key) = asking();
    world.restart_gateway();
    world.run();
    assert_eq!(world.disk.questions.len(), 1);
    world.chat_answers(&key, YES);
    world.run();
    assert_eq!(answered(&world).len(), 1);
    assert_eq!(ends(&world), [Some(QuestionEnd::Answered)]);
}

#[test]
fn an_answer_that_came_while_nobody_could_bring_it_is_brought_later() {
    for restarts in [false, true] {
        let (mut world, _, key) = asking();
        world.host = crate::world::Host::Silent;
        world.lose_link();
        world.chat_answers(&key, YES);
        world.run();
        assert_eq!(answered(&world), Vec::<Value>::new());
        world.host = crate::world::Host::Works;
        if restarts {
            world.restart_gateway();
        }
        world.pass(1_000);
        assert_eq!(answered(&world), [json!({ "id": 0, "result": { "decision": "accept" } })]);
        assert_eq!(ends(&world), [Some(QuestionEnd::Answered)]);
    }
}

#[test]
fn an_answer_that_is_lost_with_its_gateway_is_given_by_the_next() {
    let (mut world, _, key) = asking();
    world.chat_answers(&key, YES);
    // It is on its way to the bridge, and does not arrive.
    world.restart_gateway();
    world.run();
    assert_eq!(answered(&world), [json!({ "id": 0, "result": { "decision": "accept" } })]);
}

#[test]
fn the_first_answer_counts() {
    let (mut world, _, key) = asking();
    world.chat_answers(&key, YES);
    world.feed(argus_session::Input::ChatAnswers {
        key: key.clone(),
        result: r#"{"decision":"decline"}"#.into(),
    });
    world.feed(argus_session::Input::ChatAnswers { key: "no such".into(), result: YES.into() });
    world.run();
    assert_eq!(answered(&world), [json!({ "id": 0, "result": { "decision": "accept" } })]);
}

#[test]
fn an_answer_that_is_no_json_declines() {
    let (mut world, _, key) = asking();
    world.chat_answers(&key, "{\n");
    world.run();
    assert_eq!(answered(&world), [json!({ "id": 0, "result": { "decision": "decline" } })]);
}

#[test]
fn what_nobody_answers_in_time_is_declined_and_the_chat_is_told() {
    let (mut world, _, _) = asking();
    world.pass(world.config.approval_timeout_ms);
    assert_eq!(answered(&world), [json!({ "id": 0, "result": { "decision": "decline" } })]);
    assert_eq!(ends(&world), [Some(QuestionEnd::Expired)]);
}

#[test]
fn when_its_turn_or_its_agent_ends_a_question_is_withdrawn() {
    let (mut world, thread, _) = asking();
    world.agent_says(|agent| agent.complete(&thread, "done anyway"));
    assert_eq!(ends(&world), [Some(QuestionEnd::Withdrawn)]);
    let (mut world, _, key) = asking();
    world.agent_dies("signal 9", "");
    world.run();
    assert_eq!(ends(&world), [Some(QuestionEnd::Withdrawn)]);
    world.chat_answers(&key, YES);
    world.run();
}

#[test]
fn a_question_whose_end_nobody_saw_is_over_for_the_next_gateway() {
    let (mut world, thread, _) = asking();
    world.says_unheard(|agent| agent.complete(&thread, "done"));
    world.restart_gateway();
    world.run();
    assert_eq!(ends(&world), [Some(QuestionEnd::Withdrawn)]);
    let (mut world, _, _) = asking();
    world.lose_bridge();
    world.restart_gateway();
    world.run();
    assert_eq!(ends(&world), [Some(QuestionEnd::Withdrawn)]);
}

#[test]
fn a_question_outlives_a_checkpoint_with_what_it_is_about() {
    let (mut world, thread) = turn_of_chat();
    let turn = world.agent().running[&thread].clone();
    let item = json!({ "type": "fileChange", "id": "i", "changes": [{ "path": "/a" }] });
    let params = json!({ "threadId": thread, "turnId": turn, "item": item });
    world.agent_says(|_| vec![json!({ "method": "item/started", "params": params })]);
    world.says_unheard(|agent| vec![agent.ask_in_turn(CHANGE, &thread)]);
    let much = json!({ "threadId": thread, "turnId": turn, "delta": "x".repeat(5 << 20) });
    world.agent_says(|_| vec![json!({ "method": "item/commandExecution/outputDelta", "params": much })]);
    world.pass(1_000);
    assert!(world.disk.checkpoint.is_some() && world.acked > 6, "its line is forgotten");
    world.disk.questions.clear();
    world.restart_gateway();
    world.run();
    assert!(world.disk.questions[0].question.item.is_some());
    let key = world.open_question().unwrap();
    world.chat_answers(&key, YES);
    world.run();
    assert_eq!(answered(&world).len(), 1);
    world.agent_says(|agent| agent.complete(&thread, "done"));
    let id = world.disk.rows[0].submission.id.clone();
    assert_eq!(world.outcome(&id), completed("done"));
}
