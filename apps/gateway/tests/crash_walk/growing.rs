//! An answer that grows in one message, which becomes the whole answer.

use argus_testkit::app_server::deltas_text;
use argus_testkit::programs::eventually;
use futures::StreamExt as _;

use crate::stage::{Stage, Tally, Victim, judge};

/// `live.sent`: the message is there and its number is not yet stored.
const STEPS: [&str; 7] = [
    "live.before_send:1",
    "live.sent:1",
    "live.stored:1",
    "settle.stored:2",
    "outbox.before_send:2",
    "outbox.sent:2",
    "outbox.confirmed:2",
];

#[tokio::test]
async fn the_answer_is_whole_and_is_one_message() {
    let walks = STEPS.iter().map(async |step| walk(step).await);
    let tallies = futures::stream::iter(walks).buffered(3).collect().await;
    judge("growing answers", tallies, |step, _| step == "live.sent:1");
}

async fn walk(step: &str) -> Tally {
    let settings = [("TELEGRAM_STREAMING", "edit"), ("TELEGRAM_STREAM_INTERVAL_S", "0.2")];
    // A first answer without words is not seen growing.
    let mut stage = Stage::warmed_up(step, &settings, "[say:]", "(no text)").await;
    let go = stage.gateway.home().join("agent.go");
    stage.say(&format!("[deltas: 40 size 20][hold: {}]", go.display()));
    if step.starts_with("live") {
        stage.kill_there(Victim::Gateway).await;
        std::fs::write(&go, "").expect("the test's own folder");
    } else {
        eventually("it is shown as it grows", async || {
            (stage.api.shown_in(&stage.chat).len() > 1).then_some(())
        })
        .await;
        std::fs::write(&go, "").expect("the test's own folder");
        stage.kill_there(Victim::Gateway).await;
    }
    let whole = deltas_text(40, 20);
    let whole = whole.trim();
    eventually("the whole answer", async || (!stage.shown(whole).is_empty()).then_some(())).await;
    let alive = stage.goes_on().await;
    // Beside it: the two other answers.
    let others = stage.api.shown_in(&stage.chat).len() - 2;
    Tally {
        step: step.to_owned(),
        victim: Victim::Gateway,
        lost: usize::from(stage.shown(whole).is_empty()),
        doubled: others.saturating_sub(1),
        wrong: (!alive).then(|| "it does not go on".to_owned()),
    }
}
