//! `system.notify`: shows a note to whoever sits before the machine.

use argus_protocol::node::{Fault, code};
use async_trait::async_trait;
use serde::Deserialize;

use crate::call::{Answer, Call, Command, read, told};
use crate::policy::Policy;
use crate::policy::show::visible;
use crate::tool::{Output, Tool, Tools};

/// The longest title and the longest text in characters.
const LONGEST_TITLE: usize = 200;
const LONGEST_BODY: usize = 2000;

/// A script that takes its texts as arguments: nothing of them is read as a script.
const SCRIPT: [&str; 6] = [
    "-e",
    "on run argv",
    "-e",
    "display notification (item 2 of argv) with title (item 1 of argv)",
    "-e",
    "end run",
];

/// Shows notes.
#[derive(Clone, Debug)]
pub struct Notify {
    policy: Policy,
    tools: Tools,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    title: String,
    #[serde(default)]
    body: String,
}

impl Notify {
    /// By that policy.
    pub fn new(policy: Policy) -> Self {
        Self { tools: Tools::new(policy.clone()), policy }
    }

    fn tool(&self) -> Option<Showing> {
        if cfg!(target_os = "macos") {
            return self.tools.find("osascript").map(Showing::AppleScript);
        }
        self.tools.desktop("DBUS_SESSION_BUS_ADDRESS").or(self.tools.desktop("XDG_RUNTIME_DIR"))?;
        self.tools.find("notify-send").map(Showing::NotifySend)
    }
}

/// What shows a note.
enum Showing {
    AppleScript(Tool),
    NotifySend(Tool),
}

#[async_trait]
impl Command for Notify {
    fn names(&self) -> Vec<&'static str> {
        let works = |name: &&str| self.policy.offers(name) && self.tool().is_some();
        ["system.notify"].into_iter().filter(works).collect()
    }

    async fn call(&self, call: Call) -> Answer {
        let Asked { title, body } = read(&call)?;
        if title.is_empty() || title.chars().count() > LONGEST_TITLE || body.chars().count() > LONGEST_BODY {
            let words = format!("`title` is 1 to {LONGEST_TITLE} characters, `body` {LONGEST_BODY} at most");
            return Err(Fault::new(code::BAD_INPUT, words));
        }
        // Line by line, so that no other character can feign what it is not.
        let clean = |text: &str| text.lines().map(visible).collect::<Vec<_>>().join("\n");
        let (title, body) = (clean(&title), clean(&body));
        let tool = match self.tool() {
            Some(Showing::AppleScript(tool)) => tool.with(SCRIPT).with(["--".to_owned(), title, body]),
            Some(Showing::NotifySend(tool)) => {
                tool.with(["--app-name=argus".to_owned(), "--".to_owned(), title, without_markup(&body)])
            }
            None => return Err(Fault::new(code::UNSUPPORTED, "nothing here shows notes")),
        };
        tool.run(Vec::new(), Output::Dropped, &call.cancel).await?;
        told(&serde_json::json!({ "shown": true }))
    }
}

/// Desktops read tags in a note's text.
fn without_markup(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
