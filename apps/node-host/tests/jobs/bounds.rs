//! How much is kept, and what is found in the folder of jobs.

use argus_node_host::jobs::{Jobs, Limits};
use serde_json::{Value, json};

use crate::stage::{Stage, config, id, until};

/// Puts an ended job into a folder, as the reference's program would, or one of ours.
fn put(stage: &std::path::Path, number: u32, told: Option<bool>, bytes: usize) -> String {
    let id = format!("00000000-0000-4000-8000-{number:012}");
    let folder = stage.join("jobs").join(&id);
    std::fs::create_dir_all(&folder).unwrap();
    let mut meta = json!({
        "version": 1, "jobId": id, "nodeId": "desk", "argv": ["true"], "cwd": "/", "createdAtMs": number,
        "endedAtMs": number, "running": false, "orphaned": false, "notifyOnExitMode": "auto", "exitCode": 0,
    });
    if let Some(told) = told {
        meta["told"] = json!(told);
    }
    std::fs::write(folder.join("meta.json"), meta.to_string()).unwrap();
    std::fs::write(folder.join("stdout.log"), "x".repeat(bytes)).unwrap();
    id
}

async fn kept(stage: &Stage) -> Vec<u64> {
    let list = stage.ask("process.list", json!({})).await.unwrap();
    let mut kept: Vec<u64> =
        list["jobs"].as_array().unwrap().iter().map(|job| job["createdAtMs"].as_u64().unwrap()).collect();
    kept.sort_unstable();
    kept
}

async fn opened(jobs: &[(Option<bool>, usize)], limits: Limits) -> Stage {
    let folder = tempfile::tempdir().unwrap();
    for (number, (told, bytes)) in (1..).zip(jobs) {
        put(folder.path(), number, *told, *bytes);
    }
    let mut stage = Stage::in_folder(folder, limits);
    stage.reopen().await;
    stage
}

#[tokio::test]
async fn the_oldest_that_were_told_go_first() {
    let jobs = [(Some(false), 1), (None, 1), (Some(true), 1), (Some(true), 1), (Some(false), 1)];
    let stage = opened(&jobs, Limits { told: 2, untold: 2, ..Limits::default() }).await;
    assert_eq!(kept(&stage).await, [1, 3, 4, 5]);
    let stage = opened(&jobs, Limits { told: 0, untold: 1, ..Limits::default() }).await;
    assert_eq!(kept(&stage).await, [5]);
}

#[tokio::test]
async fn more_bytes_than_may_be_kept_go_too() {
    let jobs = [(Some(false), 100), (Some(true), 100), (Some(true), 100), (Some(false), 100)];
    for (bytes, expected) in
        [(400, vec![1, 2, 3, 4]), (399, vec![1, 3, 4]), (200, vec![1, 4]), (150, vec![4])]
    {
        let stage = opened(&jobs, Limits { bytes, ..Limits::default() }).await;
        assert_eq!(kept(&stage).await, expected, "{bytes}");
    }
}

#[tokio::test]
async fn what_is_told_makes_room_while_the_program_runs() {
    let stage = Stage::with(Limits { told: 2, ..Limits::default() });
    let mut jobs = Vec::new();
    for _ in 0..4 {
        let job = stage.begin("true").await;
        stage.ended(&job).await;
        jobs.push(job);
    }
    for job in &jobs {
        stage.jobs().told(job);
    }
    until("the first two are gone", async || {
        let there: Vec<bool> = jobs.iter().map(|job| stage.job(job).exists()).collect();
        (there == [false, false, true, true]).then_some(())
    })
    .await;
}

#[tokio::test]
async fn garbage_in_the_folder_keeps_nobody_from_starting() {
    let folder = tempfile::tempdir().unwrap();
    let jobs = folder.path().join("jobs");
    std::fs::create_dir_all(jobs.join("not-a-job")).unwrap();
    std::fs::create_dir_all(jobs.join(".new-half")).unwrap();
    std::fs::write(jobs.join("a-file"), "x").unwrap();
    for (name, text) in [
        ("one", "{\"jobId\":\"one\"}"),
        ("00000000-0000-4000-8000-000000000001", "{"),
        ("00000000-0000-4000-8000-000000000002", "[]"),
        ("00000000-0000-4000-8000-000000000003", "{\"jobId\":\"other\"}"),
        ("00000000-0000-4000-8000-000000000004", "\u{0}"),
    ] {
        std::fs::create_dir_all(jobs.join(name)).unwrap();
        std::fs::write(jobs.join(name).join("meta.json"), text).unwrap();
    }
    put(folder.path(), 7, Some(true), 3);
    let mut stage = Stage::in_folder(folder, Limits::default());
    stage.reopen().await;
    assert_eq!(kept(&stage).await, [7]);
    assert!(!jobs.join(".new-half").exists() && jobs.join("one").exists());
    assert_eq!(stage.shell("echo works").await["stdout"], "works\n");
}

#[tokio::test]
async fn a_job_that_the_reference_left_running_is_orphaned_at_a_known_time() {
    let folder = tempfile::tempdir().unwrap();
    let job = put(folder.path(), 7, None, 3);
    let meta = folder.path().join("jobs").join(&job).join("meta.json");
    let mut text: Value = serde_json::from_slice(&std::fs::read(&meta).unwrap()).unwrap();
    (text["running"], text["endedAtMs"], text["exitCode"]) = (json!(true), json!(null), json!(null));
    std::fs::write(&meta, text.to_string()).unwrap();
    let mut stage = Stage::in_folder(folder, Limits::default());
    stage.reopen().await;
    let found = stage.get(&job).await;
    assert_eq!(
        (&found["running"], &found["orphaned"], &found["exitCode"]),
        (&json!(false), &json!(true), &json!(null))
    );
    assert!(found["endedAtMs"].as_u64().unwrap() > 1_700_000_000_000);
    let told: Vec<(String, bool)> =
        stage.jobs().untold().into_iter().map(|exited| (exited.job_id, exited.orphaned)).collect();
    assert_eq!(told, [(job, true)]);
}

#[tokio::test]
async fn one_folder_is_one_running_program_s() {
    let mut stage = Stage::new();
    let second = Jobs::open(config(stage.folder.path(), Limits::default())).unwrap_err();
    assert_eq!(second.kind(), std::io::ErrorKind::WouldBlock);
    stage.reopen().await;
    assert_eq!(stage.shell("true").await["exitCode"], 0);
}

#[tokio::test]
async fn a_folder_whose_path_is_longer_than_an_address_serves_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let long = folder.path().join("a-name-of-some-length/".repeat(8));
    let jobs = Jobs::open(config(&long, Limits::default())).unwrap();
    let mut stage = Stage::in_folder(folder, Limits::default());
    stage.take(jobs);
    let job = stage.begin("sleep 600").await;
    let killed = stage.ask("process.kill", json!({"jobId": job})).await.unwrap();
    assert_eq!((id(&killed), &killed["signal"]), (job, &json!("SIGTERM")));
}
