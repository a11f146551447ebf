use argus_schedule::Dialect;
use serde_json::json;

use super::*;

fn expr(text: &str, dialect: Dialect, zone: &str) -> Schedule {
    let expression = Expression::read(text, dialect, DateTime::UNIX_EPOCH).unwrap();
    Schedule::Expr(Arc::new(expression), argus_schedule::zone(zone).unwrap())
}

fn ms(time: &str) -> u64 {
    u64::try_from(time.parse::<DateTime<Utc>>().unwrap().timestamp_millis()).unwrap()
}

fn shown(times: &[u64]) -> Vec<String> {
    times.iter().map(|at| to_time(*at).unwrap().format("%Y-%m-%dT%H:%M:%SZ").to_string()).collect()
}

/// A job by its members beside id and text.
fn job(members: &serde_json::Value) -> Job {
    let mut all = json!({ "jobId": "j", "text": "t" });
    all.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    serde_json::from_value(all).unwrap()
}

/// The runs and the next time, as people read them.
fn planned(schedule: &Schedule, members: &serde_json::Value, now: &str) -> (Vec<String>, Option<String>) {
    let plan = plan(schedule, &job(members), ms(now));
    (shown(&plan.runs), plan.next.map(|at| shown(&[at]).remove(0)))
}

#[test]
fn the_policy_says_which_of_the_times_that_passed_are_made_up_for() {
    let hourly = expr("0 * * * *", Dialect::Five, "UTC");
    let since = ms("2026-03-01T00:00:00Z");
    let next = || Some("2026-03-01T06:00:00Z".to_owned());
    for (missed, now, runs) in [
        // Five hours after: what was missed.
        (json!({ "missed": "skip" }), "2026-03-01T05:10:00Z", vec![]),
        (json!({}), "2026-03-01T05:10:00Z", vec!["2026-03-01T05:00:00Z"]),
        (
            json!({ "missed": "all" }),
            "2026-03-01T05:10:00Z",
            vec![
                "2026-03-01T00:00:00Z",
                "2026-03-01T01:00:00Z",
                "2026-03-01T02:00:00Z",
                "2026-03-01T03:00:00Z",
                "2026-03-01T04:00:00Z",
                "2026-03-01T05:00:00Z",
            ],
        ),
        (
            json!({ "missed": "all", "missedMost": 2 }),
            "2026-03-01T05:10:00Z",
            vec!["2026-03-01T04:00:00Z", "2026-03-01T05:00:00Z"],
        ),
        // A minute after it is not missed yet, and a millisecond later it is.
        (json!({ "missed": "skip" }), "2026-03-01T05:01:00Z", vec!["2026-03-01T05:00:00Z"]),
        (json!({ "missed": "skip" }), "2026-03-01T05:01:00.001Z", vec![]),
    ] {
        let mut members = missed.clone();
        members["nextRunAtMs"] = json!(since);
        let runs = runs.into_iter().map(str::to_owned).collect();
        assert_eq!(planned(&hourly, &members, now), (runs, next()), "{missed} {now}");
    }
}

#[test]
fn what_is_left_out_is_told_once() {
    let hourly = expr("0 * * * *", Dialect::Five, "UTC");
    let skips = job(&json!({ "missed": "skip", "nextRunAtMs": ms("2026-03-01T00:00:00Z") }));
    let told = plan(&hourly, &skips, ms("2026-03-01T05:10:00Z"));
    assert_eq!(told.missed, Some(ms("2026-03-01T05:00:00Z")));
}

#[test]
fn a_pause_of_years_costs_no_more_than_one_of_minutes() {
    let each_second = expr("* * * * * *", Dialect::SecondsFirst, "UTC");
    let members = json!({ "missed": "all", "missedMost": 3, "nextRunAtMs": ms("2020-01-01T00:00:00Z") });
    let runs = ["2026-03-01T00:00:00Z", "2026-03-01T00:00:01Z", "2026-03-01T00:00:02Z"];
    let expected = (runs.map(str::to_owned).to_vec(), Some("2026-03-01T00:00:03Z".to_owned()));
    assert_eq!(planned(&each_second, &members, "2026-03-01T00:00:02.500Z"), expected);
    let most = json!({ "missed": "all", "missedMost": 5000, "nextRunAtMs": ms("2020-01-01T00:00:00Z") });
    assert_eq!(planned(&each_second, &most, "2026-03-01T00:00:02.500Z").0.len(), MISSED_MOST as usize);
}

#[test]
fn a_job_whose_next_time_is_not_known_goes_on_from_its_last_run_or_from_now() {
    let daily = expr("0 9 * * *", Dialect::Five, "UTC");
    let next = || Some("2026-03-02T09:00:00Z".to_owned());
    assert_eq!(planned(&daily, &json!({}), "2026-03-01T10:00:00Z"), (vec![], next()));
    let ran = json!({ "lastRunAtMs": ms("2026-02-27T09:00:00Z") });
    assert_eq!(planned(&daily, &ran, "2026-03-01T10:00:00Z"), (vec!["2026-03-01T09:00:00Z".into()], next()));
}

#[test]
fn a_clock_that_is_put_forward_or_back_runs_a_job_as_the_rules_say() {
    // 02:30 does not exist on 29 March and comes twice on 25 October.
    let nightly = expr("30 2 * * *", Dialect::Five, "Europe/Berlin");
    let times = |from: &str| shown(&nightly.next_times(ms(from), None, 3));
    assert_eq!(
        times("2026-03-28T00:00:00Z"),
        ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]
    );
    assert_eq!(
        times("2026-10-24T12:00:00Z"),
        ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z", "2026-10-27T01:30:00Z"]
    );
    let quarters = expr("*/30 * * * *", Dialect::Five, "Europe/Berlin");
    let members = json!({ "missed": "all", "nextRunAtMs": ms("2026-10-25T00:00:00Z") });
    let runs: Vec<_> =
        ["2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z"]
            .map(str::to_owned)
            .to_vec();
    let next = Some("2026-10-25T02:00:00Z".to_owned());
    assert_eq!(planned(&quarters, &members, "2026-10-25T01:45:00Z"), (runs, next));
}

#[test]
fn an_expression_that_ends_with_its_year_is_due_that_often_and_never_again() {
    let once = expr("0 9 24 12 * 0 2026", Dialect::SecondsLast, "UTC");
    let at = ms("2026-12-24T09:00:00Z");
    let first = planned(&once, &json!({ "nextRunAtMs": at }), "2026-12-24T09:00:01Z");
    assert_eq!(first, (vec!["2026-12-24T09:00:00Z".to_owned()], None));
    assert_eq!(planned(&once, &json!({ "lastRunAtMs": at }), "2026-12-24T09:01:00Z"), (vec![], None));
    assert_eq!(planned(&once, &json!({}), "2027-01-01T00:00:00Z"), (vec![], None));
}

#[test]
fn what_comes_once_comes_once() {
    let at = ms("2026-12-24T09:00:00Z");
    let once = Schedule::At(at);
    let run = (vec!["2026-12-24T09:00:00Z".to_owned()], None);
    assert_eq!(
        planned(&once, &json!({ "nextRunAtMs": at }), "2026-12-24T08:00:00Z"),
        (vec![], Some("2026-12-24T09:00:00Z".to_owned()))
    );
    assert_eq!(planned(&once, &json!({ "nextRunAtMs": at }), "2026-12-24T09:00:00Z"), run);
    assert_eq!(planned(&once, &json!({ "nextRunAtMs": at }), "2026-12-26T09:00:00Z"), run);
    for spent in [json!({ "lastRunAtMs": at }), json!({ "nextRunAtMs": at, "lastRunAtMs": at })] {
        assert_eq!(planned(&once, &spent, "2026-12-24T09:00:01Z"), (vec![], None), "{spent}");
    }
}

#[test]
fn an_interval_keeps_to_the_times_of_its_first() {
    let every = Schedule::Every(90 * 60_000);
    let first = ms("2026-03-01T00:00:00Z");
    // Looked at late, it does not drift.
    let late = planned(&every, &json!({ "nextRunAtMs": first }), "2026-03-01T00:00:07Z");
    assert_eq!(late, (vec!["2026-03-01T00:00:00Z".to_owned()], Some("2026-03-01T01:30:00Z".to_owned())));
    let long = planned(&every, &json!({ "nextRunAtMs": first }), "2026-03-01T10:00:00Z");
    assert_eq!(long, (vec!["2026-03-01T09:00:00Z".to_owned()], Some("2026-03-01T10:30:00Z".to_owned())));
    assert_eq!(every.next_times(first, None, 2), [first + 90 * 60_000, first + 180 * 60_000]);
}

#[test]
fn a_clock_that_was_set_back_brings_the_next_time_near_again() {
    let (minutely, every) = (expr("* * * * *", Dialect::Five, "UTC"), Schedule::Every(60_000));
    let far = ms("2030-01-01T00:00:30Z");
    for (schedule, near) in [(&minutely, "2026-03-01T00:01:00Z"), (&every, "2026-03-01T00:00:30Z")] {
        let told = planned(schedule, &json!({ "nextRunAtMs": far }), "2026-03-01T00:00:07Z");
        assert_eq!(told, (vec![], Some(near.to_owned())));
    }
}

#[test]
fn numbers_without_sense_overflow_nothing() {
    for schedule in [
        Schedule::Every(u64::MAX),
        Schedule::Every(0),
        Schedule::At(u64::MAX),
        expr("* * * * *", Dialect::Five, "UTC"),
    ] {
        for members in [
            json!({ "nextRunAtMs": 0 }),
            json!({ "nextRunAtMs": u64::MAX }),
            json!({ "lastRunAtMs": u64::MAX }),
        ] {
            for now in [0, 1, u64::MAX] {
                let told = plan(&schedule, &job(&members), now);
                assert!(told.runs.len() <= 1, "{schedule:?} {members} {now}");
            }
        }
    }
}
