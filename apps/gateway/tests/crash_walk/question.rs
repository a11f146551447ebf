//! A question of the agent to a chat, and the press that answers it.

use argus_testkit::bot_api::Sent;
use argus_testkit::programs::{PATIENCE, eventually};
use futures::StreamExt as _;

use crate::stage::{Stage, Tally, Victim, judge};

/// Before the question can be read.
const ASKING: [&str; 5] =
    ["ask.before_store:1", "ask.stored:1", "outbox.before_send:2", "outbox.sent:2", "outbox.confirmed:2"];
/// When it was pressed. The third update is the press; the third message changes the question, the fourth is the answer.
const ANSWERING: [&str; 9] = [
    "bot.update_received:3",
    "press.received:1",
    "press.stored:1",
    "press.told:1",
    "bot.handed_over:3",
    "outbox.before_send:3",
    "outbox.sent:3",
    "settle.before_store:2",
    "outbox.before_send:4",
];

#[tokio::test]
async fn no_question_and_no_answer_is_lost_and_nothing_is_asked_or_answered_twice() {
    let steps = ASKING.iter().map(|step| (*step, true)).chain(ANSWERING.iter().map(|step| (*step, false)));
    let cases =
        steps.flat_map(|(step, asking)| [Victim::Bot, Victim::Gateway].map(|victim| (step, asking, victim)));
    let walks = cases.map(async |(step, asking, victim)| walk(step, asking, victim).await);
    let tallies = futures::stream::iter(walks).buffered(3).collect().await;
    judge("questions", tallies, |step, victim| step == "outbox.sent:2" && victim == Victim::Gateway);
}

async fn walk(step: &str, asking: bool, victim: Victim) -> Tally {
    let settings = [("TELEGRAM_STREAMING", "off"), ("ARGUS_APPROVAL_POLICY", "untrusted")];
    let mut stage = Stage::held_at(step, &settings).await;
    stage.say("[approve: make it] [say: answer one]");
    if asking {
        stage.kill_there(victim).await;
    }
    let question = question(&stage).await;
    let buttons = question.buttons().concat();
    let (_, data) = buttons.first().expect("a button");
    stage.api.push_press(&stage.chat, &stage.ada, question.message_id, data);
    if !asking {
        stage.kill_there(victim).await;
    }
    stage.api.wait_text("answer one", PATIENCE).await;
    eventually("the question shows its outcome", async || {
        // Where it stands there twice, the newer one is it, also if the older one was pressed before that came.
        let newest = stage.shown("make it").into_iter().max_by_key(|one| one.message_id)?;
        newest.buttons().is_empty().then_some(())
    })
    .await;
    let alive = stage.goes_on().await;
    let said = stage.gateway.heard();
    let decisions: Vec<_> = said.iter().filter_map(|frame| frame["result"]["decision"].as_str()).collect();
    let asked = stage.api.sent().into_iter().filter(|one| !one.buttons().is_empty()).count();
    let wrong = (!alive || decisions.first() != Some(&"accept"))
        .then(|| format!("goes on: {alive}, decisions: {decisions:?}"));
    Tally {
        step: step.to_owned(),
        victim,
        lost: usize::from(decisions.is_empty()),
        doubled: asked.saturating_sub(1)
            + decisions.len().saturating_sub(1)
            + stage.shown("answer one").len()
            - 1,
        wrong,
    }
}

/// The newest message with buttons; where the confirmation was cut off there may be two.
async fn question(stage: &Stage) -> Sent {
    let asked = |sent: &[Sent]| sent.iter().any(|one| !one.buttons().is_empty());
    let sent = stage.api.wait_sent_until(PATIENCE, asked).await;
    sent.into_iter().rfind(|one| !one.buttons().is_empty()).expect("a question")
}
