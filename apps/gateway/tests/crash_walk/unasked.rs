//! What the assistant does unasked: an event from its telling to its turn's end, and a scheduled run.

use argus_testkit::app_server::TurnEntry;
use argus_testkit::programs::eventually;
use futures::StreamExt as _;
use serde_json::{Value, json};

use crate::stage::{Stage, Tally, Victim, judge};

/// Of an event and its heartbeat. The first turn and its settlement are those of the message that warmed up.
const EVENT_STEPS: [&str; 10] = [
    "event.stored:1",
    "heartbeat.stored:1",
    "heartbeat.begun:1",
    "prompt.carried:2",
    "turn.recorded:2",
    "settle.before_store:2",
    "settle.stored:2",
    "outbox.before_send:2",
    "outbox.sent:2",
    "outbox.confirmed:2",
];

/// Of a scheduled run.
const RUN_STEPS: [&str; 10] = [
    "cron.stored:1",
    "cron.state:1",
    "cron.begun:1",
    "prompt.carried:2",
    "turn.recorded:2",
    "settle.before_store:2",
    "settle.stored:2",
    "outbox.before_send:2",
    "outbox.sent:2",
    "outbox.confirmed:2",
];

const VICTIMS: [Victim; 2] = [Victim::Gateway, Victim::Bridge];

#[tokio::test]
async fn no_event_is_lost_and_none_is_told_twice() {
    let cases = EVENT_STEPS.iter().flat_map(|step| VICTIMS.map(|victim| (*step, victim)));
    let walks = cases.map(async |(step, victim)| event(step, victim).await);
    let tallies = futures::stream::iter(walks).buffered(3).collect().await;
    judge("events", tallies, |step, victim| step == "outbox.sent:2" && victim == Victim::Gateway);
}

#[tokio::test]
async fn no_scheduled_run_is_lost_and_none_is_done_twice() {
    let cases = RUN_STEPS.iter().flat_map(|step| VICTIMS.map(|victim| (*step, victim)));
    let walks = cases.map(async |(step, victim)| run(step, victim).await);
    let tallies = futures::stream::iter(walks).buffered(3).collect().await;
    judge("scheduled runs", tallies, |step, victim| step == "outbox.sent:2" && victim == Victim::Gateway);
}

async fn event(step: &str, victim: Victim) -> Tally {
    let mut stage = Stage::held_at(step, &[("ARGUS_HEARTBEAT_SECONDS", "0")]).await;
    let event = json!({ "text": "the walked one [say: answer one]", "idempotencyKey": "walked" });
    tell(&mut stage, step, victim, "argus/systemEvent/enqueue", event).await;
    count(&stage, step, victim).await
}

async fn run(step: &str, victim: Victim) -> Tally {
    let mut stage = Stage::held_at(step, &[("ARGUS_HEARTBEAT_SECONDS", "0")]).await;
    let soon = argus_gateway::clock::unix_ms() + 300;
    let job = json!({ "jobId": "walked", "atMs": soon, "text": "the walked one [say: answer one]" });
    tell(&mut stage, step, victim, "argus/cron/add", job).await;
    count(&stage, step, victim).await
}

/// Makes the call while somebody is killed, and once more where its answer was lost with the gateway.
async fn tell(stage: &mut Stage, step: &str, victim: Victim, method: &str, params: Value) {
    let url = format!("{}/rpc", stage.gateway.url());
    let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let call = reqwest::Client::new().post(url).bearer_auth(stage.gateway.token()).json(&request);
    let calling = tokio::spawn(async move { call.send().await?.json::<Value>().await });
    stage.kill_there(victim).await;
    if calling.await.expect("the call ends").is_err() {
        let told = stage.gateway.rpc(method, params).await;
        assert!(told["error"].is_null(), "{step}: {told}");
    }
}

/// What came of it. With its bridge a turn that had begun ends without an answer; that is told too.
async fn count(stage: &Stage, step: &str, victim: Victim) -> Tally {
    let told = || stage.shown("answer one").len() + stage.shown("did not finish").len();
    eventually("it is told", async || (told() > 0).then_some(())).await;
    let alive = stage.goes_on().await;
    let turns = stage.gateway.turns().into_iter();
    let runs = turns.filter(|turn| turn.entry == TurnEntry::Started && turn.text.contains("the walked one"));
    let runs = runs.count();
    let wrong = match (alive, runs) {
        (false, _) => Some("it does not go on".to_owned()),
        (true, 0 | 1) => None,
        (true, more) => Some(format!("the agent worked on it {more} times")),
    };
    Tally { step: step.to_owned(), victim, lost: usize::from(told() == 0), doubled: told() - 1, wrong }
}
