//! What an agent in its container tries and cannot do: read what is the gateway's, enter another session, pose as the
//! gateway; and what it needs and can do.

use std::os::unix::fs::MetadataExt as _;

use argus_testkit::docker::Docker;
use argus_testkit::gateway::Gateway;
use serde_json::json;

use crate::support::{gateway, introduced, say};

#[tokio::test]
async fn the_gateways_own_files_cannot_be_read_or_reached_around() {
    let Some(docker) = Docker::here() else { return };
    let gateway = gateway(&docker).await;
    let mut client = introduced(&gateway).await;
    say(&mut client, "[say: one turn, so that there is a ledger]").await;
    let container = docker.container(&client.session);
    let inside = |words: &str| docker.shell(&container, words);
    for hidden in ["gateway", "sessions"] {
        assert_eq!(inside(&format!("ls -A /root/.argus/{hidden}")), "", "{hidden}");
        for way in [
            format!("umount /root/.argus/{hidden}"),
            format!("mv /root/.argus/{hidden} /root/.argus/away"),
            format!("rmdir /root/.argus/{hidden}"),
            format!("touch /root/.argus/{hidden}/made"),
            format!("mount -o remount,rw /root/.argus/{hidden}"),
            format!("mount --bind /root/.argus /mnt && cat /mnt/{hidden}/token"),
        ] {
            let said = inside(&format!("{way} && echo done"));
            assert!(!said.ends_with("done"), "{way}: {said}");
        }
    }
    let found = inside(
        "grep -rl \"$(printf x)\" /root/.argus --include=token --include=key --include=ledger.db; true",
    );
    assert_eq!(found, "");
    let device = std::fs::metadata(gateway.home()).unwrap().dev();
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    let said = inside(&format!("mknod /tmp/disk b {major} {minor} && head -c 1 /tmp/disk && echo read"));
    assert!(!said.ends_with("read"), "{said}");
}

#[tokio::test]
async fn no_token_of_ours_is_in_a_container() {
    let Some(docker) = Docker::here() else { return };
    let gateway = Gateway::new().in_docker(&docker).with("ARGUS_TOKEN", "operators-token-0123");
    let gateway = gateway.with("TELEGRAM_BOT_TOKEN", "123456:bots-token-0123");
    let gateway = gateway.with("TELEGRAM_API_URL", "http://127.0.0.1:1").start().await;
    let mut client =
        argus_testkit::client::Client::connect(gateway.url(), "session=default", "operators-token-0123")
            .await;
    client.initialize().await;
    let container = docker.container(&client.session);
    let told = docker.run(&["inspect", &container]);
    let processes =
        docker.shell(&container, "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline | tr '\\0' '\\n'; env");
    assert!(processes.contains("ARGUS_SESSION_ID="), "{processes}");
    for secret in ["operators-token", "bots-token"] {
        assert!(!told.contains(secret) && !processes.contains(secret), "{secret}");
        let files = docker.shell(&container, &format!("grep -rIl {secret} /root /tmp /run /etc 2>/dev/null"));
        assert_eq!(files, "", "{secret}");
    }
}

/// Says something to a bridge's port from inside a container; what it answers.
fn hello(docker: &Docker, from: &str, to: &str, secret: &str) -> String {
    let line = json!({ "argus": "hello", "v": 1, "secret": secret, "gateway": "somebody" });
    let words = format!("exec 3<>/dev/tcp/{to}/7777 && echo '{line}' >&3 && timeout 10 head -n 1 <&3");
    docker.shell(from, &words)
}

#[tokio::test]
async fn another_sessions_bridge_and_ones_own_let_nobody_in_without_the_secret() {
    let Some(docker) = Docker::here() else { return };
    let gateway = gateway(&docker).await;
    let mut clients = [gateway.client("").await, gateway.client("").await];
    for client in &mut clients {
        client.initialize().await;
    }
    let [own, other] = clients.each_ref().map(|client| docker.container(&client.session));
    let address =
        docker.inspect(&other).unwrap()["NetworkSettings"]["Networks"][docker.name()]["IPAddress"].clone();
    let refused = json!({ "argus": "refused", "reason": "the secret is wrong" }).to_string();
    let environment = docker.shell(&own, "tr '\\0' '\\n' </proc/1/environ");
    let fingerprint = environment.lines().find_map(|line| line.strip_prefix("ARGUS_BRIDGE_SECRET_SHA256="));
    let fingerprint = fingerprint.expect("a bridge knows it").to_owned();
    for to in [address.as_str().unwrap(), "127.0.0.1"] {
        for secret in ["", "guess", &fingerprint] {
            assert_eq!(hello(&docker, &own, to, secret), refused, "{to} {secret}");
        }
    }
    // Nor out of the memory of the bridge, which has just heard it.
    let stolen = docker
        .shell(&own, "for p in /proc/[0-9]*; do grep -q argus-runtime-b $p/comm && head -c 1 $p/mem; done");
    assert!(stolen.contains("Permission denied") || stolen.contains("Operation not permitted"), "{stolen}");
    for client in &mut clients {
        assert_eq!(say(client, "[say: undisturbed]").await, "undisturbed");
    }
}

#[tokio::test]
async fn root_in_a_container_has_what_installing_needs_and_no_more() {
    let Some(docker) = Docker::here() else { return };
    let gateway = gateway(&docker).await;
    let client = introduced(&gateway).await;
    let container = docker.container(&client.session);
    let inside = |words: &str| docker.shell(&container, words);
    let status = inside("grep -E 'CapEff|CapBnd|NoNewPrivs' /proc/1/status");
    // CHOWN 0, DAC_OVERRIDE 1, FOWNER 3, SETGID 6, SETUID 7
    let expected = "CapEff:\t00000000000000cb\nCapBnd:\t00000000000000cb\nNoNewPrivs:\t1";
    assert_eq!(status, expected);
    for (what, words) in [
        ("files of the workspace are given away", "touch /workspace/f && chown 1234:1234 /workspace/f"),
        (
            "and used although they are somebody else's",
            "chmod 600 /workspace/f && echo x >>/workspace/f && rm /workspace/f",
        ),
        (
            "a package manager becomes its own user",
            "perl -e '$) = 65534; $> = 65534; exit($> == 65534 ? 0 : 1)'",
        ),
    ] {
        let said = inside(&format!("{words} && echo done"));
        assert!(said.ends_with("done"), "{what}: {said}");
    }
    for (what, words) in [
        ("no mounts", "mount -t tmpfs none /mnt"),
        ("no namespaces", "unshare -U true"),
        ("no devices", "mknod /tmp/zero c 1 5"),
        ("no other network settings", "echo 1 >/proc/sys/net/ipv4/ip_forward"),
        ("no kernel log", "dmesg"),
        ("no other clock", "date -s 2001-01-01"),
    ] {
        let said = inside(&format!("{words} && echo done"));
        assert!(!said.ends_with("done"), "{what}: {said}");
    }
}

#[tokio::test]
async fn somebody_who_is_not_root_works_without_any_capability_on_a_read_only_root() {
    let Some(docker) = Docker::here() else { return };
    let gateway = Gateway::new().in_docker(&docker).with("ARGUS_RUNTIME_USER", "1000:1000");
    docker.run(&[
        "run",
        "--rm",
        "--volume",
        &format!("{}:/home", gateway.home().display()),
        "--entrypoint",
        "chown",
        &docker.image(),
        "1000:1000",
        "/home",
    ]);
    let gateway = gateway.start().await;
    for folder in ["workspace", "codex", "user"] {
        std::os::unix::fs::chown(gateway.home().join(folder), Some(1000), Some(1000)).unwrap();
    }
    let mut client = introduced(&gateway).await;
    assert_eq!(say(&mut client, "[say: as nobody in particular]").await, "as nobody in particular");
    let container = docker.container(&client.session);
    let inside = |words: &str| docker.shell(&container, words);
    assert_eq!(
        inside("grep -E 'CapEff|CapBnd' /proc/1/status | cut -f 2"),
        "0000000000000000\n0000000000000000"
    );
    assert_eq!(inside("touch /tmp/made /workspace/made && id -u"), "1000");
    assert_eq!(inside("touch /usr/made"), "touch: cannot touch '/usr/made': Read-only file system");
}

#[tokio::test]
async fn packages_can_be_installed_and_used() {
    let Some(docker) = Docker::here() else { return };
    let gateway = gateway(&docker).await;
    let client = introduced(&gateway).await;
    let container = docker.container(&client.session);
    let inside = |words: &str| docker.shell(&container, words);
    if !inside("apt-get update -qq && echo done").ends_with("done") {
        eprintln!("skipped: no package server can be reached from a container");
        return;
    }
    let install =
        "DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends git openssh-client";
    let said = inside(&format!("{install} >/tmp/log 2>&1 && echo done || tail /tmp/log"));
    assert!(said.ends_with("done"), "{said}");
    let clone = "git init -q /tmp/r && git -C /tmp/r -c user.name=a -c user.email=a@b commit -q --allow-empty -m x \
                 && git clone -q /tmp/r /workspace/r && echo done";
    let said = inside(clone);
    assert!(said.ends_with("done"), "{said}");
}

#[tokio::test]
async fn with_files_of_their_own_sessions_see_nothing_of_each_other_and_of_the_home() {
    let Some(docker) = Docker::here() else { return };
    let gateway = Gateway::new().in_docker(&docker).with("ARGUS_SESSION_SCOPE", "chat").start().await;
    let mut clients = [gateway.client("").await, gateway.client("").await];
    for client in &mut clients {
        client.initialize().await;
        assert_eq!(say(client, "[say: well]").await, "well");
    }
    let [one, other] = clients.each_ref().map(|client| docker.container(&client.session));
    docker.shell(&one, "echo mine | tee /root/.argus/of-one /workspace/of-one");
    let found = docker.shell(&other, "find / -xdev -name of-one; find /root/.argus -name of-one");
    assert_eq!(found, "");
    let seen = docker.shell(&other, "ls -A /root/.argus | sort");
    assert!(!seen.contains("gateway") && !seen.contains("sessions"), "{seen}");
    let folder = gateway.home().join("sessions").join(&clients[0].session);
    for kept in ["home/of-one", "workspace/of-one"] {
        assert_eq!(std::fs::read_to_string(folder.join(kept)).unwrap(), "mine\n", "{kept}");
    }
}
