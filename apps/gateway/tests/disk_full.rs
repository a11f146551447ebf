//! The disk is full: nothing is accepted that could not be kept, and it works again once there is room.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use argus_testkit::gateway::Gateway;
use argus_testkit::programs::eventually;
use serde_json::{Value, json};

/// A small disk of its own, gone with the test.
struct Disk {
    folder: tempfile::TempDir,
}

impl Disk {
    /// Mounts one of so many MiB; `None`, with one line, where that may not be done.
    fn mount(size: u32) -> Option<Self> {
        let folder = tempfile::Builder::new().prefix("argus-disk-").tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}m"), "tmpfs"]).arg(folder.path());
        if mount.output().is_ok_and(|done| done.status.success()) {
            return Some(Self { folder });
        }
        eprintln!("skipped: a small disk can be mounted by root only");
        None
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn filler(&self) -> PathBuf {
        self.path().join("filler")
    }

    /// Fills it to the last byte.
    fn fill(&self) {
        let mut file = OpenOptions::new().create(true).append(true).open(self.filler()).unwrap();
        let bytes = vec![0; 1 << 20];
        let mut size = bytes.len();
        while size > 0 {
            if file.write_all(&bytes[..size]).is_err() {
                size /= 2;
            }
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        _ = Command::new("umount").arg("-l").arg(self.folder.path()).status();
    }
}

/// A gateway whose home is on the small disk; its agent keeps its own files elsewhere.
struct Served {
    gateway: Gateway,
    home: PathBuf,
    url: String,
    token: String,
}

impl Served {
    async fn on(disk: &Disk) -> Self {
        let home = disk.path().join("home");
        let gateway = Gateway::new().with("ARGUS_HOME", &home);
        let mut served = Self { gateway, home, url: String::new(), token: String::new() };
        served.start().await;
        served
    }

    /// Starts it; whether something was left open for it.
    async fn start(&mut self) -> bool {
        let address = self.home.join("gateway/address");
        _ = fs::remove_file(&address);
        self.gateway.spawn();
        let whole = async || fs::read_to_string(&address).ok().filter(|text| text.ends_with('\n'));
        self.url = eventually("the gateway serves", whole).await;
        self.token = fs::read_to_string(self.home.join("gateway/token")).unwrap();
        let serves = async || self.gateway.log().contains("the gateway serves").then_some(());
        eventually("it has looked at what was left", serves).await;
        self.gateway.log().contains("going on with what was left open")
    }

    async fn call(&self, text: &str) -> Value {
        self.rpc("argus/input/enqueue", json!({ "text": text })).await
    }

    async fn rpc(&self, method: &str, params: Value) -> Value {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let request = reqwest::Client::new().post(format!("{}/rpc", self.url.trim()));
        let reply = request.bearer_auth(self.token.trim()).json(&body).send().await.unwrap();
        reply.json().await.unwrap()
    }

    async fn ready(&self) -> (u16, String) {
        let request = reqwest::Client::new().get(format!("{}/readyz", self.url.trim()));
        let reply = request.bearer_auth(self.token.trim()).send().await.unwrap();
        (reply.status().as_u16(), reply.text().await.unwrap())
    }

    /// Fills the disk until a message is refused: pages of the ledger's log that were used before may still take some.
    async fn refuses(&self, disk: &Disk) -> String {
        for _ in 0..200 {
            disk.fill();
            let reply = self.call(&format!("never to be run {}", "x".repeat(20_000))).await;
            if let Some(words) = reply["error"]["message"].as_str() {
                return words.to_owned();
            }
        }
        panic!("the disk does not get full");
    }

    async fn ran(&self, text: &str) {
        let what = format!("`{text}` is run");
        let said = async || self.gateway.turns().iter().any(|turn| turn.text.contains(text)).then_some(());
        eventually(&what, said).await;
    }
}

#[tokio::test]
async fn on_a_full_disk_nothing_is_accepted_and_it_goes_on_when_there_is_room() {
    let Some(disk) = Disk::mount(64) else { return };
    let mut served = Served::on(&disk).await;
    assert_eq!(served.call("[say: before]").await["result"]["ok"], true);
    served.ran("[say: before]").await;
    let said = served.refuses(&disk).await;
    assert!(said.contains("could not be stored") && said.contains("is full"), "{said}");
    let (status, body) = served.ready().await;
    assert!(status == 503 && body.contains("has 0 MiB left: free some space"), "{status} {body}");

    fs::remove_file(disk.filler()).unwrap();
    let reply = eventually("it takes messages again", async || {
        served.call("[say: after]").await.get("result").cloned()
    })
    .await;
    assert_eq!(reply["ok"], true, "{reply}");
    served.ran("[say: after]").await;
    assert_eq!(served.ready().await.0, 200);
    assert!(!served.gateway.log().contains("panicked"), "{}", served.gateway.log());
    served.gateway.kill();
}

#[tokio::test]
async fn a_turn_that_ends_on_a_full_disk_is_kept_until_there_is_room() {
    let Some(disk) = Disk::mount(64) else { return };
    let mut served = Served::on(&disk).await;
    let go = served.gateway.home().join("go");
    let long = format!("[hold: {}] [deltas: 100 1000]", go.display());
    assert_eq!(served.call(&long).await["result"]["started"], true);
    served.refuses(&disk).await;
    fs::write(go, "").unwrap();
    eventually("the answer waits to be stored", async || {
        disk.fill();
        served.gateway.log().contains("an answer cannot be stored yet").then_some(())
    })
    .await;

    // Neither a new gateway: it does not start, or where a few pages were left for that, the answer waits there too ...
    served.gateway.kill();
    served.gateway.spawn();
    let code = eventually("the next one finds the disk full", async || {
        let waits = served.gateway.log().contains("an answer cannot be stored yet").then_some(None);
        waits.or_else(|| served.gateway.exit_code().map(Some))
    })
    .await;
    served.gateway.kill();
    let said = served.gateway.log();
    assert!(code.is_none_or(|code| code == 1) && said.contains("is full"), "{code:?}: {said}");
    fs::remove_file(disk.filler()).unwrap();
    assert!(served.start().await, "{}", served.gateway.log());
    // ... nor anything but room is needed for its end to be stored.
    let next = eventually("the turn is over", async || {
        let reply = served.call("[say: next]").await;
        (reply["result"]["started"] == true).then_some(reply)
    })
    .await;
    assert_eq!(next["result"]["ok"], true);
    served.ran("[say: next]").await;
    eventually("nothing is left open", async || {
        assert_eq!(served.gateway.stop().await, Some(0));
        (!served.start().await).then_some(())
    })
    .await;
    let starts = served.gateway.turns().iter().filter(|turn| turn.text.contains("[deltas: 100")).count();
    assert_eq!(starts, 1);
    served.gateway.kill();
}

#[tokio::test]
async fn what_state_json_has_no_room_for_did_not_happen_and_happens_when_there_is_room() {
    let Some(disk) = Disk::mount(64) else { return };
    let mut served = Served::on(&disk).await;
    // Chooses the default session, so that nothing but the pause is to be written.
    served.rpc("argus/automation/status", json!({})).await;
    let file = served.home.join("gateway/state.json");
    let before = fs::read(&file).unwrap();
    disk.fill();
    let told = served.rpc("argus/automation/pause", json!({})).await;
    let words = told["error"]["message"].as_str().unwrap_or_default();
    assert!(words.contains("state.json` cannot be written, and nothing was changed"), "{told}");
    assert_eq!(served.rpc("argus/automation/status", json!({})).await["result"]["paused"], false);
    assert_eq!(fs::read(&file).unwrap(), before);

    fs::remove_file(disk.filler()).unwrap();
    assert_eq!(served.rpc("argus/automation/pause", json!({})).await["result"]["paused"], true);
    served.gateway.kill();
}
