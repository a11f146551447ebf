use super::*;

fn s() -> SessionId {
    "s".parse().unwrap()
}

fn job(value: Value) -> Job {
    serde_json::from_value(value).unwrap()
}

fn load(dir: &tempfile::TempDir) -> StateFile {
    StateFile::load(&dir.path().join("state.json")).unwrap()
}

fn on_disk(dir: &tempfile::TempDir) -> Option<Value> {
    let bytes = std::fs::read(dir.path().join("state.json")).ok()?;
    Some(serde_json::from_slice(&bytes).unwrap())
}

fn write(dir: &tempfile::TempDir, jobs: &Value) {
    let state = json!({ "version": 1, "sessions": { "s": { "mainThreadId": "t", "cronJobs": jobs } } });
    std::fs::write(dir.path().join("state.json"), state.to_string()).unwrap();
}

#[tokio::test]
async fn jobs_are_kept_with_what_others_wrote_beside_them() {
    let dir = tempfile::tempdir().unwrap();
    let ours = json!({ "jobId": "a", "expr": "* * * * *", "text": "x", "enabled": true, "colour": "red" });
    write(&dir, &json!([ours.clone()]));
    let state = load(&dir);
    assert_eq!(state.jobs(&s()).await, [job(ours.clone())]);
    let more = job(json!({ "jobId": "b", "everyMs": 1000, "text": "y" }));
    let added = more.clone();
    let session = s();
    let done = state.change_jobs(&session, |jobs| {
        jobs.push(added);
        Ok::<_, ()>(jobs.len())
    });
    assert_eq!(done.await.unwrap(), Ok(2));
    assert_eq!(state.all_jobs().await, [(s(), job(ours.clone())), (s(), more.clone())]);
    let kept = on_disk(&dir).unwrap()["sessions"]["s"].clone();
    assert_eq!(kept, json!({ "mainThreadId": "t", "cronJobs": [ours, json!(more)] }));
    assert_eq!(load(&dir).jobs(&s()).await.len(), 2);
}

#[tokio::test]
async fn nothing_is_written_where_nothing_changed_or_the_change_was_refused() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir, &json!([{ "jobId": "a", "expr": "* * * * *", "text": "x" }]));
    let before = std::fs::read(dir.path().join("state.json")).unwrap();
    let state = load(&dir);
    let session = s();
    let refused = state.change_jobs(&session, |jobs| {
        jobs.clear();
        Err::<(), _>("no")
    });
    assert_eq!(refused.await.unwrap(), Err("no"));
    state.change_jobs(&s(), |_| Ok::<_, ()>(())).await.unwrap().unwrap();
    state.change_each_job(|_, _| {}).await.unwrap();
    assert_eq!(std::fs::read(dir.path().join("state.json")).unwrap(), before);
    assert_eq!(state.jobs(&s()).await.len(), 1);
}

#[tokio::test]
async fn what_cannot_be_written_does_not_count() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir, &json!([]));
    let state = load(&dir);
    std::fs::remove_dir_all(dir.path()).unwrap();
    let session = s();
    let pushed = state.change_jobs(&session, |jobs| {
        jobs.push(job(json!({ "jobId": "a", "expr": "* * * * *", "text": "x" })));
        Ok::<_, ()>(())
    });
    assert!(matches!(pushed.await, Err(StateError::Write { .. })));
    assert_eq!(state.jobs(&s()).await, []);
}

#[tokio::test]
async fn what_is_due_is_told_by_times_alone() {
    let dir = tempfile::tempdir().unwrap();
    write(
        &dir,
        &json!([
            { "jobId": "due", "expr": "* * * * *", "text": "x", "nextRunAtMs": 100 },
            { "jobId": "later", "expr": "* * * * *", "text": "x", "nextRunAtMs": 300 },
            { "jobId": "sooner", "expr": "* * * * *", "text": "x", "nextRunAtMs": 200 },
            { "jobId": "new", "expr": "* * * * *", "text": "x" },
            { "jobId": "paused", "expr": "* * * * *", "text": "x", "enabled": false, "nextRunAtMs": 100 },
            { "jobId": "spent", "text": "x", "atMs": 50, "lastRunAtMs": 50 },
        ]),
    );
    let told = load(&dir).due_jobs(100).await;
    let ids: Vec<_> = told.due.iter().map(|(_, job)| job.job_id.as_str()).collect();
    assert_eq!((ids, told.next_ms), (vec!["due", "new"], Some(200)));
}

#[tokio::test]
async fn jobs_of_many_sessions_change_in_one_write() {
    let dir = tempfile::tempdir().unwrap();
    let jobs = json!([{ "jobId": "a", "expr": "* * * * *", "text": "x" }]);
    let sessions = json!({ "s": { "cronJobs": jobs }, "t": { "cronJobs": jobs } });
    std::fs::write(dir.path().join("state.json"), json!({ "sessions": sessions }).to_string()).unwrap();
    let state = load(&dir);
    state.change_each_job(|_, job| job.next_run_at_ms = Some(7)).await.unwrap();
    let moved: Vec<_> = state.all_jobs().await.into_iter().map(|(_, job)| job.next_run_at_ms).collect();
    assert_eq!(moved, [Some(7), Some(7)]);
    assert_eq!(load(&dir).all_jobs().await, state.all_jobs().await);
    let before: Value =
        serde_json::from_slice(&std::fs::read(dir.path().join("state.json.bak")).unwrap()).unwrap();
    assert_eq!(before["sessions"], sessions, "one write: the version before is the first one");
}

#[tokio::test]
async fn nothing_is_due_in_a_session_that_is_paused() {
    let dir = tempfile::tempdir().unwrap();
    let jobs = json!([{ "jobId": "a", "expr": "* * * * *", "text": "x", "nextRunAtMs": 7 }]);
    let sessions = json!({ "s": { "cronJobs": jobs, "automationPaused": true }, "t": { "cronJobs": jobs } });
    std::fs::write(dir.path().join("state.json"), json!({ "sessions": sessions }).to_string()).unwrap();
    let due = load(&dir).due_jobs(7).await.due;
    assert_eq!(due.into_iter().map(|(session, _)| session).collect::<Vec<_>>(), ["t".parse().unwrap()]);
}
