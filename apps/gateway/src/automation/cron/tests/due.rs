//! What is due begins once, whatever happens between its steps.

use super::*;

#[tokio::test]
async fn a_job_is_added_is_due_and_its_run_is_stored_and_begun_once() {
    let desk = Desk::at("2026-03-01T08:00:00Z");
    let automation = desk.start().await;
    let kept = add(&automation, json!({ "jobId": "j", "expr": "0 9 * * *", "text": "Morning" })).await;
    let due = ms("2026-03-01T09:00:00Z");
    assert_eq!(kept.job.next_run_at_ms, Some(due));
    assert_eq!(desk.look(&automation).await, Some(due));
    assert_eq!(desk.begun(), []);
    desk.set("2026-03-01T09:00:00.010Z");
    let next = Some(ms("2026-03-02T09:00:00Z"));
    assert_eq!(desk.look(&automation).await, next);
    let submission = desk.last_begun();
    assert_eq!(
        (submission.target, submission.thread, submission.origin),
        (Target::Main, None, Origin::Cron { job: "j".into(), run: format!("j@{due}"), chat: None })
    );
    assert_eq!(desk.begun(), [("Morning".to_owned(), format!("j@{due}"))]);
    assert_eq!(desk.look(&automation).await, next);
    assert_eq!(desk.begun(), []);
    let run = &history(&automation, "j").await[0];
    assert_eq!(
        (run.run.as_str(), run.due_at_ms, run.state),
        (format!("j@{due}").as_str(), due, RunState::Open)
    );
    let jobs = automation.0.state.jobs(&s("s")).await;
    assert_eq!((jobs[0].last_run_at_ms, jobs[0].next_run_at_ms), (Some(due), next));
}

#[tokio::test]
async fn a_run_that_was_stored_before_its_due_time_moved_is_not_made_again() {
    let desk = Desk::at("2026-03-01T08:00:00Z");
    let first = desk.start().await;
    add(&first, json!({ "jobId": "j", "expr": "0 9 * * *", "text": "x" })).await;
    desk.set("2026-03-01T09:00:00Z");
    // As a kill leaves it: the ledger has the run, the state file has not.
    let before = std::fs::read(desk.dir.path().join("state.json")).unwrap();
    desk.look(&first).await;
    first.0.ledger.close().await;
    std::fs::write(desk.dir.path().join("state.json"), before).unwrap();
    assert_eq!(desk.begun().len(), 1);
    let again = desk.start().await;
    assert_eq!(desk.look(&again).await, Some(ms("2026-03-02T09:00:00Z")));
    assert_eq!(desk.begun(), [], "what is open is begun by its session");
    assert_eq!(again.0.ledger.open_submissions(&s("s")).await.unwrap().len(), 1);
    assert_eq!(states(&again, "j").await, [RunState::Open]);
}

#[tokio::test]
async fn a_run_that_cannot_be_noted_in_the_state_file_is_begun_and_not_made_again() {
    let desk = Desk::at("2026-03-01T08:00:00Z");
    let automation = desk.start().await;
    add(&automation, json!({ "jobId": "j", "expr": "0 9 * * *", "text": "x" })).await;
    desk.set("2026-03-01T09:00:00Z");
    // The temporary file's place is taken: no write goes through.
    let blocked = desk.dir.path().join("state.json.tmp");
    std::fs::create_dir_all(blocked.join("x")).unwrap();
    assert_eq!(desk.look(&automation).await, Some(desk.now() + RETRY_MS));
    assert_eq!(desk.begun().len(), 1);
    assert_eq!(desk.look(&automation).await, Some(desk.now() + RETRY_MS));
    std::fs::remove_dir_all(&blocked).unwrap();
    let _ = std::fs::remove_dir_all(desk.dir.path().join("state.json.bak.tmp"));
    assert_eq!(desk.look(&automation).await, Some(ms("2026-03-02T09:00:00Z")));
    assert_eq!(desk.begun(), []);
}

#[tokio::test]
async fn a_job_whose_last_run_has_not_ended_does_not_pile_up() {
    let desk = Desk::at("2026-03-01T08:00:00Z");
    let automation = desk.start().await;
    add(&automation, json!({ "jobId": "j", "expr": "* * * * *", "text": "x", "missed": "all" })).await;
    desk.set("2026-03-01T08:01:00Z");
    desk.look(&automation).await;
    desk.set("2026-03-01T08:03:00Z");
    desk.look(&automation).await;
    assert_eq!(desk.begun().len(), 1);
    let runs = history(&automation, "j").await;
    let told: Vec<_> = runs.iter().map(|run| (run.due_at_ms, run.state, run.reason.as_deref())).collect();
    let behind = Some("the run before it had not ended");
    assert_eq!(
        told,
        [
            (ms("2026-03-01T08:03:00Z"), RunState::Skipped, behind),
            (ms("2026-03-01T08:02:00Z"), RunState::Skipped, behind),
            (ms("2026-03-01T08:01:00Z"), RunState::Open, None),
        ]
    );
}

#[tokio::test]
async fn what_was_missed_is_made_up_for_as_the_job_says() {
    let desk = Desk::at("2026-03-01T08:30:00Z");
    let first = desk.start().await;
    for (id, missed) in [("skip", json!("skip")), ("once", json!("once")), ("all", json!("all"))] {
        let wish = json!({ "jobId": id, "expr": "0 * * * *", "text": id, "missed": missed, "missedMost": 2 });
        add(&first, wish).await;
    }
    first.0.ledger.close().await;
    desk.set("2026-03-01T12:10:00Z");
    let automation = desk.start().await;
    assert_eq!(desk.look(&automation).await, Some(ms("2026-03-01T13:00:00Z")));
    let run = |id: &str, at: &str| (id.to_owned(), format!("{id}@{}", ms(at)));
    assert_eq!(
        desk.begun(),
        [
            run("once", "2026-03-01T12:00:00Z"),
            run("all", "2026-03-01T11:00:00Z"),
            run("all", "2026-03-01T12:00:00Z"),
        ]
    );
    assert_eq!(states(&automation, "skip").await, [RunState::Skipped]);
}

#[tokio::test]
async fn jobs_of_every_session_run_and_those_of_an_unknown_one_wait() {
    let desk = Desk::at("2026-03-01T08:00:00Z");
    let automation = desk.start().await;
    for session in ["s", "other", "gone"] {
        let wish: Wish =
            serde_json::from_value(json!({ "jobId": "j", "expr": "0 9 * * *", "text": session })).unwrap();
        automation.add_job(&s(session), &wish, Reach::Everywhere).await.unwrap();
    }
    desk.workers.unknown.lock().unwrap().insert(s("gone"));
    desk.set("2026-03-01T09:00:00Z");
    assert_eq!(desk.look(&automation).await, Some(ms("2026-03-02T09:00:00Z")));
    let begun: Vec<_> = desk.begun().into_iter().map(|(text, _)| text).collect();
    assert_eq!(begun, ["other", "s"]);
    assert_eq!(automation.0.state.jobs(&s("gone")).await[0].next_run_at_ms, Some(desk.now()));
}

#[tokio::test]
async fn a_job_of_an_old_file_whose_time_cannot_be_understood_is_disabled_and_says_why() {
    let desk = Desk::at("2026-03-01T08:00:00Z");
    let jobs = json!([
        { "jobId": "bad", "expr": "61 * * * *", "text": "x", "enabled": true, "nextRunAtMs": desk.now() + 1 },
        { "jobId": "good", "expr": "0 9 * * *", "text": "y", "enabled": true },
    ]);
    let state = json!({ "version": 1, "sessions": { "s": { "cronJobs": jobs } } });
    std::fs::write(desk.dir.path().join("state.json"), state.to_string()).unwrap();
    let automation = desk.start().await;
    assert_eq!(desk.look(&automation).await, Some(ms("2026-03-01T09:00:00Z")));
    let listed = automation.list_jobs(&s("s"), None).await.jobs;
    let told: Vec<_> = listed.iter().map(|one| (one.job.enabled, one.trouble.as_deref())).collect();
    assert_eq!(told, [(false, Some("'expr': the minutes: 61 is not within 0 to 59")), (true, None)]);
}

#[tokio::test]
async fn times_that_lie_too_far_ahead_after_the_clock_was_set_back_come_near_again_and_no_run_is_made_twice()
{
    let desk = Desk::at("2026-03-01T08:59:30Z");
    let automation = desk.start().await;
    add(&automation, json!({ "jobId": "j", "expr": "0 * * * *", "text": "x" })).await;
    desk.set("2026-03-01T09:00:00Z");
    desk.look(&automation).await;
    assert_eq!(desk.begun().len(), 1);
    desk.set("2026-03-01T08:30:00Z");
    assert_eq!(desk.look(&automation).await, Some(ms("2026-03-01T09:00:00Z")));
    desk.set("2026-03-01T09:00:00Z");
    assert_eq!(desk.look(&automation).await, Some(ms("2026-03-01T10:00:00Z")));
    assert_eq!(desk.begun(), []);
}

#[tokio::test]
async fn a_look_that_finds_nothing_due_writes_nothing() {
    let desk = Desk::at("2026-03-01T08:00:00Z");
    let automation = desk.start().await;
    assert_eq!(desk.look(&automation).await, None);
    assert!(!desk.dir.path().join("state.json").exists());
    add(&automation, json!({ "expr": "0 9 * * *", "text": "x" })).await;
    let written = || std::fs::metadata(desk.dir.path().join("state.json")).unwrap().modified().unwrap();
    let before = written();
    desk.look(&automation).await;
    desk.look(&automation).await;
    assert_eq!(written(), before);
}

#[tokio::test]
async fn a_run_that_cannot_be_stored_is_neither_begun_nor_forgotten() {
    let desk = Desk::at("2026-03-01T08:00:00Z");
    let automation = desk.start().await;
    add(&automation, json!({ "jobId": "j", "expr": "0 9 * * *", "text": "x" })).await;
    desk.set("2026-03-01T09:00:00Z");
    automation.0.ledger.close().await;
    assert_eq!(desk.look(&automation).await, Some(desk.now() + RETRY_MS));
    assert_eq!(desk.begun(), []);
    let again = desk.start().await;
    desk.look(&again).await;
    assert_eq!(desk.begun(), [("x".to_owned(), format!("j@{}", desk.now()))]);
}

#[tokio::test]
async fn a_job_that_is_due_each_second_notes_so_many_runs_that_are_left_out_and_no_more() {
    let desk = Desk::at("2026-03-01T08:00:00Z");
    let automation = desk.start().await;
    let wish = json!({ "jobId": "j", "expr": "* * * * * *", "seconds": "first", "text": "x", "missed": "all", "missedMost": 100 });
    add(&automation, wish).await;
    for time in ["2026-03-01T08:00:01Z", "2026-03-01T08:01:31Z", "2026-03-01T08:03:00Z"] {
        desk.set(time);
        desk.look(&automation).await;
    }
    assert_eq!(desk.begun().len(), 1);
    let runs = automation.job_history(&s("s"), "j", Some(200)).await.unwrap().runs;
    assert_eq!(runs.len(), 101);
}

#[tokio::test]
async fn an_interval_is_looked_at_late_and_does_not_drift() {
    let desk = Desk::at("2026-03-01T08:00:00.700Z");
    let automation = desk.start().await;
    add(&automation, json!({ "jobId": "j", "everyMs": 60_000, "text": "x", "deliver": "none" })).await;
    let mut next = Vec::new();
    for time in ["2026-03-01T08:00:30Z", "2026-03-01T08:01:00.300Z", "2026-03-01T08:07:29Z"] {
        desk.set(time);
        next.push(desk.look(&automation).await);
    }
    let expected = ["2026-03-01T08:01:00Z", "2026-03-01T08:02:00Z", "2026-03-01T08:08:00Z"];
    assert_eq!(next, expected.map(|at| Some(ms(at))));
}

#[tokio::test]
async fn what_is_due_once_runs_once_also_where_nobody_looked_in_time() {
    let desk = Desk::at("2026-03-01T08:00:00Z");
    let automation = desk.start().await;
    add(&automation, json!({ "jobId": "j", "at": "2026-03-01T09:00:00Z", "text": "x" })).await;
    add(&automation, json!({ "jobId": "k", "at": "2026-03-01T09:00:00Z", "text": "y", "missed": "skip" }))
        .await;
    for time in ["2026-03-02T09:00:00Z", "2026-03-02T09:01:00Z", "2026-03-02T09:02:00Z"] {
        desk.set(time);
        assert_eq!(desk.look(&automation).await, None);
    }
    assert_eq!(desk.begun(), [("x".to_owned(), format!("j@{}", ms("2026-03-01T09:00:00Z")))]);
    assert_eq!(states(&automation, "k").await, [RunState::Skipped]);
    let told = automation.list_jobs(&s("s"), None).await.jobs;
    assert!(
        told.iter().all(|one| one.job.enabled && one.job.next_run_at_ms.is_none() && one.trouble.is_none())
    );
}

#[tokio::test]
async fn a_run_is_told_where_its_job_says_as_that_stands_when_it_is_due() {
    let desk = Desk::at("2026-03-01T08:00:00Z");
    let automation = desk.start().await;
    for deliver in ["home", "last", "none", "telegram:-7:3"] {
        let id = deliver.split(':').next().unwrap();
        let wish =
            json!({ "jobId": id, "expr": "0 9,10 * * *", "text": id, "deliver": deliver, "missed": "skip" });
        add(&automation, wish).await;
    }
    let ledger = &automation.0.ledger;
    ledger.bind_chat(&s("s"), &chat("-9"), 0, &"t".parse().unwrap()).await.unwrap();
    let mut told = Vec::new();
    for (hour, last) in [(9, "-9"), (10, "-11")] {
        let submission = Submission {
            id: new_submission_id(),
            session: s("s"),
            target: Target::Main,
            thread: None,
            origin: Origin::Chat { chat: chat(last), user: "7".into(), message: "1".into() },
            text: "hi".into(),
            attachments: Vec::new(),
        };
        ledger.submit(NewSubmission { submission, idempotency_key: None }).await.unwrap();
        desk.set(&format!("2026-03-01T{hour:02}:00:00Z"));
        desk.look(&automation).await;
        let begun = desk.workers.begun.lock().unwrap().clone();
        let chat_of = |one: &Submission| one.origin.chat().map(|chat| chat.chat.as_str().to_owned());
        told.push(begun.iter().map(chat_of).collect::<Vec<_>>());
        desk.ending(&automation).await;
    }
    let told: Vec<Vec<_>> = told.iter().map(|chats| chats.iter().map(Option::as_deref).collect()).collect();
    let chats = |last| vec![Some("-9"), Some(last), None, Some("-7:3")];
    assert_eq!(told, [chats("-9"), chats("-11")]);
}

/// The same, with at most so many turns a day.
fn limited(automation: &Automation, turns: u64) -> Automation {
    let parts = &automation.0;
    Automation::new(AutomationParts {
        ledger: parts.ledger.clone(),
        state: parts.state.clone(),
        workers: parts.workers.clone(),
        pulse: Pulse::default(),
        config: AutomationConfig { budget: Budget { turns, tokens: 0 }, ..config() },
        bots: parts.bots.clone(),
        workspaces: parts.workspaces.clone(),
        clock: parts.clock.clone(),
    })
}

#[tokio::test]
async fn many_jobs_that_are_due_together_do_not_take_more_than_the_budget() {
    let desk = Desk::at("2026-03-01T08:00:00Z");
    let automation = limited(&desk.start().await, 2);
    for number in 0..5 {
        add(&automation, json!({ "jobId": format!("j{number}"), "expr": "0 9 * * *", "text": "x", "deliver": "telegram:7" }))
            .await;
    }
    desk.set("2026-03-01T09:00:00Z");
    desk.look(&automation).await;
    assert_eq!(desk.begun().len(), 2);
    let mut left_out = Vec::new();
    for number in 0..5 {
        let run = history(&automation, &format!("j{number}")).await.remove(0);
        left_out.extend((run.state == RunState::Skipped).then_some(run.reason));
    }
    assert_eq!(left_out, vec![Some("what may be done unasked in a day was used up".to_owned()); 3]);
    assert_eq!(told(&automation).await.len(), 1, "one notice");
}

#[tokio::test]
async fn runs_that_are_made_up_for_do_not_take_more_than_the_budget() {
    let desk = Desk::at("2026-03-01T08:00:00Z");
    let automation = limited(&desk.start().await, 2);
    add(&automation, json!({ "jobId": "j", "expr": "0 * * * *", "text": "x", "missed": "all" })).await;
    desk.set("2026-03-01T13:00:00Z");
    desk.look(&automation).await;
    assert_eq!(desk.begun().len(), 2);
    let states = states(&automation, "j").await;
    assert_eq!(states.iter().filter(|state| **state == RunState::Skipped).count(), 3, "{states:?}");
}

#[tokio::test]
async fn jobs_in_threads_of_their_own_run_eight_side_by_side_and_the_others_wait_for_these() {
    let desk = Desk::at("2026-03-01T08:00:00Z");
    let automation = desk.start().await;
    for number in 0..10 {
        let wish =
            json!({ "jobId": format!("j{number}"), "expr": "0 9 * * *", "text": "x", "thread": "own" });
        add(&automation, wish).await;
    }
    desk.set("2026-03-01T09:00:00Z");
    let again = desk.look(&automation).await;
    assert_eq!(again, Some(desk.now() + 5_000));
    assert_eq!(desk.ending(&automation).await.len(), 8);
    desk.set("2026-03-01T09:00:05Z");
    desk.look(&automation).await;
    let runs: Vec<_> = desk.ending(&automation).await.into_iter().map(|(_, run)| run).collect();
    let due = desk.now() - 5_000;
    assert_eq!(runs, [format!("j8@{due}"), format!("j9@{due}")], "as they were due");
}
