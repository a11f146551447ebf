//! Starts that cannot succeed: the reason in words, and nothing touched.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use argus_testkit::gateway::Gateway;
use argus_testkit::programs::clean_environment;
use serde_json::json;

/// Every file of a folder with its bytes, but for those that tell of a process: whose the lock is, its address, and the
/// index of the ledger's log, which whoever reads makes anew.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let passing = ["lock", "address", "ledger.db-shm"];
    let lasting = entries.filter(|path| !passing.iter().any(|name| path.ends_with(name)));
    lasting.filter_map(|path| Some((path.clone(), fs::read(path).ok()?))).collect()
}

/// Starts it in vain; its exit code and what it said.
async fn fails(gateway: &mut Gateway) -> (Option<i32>, String) {
    gateway.spawn();
    let code = gateway.ended().await;
    (code, gateway.log())
}

/// A gateway that has done something, and is stopped.
async fn used() -> Gateway {
    let mut gateway = Gateway::new().start().await;
    let mut client = gateway.client("session=default").await;
    client.call("argus/input/enqueue", json!({ "text": "[say: kept]" })).await;
    client.turn().await;
    client.leave().await;
    gateway.stop().await;
    gateway
}

#[tokio::test]
async fn a_damaged_state_file_stops_the_start_and_is_left_as_it_is() {
    let mut gateway = used().await;
    let file = gateway.home().join("gateway/state.json");
    let whole = fs::read(&file).unwrap();
    for (damage, reason) in [
        (whole[..whole.len() / 2].to_vec(), "EOF"),
        (b"\0\0\0\0".to_vec(), "expected value"),
        (b"[]".to_vec(), "not an object"),
        (br#"{"version":2}"#.to_vec(), "version 2"),
        (br#"{"version":1,"defaultSessionId":"../up"}"#.to_vec(), "defaultSessionId"),
        (Vec::new(), "EOF"),
    ] {
        fs::write(&file, &damage).unwrap();
        let (code, said) = fails(&mut gateway).await;
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(&*file.to_string_lossy()) && said.contains(reason), "{reason}: {said}");
        assert_eq!(fs::read(&file).unwrap(), damage);
    }
    fs::write(&file, whole).unwrap();
    gateway.restart().await;
}

#[tokio::test]
async fn a_damaged_ledger_stops_the_start_and_is_left_as_it_is() {
    let mut gateway = used().await;
    let own = gateway.home().join("gateway");
    let file = own.join("ledger.db");
    let whole = fs::read(&file).unwrap();
    let mut holed = whole.clone();
    holed[4096..8192].fill(0xab);
    for damage in [whole[..whole.len() / 2].to_vec(), b"not a database at all".to_vec(), Vec::new(), holed] {
        fs::write(&file, &damage).unwrap();
        let before = contents(&own);
        let (code, said) = fails(&mut gateway).await;
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(&*file.to_string_lossy()) && said.contains("left untouched"), "{said}");
        let after = contents(&own);
        assert_eq!(after.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
        let changed: Vec<_> = after.iter().filter(|(path, bytes)| before[*path] != **bytes).collect();
        assert!(changed.is_empty(), "{:?} of {} bytes", changed[0].0, changed[0].1.len());
    }
    fs::write(&file, whole).unwrap();
    gateway.restart().await;
}

#[tokio::test]
async fn a_second_gateway_on_the_same_home_is_told_whose_it_is() {
    let gateway = Gateway::new().start().await;
    let mut second = Gateway::new().with("ARGUS_HOME", gateway.home());
    let (code, said) = fails(&mut second).await;
    assert_eq!(code, Some(1), "{said}");
    let words = format!("in use by another gateway (process {})", gateway.pid());
    assert!(said.contains(&words) && said.contains("ARGUS_HOME"), "{said}");
    assert_eq!(gateway.rpc("argus/x", json!({})).await["error"]["code"], -32601, "the first one serves on");
}

#[tokio::test]
async fn a_port_in_use_is_named_with_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut gateway = Gateway::new().with("ARGUS_BIND", &address);
    let (code, said) = fails(&mut gateway).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(&address) && said.contains("ARGUS_BIND"), "{said}");
    assert!(!gateway.home().join("gateway/address").exists(), "nobody is sent to a port of somebody else's");
}

#[tokio::test]
async fn a_home_that_cannot_be_used_is_named() {
    // Works for root too: a file stands where a folder is needed.
    let mut gateway = Gateway::new();
    let file = gateway.home().join("file");
    fs::write(&file, "").unwrap();
    gateway.set("ARGUS_HOME", file.join("home"));
    let (code, said) = fails(&mut gateway).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(&*file.to_string_lossy()), "{said}");

    let closed = gateway.home().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o500)).unwrap();
    if fs::write(closed.join("probe"), "").is_ok() {
        eprintln!("skipped: this user may write everywhere");
        return;
    }
    gateway.set("ARGUS_HOME", closed.join("home"));
    let (code, said) = fails(&mut gateway).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(&*closed.to_string_lossy()), "{said}");
}

#[tokio::test]
async fn all_that_is_wrong_with_the_settings_is_said_at_once() {
    let settings = [
        ("ARGUS_BIND", "localhost"),
        ("ARGUS_HOME", "not/absolute"),
        ("ARGUS_PROVISION_MODE", "magic"),
        ("ARGUS_RUNTIME_CMD", "codex app-server > log"),
        ("ARGUS_SANDBOX", "none"),
        ("ARGUS_SESSION_IDLE_STOP", "soon"),
        ("ARGUS_CONNECT_TIMEOUT_S", "0"),
        ("ARGUS_JSONL_LINE_LIMIT_BYTES", "12"),
        ("RUN_TIMEOUT_SECONDS", "1e99"),
        ("NO_OUTPUT_IDLE_TIMEOUT_SECONDS", "NaN"),
        ("ARGUS_APPROVAL_TIMEOUT_S", "x"),
        ("ARGUS_RETENTION_DAYS", "-3"),
        ("ARGUS_CORS_ORIGINS", "chat.example"),
        ("ARGUS_WORKSPACE_HOST_PATH", "relative"),
        ("TELEGRAM_API_URL", "ftp://x"),
        ("TELEGRAM_BOT_TOKEN", "hush-hush"),
        ("TELEGRAM_ALLOWED_USER_IDS", "1,ada"),
        ("ARGUS_LOG", "gateway=noisy"),
        ("ARGUS_LOG_FORMAT", "xml"),
    ];
    let mut gateway = Gateway::new();
    for (name, value) in settings {
        gateway.set(name, value);
    }
    let (code, said) = fails(&mut gateway).await;
    assert_eq!(code, Some(64), "{said}");
    for (name, _) in settings {
        assert_eq!(said.matches(&format!("\n  {name}: ")).count(), 1, "{name} in {said}");
    }
    assert!(!said.contains("hush-hush"), "{said}");
    // By a flag too, and a flag that there is not.
    let program = argus_testkit::programs::program("argus-gateway");
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(&program);
        command.args(arguments).env_clear().envs(clean_environment()).output().unwrap()
    };
    let wrong = run(&["--bind", "nowhere", "--home", "/tmp"]);
    assert_eq!(wrong.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("ARGUS_BIND: "), "{wrong:?}");
    assert_eq!(run(&["--no-such-flag"]).status.code(), Some(64));
    assert_eq!(run(&["--help"]).status.code(), Some(0));
}
