//! What commands tell, in words.

use super::*;

fn words(command: &str, mut payload: Value) -> String {
    let Shown { text, picture } = shown("self", command, &mut payload);
    assert_eq!(picture, None);
    text
}

#[test]
fn a_program_that_ended_is_told_by_its_exit_and_its_output() {
    for (payload, told) in [
        (
            json!({ "jobId": "j", "running": false, "exitCode": 0, "stdout": "hello\n", "stderr": "", "stdoutBytes": 6, "stderrBytes": 0 }),
            "exit code 0 (job `j`)\n[stdout]\nhello\n",
        ),
        (
            json!({ "jobId": "j", "running": false, "exitCode": 3, "stdout": "", "stderr": "no", "stdoutBytes": 0, "stderrBytes": 2 }),
            "exit code 3 (job `j`)\n[stderr]\nno",
        ),
        (
            json!({ "jobId": "j", "running": false, "exitCode": null, "signal": "SIGKILL", "timedOut": true, "stdout": "", "stderr": "" }),
            "it took longer than its timeoutMs and was killed (job `j`)\n(no output)",
        ),
        (
            json!({ "jobId": "j", "running": false, "signal": "SIGTERM", "stdout": "", "stderr": "" }),
            "ended by SIGTERM (job `j`)\n(no output)",
        ),
        (
            json!({ "jobId": "j", "running": false, "orphaned": true, "stdout": "", "stderr": "" }),
            "it ended, but nobody saw how (job `j`)\n(no output)",
        ),
    ] {
        assert_eq!(words("system.run", payload.clone()), told, "{payload}");
    }
}

#[test]
fn a_program_that_runs_on_is_told_with_what_can_be_done() {
    let payload = json!({ "jobId": "j", "running": true, "pid": 7, "stdoutTail": "so far", "stderrTail": "", "stdoutBytes": 100, "stderrBytes": 0 });
    let told = words("system.run", payload);
    assert!(
        told.starts_with(
            "It still runs on `self` as job `j`, in the background. Its end will be told to you by itself"
        ),
        "{told}"
    );
    assert!(told.contains(r#"`process.logs` {"jobId":"j"}"#), "{told}");
    let page = r#"process.logs {"jobId":"j","offset":0,"stream":"stdout"}"#;
    assert!(
        told.ends_with(&format!("[stdout: the last 6 of 100 bytes; page through them with {page}]\nso far")),
        "{told}"
    );
}

#[test]
fn a_long_output_loses_its_middle_and_says_where_it_is() {
    let (stdout, stderr) = ("a".repeat(100_000), "b".repeat(100_000));
    let payload = json!({ "jobId": "j", "running": false, "exitCode": 0, "stdout": stdout, "stderr": stderr, "stdoutBytes": 300_000, "stderrBytes": 100_000 });
    let told = words("system.run", payload);
    assert!(told.len() <= LONGEST_TEXT, "{}", told.len());
    let rooms = ((LONGEST_TEXT - AROUND) / 4 * 3, (LONGEST_TEXT - AROUND) / 4);
    let gap = |stream: &str, offset: usize, left: usize| {
        let params = json!({ "jobId": "j", "stream": stream, "offset": offset });
        format!("[… {left} bytes are left out here; page through them with process.logs {params} …]")
    };
    let out = gap("stdout", 200_000 + rooms.0 / 2, 100_000 - rooms.0 / 2 * 2);
    assert!(told.contains(&out), "{out}\n{}", &told[..300]);
    let err = gap("stderr", rooms.1 / 2, 100_000 - rooms.1 / 2 * 2);
    assert!(told.contains(&err), "{err}");
}

#[test]
fn pages_of_output_and_of_files_say_where_they_go_on() {
    let page = |eof: bool, next: u64| {
        words(
            "process.logs",
            json!({ "jobId": "j", "running": !eof, "stream": "stderr", "offset": 10, "nextOffset": next, "size": 20, "eof": eof, "text": "abc" }),
        )
    };
    assert_eq!(page(true, 20), "[stderr: bytes 10 to 20 of 20; this is the end]\nabc");
    assert!(
        page(false, 13)
            .contains(r#"go on with process.logs {"jobId":"j","limit":16384,"offset":13,"stream":"stderr"}"#)
    );
    assert!(page(false, 20).contains("it may write more: process.logs"));
    let file = json!({ "path": "/a", "offset": 4, "bytes": 3, "size": 9, "next": 7, "encoding": "utf8", "content": "abc" });
    assert_eq!(words("fs.read", file), "[`/a`: 3 bytes from 4 of 9; go on with offset 7]\nabc");
    let folder = json!({ "path": "/", "total": 3, "next": "b", "entries": [
        { "name": "a", "kind": "file", "size": 5 }, { "name": "b", "kind": "folder", "size": 1 }] });
    assert_eq!(
        words("fs.list", folder),
        "[`/`: 2 of 3 entries; go on with after \"b\"]\n- a, 5 bytes\n- b, folder"
    );
}

#[test]
fn a_picture_is_shown_as_one_unless_it_is_too_large() {
    let mut payload = json!({ "mime": "image/png", "base64": "AAAA", "bytes": 3 });
    let Shown { text, picture } = shown("mac", "screen.capture", &mut payload);
    assert_eq!(picture, Some(("AAAA".to_owned(), "image/png".to_owned())));
    assert_eq!(payload, json!({ "mime": "image/png", "bytes": 3 }));
    assert!(text.starts_with("The picture of `screen.capture` on `mac`"), "{text}");
    let mut large = json!({ "mimeType": "image/png", "dataBase64": "A".repeat(1_500_000) });
    let Shown { text, picture } = shown("mac", "screen.capture", &mut large);
    assert_eq!(picture, None);
    assert!(text.starts_with("The picture of `mac` is larger than 1048576 bytes"), "{text}");
}

#[test]
fn everything_else_is_told_as_it_is() {
    assert_eq!(
        words("system.which", json!({ "bin": "git", "path": "/usr/bin/git" })),
        "`git` is /usr/bin/git"
    );
    assert_eq!(
        words("system.which", json!({ "bin": "gti", "path": null })),
        "there is no program `gti` in the node's PATH"
    );
    assert_eq!(words("clipboard.get", json!({ "text": "copied" })), "copied");
    assert_eq!(words("system.info", json!({ "cpus": 2 })), "{\n  \"cpus\": 2\n}");
    assert_eq!(words("process.list", json!({ "jobs": [] })), "There are no jobs.");
    let jobs =
        json!({ "jobs": [{ "jobId": "j", "running": true, "argv": ["sleep", "9"], "startedAtMs": 0 }] });
    assert_eq!(words("process.list", jobs), "- it runs (job `j`), begun 1970-01-01T00:00:00Z: sleep 9");
    // Whatever a node of somebody else's making tells, it can be told.
    for command in ["system.run", "process.logs", "process.list", "fs.read", "fs.list", "system.which"] {
        for odd in [json!(null), json!(7), json!([]), json!("x"), json!({})] {
            assert!(!words(command, odd.clone()).is_empty(), "{command} {odd}");
        }
    }
}
