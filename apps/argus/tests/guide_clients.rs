//! The clients of docs/clients, in each language: they ask, approve, and get the whole answer through a dead gateway.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use argus_testkit::gateway::Gateway;
use argus_testkit::programs::{PATIENCE, eventually, program};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;
use tokio::time::timeout;

/// Where the clients are.
fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/clients")
}

/// What a client's language needs, where the test command brought it.
fn brought(variable: &str) -> Option<PathBuf> {
    let folder = std::env::var_os(variable).map(PathBuf::from).filter(|folder| folder.is_dir());
    if folder.is_none() {
        eprintln!("skipped: {variable} names no folder");
    }
    folder
}

/// Reads until `wanted` is there, or everything.
async fn read(from: &mut (impl AsyncRead + Unpin), text: &mut String, wanted: Option<&str>) {
    let reading = async {
        let mut piece = [0; 1024];
        while wanted.is_none_or(|wanted| !text.contains(wanted)) {
            match from.read(&mut piece).await.expect("a pipe can be read") {
                0 => return,
                n => text.push_str(std::str::from_utf8(&piece[..n]).expect("words of ASCII")),
            }
        }
    };
    timeout(PATIENCE, reading).await.unwrap_or_else(|_| panic!("waited in vain; so far: {text:?}"));
}

/// Asks with that client. In the middle of the answer the gateway is killed; the agent goes on speaking, and later
/// another gateway is there.
async fn asks(client: &mut Command) {
    let mut gateway = Gateway::new().start().await;
    let holds: [_; 2] = std::array::from_fn(|n| gateway.home().join(format!("hold-{n}")));
    let [first, second] = holds.each_ref().map(|hold| hold.display());
    let text = format!("[approve: touch x] [deltas: 60 10] [hold: {first}] [hold: {second}]");
    let url = format!("{}/ws", gateway.url().replacen("http", "ws", 1));
    client
        .arg(&text)
        .env("ARGUS_URL", url)
        .env("ARGUS_TOKEN", gateway.token())
        .env("ARGUS_APPROVE", "yes")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    let mut child = client.spawn().expect("the client can be started");
    let mut out = child.stdout.take().expect("its output is piped");
    let (mut said, whole) = (String::new(), argus_testkit::prompt::numbered_deltas(60, 10));
    read(&mut out, &mut said, Some(&whole[..30].concat())).await;
    gateway.kill();
    std::fs::write(&holds[0], "").unwrap();
    gateway.restart().await;
    std::fs::write(&holds[1], "").unwrap();
    read(&mut out, &mut said, None).await;
    assert_eq!(said.trim_end(), whole.concat().trim_end());
    let status = timeout(PATIENCE, child.wait()).await.expect("it ends").unwrap();
    assert!(status.success(), "{status}");
    assert_eq!(gateway.turns().len(), 1, "asked once");
}

/// The same client with a token that is none.
async fn is_refused(client: &mut Command) {
    let gateway = Gateway::new().start().await;
    let url = format!("{}/ws", gateway.url().replacen("http", "ws", 1));
    client.arg("hello").env("ARGUS_URL", url).env("ARGUS_TOKEN", "wrong").kill_on_drop(true);
    let output = timeout(PATIENCE, client.output()).await.expect("it ends").unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && told.contains("Unauthorized"), "{told}");
}

fn python() -> Option<Command> {
    let packages = brought("ARGUS_TEST_PYTHON_PACKAGES")?;
    let mut client = Command::new("python3");
    client.arg(clients().join("ask.py")).env("PYTHONPATH", packages).env("PYTHONDONTWRITEBYTECODE", "1");
    Some(client)
}

#[tokio::test]
async fn the_client_in_python_gets_its_answer_through_a_gateway_that_dies() {
    let (Some(mut one), Some(mut other)) = (python(), python()) else { return };
    asks(&mut one).await;
    is_refused(&mut other).await;
}

#[tokio::test]
async fn the_client_in_typescript_passes_its_compiler_and_gets_its_answer_through_a_gateway_that_dies() {
    let Some(packages) = brought("ARGUS_TEST_NODE_PACKAGES") else { return };
    let folder = TempDir::new().unwrap();
    std::fs::copy(clients().join("ask.ts"), folder.path().join("ask.ts")).unwrap();
    std::fs::write(folder.path().join("package.json"), r#"{"type":"module"}"#).unwrap();
    std::os::unix::fs::symlink(packages.join("node_modules"), folder.path().join("node_modules")).unwrap();
    let compiled = Command::new("node")
        .arg(packages.join("node_modules/typescript/bin/tsc"))
        .args(["--strict", "--module", "nodenext", "--target", "es2022", "--skipLibCheck", "ask.ts"])
        .current_dir(folder.path())
        .output()
        .await
        .unwrap();
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stdout));
    asks(Command::new("node").arg(folder.path().join("ask.js"))).await;
    is_refused(Command::new("node").arg(folder.path().join("ask.js"))).await;
}

#[tokio::test]
async fn the_client_in_rust_gets_its_answer_through_a_gateway_that_dies() {
    let built = program("argus").with_file_name("examples").join("ask");
    eventually("it is built", async || built.is_file().then_some(())).await;
    asks(&mut Command::new(&built)).await;
    is_refused(&mut Command::new(&built)).await;
}
