//! `system.run`: what it answers, and what a job is given.

use argus_node_host::{Command as _, Progress};
use argus_protocol::node::code;
use serde_json::json;

use crate::stage::{Stage, call, heard, id, plan, value};

#[tokio::test]
async fn a_job_that_ends_in_time_is_answered_whole() {
    let stage = Stage::new();
    let mut answer = stage.shell("echo out; echo err >&2; exit 3").await;
    let (job, pid) = (answer["jobId"].take(), answer["pid"].take());
    assert!(job.is_string() && pid.is_number());
    let expected = json!({
        "jobId": null, "running": false, "argv": ["sh", "-c", "echo out; echo err >&2; exit 3"], "cwd": "/",
        "timeoutMs": null, "yieldMs": 10_000, "pid": null, "exitCode": 3, "signal": null, "timedOut": false,
        "stdout": "out\n", "stderr": "err\n", "stdoutBytes": 4, "stderrBytes": 4,
        "stdoutTruncated": false, "stderrTruncated": false,
    });
    assert_eq!(answer, expected);
}

#[tokio::test]
async fn a_job_that_runs_on_is_answered_with_what_it_wrote_so_far() {
    let stage = Stage::new();
    let params = json!({"argv": ["sh", "-c", "echo begun; sleep 600"], "yieldMs": 700, "timeoutMs": 500_000});
    let mut answer = stage.run(params).await.unwrap();
    let (job, pid) = (id(&answer), answer["pid"].take());
    (answer["jobId"], answer["stdoutTail"]) = (json!(null), json!("begun\n"));
    let expected = json!({
        "jobId": null, "running": true, "argv": ["sh", "-c", "echo begun; sleep 600"], "cwd": "/",
        "timeoutMs": 500_000, "yieldMs": 700, "pid": null, "stdoutTail": "begun\n", "stderrTail": "",
        "stdoutBytes": answer["stdoutBytes"], "stderrBytes": 0,
    });
    assert_eq!(answer, expected);
    assert_eq!(stage.wrote(&job, "begun").await, "begun\n");
    assert_eq!(stage.get(&job).await["pid"], pid);
    stage.ask("process.kill", json!({"jobId": job})).await.unwrap();
}

#[tokio::test]
async fn the_job_is_named_before_the_answer_comes() {
    let stage = Stage::new();
    let (call, mut hears) = heard(call("system.run", json!({"argv": ["true"]})));
    let answer = stage.run_call(call).await.unwrap();
    assert_eq!(hears.recv().await, Some(Progress::Job(id(&answer))));
}

#[tokio::test]
async fn a_job_gets_the_environment_folder_and_name_that_were_planned_and_nothing_else() {
    let stage = Stage::new();
    let folder = stage.folder.path().canonicalize().unwrap();
    let params = json!({"argv": ["called-otherwise", "-c", "echo $0; pwd; env | sort"], "cwd": folder});
    let mut planned = plan(&params);
    (planned.program, planned.env) = ("/bin/sh".into(), vec![("SECRET".into(), "s3".into())]);
    let answer = value(stage.jobs().run(call("system.run", params), planned).await).unwrap();
    let out = answer["stdout"].as_str().unwrap();
    let lines: Vec<&str> = out.lines().filter(|line| !line.starts_with('_')).collect();
    let path = folder.display().to_string();
    let pwd = format!("PWD={path}");
    let mut expected = vec!["called-otherwise", &path, &pwd, "SECRET=s3"];
    expected.retain(|line| lines.contains(line) || *line == "SECRET=s3");
    assert_eq!(lines, expected);
    assert!(
        lines.contains(&"SECRET=s3") && lines.contains(&"called-otherwise") && lines.contains(&path.as_str())
    );
}

#[tokio::test]
async fn neither_environment_nor_input_is_put_on_disk() {
    let mut stage = Stage::new();
    let params =
        json!({"argv": ["true"], "env": {"TOKEN": "very-secret-value"}, "stdinText": "very-secret-text"});
    let job = id(&stage.run(params).await.unwrap());
    // All that is to be noted is noted then.
    stage.close().await;
    assert_eq!(stage.file(&job, "meta.json")["stdinTextBytes"], 16);
    let names: std::collections::BTreeSet<String> = std::fs::read_dir(stage.job(&job))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let expected = ["exit.json", "keeper.log", "keeper.sock", "meta.json", "stderr.log", "stdout.log"];
    assert_eq!(names.iter().map(String::as_str).collect::<Vec<_>>(), expected);
    for name in expected.iter().filter(|name| **name != "keeper.sock") {
        let text = String::from_utf8(std::fs::read(stage.job(&job).join(name)).unwrap()).unwrap();
        assert!(!text.contains("very-secret"), "{name}: {text}");
    }
}

#[tokio::test]
async fn only_the_owner_can_look_at_jobs() {
    use std::os::unix::fs::PermissionsExt as _;
    let stage = Stage::new();
    let job = stage.begin("sleep 600").await;
    let mode = |path: std::path::PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(stage.job("")), mode(stage.job(&job))), (0o700, 0o700));
    for name in ["meta.json", "stdout.log", "stderr.log", "keeper.log", "keeper.sock"] {
        assert_eq!(mode(stage.job(&job).join(name)), 0o600, "{name}");
    }
    stage.ask("process.kill", json!({"jobId": job})).await.unwrap();
}

#[tokio::test]
async fn half_a_megabyte_for_a_program_that_reads_nothing_harms_nobody() {
    let stage = Stage::new();
    let params = json!({"argv": ["true"], "stdinText": "x".repeat(500_000)});
    let answer = stage.run(params).await.unwrap();
    assert_eq!((&answer["exitCode"], &answer["signal"]), (&json!(0), &json!(null)));
    assert_eq!(stage.shell("echo still here").await["stdout"], "still here\n");
}

#[tokio::test]
async fn a_job_reads_the_text_that_it_was_given_and_then_nothing() {
    let stage = Stage::new();
    let text = "ein Satz mit ß\n".repeat(60_000);
    let answer = stage.run(json!({"argv": ["wc", "-c"], "stdinText": text})).await.unwrap();
    assert_eq!(answer["stdout"].as_str().unwrap().trim(), text.len().to_string());
    let nothing = stage.run(json!({"argv": ["wc", "-c"]})).await.unwrap();
    assert_eq!(nothing["stdout"].as_str().unwrap().trim(), "0");
}

#[tokio::test]
async fn a_running_job_reads_what_is_written_to_it() {
    let stage = Stage::new();
    let job = stage.begin_with(json!({"argv": ["cat"], "stdin": "open"})).await;
    for params in
        [json!({"text": "one\n"}), json!({"dataBase64": "dHdvCg=="}), json!({"text": "three\n", "eof": true})]
    {
        let mut params = params;
        params["jobId"] = json!(job);
        stage.ask("process.write", params).await.unwrap();
    }
    assert_eq!(stage.ended(&job).await["exitCode"], 0);
    assert_eq!(stage.wrote(&job, "three").await, "one\ntwo\nthree\n");
}

#[tokio::test]
async fn who_does_not_read_does_not_keep_the_keeper_from_its_work() {
    let stage = Stage::new();
    let job = stage.begin_with(json!({"argv": ["sleep", "600"], "stdin": "open"})).await;
    let piece = "x".repeat(250_000);
    let mut fault = None;
    for _ in 0..40 {
        if let Err(error) = stage.ask("process.write", json!({"jobId": job, "text": piece})).await {
            fault = Some(error);
            break;
        }
    }
    assert_eq!(fault.map(|fault| fault.code), Some(code::BUSY.to_owned()));
    let killed = stage.ask("process.kill", json!({"jobId": job})).await.unwrap();
    assert_eq!(killed["signal"], "SIGTERM");
}

#[tokio::test]
async fn what_cannot_be_started_says_so_and_leaves_nothing() {
    let stage = Stage::new();
    for params in [
        json!({"argv": ["no-such-program-here"]}),
        json!({"argv": ["sh", "-c", "true"], "cwd": "/no/such/folder"}),
        json!({"argv": ["no-such-program-here"], "pty": true}),
        json!({"argv": ["/etc/passwd"], "notifyOnExit": true}),
    ] {
        let fault = stage.run(params.clone()).await.unwrap_err();
        assert_eq!(fault.code, code::SPAWN_FAILED, "{params} {fault}");
        assert!(fault.message.contains("cannot be started"), "{fault}");
    }
    let list = stage.ask("process.list", json!({})).await.unwrap();
    assert_eq!(list, json!({"jobs": []}));
    assert_eq!(stage.jobs().untold(), vec![]);
}

#[tokio::test]
async fn what_a_call_may_not_say_is_refused() {
    let stage = Stage::new();
    for params in [
        json!({}),
        json!({"argv": []}),
        json!({"argv": "ls"}),
        json!({"argv": ["x".repeat(300_000)]}),
        json!({"argv": ["true"], "timeoutMs": -1}),
        json!({"argv": ["true"], "timeoutMs": "soon"}),
        json!({"argv": ["true"], "stdinText": "x".repeat((1 << 20) + 1)}),
        json!({"argv": ["true"], "stdinText": "x", "stdin": "open"}),
        json!({"argv": ["true"], "stdinText": "x", "pty": true}),
        json!({"argv": ["true"], "pty": true, "rows": 0}),
        json!({"argv": ["true"], "stdin": "file"}),
    ] {
        let planned = plan(&json!({"argv": ["true"]}));
        let fault = value(stage.jobs().run(call("system.run", params.clone()), planned).await).unwrap_err();
        assert_eq!(
            fault.code,
            code::BAD_INPUT,
            "{}",
            params.to_string().chars().take(80).collect::<String>()
        );
    }
    for (command, params, expected) in [
        ("process.get", json!({}), code::BAD_INPUT),
        ("process.get", json!({"jobId": "../../etc"}), code::NOT_FOUND),
        ("process.logs", json!({"jobId": "00000000-0000-4000-8000-000000000000"}), code::NOT_FOUND),
        ("process.kill", json!({"jobId": "x"}), code::NOT_FOUND),
        ("process.write", json!({"jobId": "x", "text": "y"}), code::NOT_FOUND),
        ("process.dance", json!({}), code::UNSUPPORTED),
    ] {
        assert_eq!(stage.ask(command, params).await.unwrap_err().code, expected, "{command}");
    }
    assert!(stage.jobs().names().contains(&"system.run"));
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn no_open_file_of_ours_leaks_into_a_job() {
    // What whoever began the tests left open for everybody goes on to everybody.
    let inherited = std::fs::read_dir("/proc/self/fdinfo").unwrap().filter_map(|entry| {
        let text = std::fs::read_to_string(entry.as_ref().unwrap().path()).ok()?;
        let flags = text.lines().find_map(|line| line.strip_prefix("flags:"))?.trim().to_owned();
        let stays = u32::from_str_radix(&flags, 8).unwrap() & 0o2_000_000 == 0;
        stays.then(|| entry.unwrap().file_name().into_string().unwrap())
    });
    let mut expected: std::collections::BTreeSet<String> = inherited.collect();
    let stage = Stage::new();
    for pty in [false, true] {
        let script = "for file in /proc/$$/fd/*; do echo ${file##*/}; done";
        let answer = stage.run(json!({"argv": ["sh", "-c", script], "pty": pty})).await.unwrap();
        let mut open: std::collections::BTreeSet<String> =
            answer["stdout"].as_str().unwrap().split_whitespace().map(str::to_owned).collect();
        // The shell itself may open the folder while it looks.
        open.retain(|file| expected.contains(file) || file != "3");
        if pty {
            expected = ["0", "1", "2"].map(str::to_owned).into();
        }
        assert_eq!(open, expected, "pty: {pty}");
    }
}

#[tokio::test]
async fn the_end_of_a_job_has_its_room_on_disk_before_the_job_begins() {
    use std::os::unix::fs::MetadataExt as _;
    let stage = Stage::new();
    let job = stage.begin("exec sleep 600").await;
    let room = std::fs::metadata(stage.job(&job).join("exit.json.new")).unwrap();
    assert!(room.len() >= 512 && room.blocks() > 0, "{room:?}");
    stage.ask("process.kill", json!({"jobId": job})).await.unwrap();
    let end = std::fs::metadata(stage.job(&job).join("exit.json")).unwrap();
    assert_eq!((end.ino(), end.len()), (room.ino(), room.len()), "it is in that room");
    assert_eq!(stage.file(&job, "exit.json")["signal"], "SIGTERM");
}
