//! Jobs of one session on a machine that several may use.

use argus_node_host::{Asker, Call, Command as _};
use argus_protocol::node::code;
use serde_json::{Value, json};

use crate::stage::{Stage, call, id, value};

fn by(session: Option<&str>, command: &str, params: Value) -> Call {
    let asker = Asker { session_id: session.map(str::to_owned), ticket: None };
    Call { asker, ..call(command, params) }
}

async fn seen(stage: &Stage, session: Option<&str>) -> Vec<String> {
    let list = value(stage.jobs().call(by(session, "process.list", json!({}))).await).unwrap();
    list["jobs"].as_array().unwrap().iter().map(id).collect()
}

#[tokio::test]
async fn a_session_can_do_nothing_with_the_job_of_another_and_does_not_know_of_it() {
    let mut stage = Stage::new();
    let begin = json!({"argv": ["sh"], "stdin": "open", "yieldMs": 0});
    let job = id(&stage.run_call(by(Some("s1"), "system.run", begin)).await.unwrap());
    let deeds = [
        ("process.get", json!({"jobId": job})),
        ("process.logs", json!({"jobId": job})),
        ("process.logs", json!({"jobId": job, "stream": "stdout", "offset": 0})),
        ("process.write", json!({"jobId": job, "text": "echo other; exit 7\n"})),
        ("process.signal", json!({"jobId": job, "signal": "SIGKILL"})),
        ("process.resize", json!({"jobId": job, "rows": 2, "cols": 2})),
        ("process.kill", json!({"jobId": job})),
    ];
    // Also after a restart, when all that is known of it comes from the disk.
    for _ in 0..2 {
        for (command, params) in &deeds {
            let fault = value(stage.jobs().call(by(Some("s2"), command, params.clone())).await).unwrap_err();
            assert_eq!(fault.code, code::NOT_FOUND, "{command}");
        }
        assert_eq!(seen(&stage, Some("s2")).await, Vec::<String>::new());
        assert_eq!(seen(&stage, Some("s1")).await, std::slice::from_ref(&job));
        // The gateway's operator sees all.
        assert_eq!(seen(&stage, None).await, std::slice::from_ref(&job));
        stage.reopen().await;
    }
    let write = json!({"jobId": job, "text": "echo own; exit 3\n"});
    value(stage.jobs().call(by(Some("s1"), "process.write", write)).await).unwrap();
    assert_eq!(stage.ended(&job).await["exitCode"], 3);
    assert_eq!(stage.wrote(&job, "own").await, "own\n");
}

#[tokio::test]
async fn a_job_of_which_no_session_is_known_is_every_sessions() {
    let stage = Stage::new();
    let begin = json!({"argv": ["true"], "yieldMs": 0});
    let job = id(&stage.run_call(by(None, "system.run", begin)).await.unwrap());
    for session in [None, Some("s1"), Some("s2")] {
        assert_eq!(seen(&stage, session).await, std::slice::from_ref(&job));
    }
}
