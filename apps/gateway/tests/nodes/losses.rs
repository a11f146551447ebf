//! A node killed, a gateway killed, a link cut in the middle of a job: neither its output nor its end is lost.

use std::net::SocketAddr;

use argus_testkit::device::{Device, invoke};
use argus_testkit::gateway::Gateway;
use argus_testkit::programs::eventually;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// A program that says something, waits until a file is there, says more and ends with 7.
const SLOW: &str = "echo before; while [ ! -e go ]; do sleep 0.02; done; echo after; echo bad >&2; exit 7";

/// Begins [`SLOW`] in the background; its job.
async fn begin(gateway: &Gateway, device: &Device) -> String {
    let params = json!({ "argv": ["sh", "-c", SLOW], "cwd": device.folder(), "yieldMs": 0 });
    let told = invoke(gateway, "mac", "system.run", params).await;
    assert_eq!(told["result"]["payload"]["running"], true, "{told}");
    told["result"]["payload"]["jobId"].as_str().unwrap().to_owned()
}

fn go_on(device: &Device) {
    std::fs::write(device.folder().join("go"), "").unwrap();
}

/// Everything that sessions are to hear of jobs, as it waits.
async fn exits(gateway: &Gateway) -> Vec<Value> {
    let told = gateway.rpc("argus/systemEvent/list", json!({})).await;
    let events = told["result"]["events"].as_array().cloned().unwrap_or_default();
    events.into_iter().filter(|event| event["kind"] == "process").collect()
}

/// The end of that job is told once, with all that it wrote, and its output is whole.
async fn is_whole(gateway: &Gateway, job: &str) {
    let told = eventually("the end of the job is told", async || exits(gateway).await.pop()).await;
    let meta = &told["meta"];
    assert_eq!((&meta["jobId"], &meta["exitCode"]), (&json!(job), &json!(7)), "{told}");
    let text = told["text"].as_str().unwrap();
    assert!(text.contains("before\nafter") && text.contains("bad"), "{text}");
    let logs = invoke(gateway, "mac", "process.logs", json!({ "jobId": job })).await;
    let logs = &logs["result"]["payload"];
    assert_eq!((&logs["stdout"], &logs["stderr"]), (&json!("before\nafter\n"), &json!("bad\n")), "{logs}");
    assert_eq!(exits(gateway).await.len(), 1);
}

/// A gateway whose events wait, since no heartbeat comes for them.
async fn gateway() -> Gateway {
    let gateway = Gateway::new().with("ARGUS_HEARTBEAT_SECONDS", "0").start().await;
    let paused = gateway.rpc("argus/automation/pause", json!({})).await;
    assert!(paused["error"].is_null(), "{paused}");
    // There is a session that can hear of what happens.
    let main = gateway.rpc("argus/thread/main/ensure", json!({})).await;
    assert!(main["error"].is_null(), "{main}");
    gateway
}

#[tokio::test]
async fn a_node_killed_in_the_middle_of_a_job_loses_neither_output_nor_exit() {
    let gateway = gateway().await;
    let mut device = Device::enrolled(&gateway, "mac").await;
    device.start(&gateway).await;
    let job = begin(&gateway, &device).await;
    device.kill();
    go_on(&device);
    device.start(&gateway).await;
    is_whole(&gateway, &job).await;
}

#[tokio::test]
async fn a_job_that_goes_on_while_its_node_is_killed_is_found_again_and_ends_as_ever() {
    let gateway = gateway().await;
    let mut device = Device::enrolled(&gateway, "mac").await;
    device.start(&gateway).await;
    let job = begin(&gateway, &device).await;
    device.kill();
    device.start(&gateway).await;
    let told = invoke(&gateway, "mac", "process.list", json!({})).await;
    let jobs = &told["result"]["payload"]["jobs"];
    assert_eq!((&jobs[0]["jobId"], &jobs[0]["running"]), (&json!(job), &json!(true)), "{told}");
    go_on(&device);
    is_whole(&gateway, &job).await;
}

#[tokio::test]
async fn a_gateway_killed_in_the_middle_of_a_job_loses_neither_output_nor_exit() {
    let mut gateway = gateway().await;
    let mut device = Device::enrolled(&gateway, "mac").await;
    device.start(&gateway).await;
    let job = begin(&gateway, &device).await;
    gateway.kill();
    go_on(&device);
    gateway.restart().await;
    device.seen(&gateway).await;
    is_whole(&gateway, &job).await;
}

#[tokio::test]
async fn a_gateway_killed_while_a_call_waits_hears_of_its_job_all_the_same() {
    let mut gateway = gateway().await;
    let mut device = Device::enrolled(&gateway, "mac").await;
    device.start(&gateway).await;
    let url = format!("{}/nodes/invoke", gateway.url());
    let wish = json!({ "node": "mac", "command": "system.run",
        "params": { "argv": ["sh", "-c", SLOW], "cwd": device.folder(), "yieldMs": 60_000 } });
    let call = reqwest::Client::new().post(url).bearer_auth(gateway.token()).json(&wish).send();
    let call = tokio::spawn(call);
    let job = eventually("the job runs", async || {
        let told = invoke(&gateway, "mac", "process.list", json!({})).await;
        told["result"]["payload"]["jobs"][0]["jobId"].as_str().map(str::to_owned)
    });
    let job = job.await;
    gateway.kill();
    assert!(call.await.unwrap().is_err(), "whoever asked is told nothing by a gateway that is gone");
    go_on(&device);
    gateway.restart().await;
    device.seen(&gateway).await;
    is_whole(&gateway, &job).await;
}

/// A way to a gateway that can be cut.
struct Way {
    address: SocketAddr,
    cut: CancellationToken,
}

impl Way {
    async fn to(gateway: &Gateway) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let target = gateway.url().strip_prefix("http://").unwrap().to_owned();
        let way = Self { address, cut: CancellationToken::new() };
        way.lead(listener, target);
        way
    }

    fn lead(&self, listener: TcpListener, target: String) {
        let cut = self.cut.clone();
        tokio::spawn(cut.clone().run_until_cancelled_owned(async move {
            loop {
                let (mut near, _) = listener.accept().await.unwrap();
                let (target, cut) = (target.clone(), cut.clone());
                tokio::spawn(cut.run_until_cancelled_owned(async move {
                    let Ok(mut far) = TcpStream::connect(target).await else { return };
                    _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                }));
            }
        }));
    }

    /// Cuts every connection, and opens the way again.
    async fn interrupt(&mut self, gateway: &Gateway) {
        std::mem::take(&mut self.cut).cancel();
        let listener =
            eventually("the way can be opened again", async || TcpListener::bind(self.address).await.ok());
        let target = gateway.url().strip_prefix("http://").unwrap().to_owned();
        self.lead(listener.await, target);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_cut_in_the_middle_of_a_call_is_no_end_of_it() {
    let gateway = gateway().await;
    let mut way = Way::to(&gateway).await;
    let mut device = Device::enrolled_by(&gateway, "mac", &format!("http://{}", way.address)).await;
    device.start(&gateway).await;
    let params = json!({ "argv": ["sh", "-c", SLOW], "cwd": device.folder(), "yieldMs": 60_000 });
    let call = async {
        let wish = json!({ "node": "mac", "command": "system.run", "params": params, "timeoutMs": 60_000 });
        gateway.rpc("argus/node/invoke", wish).await
    };
    let cut = async {
        eventually("the job runs", async || {
            let told = invoke(&gateway, "mac", "process.list", json!({})).await;
            told["result"]["payload"]["jobs"][0]["running"].as_bool().filter(|running| *running)
        })
        .await;
        way.interrupt(&gateway).await;
        device.seen(&gateway).await;
        go_on(&device);
    };
    let (told, ()) = tokio::join!(call, cut);
    let payload = &told["result"]["payload"];
    assert_eq!((&payload["exitCode"], &payload["stdout"]), (&json!(7), &json!("before\nafter\n")), "{told}");
}

#[tokio::test]
async fn a_hundred_megabytes_of_output_are_read_whole_in_pages() {
    use sha2::{Digest as _, Sha256};

    let gateway = gateway().await;
    let mut device = Device::enrolled(&gateway, "mac").await;
    device.start(&gateway).await;
    // A line with its number in it again and again, so that a page in the wrong place would be seen.
    let words =
        "seq -f '%.0f: the quick brown fox jumps over the lazy dog' 1 2100000 | head -c 104857600 | tee copy";
    let params = json!({ "argv": ["sh", "-c", words], "cwd": device.folder(), "yieldMs": 0 });
    let told = invoke(&gateway, "mac", "system.run", params).await;
    let job = told["result"]["payload"]["jobId"].as_str().unwrap().to_owned();
    eventually("it has ended", async || {
        let told = invoke(&gateway, "mac", "process.get", json!({ "jobId": job })).await;
        told["result"]["payload"]["job"]["endedAtMs"].as_u64()
    })
    .await;
    let (mut read, mut offset, mut bytes) = (Sha256::new(), 0, 0);
    loop {
        let page = json!({ "jobId": job, "stream": "stdout", "offset": offset, "limit": 524_288 });
        let told = invoke(&gateway, "mac", "process.logs", page).await;
        let payload = &told["result"]["payload"];
        let text = payload["text"].as_str().unwrap_or_else(|| panic!("no text: {told}"));
        read.update(text);
        bytes += text.len();
        offset = payload["nextOffset"].as_u64().unwrap();
        if payload["eof"] == true {
            break;
        }
    }
    let whole = std::fs::read(device.folder().join("copy")).unwrap();
    assert_eq!((bytes, whole.len()), (100 << 20, 100 << 20));
    assert_eq!(read.finalize(), Sha256::digest(whole));
}
