//! Ways out of the owner's folders, all of which are closed.

mod policy_kit;

use std::fs;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use argus_node_host::Command;
use argus_node_host::fs::Files;
use argus_node_host::policy::{Host, Policy, Source};
use policy_kit::{Device, call};
use serde_json::json;

const BOTH: &str = "[folders]\nread = ['~/tree']\nwrite = ['~/tree']";

/// What a command says: its answer or its fault's code.
async fn said(files: &Files, command: &str, path: &str) -> String {
    let mut params = json!({ "path": path });
    if let Some((_, mode)) = command.split_once(' ') {
        params["mode"] = json!(mode);
        params["content"] = json!("spoilt");
        params["offset"] = json!(0);
    }
    let command = command.split(' ').next().unwrap();
    files.call(call(command, params)).await.map_or_else(|fault| fault.code, |told| told.get().to_owned())
}

const ALL: [&str; 6] =
    ["fs.stat", "fs.list", "fs.read", "fs.write create", "fs.write replace", "fs.write append"];

/// A device with a secret outside, in `away/secret`, and an empty file there, in `away/empty`.
fn device() -> Device {
    let device = Device::new();
    device.file("away/secret", "s3cret");
    device.file("away/empty", "");
    device
}

/// Nothing outside was touched.
fn untouched(device: &Device) {
    assert_eq!(fs::read_to_string(device.at("away/secret")).unwrap(), "s3cret");
    assert_eq!(fs::read_to_string(device.at("away/empty")).unwrap(), "");
    let mut names: Vec<_> =
        fs::read_dir(device.at("away")).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["empty", "secret"]);
}

#[tokio::test]
async fn no_spelling_of_a_path_leads_out() {
    let device = device();
    let files = Files::new(device.good_policy(BOTH));
    let paths = [
        device.text("away/secret"),
        device.text("tree/../away/secret"),
        device.text("tree/./../away/secret"),
        device.text("tree//..//away/secret"),
        device.text("tree/none/../../away/secret"),
        device.text("workaway/secret"),
        device.text("Work/x"),
        "~/tree/../away/secret".into(),
        "~/away/secret".into(),
        "/etc/passwd".into(),
        "/".into(),
        "/proc/self/root/etc/passwd".into(),
        format!("/proc/self/root{}", device.text("away/secret")),
        format!("/proc/self/root{}", device.text("tree/x")),
        "/proc/self/cwd".into(),
        "/dev/fd/0".into(),
        "..".into(),
        String::new(),
        "\0".into(),
        device.text("tree/\0/../../away/secret"),
    ];
    for path in &paths {
        for command in ALL {
            let said = said(&files, command, path).await;
            assert!(["DENIED", "BAD_INPUT"].contains(&said.as_str()), "{command} {path:?}: {said}");
        }
    }
    untouched(&device);
}

#[tokio::test]
async fn no_link_leads_out() {
    let device = device();
    let files = Files::new(device.good_policy(BOTH));
    device.link("tree/file", device.at("away/secret"));
    device.link("tree/empty", "../away/empty");
    device.link("tree/folder", device.at("away"));
    device.link("tree/up", "..");
    device.link("tree/root", "/");
    device.link("tree/proc", "/proc/self/root");
    device.link("tree/chain", "folder/secret");
    device.link("tree/new", device.at("away/new"));
    let through = [
        ("folder/secret", &ALL[..]),
        ("folder/empty", &ALL),
        ("folder/new", &ALL),
        ("up/away/secret", &ALL),
        ("root/etc/passwd", &ALL),
        ("proc/etc/passwd", &ALL),
        // The link itself may be looked at, and replaced by a file.
        ("file", &["fs.list", "fs.read", "fs.write append"]),
        ("empty", &["fs.list", "fs.read", "fs.write append"]),
        ("folder", &["fs.list", "fs.read", "fs.write append"]),
        ("root", &["fs.list", "fs.read", "fs.write append"]),
        ("chain", &["fs.list", "fs.read", "fs.write append"]),
        ("new", &["fs.list", "fs.read", "fs.write append", "fs.write create"]),
    ];
    for (path, commands) in through {
        for command in commands {
            let said = said(&files, command, &device.text(&format!("tree/{path}"))).await;
            assert!(["DENIED", "FAILED", "BAD_INPUT"].contains(&said.as_str()), "{command} {path}: {said}");
            assert!(said != "FAILED" || *command == "fs.write create", "{command} {path}: {said}");
        }
    }
    untouched(&device);
    assert!(said(&files, "fs.write replace", &device.text("tree/file")).await.contains("size"));
    assert_eq!(fs::read_to_string(device.at("tree/file")).unwrap(), "spoilt");
    assert!(!device.at("tree/file").is_symlink());
    untouched(&device);
}

#[tokio::test]
async fn links_that_stay_inside_are_followed() {
    let device = device();
    device.file("tree/deep/file", "inside");
    device.link("tree/relative", "deep/file");
    device.link("tree/absolute", device.at("tree/deep/file"));
    device.link("tree/folder", device.at("tree/deep"));
    let files = Files::new(device.good_policy(BOTH));
    for path in ["tree/relative", "tree/absolute", "tree/folder/file"] {
        assert!(said(&files, "fs.read", &device.text(path)).await.contains("\"inside\""), "{path}");
    }
    // A folder that the owner names through a link is open under both names.
    device.link("nick", device.at("tree"));
    let files = Files::new(device.good_policy("[folders]\nread = ['~/nick']"));
    for path in ["tree/deep/file", "nick/deep/file"] {
        assert!(said(&files, "fs.read", &device.text(path)).await.contains("\"inside\""), "{path}");
    }
}

#[tokio::test]
async fn a_file_with_a_name_outside_is_closed_unless_the_owner_opens_it() {
    let device = device();
    fs::hard_link(device.at("away/secret"), device.at("tree/hard")).unwrap();
    fs::hard_link(device.at("away/empty"), device.at("tree/hollow")).unwrap();
    let files = Files::new(device.good_policy(BOTH));
    for command in ["fs.read", "fs.write append"] {
        assert_eq!(said(&files, command, &device.text("tree/hollow")).await, "DENIED", "{command}");
        assert_eq!(said(&files, command, &device.text("tree/hard")).await, "DENIED", "{command}");
    }
    assert!(said(&files, "fs.write replace", &device.text("tree/hollow")).await.contains("size"));
    untouched(&device);
    let opened = Files::new(device.good_policy(&format!("{BOTH}\nhardLinks = 'allow'")));
    assert!(said(&opened, "fs.read", &device.text("tree/hard")).await.contains("s3cret"));
}

#[tokio::test]
async fn pipes_sockets_and_devices_are_not_opened_and_make_nobody_wait() {
    let device = device();
    device.pipe("tree/pipe");
    let _socket = UnixListener::bind(device.at("tree/socket")).unwrap();
    let everything = Policy::open(Source::Everything, None, device.host.clone());
    let files = Files::new(everything);
    let pipe = device.text("tree/pipe");
    let socket = device.text("tree/socket");
    for path in [pipe.as_str(), &socket, "/dev/zero", "/dev/tty", "/dev/null"] {
        for command in ["fs.read", "fs.write append", "fs.write replace"] {
            let said = said(&files, command, path).await;
            assert!(["BAD_INPUT", "NOT_FOUND"].contains(&said.as_str()), "{command} {path}: {said}");
        }
    }
    assert!(Path::new("/dev/null").metadata().is_ok_and(|of| !of.is_file()));
    assert!(said(&files, "fs.stat", &pipe).await.contains("\"other\""));
}

#[tokio::test]
async fn where_everything_is_open_absolute_links_and_files_of_the_system_are_read() {
    let device = device();
    device.link("tree/out", device.at("away/secret"));
    let files = Files::new(Policy::open(Source::Everything, None, device.host.clone()));
    assert!(said(&files, "fs.read", &device.text("tree/out")).await.contains("s3cret"));
    if cfg!(target_os = "linux") {
        assert!(said(&files, "fs.read", "/proc/self/status").await.contains("Name:"));
    }
    assert!(said(&files, "fs.list", "/").await.contains("\"etc\""));
}

#[tokio::test]
async fn the_policy_and_what_is_closed_are_never_open() {
    let mut device = device();
    device.file("config/credential", "t0ken");
    device.host.closed.push(device.at("away"));
    device.link("tree/policy", device.at("config/policy.toml"));
    let files = Files::new(device.good_policy("[folders]\nread = ['~']\nwrite = ['~']"));
    let own = device.text("config/policy.toml");
    let before = fs::read_to_string(&own).unwrap();
    for path in [own.clone(), device.text("away/secret"), device.text("away/empty"), device.text("away/new")]
    {
        for command in ALL {
            assert_eq!(said(&files, command, &path).await, "DENIED", "{command} {path}");
        }
    }
    for command in ["fs.read", "fs.write append"] {
        assert_eq!(said(&files, command, &device.text("tree/policy")).await, "DENIED", "{command}");
    }
    assert_eq!(fs::read_to_string(&own).unwrap(), before);
    untouched(&device);
}

/// Somebody puts a link to outside in a folder's place and takes it away again, as fast as they can, while files are
/// asked for through it.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_is_swapped_in_at_the_wrong_moment_leads_nowhere() {
    let device = device();
    device.file("tree/place/secret", "inside");
    device.file("tree/place/empty", "inside");
    device.link("tree/link", device.at("away"));
    let files = Files::new(device.good_policy(BOTH));
    let [place, link, aside] = ["tree/place", "tree/link", "tree/aside"].map(|path| device.at(path));
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let swapping = std::thread::spawn(move || {
        while !stopped.load(Ordering::Relaxed) {
            for (from, to) in [(&place, &aside), (&link, &place), (&place, &link), (&aside, &place)] {
                fs::rename(from, to).unwrap();
            }
        }
    });
    let mut inside = 0;
    for _ in 0..2000 {
        let told = said(&files, "fs.read", &device.text("tree/place/secret")).await;
        assert!(!told.contains("s3cret"), "{told}");
        inside += usize::from(told.contains("inside"));
        let told = said(&files, "fs.write append", &device.text("tree/place/empty")).await;
        assert!(!told.contains("size"), "{told}");
    }
    stop.store(true, Ordering::Relaxed);
    swapping.join().unwrap();
    assert!(inside > 0, "the folder inside was never met");
    untouched(&device);
}

#[tokio::test]
async fn what_shows_processes_is_closed_even_where_everything_is_open() {
    // `/proc/self` is this program itself: its environment and its memory, with the token.
    let policy = Policy::open(Source::Everything, None, Host::of_process());
    let files = Files::new(policy);
    for path in ["/proc/self/environ", "/proc/self/mem", "/proc/thread-self/environ", "/dev/fd/../environ"] {
        let said = said(&files, "fs.read", path).await;
        assert!(["DENIED", "BAD_INPUT"].contains(&said.as_str()), "{path}: {said}");
    }
}
