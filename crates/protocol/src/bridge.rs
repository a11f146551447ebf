//! The link between gateway and runtime bridge, version 1: numbered lines and control lines.
//!
//! The gateway speaks first, one [`FromGateway::Hello`]; the bridge answers [`FromBridge::Welcome`] or
//! [`FromBridge::Refused`] and closes. After that each direction carries lines of three forms, each ended by `\n`:
//!
//! | form | meaning |
//! |---|---|
//! | `17 {…}` | frame number 17, the agent's JSON untouched |
//! | `18!{…}` | number 18 too, but an [`Event`] of the bridge in its place among the frames (bridge → gateway only) |
//! | `{"argus":…}` | a control line: not numbered, not kept, not replayed |
//!
//! Numbers start at 1, one counter for each direction, and live as long as the bridge process (`boot`). The bridge
//! keeps what it sent until it is acknowledged and sends it again from `firstSeq` to every new connection. Events carry
//! another mark than frames so that an agent cannot write one.

use serde::{Deserialize, Serialize};

/// The version both sides must name.
pub const VERSION: u32 = 1;

/// How many frames a gateway may have unacknowledged at once. A bridge holds that many for an agent that does not read
/// its input; with more it stops reading the link, and acks or a `kill` behind them would wait too.
pub const DOWN_WINDOW_FRAMES: usize = 256;

/// How many bytes those frames may have together; a single longer one may be sent when none is unacknowledged.
pub const DOWN_WINDOW_BYTES: usize = 8 << 20;

/// What a bridge that listens on a port writes to its standard output as soon as it does, before the address:
/// `argus-runtime-bridge: listening on tcp:0.0.0.0:7777`. Whoever started its container waits for that line.
pub const LISTENING: &str = "argus-runtime-bridge: listening on ";

/// Control lines of the gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "argus", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum FromGateway {
    /// The first line of a connection.
    Hello {
        /// [`VERSION`].
        v: u32,
        /// The secret whose SHA-256 the bridge was given.
        secret: String,
        /// Who is calling, for the log: installation and process.
        gateway: String,
        /// With what the runtime reaches this gateway, where it can.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        given: Option<Given>,
    },
    /// Every numbered line up to `n` may be forgotten even if the gateway dies now.
    Ack {
        /// A number of the bridge → gateway direction.
        n: u64,
    },
    /// Start the agent if it is down; frames after this line are for the new one.
    Start {},
    /// End the agent's process group at once; answered by an [`Event::Agent`] with state `down`.
    Kill {},
    /// Close the agent's input, wait for its end at most `graceMs`, end what is left, then exit.
    Stop {
        /// Milliseconds.
        grace_ms: u64,
    },
    /// Are you there?
    Ping {},
    /// Yes.
    Pong {},
}

/// With what a runtime reaches its gateway: its agent for tools, its node to be one.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Given {
    /// Where, such as `http://gateway:8080`.
    pub url: String,
    /// The agent's token, for the tools of its session alone.
    pub mcp_token: String,
    /// The runtime's own node, where it is to be one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<GivenNode>,
}

/// What a runtime's own node is called, and its credential.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GivenNode {
    /// `runtime:<session>`.
    pub id: String,
    /// What people call it.
    pub display_name: String,
    /// Its credential.
    pub token: String,
}

// `Debug` would show the tokens.
impl std::fmt::Debug for Given {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Given").field("url", &self.url).field("node", &self.node).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for GivenNode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GivenNode").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Control lines of the bridge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "argus", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum FromBridge {
    /// The answer to a good hello. Kept lines from `firstSeq` follow at once.
    Welcome {
        /// [`VERSION`].
        v: u32,
        /// The bridge process: numbers of another `boot` mean nothing here.
        boot: String,
        /// The agent just before line `firstSeq`: its epoch, 0 before the first.
        agent_epoch: u64,
        /// The agent's state just before line `firstSeq`.
        agent_state: AgentState,
        /// The first line kept; `lastSeq` + 1 when none is.
        first_seq: u64,
        /// The newest line, 0 before the first.
        last_seq: u64,
        /// The newest frame taken from a gateway, 0 before the first.
        last_down_seq: u64,
        /// No turn runs and no line or frame is kept, so that nothing is lost when this bridge is ended. A bridge that
        /// does not say so may not be ended.
        #[serde(default)]
        free: bool,
    },
    /// The answer to a bad hello; the connection closes.
    Refused {
        /// In words, never with the secret.
        reason: String,
    },
    /// Frames up to `n` were handed to the agent's input (or dropped because the agent was down).
    Ack {
        /// A number of the gateway → bridge direction.
        n: u64,
    },
    /// Another gateway with the right secret took this bridge over; do not dial again.
    Displaced {},
    /// Are you there?
    Ping {},
    /// Yes.
    Pong {},
}

/// How the agent stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AgentState {
    /// Being started.
    Starting,
    /// Its process runs and reads its input.
    Up,
    /// No process.
    Down,
}

/// What happened at the bridge, numbered in its place among the agent's frames.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "argus", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Event {
    /// The agent changed its state.
    Agent {
        /// The new state: `up` or `down`.
        state: AgentState,
        /// Which agent: unix milliseconds of its start, always growing.
        epoch: u64,
        /// Why it is down: `exit 1`, `signal 9`, or why it could not be started.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exit: Option<String>,
        /// The end of its error output, at most 2 KiB, for the person who must mend it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stderr_tail: Option<String>,
    },
    /// A line of the agent over the limit was skipped; `id` and `method` as far as its ends showed them.
    Dropped {
        /// Top-level `method`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        method: Option<String>,
        /// Top-level `id`, as JSON text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// `params.threadId`, where it was seen.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        thread_id: Option<String>,
        /// Length of the line in bytes.
        bytes: u64,
        /// The limit it broke, in bytes.
        limit: u64,
    },
}

/// A line as its first bytes show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// `n` and the agent's JSON.
    Frame(u64, &'a [u8]),
    /// `n` and an [`Event`]'s JSON.
    Event(u64, &'a [u8]),
    /// A control line's JSON.
    Control(&'a [u8]),
}

/// A line of none of the three forms.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a bridge line: expected a number and a space, a number and `!`, or an object")]
pub struct NotALine;

/// Reads the form of a line (without its newline).
pub fn parse_line(line: &[u8]) -> Result<Line<'_>, NotALine> {
    if line.first() == Some(&b'{') {
        return Ok(Line::Control(line));
    }
    let digits = line.iter().take(20).take_while(|b| b.is_ascii_digit()).count();
    let (number, rest) = line.split_at(digits);
    let number = std::str::from_utf8(number).ok().and_then(|n| n.parse().ok()).ok_or(NotALine)?;
    match rest.split_first() {
        Some((b' ', json)) => Ok(Line::Frame(number, json)),
        Some((b'!', json)) => Ok(Line::Event(number, json)),
        _ => Err(NotALine),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_shows_its_form_in_its_first_bytes() {
        assert_eq!(parse_line(b"17 {\"a\":1}"), Ok(Line::Frame(17, b"{\"a\":1}")));
        assert_eq!(parse_line(b"18!{}"), Ok(Line::Event(18, b"{}")));
        assert_eq!(parse_line(b"{\"argus\":\"ping\"}"), Ok(Line::Control(b"{\"argus\":\"ping\"}")));
        for bad in [&b""[..], b"x", b"17", b"17{}", b" 17 {}", b"99999999999999999999999 {}", b"-1 {}"] {
            assert_eq!(parse_line(bad), Err(NotALine), "{bad:?}");
        }
    }

    #[test]
    fn control_lines_are_written_as_the_document_says() {
        let hello = FromGateway::Hello { v: 1, secret: "s".into(), gateway: "g".into(), given: None };
        assert_eq!(
            serde_json::to_string(&hello).unwrap(),
            r#"{"argus":"hello","v":1,"secret":"s","gateway":"g"}"#
        );
        let welcome: FromBridge = serde_json::from_str(
            r#"{"argus":"welcome","v":1,"boot":"b","agentEpoch":5,"agentState":"up","firstSeq":1,"lastSeq":9,"lastDownSeq":3}"#,
        )
        .unwrap();
        let FromBridge::Welcome { agent_epoch, last_down_seq, free, .. } = welcome else {
            panic!("{welcome:?}")
        };
        assert_eq!(
            (agent_epoch, last_down_seq, free),
            (5, 3, false),
            "a bridge that says nothing is not free"
        );
        assert_eq!(
            serde_json::to_string(&FromGateway::Stop { grace_ms: 5 }).unwrap(),
            r#"{"argus":"stop","graceMs":5}"#
        );
    }

    #[test]
    fn events_leave_out_what_they_do_not_know() {
        let down = Event::Agent {
            state: AgentState::Down,
            epoch: 7,
            exit: Some("exit 1".into()),
            stderr_tail: None,
        };
        let text = r#"{"argus":"agent","state":"down","epoch":7,"exit":"exit 1"}"#;
        assert_eq!(serde_json::to_string(&down).unwrap(), text);
        assert_eq!(serde_json::from_str::<Event>(text).unwrap(), down);
    }
}
