//! Jobs over nights in which clocks jump, over restarts, and over the midnight at which a day's budget begins anew.

use super::*;

/// Looks at each time, each time as a gateway that has just started; what was begun, as times of the job.
async fn begun_at(desk: &Desk, times: &[&str]) -> Vec<String> {
    for time in times {
        desk.set(time);
        let automation = desk.start().await;
        desk.look(&automation).await;
        for (_, run) in desk.ending(&automation).await {
            assert!(run.starts_with("night@"), "{run}");
        }
        automation.0.ledger.close().await;
    }
    let automation = desk.start().await;
    let mut due: Vec<_> = history(&automation, "night").await;
    due.reverse();
    automation.0.ledger.close().await;
    due.into_iter().map(|run| shown(run.due_at_ms)).collect()
}

fn shown(ms: u64) -> String {
    DateTime::from_timestamp_millis(i64::try_from(ms).unwrap()).unwrap().format("%FT%TZ").to_string()
}

async fn nightly(desk: &Desk, zone: &str) {
    let automation = desk.start().await;
    let wish = json!({ "jobId": "night", "expr": "30 2 * * *", "tz": zone, "text": "x", "deliver": "none" });
    add(&automation, wish).await;
    automation.0.ledger.close().await;
}

#[tokio::test]
async fn a_time_that_the_clock_of_the_jobs_zone_jumps_over_runs_once_when_it_has_jumped() {
    let desk = Desk::at("2026-03-28T12:00:00Z");
    nightly(&desk, "Europe/Berlin").await;
    // 02:00 becomes 03:00 at 01:00Z.
    let times = [
        "2026-03-29T00:30:00Z",
        "2026-03-29T00:59:59.999Z",
        "2026-03-29T01:00:00Z",
        "2026-03-29T01:30:00Z",
        "2026-03-29T02:30:00Z",
        "2026-03-30T00:29:59Z",
        "2026-03-30T00:30:00Z",
    ];
    assert_eq!(begun_at(&desk, &times).await, ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]);
}

#[tokio::test]
async fn a_time_that_the_clock_of_the_jobs_zone_shows_twice_runs_once() {
    let desk = Desk::at("2026-10-24T12:00:00Z");
    nightly(&desk, "Europe/Berlin").await;
    // 03:00 becomes 02:00 at 01:00Z: it is 02:30 at 00:30Z and at 01:30Z.
    let times = [
        "2026-10-25T00:29:59Z",
        "2026-10-25T00:30:00Z",
        "2026-10-25T01:00:00Z",
        "2026-10-25T01:30:00Z",
        "2026-10-25T02:30:00Z",
        "2026-10-26T01:30:00Z",
    ];
    assert_eq!(begun_at(&desk, &times).await, ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
}

#[tokio::test]
async fn a_gateway_that_was_away_while_the_clock_was_put_back_makes_up_for_one_run() {
    let desk = Desk::at("2026-10-24T12:00:00Z");
    nightly(&desk, "Europe/Berlin").await;
    let times = ["2026-10-25T06:00:00Z", "2026-10-25T06:00:01Z"];
    assert_eq!(begun_at(&desk, &times).await, ["2026-10-25T00:30:00Z"]);
}

#[tokio::test]
async fn each_job_runs_by_the_clock_of_its_own_zone_and_else_by_that_of_the_settings() {
    let mut desk = Desk::at("2026-07-01T00:00:00Z");
    desk.config.zone = Tz::Asia__Shanghai;
    let automation = desk.start().await;
    for (id, zone) in [("a", Some("America/New_York")), ("b", Some("Europe/Berlin")), ("c", None)] {
        let wish = json!({ "jobId": id, "expr": "0 9 * * *", "tz": zone, "text": id, "deliver": "none" });
        add(&automation, wish).await;
    }
    let mut begun = Vec::new();
    for hour in 0..24 {
        desk.set(&format!("2026-07-01T{hour:02}:00:00Z"));
        desk.look(&automation).await;
        begun.extend(desk.begun().into_iter().map(|(text, _)| (hour, text)));
    }
    assert_eq!(begun, [(1, "c".to_owned()), (7, "b".to_owned()), (13, "a".to_owned())]);
}

#[tokio::test]
async fn where_the_zone_of_the_settings_is_another_after_a_restart_jobs_without_one_follow_it() {
    let mut desk = Desk::at("2026-07-01T00:00:00Z");
    let first = desk.start().await;
    add(&first, json!({ "jobId": "j", "expr": "0 9 * * *", "text": "x" })).await;
    assert_eq!(desk.look(&first).await, Some(ms("2026-07-01T09:00:00Z")));
    first.0.ledger.close().await;
    desk.config.zone = Tz::Europe__Berlin;
    let again = desk.start().await;
    desk.set("2026-07-01T06:59:59Z");
    assert_eq!(desk.look(&again).await, Some(ms("2026-07-01T07:00:00Z")));
    desk.set("2026-07-01T07:00:00Z");
    desk.look(&again).await;
    assert_eq!(desk.begun(), [("x".to_owned(), format!("j@{}", ms("2026-07-01T07:00:00Z")))]);
}

#[tokio::test]
async fn a_used_up_day_leaves_runs_out_until_midnight_of_the_zone_and_says_so_once() {
    let mut desk = Desk::at("2026-06-30T18:30:00Z");
    desk.config.zone = Tz::Europe__Berlin;
    desk.config.budget = Budget { turns: 1, tokens: 0 };
    let first = desk.start().await;
    add(&first, json!({ "jobId": "j", "expr": "0 * * * *", "text": "x", "deliver": "telegram:7" })).await;
    // Midnight in Berlin is 22:00Z; a restart in between forgets nothing.
    let mut begun = Vec::new();
    let mut notices = Vec::new();
    first.0.ledger.close().await;
    for hour in 19..=23 {
        let automation = desk.start().await;
        desk.set(&format!("2026-06-30T{hour}:00:00Z"));
        desk.look(&automation).await;
        begun.extend(desk.ending(&automation).await.into_iter().map(|_| hour));
        notices.extend(told(&automation).await.into_iter().filter(|text| !text.is_empty()).map(|_| hour));
        automation.0.ledger.close().await;
    }
    assert_eq!((begun, notices), (vec![19, 22], vec![20, 23]));
    let automation = desk.start().await;
    let runs = history(&automation, "j").await;
    let told: Vec<_> = runs.iter().map(|run| (run.state, run.reason.as_deref())).collect();
    let left_out = (RunState::Skipped, Some("what may be done unasked in a day was used up"));
    let done = (RunState::Done, None);
    assert_eq!(told, [left_out, done, left_out, left_out, done]);
}

#[tokio::test]
async fn runs_that_are_left_out_for_two_reasons_count_together() {
    let mut desk = Desk::at("2026-03-01T08:00:00Z");
    let wish = json!({ "jobId": "j", "expr": "* * * * * *", "seconds": "first", "text": "x", "missed": "all",
        "missedMost": 100, "deliver": "none" });
    let first = desk.start().await;
    add(&first, wish).await;
    for time in ["2026-03-01T08:00:01Z", "2026-03-01T08:01:01Z"] {
        desk.set(time);
        desk.look(&first).await;
    }
    first.0.ledger.close().await;
    desk.config.budget = Budget { turns: 1, tokens: 0 };
    let automation = desk.start().await;
    let turn = Settlement {
        turn: Some("turn1".parse().unwrap()),
        ..ended(&desk.last_begun(), Outcome::Completed { text: String::new() })
    };
    automation.0.ledger.settle(&turn).await.unwrap();
    for time in ["2026-03-01T08:02:31Z", "2026-03-01T08:04:00Z"] {
        desk.set(time);
        desk.look(&automation).await;
    }
    let runs = automation.job_history(&s("s"), "j", Some(200)).await.unwrap().runs;
    let reasons = |part: &str| {
        runs.iter().filter(|run| run.reason.as_deref().is_some_and(|reason| reason.contains(part))).count()
    };
    assert_eq!((runs.len(), reasons("had not ended"), reasons("used up")), (101, 60, 40));
}
