//! Frames as text: read leniently, written one way.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::{
    Answer, Ask, AskOver, Beat, Cancel, Connect, Connected, Enrol, Enrolled, ExitAck, Exited, JobKnown, Part,
    Request, ResultAck, Settled, Waiting,
};

/// What a node says.
#[derive(Clone, Debug)]
pub enum FromNode {
    /// `connect`: who it is.
    Connect(Box<Connect>),
    /// `enrol`: it asks for a credential.
    Enrol(Enrol),
    /// `node.heartbeat`: it lives.
    Heartbeat(Beat),
    /// `node.invoke.job`
    Job(JobKnown),
    /// `node.invoke.waiting`
    Waiting(Waiting),
    /// `node.invoke.result`
    Result(Box<Settled>),
    /// `node.part`: a piece of a frame that is too large for one.
    Part(Part),
    /// `node.process.exited`
    Exited(Box<Exited>),
    /// `node.approval.request`
    Ask(Box<Ask>),
    /// `node.approval.over`
    AskOver(AskOver),
    /// Something that is not known here; it is ignored.
    Unknown,
}

/// What the gateway says to a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToNode {
    /// `node.connected`
    Connected(Connected),
    /// `node.enrolled`
    Enrolled(Enrolled),
    /// `node.invoke.request`
    Request(Box<Request>),
    /// `node.invoke.cancel`
    Cancel(Cancel),
    /// `node.invoke.ack`
    ResultAck(ResultAck),
    /// `node.process.ack`
    ExitAck(ExitAck),
    /// `node.approval.answer`
    Answer(Answer),
    /// Something that is not known here; it is ignored.
    Unknown,
}

/// A text that is no frame of the link.
#[derive(Debug, thiserror::Error)]
#[error("no frame of a node's link: {0}")]
pub struct NotAFrame(#[from] serde_json::Error);

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: std::borrow::Cow<'a, str>,
    #[serde(borrow, default)]
    event: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow, default)]
    payload: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct Tagged<'a, T> {
    r#type: &'static str,
    event: &'a str,
    payload: &'a T,
}

fn event<T: Serialize>(name: &str, payload: &T) -> String {
    let frame = Tagged { r#type: "event", event: name, payload };
    serde_json::to_string(&frame).expect("a frame of texts and numbers is JSON")
}

fn payload<T: DeserializeOwned>(raw: Option<&RawValue>) -> Result<T, NotAFrame> {
    Ok(serde_json::from_str(raw.map_or("{}", RawValue::get))?)
}

impl FromNode {
    /// Reads a frame; one of a kind that is not known is [`Self::Unknown`].
    pub fn read(text: &str) -> Result<Self, NotAFrame> {
        let frame: Envelope<'_> = serde_json::from_str(text)?;
        match frame.kind.as_ref() {
            "connect" => return Ok(Self::Connect(serde_json::from_str(text)?)),
            "enrol" => return Ok(Self::Enrol(serde_json::from_str(text)?)),
            "event" => {}
            _ => return Ok(Self::Unknown),
        }
        let raw = frame.payload;
        Ok(match frame.event.as_deref() {
            Some("node.heartbeat") => Self::Heartbeat(payload(raw)?),
            Some("node.invoke.job") => Self::Job(payload(raw)?),
            Some("node.invoke.waiting") => Self::Waiting(payload(raw)?),
            Some("node.invoke.result") => Self::Result(payload(raw)?),
            Some("node.part") => Self::Part(payload(raw)?),
            Some("node.process.exited") => Self::Exited(payload(raw)?),
            Some("node.approval.request") => Self::Ask(payload(raw)?),
            Some("node.approval.over") => Self::AskOver(payload(raw)?),
            _ => Self::Unknown,
        })
    }

    /// The frame as text.
    pub fn write(&self) -> String {
        #[derive(Serialize)]
        struct First<'a, T> {
            r#type: &'static str,
            #[serde(flatten)]
            what: &'a T,
        }
        fn first<T: Serialize>(kind: &'static str, what: &T) -> String {
            serde_json::to_string(&First { r#type: kind, what }).expect("a frame of texts is JSON")
        }
        match self {
            Self::Connect(connect) => first("connect", connect),
            Self::Enrol(enrol) => first("enrol", enrol),
            Self::Heartbeat(what) => event("node.heartbeat", what),
            Self::Job(what) => event("node.invoke.job", what),
            Self::Waiting(what) => event("node.invoke.waiting", what),
            Self::Result(what) => event("node.invoke.result", what),
            Self::Part(what) => event("node.part", what),
            Self::Exited(what) => event("node.process.exited", what),
            Self::Ask(what) => event("node.approval.request", what),
            Self::AskOver(what) => event("node.approval.over", what),
            Self::Unknown => event("node.unknown", &()),
        }
    }
}

impl ToNode {
    /// Reads a frame; one of a kind that is not known is [`Self::Unknown`].
    pub fn read(text: &str) -> Result<Self, NotAFrame> {
        let frame: Envelope<'_> = serde_json::from_str(text)?;
        if frame.kind != "event" {
            return Ok(Self::Unknown);
        }
        let raw = frame.payload;
        Ok(match frame.event.as_deref() {
            Some("node.connected") => Self::Connected(payload(raw)?),
            Some("node.enrolled") => Self::Enrolled(payload(raw)?),
            Some("node.invoke.request") => Self::Request(payload(raw)?),
            Some("node.invoke.cancel") => Self::Cancel(payload(raw)?),
            Some("node.invoke.ack") => Self::ResultAck(payload(raw)?),
            Some("node.process.ack") => Self::ExitAck(payload(raw)?),
            Some("node.approval.answer") => Self::Answer(payload(raw)?),
            _ => Self::Unknown,
        })
    }

    /// The frame as text.
    pub fn write(&self) -> String {
        match self {
            Self::Connected(what) => event("node.connected", what),
            Self::Enrolled(what) => event("node.enrolled", what),
            Self::Request(what) => event("node.invoke.request", what),
            Self::Cancel(what) => event("node.invoke.cancel", what),
            Self::ResultAck(what) => event("node.invoke.ack", what),
            Self::ExitAck(what) => event("node.process.ack", what),
            Self::Answer(what) => event("node.approval.answer", what),
            Self::Unknown => event("node.unknown", &()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_the_reference_are_read() {
        let connect = r#"{"type":"connect","nodeId":"n1","displayName":"Mac","platform":"darwin","version":"0.1.0","caps":["system"],"commands":["system.run"]}"#;
        let Ok(FromNode::Connect(connect)) = FromNode::read(connect) else { panic!("no connect") };
        assert_eq!((connect.node_id.as_str(), connect.boot), ("n1", None));
        let result = r#"{"type":"event","event":"node.invoke.result","payload":{"id":"1","nodeId":"n1","ok":true,"payload":{"a":1},"payloadJSON":"{\"a\":1}","error":null}}"#;
        let Ok(FromNode::Result(result)) = FromNode::read(result) else { panic!("no result") };
        assert_eq!(result.into_payload().get(), r#"{"a":1}"#);
        let only_text = r#"{"type":"event","event":"node.invoke.result","payload":{"id":"1","nodeId":"n1","ok":true,"payload":null,"payloadJSON":"[2]"}}"#;
        let Ok(FromNode::Result(result)) = FromNode::read(only_text) else { panic!("no result") };
        assert_eq!(result.into_payload().get(), "[2]");
        let exit = r#"{"type":"event","event":"node.process.exited","payload":{"nodeId":"n1","sessionId":null,"jobId":"j","argv":["x"],"cwd":"/","exitCode":0,"signal":null,"timedOut":false,"startedAtMs":1,"endedAtMs":2,"stdoutTail":"","stderrTail":""}}"#;
        assert!(matches!(FromNode::read(exit), Ok(FromNode::Exited(exit)) if exit.job_id == "j"));
        let beat = r#"{"type":"event","event":"node.heartbeat","payload":{"t":5}}"#;
        assert!(matches!(FromNode::read(beat), Ok(FromNode::Heartbeat(Beat { t: 5, jobs: 0 }))));
        let beat = r#"{"type":"event","event":"node.heartbeat","payload":{"t":5,"jobs":2}}"#;
        assert_eq!(FromNode::Heartbeat(Beat { t: 5, jobs: 2 }).write(), beat);
    }

    #[test]
    fn a_request_is_written_as_the_references_nodes_read_it() {
        let request = Request {
            id: "1".into(),
            node_id: "n1".into(),
            command: "system.which".into(),
            params_json: Some(r#"{"bin":"git"}"#.into()),
            timeout_ms: None,
            idempotency_key: None,
            session_id: None,
            ticket: None,
        };
        let text = ToNode::Request(Box::new(request)).write();
        assert_eq!(
            text,
            r#"{"type":"event","event":"node.invoke.request","payload":{"id":"1","nodeId":"n1","command":"system.which","paramsJSON":"{\"bin\":\"git\"}","timeoutMs":null}}"#
        );
        assert!(matches!(ToNode::read(&text), Ok(ToNode::Request(_))));
    }

    #[test]
    fn what_is_not_known_is_ignored_and_what_is_no_frame_is_not() {
        for text in [r#"{"type":"event","event":"new.thing","payload":7}"#, r#"{"type":"x"}"#, "{}"] {
            assert!(matches!(FromNode::read(text), Ok(FromNode::Unknown)), "{text}");
            assert!(matches!(ToNode::read(text), Ok(ToNode::Unknown)), "{text}");
        }
        for text in ["", "7", r#"{"type":"connect"}"#, r#"{"type":"event","event":"node.part"}"#] {
            assert!(FromNode::read(text).is_err(), "{text}");
        }
    }
}
