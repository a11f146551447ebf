//! A session in a container in numbers: `cargo xtask bench session`.
//!
//! Time from a client's connection to the agent's `initialize` for a new session, a stopped one and a live one, next to
//! what creating, starting and Codex's own `initialize` cost without us in the same run; memory of a session's container
//! and of our processes in it; sizes of the images. Gateway and client are programs of this machine.

use std::collections::HashMap;
use std::fs;
use std::time::{Duration, Instant};

use argus_testkit::client::Client;
use argus_testkit::docker::Docker;
use argus_testkit::gateway::Gateway;
use argus_testkit::model::ModelServer;
use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::{AttachContainerOptions, CreateContainerOptions, RemoveContainerOptions};
use futures::StreamExt as _;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;

/// Containers of each kind.
const ROUNDS: usize = 10;

#[tokio::main]
async fn main() {
    let (Some(docker), Ok(tag)) = (Docker::here(), std::env::var("ARGUS_TEST_IMAGES")) else {
        println!(
            "nothing is measured without an engine (ARGUS_TEST_DOCKER) and the images (ARGUS_TEST_IMAGES)"
        );
        return;
    };
    let model = ModelServer::start_at(docker.own_address());
    let gateway = gateway(&docker, &model, &tag).await;
    // Both kinds by turns, so that what else the machine does meets both.
    let (mut bare, mut cold) = (Vec::new(), Vec::new());
    let mut sessions = Vec::new();
    for _ in 0..ROUNDS {
        bare.push(without_us(&docker, &gateway, &tag).await);
        let (took, session) = reached(&gateway, "").await;
        cold.push(took);
        sessions.push(session);
    }
    let phase = |of: fn(&Bare) -> Duration| bare.iter().map(of).collect::<Vec<_>>();
    let unavoidable = report("without us: create + start + initialize", phase(Bare::whole));
    report("  create", phase(|bare| bare.create));
    report("  start", phase(|bare| bare.start));
    report("  attach + initialize", phase(|bare| bare.initialize));
    let cold = report("cold: a new session", cold);
    println!("  cold / without us: {:.2}", cold / unavoidable);

    let (mut wake, mut live) = (Vec::new(), Vec::new());
    for session in &sessions {
        let query = format!("session={session}");
        // Nobody needs it any more, so it is stopped.
        docker.wait_state(&docker.container(session), "exited").await;
        wake.push(reached(&gateway, &query).await.0);
        live.push(reached(&gateway, &query).await.0);
    }
    let restart = report("without us: start + initialize", phase(|bare| bare.start + bare.initialize));
    let wake = report("wake: a stopped session", wake);
    println!("  wake / without us: {:.2}", wake / restart);
    report("attach: a live session", live);
    memory(&docker, &gateway, &sessions[0]).await;
    sizes(&docker, &tag);
}

/// A gateway whose sessions are Codex in containers of the shipped image.
async fn gateway(docker: &Docker, model: &ModelServer, tag: &str) -> Gateway {
    let gateway = Gateway::new()
        .in_docker(docker)
        .with("ARGUS_RUNTIME_IMAGE", image(tag))
        .with("ARGUS_RUNTIME_CMD", "codex app-server")
        .with("ARGUS_RUNTIME_ENV", "")
        .with("ARGUS_SESSION_IDLE_STOP", "2");
    let folder = gateway.home().join(".codex");
    fs::create_dir_all(&folder).expect("the benchmark's own folder");
    fs::write(folder.join("config.toml"), model.codex_config()).expect("the benchmark's own folder");
    gateway.start().await
}

fn image(tag: &str) -> String {
    format!("argus-runtime:{tag}")
}

/// From the connection to the agent's own greeting, and which session it is.
async fn reached(gateway: &Gateway, query: &str) -> (Duration, String) {
    let began = Instant::now();
    let mut client: Client = gateway.client(query).await;
    client.initialize().await;
    let took = began.elapsed();
    let session = client.session.clone();
    client.leave().await;
    (took, session)
}

/// What the engine and Codex take for themselves.
struct Bare {
    create: Duration,
    start: Duration,
    initialize: Duration,
}

impl Bare {
    fn whole(&self) -> Duration {
        self.create + self.start + self.initialize
    }
}

/// Codex alone in a container of the same shape, spoken to through the engine.
async fn without_us(docker: &Docker, gateway: &Gateway, tag: &str) -> Bare {
    let engine = bollard::Docker::connect_with_unix(docker.host(), 30, bollard::API_DEFAULT_VERSION);
    let engine = engine.expect("an address").negotiate_version().await.expect("an engine");
    let host = HostConfig {
        network_mode: Some(docker.name().to_owned()),
        binds: Some(vec![format!("{}:/root/.argus", gateway.home().display())]),
        tmpfs: Some(HashMap::from([("/run/argus-bridge".to_owned(), "size=72m".to_owned())])),
        cpu_period: Some(100_000),
        cpu_quota: Some(100_000),
        memory: Some(2 << 30),
        pids_limit: Some(1024),
        init: Some(true),
        ..HostConfig::default()
    };
    let wanted = ContainerCreateBody {
        image: Some(image(tag)),
        entrypoint: Some(vec!["codex".to_owned(), "app-server".to_owned()]),
        env: Some(vec!["HOME=/root/.argus".to_owned()]),
        open_stdin: Some(true),
        host_config: Some(host),
        ..ContainerCreateBody::default()
    };
    let name = format!("{}-bare", docker.name());
    let options = CreateContainerOptions { name: Some(name), ..CreateContainerOptions::default() };
    let began = Instant::now();
    let id = engine.create_container(Some(options), wanted).await.expect("it can be made").id;
    let created = Instant::now();
    engine.start_container(&id, None).await.expect("it can be started");
    let started = Instant::now();
    let options = AttachContainerOptions {
        stdin: true,
        stdout: true,
        stream: true,
        logs: true,
        ..AttachContainerOptions::default()
    };
    let mut attached = engine.attach_container(&id, Some(options)).await.expect("it can be attached to");
    let hello = json!({ "id": 1, "method": "initialize", "params": { "clientInfo": { "name": "bench", "version": "0" } } });
    attached.input.write_all(format!("{hello}\n").as_bytes()).await.expect("it reads");
    attached.output.next().await.expect("it answers").expect("in words");
    let initialized = Instant::now();
    let options = RemoveContainerOptions { force: true, ..RemoveContainerOptions::default() };
    engine.remove_container(&id, Some(options)).await.expect("it can be removed");
    Bare {
        create: created.duration_since(began),
        start: started.duration_since(created),
        initialize: initialized.duration_since(started),
    }
}

/// Prints the median and the longest; the median in milliseconds.
fn report(what: &str, mut times: Vec<Duration>) -> f64 {
    times.sort();
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    let (median, longest) = (ms(times[times.len() / 2]), ms(times[times.len() - 1]));
    println!("{what}: p50 {median:.0} ms, max {longest:.0} ms ({})", times.len());
    median
}

/// Resident and anonymous memory of a session's processes after one turn.
async fn memory(docker: &Docker, gateway: &Gateway, session: &str) {
    let mut client = gateway.client(&format!("session={session}")).await;
    client.initialize().await;
    client.call("argus/input/enqueue", json!({ "text": "[say: measured]" })).await;
    client.turn().await;
    let told = docker.run(&["top", &docker.container(session), "-o", "pid,comm"]);
    let (mut all, mut ours) = ([0.0; 2], [0.0; 2]);
    let mut names = Vec::new();
    for line in told.lines().skip(1) {
        let Some((pid, name)) = line.trim().split_once(char::is_whitespace) else { continue };
        let (found, name) = (of_process(pid), name.trim());
        names.push(name.to_owned());
        for (sum, value) in all.iter_mut().zip(found) {
            *sum += value;
        }
        if name != "codex" {
            for (sum, value) in ours.iter_mut().zip(found) {
                *sum += value;
            }
        }
    }
    let [resident, anonymous] = all;
    println!("a session's processes: {}", names.join(", "));
    println!("resident in all: {resident:.1} MiB ({anonymous:.1} anonymous)");
    println!("resident without the agent: {:.1} MiB ({:.1} anonymous)", ours[0], ours[1]);
}

/// Resident and anonymous memory in MiB.
fn of_process(pid: &str) -> [f64; 2] {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    ["VmRSS:", "RssAnon:"].map(|name| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or_default() / 1024.0
    })
}

fn sizes(docker: &Docker, tag: &str) {
    for name in ["argus", "argus-runtime"] {
        let told = docker.inspect(&format!("{name}:{tag}")).unwrap_or_default();
        let bytes = told["Size"].as_f64().unwrap_or_default();
        println!("image {name}: {:.1} MB", bytes / 1e6);
    }
}
