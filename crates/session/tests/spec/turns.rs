//! Submissions become turns, one at a time in each lane, and every one is answered.

use argus_session::{Answer, Origin, Outcome, Settlement, StoreOp, Target};
use serde_json::{Value, json};

use crate::world::agent::Reply;
use crate::world::{
    End, Prompts, Store, World, chat, completed, failed, from_chat, from_client, lane_of, thread_of,
};

fn finish(world: &mut World, thread: &str, text: &str) {
    world.agent_says(|agent| agent.complete(thread, text));
}

#[test]
fn a_chat_is_answered_with_what_the_agent_said_last() {
    let mut world = World::new();
    let id = world.chat_says("a", "hello");
    assert_eq!(world.running, [from_chat("a")]);
    world.agent_says(|agent| agent.delta("thread-1", "I thi"));
    finish(&mut world, "thread-1", "hello yourself");
    let settlement = Settlement {
        submissions: vec![id],
        origin: from_chat("a"),
        thread: Some("thread-1".parse().unwrap()),
        turn: Some("turn-1".parse().unwrap()),
        outcome: Outcome::Completed { text: "hello yourself".into() },
        usage: None,
    };
    assert_eq!(world.disk.settlements, [settlement]);
    assert_eq!(world.running, Vec::<Origin>::new());
    assert_eq!(world.disk.chats[&(chat("a"), 0)].as_str(), "thread-1");
}

#[test]
fn who_submits_is_told_that_it_runs_or_where_it_stands_in_line() {
    let mut world = World::new();
    world.chat_says("a", "one");
    let thread = Some("thread-1".parse().unwrap());
    let started =
        Answer::Started { thread: "thread-1".parse().unwrap(), turn: Some("turn-1".parse().unwrap()) };
    assert_eq!(world.answer(), Some(&started));
    for depth in [1, 2] {
        world.chat_says("a", "more");
        assert_eq!(world.answer(), Some(&Answer::Queued { thread: thread.clone(), depth }));
    }
}

#[test]
fn the_thread_is_bound_and_the_start_recorded_before_turn_start_is_sent() {
    let mut world = World::new();
    world.ensure_main();
    world.store = Store::Held;
    world.chat_says("a", "hello");
    assert!(matches!(world.held_stores()[..], [StoreOp::Bind { .. }]), "{:?}", world.held_stores());
    world.store_one();
    world.run();
    assert!(matches!(world.held_stores()[..], [StoreOp::Starting { .. }]), "{:?}", world.held_stores());
    assert_eq!(world.executed(), Vec::<&str>::new());
    world.store_one();
    world.run();
    assert_eq!(world.executed(), ["hello"]);
}

#[test]
fn one_turn_at_a_time_runs_in_a_lane_and_two_lanes_run_side_by_side() {
    let mut world = World::new();
    world.chat_says("a", "a1");
    world.chat_says("b", "b1");
    world.chat_says("a", "a2");
    assert_eq!(world.executed(), ["a1", "b1"]);
    finish(&mut world, "thread-2", "to b");
    assert_eq!(world.executed(), ["a1", "b1"]);
    finish(&mut world, "thread-1", "to a");
    assert_eq!(world.executed(), ["a1", "b1", "a2"]);
    assert!(world.threads.steered.is_empty());
}

#[test]
fn what_waits_becomes_one_turn_as_long_as_it_is_of_one_chat() {
    let mut world = World::new();
    let say = |world: &mut World, name, text| world.submit(Target::Main, from_chat(name), text);
    say(&mut world, "a", "first");
    let ids: Vec<_> = [("a", "x"), ("a", "y"), ("b", "z"), ("a", "w")]
        .map(|(name, text)| say(&mut world, name, text))
        .into();
    for text in ["1", "2", "3", "4"] {
        finish(&mut world, "thread-1", text);
    }
    assert_eq!(world.executed(), ["first", "Follow-ups (batched):\n1) x\n2) y", "z", "w"]);
    let settled: Vec<_> =
        world.disk.settlements[1..].iter().map(|s| (s.submissions.clone(), s.origin.clone())).collect();
    assert_eq!(
        settled,
        [
            (ids[..2].to_vec(), from_chat("a")),
            (ids[2..3].to_vec(), from_chat("b")),
            (ids[3..].to_vec(), from_chat("a")),
        ]
    );
}

#[test]
fn a_start_that_cannot_be_recorded_is_tried_again_and_the_submission_kept() {
    let mut world = World::new();
    world.chat_says("a", "one");
    finish(&mut world, "thread-1", "done");
    world.store = Store::Failing;
    let id = world.chat_says("a", "two");
    assert_eq!((world.outcome(&id), world.executed()), (End::Open, vec!["one"]));
    assert_eq!(world.answer(), Some(&Answer::Queued { thread: Some("thread-1".parse().unwrap()), depth: 1 }));
    assert_eq!(
        world.status(lane_of("a")).trouble.as_deref(),
        Some("the turn could not be recorded: the disk is full")
    );
    world.store = Store::AtOnce;
    world.pass(5_000);
    finish(&mut world, "thread-1", "done too");
    assert_eq!((world.outcome(&id), world.executed()), (completed("done too"), vec!["one", "two"]));
}

#[test]
fn a_thread_that_cannot_be_stored_is_tried_again_and_the_submission_kept() {
    let mut world = World::new();
    world.greeted(1);
    world.store = Store::Failing;
    let id = world.chat_says("a", "hello");
    assert_eq!(
        world.ensure_main(),
        Some(Answer::Failed("the thread could not be stored: the disk is full".into()))
    );
    world.pass(60_000);
    assert_eq!((world.outcome(&id), world.executed()), (End::Open, vec![]));
    world.store = Store::AtOnce;
    world.pass(5_000);
    finish(&mut world, "thread-1", "done");
    assert_eq!(world.outcome(&id), completed("done"));
    assert_eq!(world.disk.chats[&(chat("a"), 0)].as_str(), "thread-1");
}

#[test]
fn a_prompt_that_cannot_be_written_fails_the_turn_with_the_reason() {
    let mut world = World::new();
    world.prompts = Prompts::Failing("AGENTS.md is a folder");
    let id = world.chat_says("a", "hello");
    assert_eq!(failed(world.outcome(&id)), ("AGENTS.md is a folder".into(), String::new()));
    assert_eq!(world.answer(), Some(&Answer::Failed("AGENTS.md is a folder".into())));
}

#[test]
fn a_refused_turn_fails_with_the_agents_reason_and_the_next_one_begins() {
    let mut world = World::new();
    world.manners.refused.insert("turn/start", "no such model".into());
    let id = world.chat_says("a", "one");
    assert_eq!(failed(world.outcome(&id)).0, "the agent refused the turn: no such model");
    world.manners.refused.clear();
    let id = world.chat_says("a", "two");
    finish(&mut world, "thread-1", "done");
    assert_eq!(world.outcome(&id), completed("done"));
}

#[test]
fn a_failed_turn_says_why() {
    let mut world = World::new();
    let one = world.chat_says("a", "one");
    world.agent_says(|agent| agent.delta("thread-1", "so far"));
    world.agent_says(|agent| agent.fail("thread-1", "the model is gone"));
    assert_eq!(failed(world.outcome(&one)), ("the model is gone".into(), "so far".into()));
    let two = world.chat_says("a", "two");
    let complaint =
        json!({ "method": "error", "params": { "threadId": "thread-1", "error": { "message": "quota" } } });
    world.agent_says(|_| vec![complaint]);
    assert_eq!(world.status(lane_of("a")).trouble.as_deref(), Some("quota"));
    world.agent_says(|agent| agent.fail("thread-1", ""));
    assert_eq!(failed(world.outcome(&two)), ("quota".into(), String::new()));
}

#[test]
fn it_does_not_matter_when_the_reply_to_turn_start_comes() {
    for reply in [Reply::First, Reply::AfterStarted, Reply::AfterEnd] {
        let mut world = World::new();
        world.manners.reply = reply;
        let id = world.chat_says("a", "one");
        world.agent_says(|agent| agent.delta("thread-1", "half"));
        finish(&mut world, "thread-1", "whole");
        assert_eq!(world.outcome(&id), completed("whole"), "{reply:?}");
        let turn = world.settlement(&id).unwrap().turn.clone();
        assert_eq!(turn, Some("turn-1".parse().unwrap()), "{reply:?}");
        let id = world.chat_says("a", "two");
        finish(&mut world, "thread-1", "again");
        assert_eq!(world.outcome(&id), completed("again"), "{reply:?}");
    }
}

#[test]
fn a_turn_that_the_agent_began_by_itself_is_not_taken_for_ours() {
    let mut world = World::new();
    world.chat_says("a", "one");
    finish(&mut world, "thread-1", "done");
    world.manners.silent.insert("turn/start");
    let id = world.chat_says("a", "two");
    let request = world.agent().read.last().unwrap()["id"].clone();
    let notice = |method: &str, turn: Value| json!({ "method": method, "params": { "threadId": "thread-1", "turn": turn } });
    let of_its_own = [
        notice("turn/started", json!({ "id": "other" })),
        notice(
            "turn/completed",
            json!({ "id": "other", "status": "completed", "items": [{ "type": "agentMessage", "text": "not yours" }] }),
        ),
        json!({ "id": request, "result": { "turn": { "id": "ours" } } }),
        notice("turn/started", json!({ "id": "ours" })),
        notice(
            "turn/completed",
            json!({ "id": "ours", "status": "completed", "items": [{ "type": "agentMessage", "text": "yours" }] }),
        ),
    ];
    world.agent_says(|_| of_its_own.to_vec());
    assert_eq!(world.outcome(&id), completed("yours"));
}

#[test]
fn without_credentials_it_is_said_and_asked_again_before_the_next_turn() {
    let mut world = World::new();
    let present = world.manners.account.clone();
    world.manners.account = json!({ "account": null, "requiresOpenaiAuth": true });
    for asked in [1, 2] {
        let id = world.chat_says("a", "hello");
        assert!(failed(world.outcome(&id)).0.contains("codex login"));
        assert_eq!(world.agent().read_of("account/read").len(), asked);
    }
    world.manners.account = present;
    let id = world.chat_says("a", "hello");
    finish(&mut world, "thread-1", "done");
    assert_eq!(world.outcome(&id), completed("done"));
}

#[test]
fn an_agent_that_does_not_say_who_is_logged_in_is_tried() {
    let mut world = World::new();
    world.manners.silent.insert("account/read");
    let id = world.chat_says("a", "hello");
    world.pass(30_000);
    finish(&mut world, "thread-1", "done");
    assert_eq!(world.outcome(&id), completed("done"));
}

#[test]
fn a_lane_takes_two_hundred_and_says_so_to_the_next() {
    let mut world = World::new();
    let mut last = None;
    for n in 0..202 {
        last = Some(world.chat_says("a", &format!("{n}")));
    }
    let reason = "200 messages wait already; wait for answers first";
    assert_eq!(failed(world.outcome(&last.unwrap())).0, reason);
    assert_eq!(world.answer(), Some(&Answer::Failed(reason.into())));
    assert_eq!(world.disk.settlements.len(), 1);
}

#[test]
fn a_lost_last_line_still_ends_the_turn_with_what_was_said() {
    let mut world = World::new();
    let one = world.chat_says("a", "one");
    world.agent_says(|agent| agent.delta("thread-1", "almost all"));
    world.drops(Some("turn/completed"), None, Some("thread-1"));
    assert_eq!(world.outcome(&one), completed("almost all"));
    world.agent_says(|agent| agent.complete("thread-1", "late"));
    let two = world.chat_says("a", "two");
    world.drops(Some("turn/completed"), None, None);
    assert!(failed(world.outcome(&two)).0.contains("over the limit"));
}

#[test]
fn a_lost_last_line_of_nobody_knows_which_turn_ends_none_of_several() {
    let mut world = World::new();
    world.chat_says("a", "one");
    world.chat_says("b", "two");
    world.drops(Some("turn/completed"), None, None);
    assert_eq!(world.disk.settlements, []);
}

#[test]
fn the_main_thread_is_made_once_and_answered_to_everybody() {
    let mut world = World::new();
    let made = Some(Answer::Thread("thread-1".parse().unwrap()));
    assert_eq!((world.ensure_main(), world.ensure_main()), (made.clone(), made.clone()));
    let id = world.submit(Target::Main, from_client(), "hello");
    assert_eq!(world.ensure_main(), made);
    finish(&mut world, "thread-1", "done");
    assert_eq!(world.outcome(&id), completed("done"));
    assert_eq!(world.disk.main_thread, Some("thread-1".parse().unwrap()));
}

#[test]
fn targets_of_one_thread_share_one_lane() {
    let mut world = World::new();
    world.submit(Target::Main, from_client(), "main");
    world.submit(thread_of("thread-1"), from_client(), "by id");
    assert_eq!(world.executed(), ["main"]);
    finish(&mut world, "thread-1", "done");
    assert_eq!(world.executed(), ["main", "by id"]);
}
