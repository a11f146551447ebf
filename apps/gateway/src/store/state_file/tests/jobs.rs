//! Jobs in `state.json`.

use argus_protocol::argus::cron::{Job, JobThread, Missed, Seconds};
use argus_protocol::argus::deliver::Deliver;

use super::*;

/// A file with these jobs of session `s`.
fn with_jobs(jobs: &Value) -> String {
    json!({ "version": 1, "sessions": { "s": { "cronJobs": jobs } } }).to_string()
}

/// The jobs as they are read.
async fn read(jobs: Value) -> Vec<Job> {
    let (_dir, path) = on_disk(&with_jobs(&jobs));
    let state = StateFile::load(&path).unwrap().whole().await;
    serde_json::from_value(state["sessions"]["s"]["cronJobs"].clone()).unwrap()
}

#[tokio::test]
async fn a_job_of_the_reference_is_read_with_its_leniencies() {
    let jobs = read(json!([
        { "jobId": "a", "expr": "0 9 * * 1-5", "text": "x", "enabled": false,
          "lastRunAtMs": "1763370000000", "nextRunAtMs": 1_763_456_400_000.0 },
        { "jobId": "b", "expr": "@daily", "name": null, "tz": " ", "nextRunAtMs": "", "by": [null, " "] },
    ]))
    .await;
    let others = json!({ "by": [null, " "] }).as_object().cloned().unwrap();
    let plain = Job {
        job_id: "a".into(),
        name: None,
        expr: Some("0 9 * * 1-5".into()),
        seconds: None,
        at_ms: None,
        every_ms: None,
        tz: None,
        text: "x".into(),
        enabled: false,
        missed: Missed::default(),
        missed_most: None,
        thread: JobThread::default(),
        keep: None,
        deliver: Deliver::default(),
        last_run_at_ms: Some(1_763_370_000_000),
        next_run_at_ms: Some(1_763_456_400_000),
        others: Map::new(),
    };
    let daily = Job {
        job_id: "b".into(),
        expr: Some("@daily".into()),
        text: String::new(),
        enabled: true,
        last_run_at_ms: None,
        next_run_at_ms: None,
        others,
        ..plain.clone()
    };
    assert_eq!(jobs, [plain, daily]);
}

#[tokio::test]
async fn six_or_seven_fields_are_the_references_dialect_where_none_is_named() {
    let job = |id: &str, expr: &str| json!({ "jobId": id, "expr": expr });
    let mut ours = job("4", "0 0 9 * * *");
    ours["seconds"] = json!("first");
    let jobs =
        read(json!([job("1", "0 9 * * *"), job("2", "0 9 * * * 30"), job("3", "0 9 * * * 30 2030"), ours]))
            .await;
    let seconds: Vec<_> = jobs.iter().map(|job| job.seconds).collect();
    assert_eq!(seconds, [None, Some(Seconds::Last), Some(Seconds::Last), Some(Seconds::First)]);
}

#[test]
fn an_expression_that_nobody_understands_is_no_fault_of_the_file() {
    let jobs = json!([{ "jobId": "a", "expr": "0 25 * * *" }, { "jobId": "b", "expr": "@daily", "tz": "Mars/Base" },
        { "jobId": "c", "expr": "@daily" }, { "jobId": "d", "everyMs": 60_000, "enabled": false }]);
    let (_dir, path) = on_disk(&with_jobs(&jobs));
    let found = survey(&path, std::time::SystemTime::UNIX_EPOCH).unwrap().unwrap();
    let trouble = |job: &str, expr: &str, reason: &str| JobTrouble {
        job: job.into(),
        expr: expr.into(),
        reason: reason.into(),
    };
    let session = SessionSurvey {
        session: "s".into(),
        main_thread: None,
        jobs: 4,
        enabled: 3,
        paused: false,
        troubles: vec![
            trouble("a", "0 25 * * *", "the hours: 25 is not within 0 to 23"),
            trouble("b", "@daily", &argus_schedule::zone("Mars/Base").unwrap_err().to_string()),
        ],
        to_take_over: 0,
    };
    let expected = Survey { path, default_session: None, sessions: vec![session], warnings: Vec::new() };
    assert_eq!(found, expected);
}

#[test]
fn what_is_no_job_is_named_by_its_place() {
    let good = json!({ "jobId": "a", "expr": "@daily" });
    for (jobs, reason) in [
        (json!({}), "`sessions.s.cronJobs`: it is not a list"),
        (json!([7]), "`sessions.s.cronJobs[0]`: it is not an object"),
        (json!([good, { "expr": "@daily" }]), "`sessions.s.cronJobs[1].jobId`: it is missing"),
        (json!([{ "jobId": " ", "expr": "@daily" }]), "`sessions.s.cronJobs[0].jobId`: it is missing"),
        (
            json!([{ "jobId": 7, "expr": "@daily" }]),
            "`sessions.s.cronJobs[0].jobId`: invalid type: integer `7`",
        ),
        (json!([{ "jobId": "a" }]), "`sessions.s.cronJobs[0].expr`: it is missing, and so are"),
        (json!([{ "jobId": "a", "expr": "" }]), "`sessions.s.cronJobs[0].expr`: it is missing, and so are"),
        (json!([{ "jobId": "a", "expr": 5 }]), "`sessions.s.cronJobs[0].expr`: invalid type"),
        (
            json!([{ "jobId": "a", "expr": "@daily", "everyMs": 5 }]),
            "`sessions.s.cronJobs[0].everyMs`: it stands beside `expr`",
        ),
        (json!([good, good]), "`sessions.s.cronJobs[1].jobId`: `a` is that of `cronJobs[0]` too"),
        (
            json!([{ "jobId": "a", "atMs": "soon" }]),
            "`sessions.s.cronJobs[0].atMs`: it is not a whole number",
        ),
        (
            json!([{ "jobId": "a", "everyMs": -5 }]),
            "`sessions.s.cronJobs[0].everyMs`: it is not a whole number",
        ),
        (
            json!([{ "jobId": "a", "expr": "@daily", "nextRunAtMs": 1.5 }]),
            "`sessions.s.cronJobs[0].nextRunAtMs`: it is not a whole number",
        ),
        (
            json!([{ "jobId": "a", "expr": "@daily", "text": 7 }]),
            "`sessions.s.cronJobs[0].text`: invalid type",
        ),
        (
            json!([{ "jobId": "a", "expr": "@daily", "enabled": "no" }]),
            "`sessions.s.cronJobs[0].enabled`: invalid type: string \"no\", expected a boolean",
        ),
        (
            json!([{ "jobId": "a", "expr": "@daily", "seconds": "middle" }]),
            "`sessions.s.cronJobs[0].seconds`: unknown variant `middle`, expected `first` or `last`",
        ),
        (
            json!([{ "jobId": "a", "expr": "@daily", "keep": 5_000_000_000u64 }]),
            "`sessions.s.cronJobs[0].keep`: invalid value",
        ),
        (
            json!([{ "jobId": "a", "expr": "@daily", "deliver": "away" }]),
            "`sessions.s.cronJobs[0].deliver`: expected home, last, none or a chat such as telegram:7",
        ),
    ] {
        let error = refused(&with_jobs(&jobs));
        assert!(error.contains(reason), "{jobs}: {error}");
    }
}
