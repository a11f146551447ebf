//! Commands that use programs of the system, here stood in for by scripts.
#![cfg(target_os = "linux")]

mod policy_kit;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use argus_node_host::clipboard::Clipboard;
use argus_node_host::info::Info;
use argus_node_host::notify::Notify;
use argus_node_host::policy::{Action, Policy, Source};
use argus_node_host::screen::Screen;
use argus_node_host::tool::{Output, Tools};
use argus_node_host::which::Which;
use argus_node_host::{Call, Command};
use argus_protocol::node::Fault;
use data_encoding::BASE64;
use policy_kit::{Device, call};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// A device with a screen, and scripts that note how they were called in `tree/calls`.
fn desktop(session: &[(&str, &str)]) -> Device {
    let mut device = Device::new();
    for (name, value) in session {
        device.host.env.push((name.into(), value.into()));
    }
    device
}

/// Puts a script in place of a tool.
fn script(device: &Device, name: &str, body: &str) {
    device.file(
        &format!("bin/{name}"),
        &format!("#!/bin/sh\nPATH=/usr/bin:/bin\ncd '{}'\n{body}\n", device.text("tree")),
    );
    fs::set_permissions(device.at(&format!("bin/{name}")), Permissions::from_mode(0o755)).unwrap();
}

const NOTE_CALL: &str = "for a in \"$@\"; do printf '<%s>' \"$a\" >> calls; done";

fn calls(device: &Device) -> String {
    fs::read_to_string(device.at("tree/calls")).unwrap_or_default()
}

fn policy(device: &Device) -> Policy {
    device.no_policy(Some(Action::Allow))
}

async fn ask(group: &dyn Command, call: Call) -> Result<Value, Fault> {
    group.call(call).await.map(|told| serde_json::from_str(told.get()).unwrap())
}

#[test]
fn what_does_not_work_here_is_not_offered() {
    let bare = Device::new();
    let names = |device: &Device| {
        let policy = policy(device);
        let groups: [&dyn Command; 3] =
            [&Notify::new(policy.clone()), &Screen::new(policy.clone()), &Clipboard::new(policy)];
        groups.into_iter().flat_map(Command::names).collect::<Vec<_>>()
    };
    for name in ["notify-send", "grim", "scrot", "xclip", "wl-copy", "osascript", "screencapture", "pbcopy"] {
        script(&bare, name, "");
    }
    assert_eq!(names(&bare), [""; 0], "no screen");
    let wayland = desktop(&[("WAYLAND_DISPLAY", "wayland-0"), ("DISPLAY", "")]);
    assert_eq!(names(&wayland), [""; 0], "no tools");
    script(&wayland, "wl-copy", "");
    script(&wayland, "grim", "");
    assert_eq!(names(&wayland), ["screen.capture", "clipboard.set"]);
    let x11 = desktop(&[("DISPLAY", ":0"), ("XDG_RUNTIME_DIR", "/run/user/0")]);
    for name in ["xsel", "import", "notify-send", "grim"] {
        script(&x11, name, "");
    }
    assert_eq!(names(&x11), ["system.notify", "screen.capture", "clipboard.get", "clipboard.set"]);
    x11.write_policy("[commands]\n'screen.capture' = 'deny'\n'clipboard.*' = 'deny'");
    assert_eq!(names(&x11), ["system.notify"]);
}

#[tokio::test]
async fn a_note_is_shown_as_text_whatever_is_in_it() {
    let device = desktop(&[("DBUS_SESSION_BUS_ADDRESS", "unix:path=/x")]);
    script(&device, "notify-send", NOTE_CALL);
    let notify = Notify::new(policy(&device));
    let params = json!({ "title": "--help $(id)", "body": "<b>a</b> & \"b\"\nline\u{202e}" });
    assert_eq!(ask(&notify, call("system.notify", params)).await.unwrap(), json!({ "shown": true }));
    let expected =
        "<--app-name=argus><--><--help $(id)><&lt;b&gt;a&lt;/b&gt; &amp; \"b\"\nline\\u202e>".to_owned();
    assert_eq!(calls(&device), expected);
    for params in [json!({}), json!({ "title": "" }), json!({ "title": "x".repeat(201) })] {
        assert_eq!(ask(&notify, call("system.notify", params)).await.unwrap_err().code, "BAD_INPUT");
    }
}

#[tokio::test]
async fn the_clipboard_is_read_and_written_whole() {
    let device = desktop(&[("DISPLAY", ":0")]);
    script(&device, "xclip", "case $3 in -i) cat > clip; sleep 30 & ;; -o) cat clip;; esac");
    let clipboard = Clipboard::new(policy(&device));
    let text = "a\0b\n$(id) €\n".repeat(1000);
    let set = ask(&clipboard, call("clipboard.set", json!({ "text": text }))).await.unwrap();
    assert_eq!(set, json!({ "bytes": text.len() }));
    assert_eq!(ask(&clipboard, call("clipboard.get", json!({}))).await.unwrap(), json!({ "text": text }));
    let set = ask(&clipboard, call("clipboard.set", json!({ "text": "" }))).await.unwrap();
    assert_eq!(set, json!({ "bytes": 0 }));
    assert_eq!(ask(&clipboard, call("clipboard.get", json!({}))).await.unwrap(), json!({ "text": "" }));
    let long = json!({ "text": "x".repeat((1 << 20) + 1) });
    assert_eq!(ask(&clipboard, call("clipboard.set", long)).await.unwrap_err().code, "BAD_INPUT");
    fs::write(device.at("tree/clip"), [0xff, 0xfe]).unwrap();
    assert_eq!(ask(&clipboard, call("clipboard.get", json!({}))).await.unwrap_err().code, "FAILED");
    fs::write(device.at("tree/clip"), "x".repeat((1 << 20) + 1)).unwrap();
    assert_eq!(ask(&clipboard, call("clipboard.get", json!({}))).await.unwrap_err().code, "TOO_LARGE");
}

#[tokio::test]
async fn a_picture_is_for_its_owner_only_and_leaves_nothing_behind() {
    let device = desktop(&[("WAYLAND_DISPLAY", "wayland-0")]);
    let screen = Screen::new(policy(&device));
    let take = async || ask(&screen, call("screen.capture", json!({}))).await;
    let note = "printf %s \"$1\" > where; stat -c %a \"$1\" > mode; stat -c %a \"$(dirname \"$1\")\" >> mode";
    script(&device, "grim", &format!("printf '\\211PNG\\r\\n\\032\\nrest' > \"$1\"; {note}"));
    let told = take().await.unwrap();
    let picture = b"\x89PNG\r\n\x1a\nrest";
    let expected = json!({ "mime": "image/png", "bytes": picture.len(), "base64": BASE64.encode(picture) });
    assert_eq!(told, expected);
    assert_eq!(fs::read_to_string(device.at("tree/mode")).unwrap(), "600\n700\n");
    let gone = || {
        let file = fs::read_to_string(device.at("tree/where")).unwrap();
        assert!(!std::path::Path::new(&file).parent().unwrap().exists(), "{file}");
    };
    gone();
    script(&device, "grim", note);
    assert_eq!(take().await.unwrap_err().code, "FAILED");
    gone();
    script(&device, "grim", &format!("{note}; head -c 9000000 /dev/zero > \"$1\""));
    assert_eq!(take().await.unwrap_err().code, "TOO_LARGE");
    gone();
    script(&device, "grim", &format!("{note}; echo no screen >&2; exit 3"));
    let fault = take().await.unwrap_err();
    assert!(fault.message.ends_with("ended with exit status: 3: no screen"), "{fault}");
    gone();
}

/// Whether a process is alive.
fn lives(device: &Device, file: &str) -> bool {
    let pid = fs::read_to_string(device.at(file)).unwrap();
    let state = fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
    state.is_ok_and(|state| !state.contains(") Z "))
}

async fn until(what: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !what() {
        assert!(Instant::now() < end, "it does not come");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_tool_that_takes_too_long_or_is_not_waited_for_ends_with_all_it_began() {
    let device = Device::new();
    script(&device, "hangs", "sleep 300 & echo $! > child.new; mv child.new child; wait");
    let tools = Tools::new(policy(&device));
    let never = CancellationToken::new();
    let hangs = || tools.find("hangs").unwrap();
    let late = hangs().within(Duration::from_millis(300)).run(Vec::new(), Output::Kept(10), &never).await;
    assert_eq!(late.unwrap_err().code, "TIMEOUT");
    until(|| device.at("tree/child").exists() && !lives(&device, "tree/child")).await;
    fs::remove_file(device.at("tree/child")).unwrap();
    let cancel = CancellationToken::new();
    let (tool, token) = (hangs(), cancel.clone());
    let running = tokio::spawn(async move { tool.run(Vec::new(), Output::Dropped, &token).await });
    until(|| device.at("tree/child").exists()).await;
    assert!(lives(&device, "tree/child"));
    cancel.cancel();
    assert_eq!(running.await.unwrap().unwrap_err().code, "CANCELLED");
    until(|| !lives(&device, "tree/child")).await;
}

#[tokio::test]
async fn a_tool_gets_the_policys_environment_and_the_way_to_the_screen() {
    let device = desktop(&[("DISPLAY", ":0"), ("LD_PRELOAD", "/x")]);
    script(&device, "shows", "env");
    let tool = Tools::new(policy(&device)).find("shows").unwrap();
    let told = tool.run(Vec::new(), Output::Kept(1 << 16), &CancellationToken::new()).await.unwrap();
    let told = String::from_utf8(told).unwrap();
    let mut names: Vec<_> = told.lines().filter_map(|line| line.split('=').next()).collect();
    names.sort_unstable();
    // The shell's own are `OLDPWD`, `PWD` and `_`.
    names.retain(|name| !["OLDPWD", "PWD", "SHLVL", "_"].contains(name));
    assert_eq!(names, ["DISPLAY", "HOME", "LANG", "LC_TIME", "PATH"]);
}

#[tokio::test]
async fn programs_are_found_where_the_policy_looks() {
    let device = Device::new();
    device.file("bin/plain", "");
    fs::create_dir(device.at("bin/folder")).unwrap();
    device.link("bin/nick", "tool");
    let which = Which::new(policy(&device));
    let told = async |bin: &str| ask(&which, call("system.which", json!({ "bin": bin }))).await;
    for (bin, path) in [
        ("tool", Some(device.text("bin/tool"))),
        ("nick", Some(device.text("bin/nick"))),
        ("plain", None),
        ("folder", None),
        ("none", None),
    ] {
        assert_eq!(told(bin).await.unwrap(), json!({ "bin": bin, "path": path }));
    }
    for bin in ["", "../bin/tool", "/bin/sh", "a\0", &"x".repeat(300)] {
        assert_eq!(told(bin).await.unwrap_err().code, "BAD_INPUT", "{bin:?}");
    }
    assert_eq!(ask(&which, call("system.which", Value::Null)).await.unwrap_err().code, "BAD_INPUT");
}

#[tokio::test]
async fn the_machine_is_described() {
    let device = Device::new();
    let policy = Policy::open(Source::Everything, None, device.host.clone());
    let told = ask(&Info::new(policy, "9.8.7"), call("system.info", Value::Null)).await.unwrap();
    assert_eq!((&told["os"], &told["arch"]), (&json!("linux"), &json!(std::env::consts::ARCH)));
    assert_eq!((&told["version"], &told["home"]), (&json!("9.8.7"), &json!(device.home)));
    let positive = |value: &Value| value.as_u64().is_some_and(|number| number > 0);
    for pointer in ["/cpus", "/memory/totalBytes", "/memory/availableBytes", "/uptimeSeconds"] {
        assert!(positive(told.pointer(pointer).unwrap()), "{pointer}: {told}");
    }
    for pointer in ["/osName", "/osVersion", "/kernel", "/hostname"] {
        assert!(
            told.pointer(pointer).unwrap().as_str().is_some_and(|text| !text.is_empty()),
            "{pointer}: {told}"
        );
    }
    assert_eq!(told["load"].as_array().unwrap().len(), 3);
    assert_eq!(told["disks"][0]["folder"], "/");
    assert!(positive(&told["disks"][0]["totalBytes"]), "{told}");
}
