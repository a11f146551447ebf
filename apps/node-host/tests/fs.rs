//! Files below the owner's folders.

mod policy_kit;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use argus_node_host::Command;
use argus_node_host::fs::{Files, LARGEST_PIECE};
use argus_protocol::node::Fault;
use data_encoding::BASE64;
use policy_kit::{Device, call};
use serde_json::{Value, json};

const BOTH: &str = "[folders]\nread = ['~/tree']\nwrite = ['~/tree']";

fn files(device: &Device) -> Files {
    Files::new(device.good_policy(BOTH))
}

async fn ask(files: &Files, command: &str, params: Value) -> Result<Value, Fault> {
    files.call(call(command, params)).await.map(|told| serde_json::from_str(told.get()).unwrap())
}

async fn code(files: &Files, command: &str, params: Value) -> String {
    ask(files, command, params).await.map_or_else(|fault| fault.code, |told| told.to_string())
}

#[test]
fn what_no_folder_is_open_for_is_not_offered() {
    let device = Device::new();
    let offers = |text: &str| Files::new(device.good_policy(text)).names();
    assert_eq!(offers(""), [""; 0]);
    assert_eq!(offers("[folders]\nread = ['~/tree']"), ["fs.stat", "fs.list", "fs.read"]);
    assert_eq!(offers("[folders]\nwrite = ['~/tree']"), ["fs.write"]);
    assert_eq!(offers(&format!("commands.'fs.read' = 'deny'\n{BOTH}")), ["fs.stat", "fs.list", "fs.write"]);
}

#[tokio::test]
async fn a_file_is_read_in_pieces_that_join_to_the_whole() {
    let device = Device::new();
    let text = "äöü€🙂 text ".repeat(5000);
    device.file("tree/text", &text);
    let bytes: Vec<u8> = (0..100_000_u32).map(|n| u8::try_from(n * 7 % 251).unwrap() | 0x80).collect();
    fs::write(device.at("tree/bytes"), &bytes).unwrap();
    let files = files(&device);
    for (name, whole, encoding) in [("text", text.as_bytes(), "utf8"), ("bytes", &bytes, "base64")] {
        let (mut joined, mut offset) = (Vec::new(), 0);
        loop {
            let params =
                json!({ "path": device.text(&format!("tree/{name}")), "offset": offset, "length": 1001 });
            let told = ask(&files, "fs.read", params).await.unwrap();
            assert_eq!((&told["size"], &told["encoding"]), (&json!(whole.len()), &json!(encoding)));
            let content = told["content"].as_str().unwrap();
            match encoding {
                "utf8" => joined.extend(content.as_bytes()),
                _ => joined.extend(BASE64.decode(content.as_bytes()).unwrap()),
            }
            assert_eq!(told["bytes"], json!(joined.len() - offset));
            let Some(next) = told["next"].as_u64() else { break };
            offset = usize::try_from(next).unwrap();
        }
        assert!(joined == whole, "{name}");
    }
}

#[tokio::test]
async fn an_encoding_that_was_asked_for_is_kept_or_refused() {
    let device = Device::new();
    device.file("tree/text", "ab€");
    fs::write(device.at("tree/bytes"), [b'a', 0xff, b'b']).unwrap();
    let files = files(&device);
    let read = async |name: &str, more: Value| {
        let mut params = json!({ "path": device.text(name) });
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        match ask(&files, "fs.read", params).await {
            Ok(told) => {
                format!("{} {}", told["encoding"].as_str().unwrap(), told["content"].as_str().unwrap())
            }
            Err(fault) => fault.code,
        }
    };
    assert_eq!(read("tree/text", json!({})).await, "utf8 ab€");
    assert_eq!(read("tree/text", json!({ "encoding": "base64" })).await, "base64 YWLigqw=");
    assert_eq!(read("tree/text", json!({ "length": 3 })).await, "utf8 ab");
    assert_eq!(read("tree/text", json!({ "offset": 3 })).await, "base64 gqw=");
    assert_eq!(read("tree/text", json!({ "offset": 99 })).await, "utf8 ");
    assert_eq!(read("tree/bytes", json!({})).await, "base64 Yf9i");
    assert_eq!(read("tree/bytes", json!({ "encoding": "utf8" })).await, "BAD_INPUT");
    assert_eq!(read("tree/text", json!({ "length": 0 })).await, "BAD_INPUT");
    assert_eq!(read("tree/text", json!({ "length": LARGEST_PIECE + 1 })).await, "BAD_INPUT");
    assert_eq!(read("tree/text", json!({ "offset": -1 })).await, "BAD_INPUT");
    assert_eq!(read("tree/text", json!({ "offset": u64::MAX })).await, "FAILED");
    assert_eq!(read("tree/none", json!({})).await, "NOT_FOUND");
    assert_eq!(read("tree", json!({})).await, "BAD_INPUT");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_folder_is_listed_by_name_in_pages_that_miss_nothing() {
    let device = Device::new();
    for n in 0..25 {
        device.file(&format!("tree/many/{n:02}"), &"x".repeat(n));
    }
    fs::create_dir(device.at("tree/many/folder")).unwrap();
    device.link("tree/many/link", "/etc/passwd");
    let odd: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"odd\xff");
    fs::write(device.at("tree/many").join(odd), "").unwrap();
    let files = files(&device);
    let (mut names, mut after, mut pages) = (Vec::new(), Value::Null, 0);
    loop {
        let params = json!({ "path": device.text("tree/many"), "limit": 10, "after": after });
        let told = ask(&files, "fs.list", params).await.unwrap();
        assert_eq!(told["total"], 28);
        for entry in told["entries"].as_array().unwrap() {
            names.push((
                entry["name"].as_str().unwrap().to_owned(),
                entry["kind"].as_str().unwrap().to_owned(),
            ));
        }
        pages += 1;
        after = told["next"].clone();
        if after.is_null() {
            break;
        }
    }
    let mut expected: Vec<_> = (0..25).map(|n| (format!("{n:02}"), "file".to_owned())).collect();
    let others = [("folder", "folder"), ("link", "link"), ("odd\u{fffd}", "file")];
    expected.extend(others.map(|(name, kind)| (name.to_owned(), kind.to_owned())));
    assert_eq!((names, pages), (expected, 3));
    let last =
        ask(&files, "fs.list", json!({ "path": device.text("tree/many"), "after": "link" })).await.unwrap();
    assert_eq!(last["entries"][0]["nameBase64"], BASE64.encode(b"odd\xff"));
    assert_eq!(code(&files, "fs.list", json!({ "path": device.text("tree/many/01") })).await, "BAD_INPUT");
    assert_eq!(
        code(&files, "fs.list", json!({ "path": device.text("tree"), "limit": 0 })).await,
        "BAD_INPUT"
    );
}

#[tokio::test]
async fn a_look_at_something_tells_its_kind_size_and_permissions() {
    let device = Device::new();
    device.file("tree/file", "12345");
    fs::set_permissions(device.at("tree/file"), Permissions::from_mode(0o640)).unwrap();
    device.link("tree/link", "/etc/passwd");
    let files = files(&device);
    let stat = async |name: &str| {
        let mut told = ask(&files, "fs.stat", json!({ "path": device.text(name) })).await.unwrap();
        let told = told.as_object_mut().unwrap();
        assert!(told.remove("modifiedAtMs").unwrap().as_u64().unwrap() > 1_600_000_000_000);
        assert_eq!(told.remove("path").unwrap(), device.text(name));
        json!(told)
    };
    assert_eq!(stat("tree/file").await, json!({ "kind": "file", "size": 5, "permissions": "0640" }));
    let link = stat("tree/link").await;
    assert_eq!((&link["kind"], &link["target"]), (&json!("link"), &json!("/etc/passwd")));
    assert_eq!(stat("tree").await["kind"], "folder");
    assert_eq!(code(&files, "fs.stat", json!({ "path": device.text("tree/none") })).await, "NOT_FOUND");
}

#[tokio::test]
async fn a_file_is_made_once_replaced_whole_and_added_to_where_it_ends() {
    let device = Device::new();
    let files = files(&device);
    let write = async |mode: &str, content: &str, offset: Value| {
        let params =
            json!({ "path": device.text("tree/a"), "mode": mode, "content": content, "offset": offset });
        match ask(&files, "fs.write", params).await {
            Ok(told) => told["size"].to_string(),
            Err(fault) => fault.code,
        }
    };
    let read = || fs::read_to_string(device.at("tree/a")).unwrap();
    assert_eq!(write("append", "x", json!(1)).await, "NOT_FOUND");
    assert_eq!(write("create", "one", Value::Null).await, "3");
    assert_eq!(write("create", "two", Value::Null).await, "FAILED");
    assert_eq!(write("append", "x", Value::Null).await, "BAD_INPUT");
    assert_eq!(write("append", "x", json!(2)).await, "BAD_INPUT");
    assert_eq!(write("append", "x", json!(0)).await, "BAD_INPUT");
    assert_eq!(read(), "one");
    assert_eq!(write("append", " more", json!(3)).await, "8");
    assert_eq!(read(), "one more");
    fs::set_permissions(device.at("tree/a"), Permissions::from_mode(0o4750)).unwrap();
    assert_eq!(write("replace", "new", Value::Null).await, "3");
    assert_eq!(read(), "new");
    assert_eq!(fs::metadata(device.at("tree/a")).unwrap().permissions().mode() & 0o7777, 0o750);
    fs::remove_file(device.at("tree/a")).unwrap();
    assert_eq!(write("append", "first", json!(0)).await, "5");
    assert_eq!(read(), "first");
    assert_eq!(write("wipe", "x", Value::Null).await, "BAD_INPUT");
    let left: Vec<_> =
        fs::read_dir(device.at("tree")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["a"], "no half-written file stays");
}

#[tokio::test]
async fn bytes_are_written_from_base64_and_not_more_than_a_piece() {
    let device = Device::new();
    let files = files(&device);
    let write = async |content: String, encoding: &str| {
        let params = json!({ "path": device.text("tree/b"), "mode": "replace", "content": content, "encoding": encoding });
        code(&files, "fs.write", params).await
    };
    assert!(write("/wD+".into(), "base64").await.contains("\"size\":3"));
    assert_eq!(fs::read(device.at("tree/b")).unwrap(), [0xff, 0, 0xfe]);
    for bad in ["/wD", "not base64", "/w=="] {
        let expected = if bad == "/w==" { "size" } else { "BAD_INPUT" };
        assert!(write(bad.into(), "base64").await.contains(expected), "{bad}");
    }
    assert!(write("x".repeat(LARGEST_PIECE), "utf8").await.contains("\"size\":524288"));
    assert_eq!(write("x".repeat(LARGEST_PIECE + 1), "utf8").await, "BAD_INPUT");
    let folder = json!({ "path": device.text("tree"), "mode": "replace", "content": "" });
    assert_eq!(code(&files, "fs.write", folder).await, "BAD_INPUT");
    let nowhere = json!({ "path": device.text("tree/none/x"), "mode": "create", "content": "" });
    assert_eq!(code(&files, "fs.write", nowhere).await, "NOT_FOUND");
}
