//! `clipboard.get` and `clipboard.set`: the text that was copied.

use argus_protocol::node::{Fault, code};
use async_trait::async_trait;
use serde::Deserialize;

use crate::call::{Answer, Call, Command, read, told};
use crate::policy::Policy;
use crate::tool::{Output, Tool, Tools};

/// The longest text in bytes.
const LONGEST: usize = 1 << 20;

/// The clipboard.
#[derive(Clone, Debug)]
pub struct Clipboard {
    policy: Policy,
    tools: Tools,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetAsked {
    text: String,
}

/// Which way a text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Get,
    Set,
}

impl Clipboard {
    /// By that policy.
    pub fn new(policy: Policy) -> Self {
        Self { tools: Tools::new(policy.clone()), policy }
    }

    fn tool(&self, way: Way) -> Option<Tool> {
        let find = |name: &str, get: &[&str], set: &[&str]| {
            let arguments = if way == Way::Get { get } else { set };
            self.tools.find(name).map(|tool| tool.with(arguments.iter().copied()))
        };
        if cfg!(target_os = "macos") {
            return find(if way == Way::Get { "pbpaste" } else { "pbcopy" }, &[], &[]);
        }
        let wayland = self.tools.desktop("WAYLAND_DISPLAY").and_then(|_| match way {
            Way::Get => find("wl-paste", &["--no-newline", "--type", "text"], &[]),
            Way::Set => find("wl-copy", &[], &["--type", "text/plain"]),
        });
        let x11 = || {
            self.tools.desktop("DISPLAY")?;
            let xclip = ["-selection", "clipboard"];
            find("xclip", &[xclip[0], xclip[1], "-o"], &[xclip[0], xclip[1], "-i"])
                .or_else(|| find("xsel", &["--clipboard", "--output"], &["--clipboard", "--input"]))
        };
        wayland.or_else(x11)
    }
}

#[async_trait]
impl Command for Clipboard {
    fn names(&self) -> Vec<&'static str> {
        let works = |(name, way): (&'static str, Way)| {
            (self.policy.offers(name) && self.tool(way).is_some()).then_some(name)
        };
        [("clipboard.get", Way::Get), ("clipboard.set", Way::Set)].into_iter().filter_map(works).collect()
    }

    async fn call(&self, call: Call) -> Answer {
        let way = if call.command == "clipboard.get" { Way::Get } else { Way::Set };
        let nothing = || Fault::new(code::UNSUPPORTED, "there is no clipboard here");
        let tool = self.tool(way).ok_or_else(nothing)?;
        if way == Way::Get {
            let text = tool.run(Vec::new(), Output::Kept(LONGEST), &call.cancel).await?;
            let text = String::from_utf8(text);
            let text = text.map_err(|_| Fault::new(code::FAILED, "what was copied is no text"))?;
            return told(&serde_json::json!({ "text": text }));
        }
        let SetAsked { text } = read(&call)?;
        if text.len() > LONGEST {
            return Err(Fault::new(code::BAD_INPUT, format!("`text` is more than {LONGEST} bytes")));
        }
        let bytes = text.len();
        // Tools on Linux stay behind to hand it out, and would hold the output open.
        tool.run(text.into_bytes(), Output::Dropped, &call.cancel).await?;
        told(&serde_json::json!({ "bytes": bytes }))
    }
}
