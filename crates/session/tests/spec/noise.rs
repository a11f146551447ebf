//! Frames of any shape, from both sides: nothing panics, nothing is said to who did not ask, and work goes on.

use argus_session::Target;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::world::{World, completed, from_client};

/// Members of frames as an agent or a client may write them, well or badly.
fn value() -> impl Strategy<Value = Value> {
    let plain = prop::sample::select(vec![
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(""),
        json!("thread-1"),
        json!("turn-1"),
        json!("1001:0"),
        json!("\u{0}\"\\"),
        json!([]),
        json!({}),
        json!({ "id": "thread-1" }),
        json!({ "id": "turn-1", "status": "completed", "items": [{ "type": "agentMessage", "text": 5 }] }),
        json!({ "id": "", "status": null }),
        json!({ "type": "agentMessage", "text": "said" }),
        json!({ "message": "trouble" }),
    ]);
    plain.boxed()
}

fn params() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec![
        "threadId",
        "turnId",
        "turn",
        "thread",
        "item",
        "itemId",
        "delta",
        "error",
        "requestId",
        "clientInfo",
        "capabilities",
        "input",
    ]);
    prop_oneof![
        4 => prop::collection::hash_map(name, value(), 0..5).prop_map(|map| json!(map)),
        1 => value(),
    ]
}

fn frame() -> impl Strategy<Value = Value> {
    let method = prop::sample::select(vec![
        "initialize",
        "initialized",
        "thread/start",
        "thread/started",
        "thread/closed",
        "thread/resume",
        "turn/start",
        "turn/started",
        "turn/completed",
        "item/completed",
        "item/agentMessage/delta",
        "error",
        "serverRequest/resolved",
        "currentTime/read",
        "item/tool/call",
        "review/start",
        "anything",
        "",
    ]);
    let id = prop_oneof![
        value(),
        // Ids that the gateway gave.
        (0_u64..12).prop_map(|n| json!((1_u64 << 32) + n)),
    ];
    prop_oneof![
        (method.clone(), params()).prop_map(|(method, params)| json!({ "method": method, "params": params })),
        (id.clone(), method, params())
            .prop_map(|(id, method, params)| json!({ "id": id, "method": method, "params": params })),
        (id.clone(), params()).prop_map(|(id, result)| json!({ "id": id, "result": result })),
        (id, params()).prop_map(|(id, error)| json!({ "id": id, "error": error })),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_frame_of_the_agent_or_of_a_client_breaks_the_session(
        frames in prop::collection::vec((any::<bool>(), frame()), 1..30),
    ) {
        let mut world = World::new();
        world.greeted(1);
        world.submit(Target::Main, from_client(), "before");
        for (of_agent, frame) in frames {
            if of_agent && world.has_agent() {
                world.agent_says(|_| vec![frame]);
            } else {
                world.send(1, &frame);
            }
        }
        world.pass(700_000);
        world.agent_dies("exit 0", "");
        world.pass(60_000);
        let id = world.submit(Target::Main, from_client(), "after");
        for _ in 0..20 {
            world.pass(30_000);
            let Some(thread) = world.agent().running.keys().next().cloned() else { break };
            world.agent_says(|agent| agent.complete(&thread, "still here"));
        }
        prop_assert_eq!(world.outcome(&id), completed("still here"));
    }
}
