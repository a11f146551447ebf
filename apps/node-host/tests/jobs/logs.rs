//! What a job wrote, read back.

use argus_protocol::node::{LARGEST_RESULT, code};
use data_encoding::{BASE64, HEXLOWER};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::stage::{Stage, id};

/// Reads a stream from its beginning to its end in pages of that size.
async fn paged(stage: &Stage, job: &str, limit: u64, mut each: impl FnMut(&[u8])) -> u64 {
    let mut offset = 0;
    loop {
        let params = json!({"jobId": job, "offset": offset, "limit": limit, "waitMs": 5000});
        let page = stage.ask("process.logs", params).await.unwrap();
        match (&page["text"], &page["dataBase64"]) {
            (Value::String(text), Value::Null) => each(text.as_bytes()),
            (Value::Null, Value::String(base64)) => each(&BASE64.decode(base64.as_bytes()).unwrap()),
            other => panic!("{other:?}"),
        }
        offset = page["nextOffset"].as_u64().unwrap();
        if page["eof"] == true {
            return offset;
        }
    }
}

#[tokio::test]
async fn a_hundred_megabytes_are_paged_intact() {
    let stage = Stage::new();
    let script = "head -c 50000000 /dev/urandom | tee \"$COPY\"; yes 'grüße, 世界' | head -c 50000000 | tee -a \"$COPY\"";
    let copy = stage.folder.path().join("copy");
    let job = stage.begin_with(json!({"argv": ["sh", "-c", script], "env": {"COPY": copy}})).await;
    let mut hash = Sha256::new();
    let size = paged(&stage, &job, 512 << 10, |bytes| hash.update(bytes)).await;
    assert_eq!(size, 100_000_000);
    let written = HEXLOWER.encode(&Sha256::digest(std::fs::read(copy).unwrap()));
    assert_eq!(HEXLOWER.encode(&hash.finalize()), written);
}

#[tokio::test]
async fn pages_of_text_are_cut_between_characters() {
    let stage = Stage::new();
    let job = id(&stage.shell("printf 'aß€😀%.0s' 1 2 3 4 5 6 7 8").await);
    for limit in [4, 5, 6, 7, 9] {
        let mut text = String::new();
        paged(&stage, &job, limit, |bytes| text.push_str(std::str::from_utf8(bytes).unwrap())).await;
        assert_eq!(text, "aß€😀".repeat(8), "{limit}");
    }
}

#[tokio::test]
async fn half_a_character_waits_for_the_other_half() {
    let stage = Stage::new();
    let job = stage
        .begin_with(
            json!({"argv": ["sh", "-c", "printf 'a\\303'; read x; printf '\\237b'"], "stdin": "open"}),
        )
        .await;
    stage.wrote(&job, "a").await;
    let page = stage.ask("process.logs", json!({"jobId": job, "offset": 0, "waitMs": 5000})).await.unwrap();
    assert_eq!((&page["text"], &page["nextOffset"], &page["eof"]), (&json!("a"), &json!(1), &json!(false)));
    stage.ask("process.write", json!({"jobId": job, "text": "\n"})).await.unwrap();
    let page = stage.ask("process.logs", json!({"jobId": job, "offset": 1, "waitMs": 20_000})).await.unwrap();
    assert_eq!(page["text"].as_str().map(|text| text.starts_with('ß')), Some(true), "{page}");
    stage.ended(&job).await;
}

#[tokio::test]
async fn bytes_that_are_no_text_come_as_base64_and_as_lossy_text() {
    let stage = Stage::new();
    let answer = stage.shell("printf 'a\\377b'").await;
    assert_eq!(answer["stdout"], "a\u{fffd}b");
    let page = stage.ask("process.logs", json!({"jobId": id(&answer), "offset": 0})).await.unwrap();
    let expected = json!({
        "jobId": id(&answer), "running": false, "stream": "stdout", "offset": 0, "nextOffset": 3, "size": 3,
        "eof": true, "dataBase64": "Yf9i",
    });
    assert_eq!(page, expected);
}

#[tokio::test]
async fn the_ends_of_both_streams_are_told_as_the_reference_tells_them() {
    let stage = Stage::new();
    let job = id(&stage.shell("head -c 3000000 /dev/zero | tr '\\0' x; printf 'err' >&2").await);
    for (bytes, expected) in [
        (json!(null), 1024),
        (json!(0), 1024),
        (json!(-5), 1024),
        (json!(2000), 2000),
        (json!(1e12), 2 << 20),
    ] {
        let logs = stage.ask("process.logs", json!({"jobId": job, "tailBytes": bytes})).await.unwrap();
        assert_eq!(logs["stdout"].as_str().unwrap().len(), expected, "{bytes}");
        assert_eq!((&logs["stdoutBytes"], &logs["stdoutTruncated"]), (&json!(3_000_000), &json!(true)));
        assert_eq!((&logs["stderr"], &logs["stderrTruncated"]), (&json!("err"), &json!(false)));
    }
    let logs = stage.ask("process.logs", json!({"jobId": job})).await.unwrap();
    assert_eq!(logs["stdout"].as_str().unwrap().len(), 65536);
}

#[tokio::test]
async fn the_worst_output_is_still_a_result_that_can_be_sent() {
    let stage = Stage::new();
    let answer = stage.shell("head -c 4000000 /dev/zero; head -c 4000000 /dev/zero >&2").await;
    let text = serde_json::to_string(&answer).unwrap();
    assert!(text.len() < LARGEST_RESULT, "{}", text.len());
    assert_eq!(answer["stdout"].as_str().unwrap().len(), 2 << 20);
    assert_eq!((&answer["stdoutTruncated"], &answer["stderrBytes"]), (&json!(true), &json!(4_000_000)));
}

#[tokio::test]
async fn output_is_there_while_the_job_runs() {
    let stage = Stage::new();
    let job = stage.begin("echo first; sleep 600").await;
    let page = stage.ask("process.logs", json!({"jobId": job, "offset": 0, "waitMs": 20_000})).await.unwrap();
    assert_eq!(
        (&page["text"], &page["running"], &page["eof"]),
        (&json!("first\n"), &json!(true), &json!(false))
    );
    let nothing = stage.ask("process.logs", json!({"jobId": job, "offset": 6, "waitMs": 100})).await.unwrap();
    assert_eq!((&nothing["text"], &nothing["nextOffset"]), (&json!(""), &json!(6)));
    let past = stage.ask("process.logs", json!({"jobId": job, "offset": 7})).await.unwrap_err();
    assert_eq!(past.code, code::BAD_INPUT);
    stage.ask("process.kill", json!({"jobId": job})).await.unwrap();
}
