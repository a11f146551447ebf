//! `screen.capture`: a picture of the screen.

use std::ffi::OsString;
use std::fs::Permissions;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use argus_protocol::node::{Fault, code};
use async_trait::async_trait;
use data_encoding::BASE64;
use serde::Serialize;

use crate::call::{Answer, Call, Command, told};
use crate::policy::Policy;
use crate::tool::{Output, Tool, Tools};

/// The largest picture in bytes.
const LARGEST: u64 = 8 << 20;

/// How every PNG begins.
const PNG: [u8; 8] = *b"\x89PNG\r\n\x1a\n";

/// Takes pictures of the screen.
#[derive(Clone, Debug)]
pub struct Screen {
    policy: Policy,
    tools: Tools,
}

#[derive(Serialize)]
struct Told {
    mime: &'static str,
    bytes: usize,
    /// The picture, as Base64 with padding.
    base64: String,
}

impl Screen {
    /// By that policy.
    pub fn new(policy: Policy) -> Self {
        Self { tools: Tools::new(policy.clone()), policy }
    }

    /// What takes a picture, and how it is told where to put it.
    fn tool(&self) -> Option<(Tool, &'static [&'static str])> {
        let find = |name, before: &'static [&'static str]| Some((self.tools.find(name)?, before));
        if cfg!(target_os = "macos") {
            return find("screencapture", &["-x", "-t", "png"]);
        }
        let wayland = self.tools.desktop("WAYLAND_DISPLAY").is_some();
        let x11 = self.tools.desktop("DISPLAY").is_some();
        let grim = || if wayland { find("grim", &[]) } else { None };
        let gnome = || if wayland || x11 { find("gnome-screenshot", &["-f"]) } else { None };
        let old = || {
            if x11 {
                find("scrot", &["--overwrite"]).or_else(|| find("import", &["-window", "root"]))
            } else {
                None
            }
        };
        grim().or_else(gnome).or_else(old)
    }
}

#[async_trait]
impl Command for Screen {
    fn names(&self) -> Vec<&'static str> {
        let works = |name: &&str| self.policy.offers(name) && self.tool().is_some();
        ["screen.capture"].into_iter().filter(works).collect()
    }

    async fn call(&self, call: Call) -> Answer {
        let failed = |error: std::io::Error| Fault::new(code::FAILED, format!("the picture: {error}"));
        let nothing =
            || Fault::new(code::UNSUPPORTED, "there is no screen here, or nothing that takes its picture");
        let (tool, before) = self.tool().ok_or_else(nothing)?;
        // Nobody else enters it, whatever the tool makes in it; it goes with all that is in it when this ends.
        let folder = tempfile::Builder::new()
            .prefix("argus-screen-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir()
            .map_err(failed)?;
        let file = folder.path().join("screen.png");
        // There before the tool, which then keeps its permissions.
        std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&file)
            .and_then(|made| made.set_permissions(Permissions::from_mode(0o600)))
            .map_err(failed)?;
        let tool = tool.with(before.iter().copied()).with([OsString::from(&file)]);
        tool.run(Vec::new(), Output::Kept(4096), &call.cancel).await?;
        let picture = picture(&file)?;
        told(&Told { mime: "image/png", bytes: picture.len(), base64: BASE64.encode(&picture) })
    }
}

fn picture(file: &Path) -> Result<Vec<u8>, Fault> {
    let failed = |error: std::io::Error| Fault::new(code::FAILED, format!("the picture: {error}"));
    let mut picture = Vec::new();
    std::fs::File::open(file).map_err(failed)?.take(LARGEST + 1).read_to_end(&mut picture).map_err(failed)?;
    if picture.len() as u64 > LARGEST {
        return Err(Fault::new(code::TOO_LARGE, format!("the picture is more than {LARGEST} bytes")));
    }
    if !picture.starts_with(&PNG) {
        let words = "no picture came of it; the system may have to let this program record the screen first";
        return Err(Fault::new(code::FAILED, words));
    }
    Ok(picture)
}
