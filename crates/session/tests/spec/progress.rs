//! What a chat is shown of its turn while it goes on, and what the turn took in the end.

use argus_session::{Activity, Progress, Usage};
use serde_json::{Value, json};

use crate::world::agent::Reply;
use crate::world::{World, completed, from_client, lane_of};

fn running(reply: Reply) -> (World, String) {
    let mut world = World::new();
    world.manners.reply = reply;
    world.chat_says("a", "go");
    let thread = world.agent().running.keys().next().unwrap().clone();
    (world, thread)
}

fn says(world: &mut World, thread: &str, method: &str, mut params: Value) {
    params["threadId"] = json!(thread);
    params["turnId"] = json!(world.agent().running[thread]);
    world.agent_says(|_| vec![json!({ "method": method, "params": params })]);
}

fn work(world: &mut World, thread: &str) {
    let command = json!({ "type": "commandExecution", "id": "c", "command": "/bin/bash -lc 'ls'" });
    let whole = json!({ "type": "agentMessage", "id": "m", "text": "Hello." });
    says(world, thread, "item/reasoning/summaryPartAdded", json!({ "itemId": "r", "summaryIndex": 0 }));
    says(world, thread, "item/reasoning/summaryTextDelta", json!({ "itemId": "r", "delta": "Hm" }));
    says(world, thread, "item/started", json!({ "item": command }));
    says(world, thread, "item/agentMessage/delta", json!({ "itemId": "m", "delta": "Hel" }));
    says(world, thread, "item/completed", json!({ "item": whole }));
}

fn shown() -> Vec<Progress> {
    vec![
        Progress::Thinks { delta: "\n\n".into() },
        Progress::Thinks { delta: "Hm".into() },
        Progress::Does(Activity::Runs("ls".into())),
        Progress::Writes { item: "m".into(), delta: "Hel".into() },
        Progress::Wrote { item: "m".into(), text: "Hello.".into() },
    ]
}

#[test]
fn a_chat_is_shown_what_its_turn_does_whenever_the_agent_names_the_turn() {
    for reply in [Reply::First, Reply::AfterEnd] {
        let (mut world, thread) = running(reply);
        work(&mut world, &thread);
        assert_eq!(world.shown.is_empty(), reply == Reply::AfterEnd);
        world.agent_says(|agent| agent.complete(&thread, "Hello."));
        let first = world.disk.rows[0].submission.id.clone();
        let of_turn = world.shown.iter().take(5).map(|(origin, submission, progress)| {
            assert_eq!((origin, submission), (&crate::world::from_chat("a"), &first));
            progress.clone()
        });
        assert_eq!(of_turn.collect::<Vec<_>>(), shown());
        assert_eq!(world.outcome(&first), completed("Hello."));
    }
}

#[test]
fn nobody_is_shown_a_turn_that_no_chat_asked_for() {
    let mut world = World::new();
    world.submit(lane_of("a"), from_client(), "go");
    let thread = world.agent().running.keys().next().unwrap().clone();
    work(&mut world, &thread);
    assert!(world.shown.is_empty());
}

#[test]
fn a_turn_took_what_came_since_it_began() {
    let (mut world, thread) = running(Reply::First);
    let tokens = |n: u64| json!({ "totalTokens": n, "inputTokens": n, "cachedInputTokens": n / 2, "outputTokens": n / 10 });
    for (total, last) in [(1_000, 100), (1_250, 250)] {
        let usage = json!({ "tokenUsage": { "total": tokens(total), "last": tokens(last) } });
        says(&mut world, &thread, "thread/tokenUsage/updated", usage);
    }
    world.agent_says(|agent| agent.complete(&thread, "done"));
    assert_eq!(world.disk.settlements[0].usage, Some(Usage { input: 350, cached: 175, output: 35 }));
}
