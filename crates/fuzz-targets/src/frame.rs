//! Frames: what is taken is JSON, and what is made of it reads again and means the same.

use argus_protocol::agent::{Delta, ErrorNotice, ItemNotice, Route, ThreadReply, TurnReply};
use argus_protocol::frame::{reply, reply_error, with_member};
use argus_protocol::{Frame, FrameKind, RpcError};
use bytes::Bytes;
use serde_json::Value;
use serde_json::value::RawValue;

/// Reads the bytes as a frame, gives it other ids and one more member, and reads its parts.
pub fn frame(bytes: &[u8]) {
    let frame = match Frame::parse(Bytes::copy_from_slice(bytes)) {
        Ok(frame) => frame,
        Err(error) => {
            let refusal = again(reply_error("null", &RpcError::from(error)));
            assert_eq!((refusal.kind(), refusal.id()), (FrameKind::Response, Some("null")));
            return;
        }
    };
    serde_json::from_slice::<&RawValue>(bytes).expect("only JSON is a frame");
    assert_eq!(frame.text().len(), bytes.len(), "a frame keeps its length");
    means(&frame);
    for id in ["7", "\"1:0\"", "null"] {
        let renamed = again(frame.with_id(id));
        assert_eq!(renamed.id(), Some(id));
        same_but_for_the_id(&frame, &renamed);
        if let Some(own) = frame.id() {
            assert_eq!(renamed.with_id(own), frame.text(), "the old id brings the old bytes back");
        }
    }
    let numbered = again(with_member(frame.text(), "argusSeq", "41"));
    assert_eq!((numbered.kind(), numbered.id()), (frame.kind(), frame.id()));
    same_but_for_the_id(&frame, &numbered);
    if let Ok(value) = serde_json::from_slice::<Value>(numbered.text()) {
        assert_eq!(value["argusSeq"], 41);
    }
    if let (Some(id), Some(result)) = (frame.id(), frame.result()) {
        let answer = again(reply(id, result));
        assert_eq!((answer.id(), answer.result()), (Some(id), Some(result)));
    }
    let _ = frame.params_as::<Delta<'_>>();
    let _ = frame.params_as::<ErrorNotice>();
    let _ = frame.params_as::<ItemNotice>();
    let _ = frame.result_as::<ThreadReply>();
    let _ = frame.result_as::<TurnReply>();
}

/// Reads what our own code wrote.
pub(crate) fn again(text: Bytes) -> Frame {
    let shown = text.clone();
    let frame = Frame::parse(text).unwrap_or_else(|error| panic!("{error}: {shown:?}"));
    assert_eq!(*frame.text(), shown, "what was one line is not changed");
    frame
}

/// The members are those that a plain reader of JSON finds. It finds none where a number or the depth is beyond it.
fn means(frame: &Frame) {
    assert!(!frame.text().iter().any(|byte| matches!(byte, b'\n' | b'\r')), "a frame is one line");
    let Ok(value) = serde_json::from_slice::<Value>(frame.text()) else { return };
    let read =
        |text: Option<&str>| text.map(|text| serde_json::from_str::<Value>(text).expect("a member is JSON"));
    let present = |text: Option<&str>| read(text).filter(|value| !value.is_null());
    let member = |name: &str| value.get(name).filter(|value| !value.is_null()).cloned();
    assert_eq!(read(frame.id()), value.get("id").cloned());
    assert_eq!(present(frame.params()), member("params"));
    assert_eq!(present(frame.result()), member("result"));
    assert_eq!(present(frame.error()), member("error"));
    assert_eq!(frame.method(), member("method").as_ref().and_then(Value::as_str).unwrap_or_default());
    let kind = match (member("method"), value.get("id")) {
        (Some(_), Some(_)) => FrameKind::Request,
        (Some(_), None) => FrameKind::Notification,
        (None, _) => FrameKind::Response,
    };
    assert_eq!(frame.kind(), kind);
    let Some(route) = frame.params_as::<Route<'_>>() else { return };
    let Some(params) = member("params").filter(Value::is_object) else { return };
    assert_eq!(route.thread_id.as_deref(), params["threadId"].as_str());
    assert_eq!(route.turn(), params["turnId"].as_str().or_else(|| params["turn"]["id"].as_str()));
}

fn same_but_for_the_id(one: &Frame, other: &Frame) {
    assert_eq!(one.method(), other.method());
    assert_eq!(one.params(), other.params());
    assert_eq!(one.result(), other.result());
    assert_eq!(one.error(), other.error());
}
