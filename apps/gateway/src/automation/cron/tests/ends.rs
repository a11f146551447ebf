//! What becomes of a run that ended: its history, what people are told, its thread.

use super::*;

async fn settle(automation: &Automation, submission: &Submission, outcome: Outcome) {
    automation.0.ledger.settle(&ended(submission, outcome)).await.unwrap();
}

fn failure(reason: &str) -> Outcome {
    Outcome::Failed { reason: reason.to_owned(), text: String::new() }
}

#[tokio::test]
async fn the_history_has_how_a_run_ended_how_long_it_took_and_what_it_took() {
    let desk = Desk::at("2026-03-01T08:00:00Z");
    let automation = desk.start().await;
    add(&automation, json!({ "jobId": "j", "expr": "0 9 * * *", "text": "x" })).await;
    desk.set("2026-03-01T09:00:00Z");
    desk.look(&automation).await;
    let submission = desk.last_begun();
    let thread = "t".parse().unwrap();
    desk.set("2026-03-01T09:00:05Z");
    let ids = [submission.id.clone()];
    automation.0.ledger.mark_starting(&ids, &thread, "b", 1, 1, 1).await.unwrap();
    desk.set("2026-03-01T09:01:05Z");
    settle(&automation, &submission, Outcome::Completed { text: "done".into() }).await;
    let due = ms("2026-03-01T09:00:00Z");
    assert_eq!(
        history(&automation, "j").await,
        [Run {
            run: format!("j@{due}"),
            due_at_ms: due,
            state: RunState::Done,
            thread_id: Some(thread),
            reason: None,
            asked_at_ms: due,
            began_at_ms: Some(due + 5_000),
            ended_at_ms: Some(due + 65_000),
            duration_ms: Some(60_000),
            tokens: Some(107),
        }]
    );
}

#[tokio::test]
async fn only_the_first_failure_in_a_row_is_told_and_what_comes_once_always() {
    let desk = Desk::at("2026-03-01T08:00:00Z");
    let automation = desk.start().await;
    add(
        &automation,
        json!({ "jobId": "j", "name": "Mail", "expr": "* * * * *", "text": "x", "deliver": "telegram:7" }),
    )
    .await;
    let outcomes =
        [failure("one"), failure("two"), Outcome::Completed { text: String::new() }, failure("three")];
    for (minute, outcome) in outcomes.into_iter().enumerate() {
        desk.set(&format!("2026-03-01T08:0{}:00Z", minute + 1));
        desk.look(&automation).await;
        settle(&automation, &desk.last_begun(), outcome).await;
    }
    let line = |reason: &str| {
        format!(
            "⚠️ The scheduled job “Mail” did not finish: {reason}\nUntil it does, further failures are only in its history: argus cron history j"
        )
    };
    assert_eq!(told(&automation).await, [line("one"), line("three")]);
    desk.set("2026-03-01T08:04:30Z");
    automation.run_job(&s("s"), "j").await.unwrap();
    settle(&automation, &desk.last_begun(), failure("four")).await;
    assert_eq!(told(&automation).await, ["⚠️ The scheduled job “Mail” did not finish: four"]);
    let runs = history(&automation, "j").await;
    let reasons: Vec<_> = runs.into_iter().map(|run| run.reason.unwrap_or_default()).collect();
    assert_eq!(reasons, ["four", "three", "", "two", "one"].map(str::to_owned));
}

#[tokio::test]
async fn threads_of_older_runs_are_put_away_and_what_fails_waits_for_the_next_run() {
    let desk = Desk::at("2026-03-01T08:00:00Z");
    let automation = desk.start().await;
    add(&automation, json!({ "jobId": "j", "expr": "* * * * *", "text": "x", "thread": "own", "keep": 1 }))
        .await;
    for minute in 1..=3 {
        desk.set(&format!("2026-03-01T08:0{minute}:00Z"));
        desk.look(&automation).await;
        let submission = desk.last_begun();
        let Target::Named { name } = &submission.target else { panic!("a thread of its own") };
        let thread = format!("t{minute}").parse().unwrap();
        automation.0.ledger.bind_name(&s("s"), name, &thread).await.unwrap();
        let settlement = Settlement {
            thread: Some(thread),
            ..ended(&submission, Outcome::Completed { text: "x".into() })
        };
        automation.0.ledger.settle(&settlement).await.unwrap();
    }
    // Somebody answered the oldest run, and that goes on in its thread.
    let run = format!("cron:j@{}", ms("2026-03-01T08:01:00Z"));
    let reply =
        Submission { id: new_submission_id(), target: Target::Named { name: run }, ..desk.last_begun() };
    let new = NewSubmission { submission: reply.clone(), idempotency_key: None };
    automation.0.ledger.submit(new).await.unwrap();
    assert_eq!(automation.0.ledger.threads_over(&s("s"), "j", 9).await.unwrap().len(), 1);
    automation.0.ledger.settle(&ended(&reply, Outcome::Completed { text: "x".into() })).await.unwrap();
    *desk.workers.answer.lock().unwrap() = Some("it sleeps".to_owned());
    automation.archive(&s("s"), "j").await;
    assert_eq!(automation.0.ledger.threads_over(&s("s"), "j", 9).await.unwrap().len(), 2);
    *desk.workers.answer.lock().unwrap() = None;
    desk.workers.asked.lock().unwrap().clear();
    automation.archive(&s("s"), "j").await;
    automation.archive(&s("s"), "j").await;
    let asked = desk.workers.asked.lock().unwrap().clone();
    let archive = |thread: &str| ("thread/archive".to_owned(), json!({ "threadId": thread }));
    assert_eq!(asked, [archive("t2"), archive("t1")]);
    let gone = format!("cron:j@{}", ms("2026-03-01T08:01:00Z"));
    assert_eq!(automation.0.ledger.named_thread(&s("s"), &gone).await.unwrap(), None);
}
