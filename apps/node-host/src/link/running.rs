//! One call while it runs, and its end as a frame.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use argus_protocol::node::{self, Fault, FromNode, LARGEST_RESULT, code};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_util::sync::CancellationToken;

use super::Machine;
use crate::{Answer, Call, Progress};

/// Has a call done. What it says before its answer is passed on before the answer is there. Cancelled, it has `settle`
/// to end.
pub(super) async fn run(
    machine: Arc<dyn Machine>,
    call: Call,
    mut heard: mpsc::Receiver<Progress>,
    said: mpsc::Sender<(String, Progress)>,
    settle: Duration,
) -> Answer {
    let (id, cancel) = (call.id.clone(), call.cancel.clone());
    let answer = {
        let mut done = pin!(machine.call(call));
        let mut overdue = pin!(overdue(&cancel, settle));
        loop {
            tokio::select! {
                biased;
                Some(progress) = heard.recv() => {
                    let _ = said.send((id.clone(), progress)).await;
                }
                answer = &mut done => break answer,
                () = &mut overdue => {
                    break Err(Fault::new(code::CANCELLED, "it was cancelled, and did not end in time"));
                }
            }
        }
    };
    while let Ok(progress) = heard.try_recv() {
        let _ = said.send((id.clone(), progress)).await;
    }
    answer
}

async fn overdue(cancel: &CancellationToken, settle: Duration) {
    cancel.cancelled().await;
    tokio::time::sleep(settle).await;
}

/// The end of a call, but for its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settled<'a> {
    pub(super) id: &'a str,
    pub(super) node_id: &'a str,
    pub(super) job: Option<&'a str>,
}

impl Settled<'_> {
    /// The frame. `reason` is the gateway's word for why it cancelled the call, where it did.
    pub(super) fn write(self, answer: Answer, reason: Option<&str>) -> Utf8Bytes {
        let text = self.frame(answer.map_err(|fault| self.worded(fault, reason)));
        if text.len() <= LARGEST_RESULT {
            return text.into();
        }
        let words = format!(
            "what came of it is larger than {} MiB; ask for it in pages, with an offset and a length",
            LARGEST_RESULT >> 20
        );
        self.frame(Err(self.of_job(Fault::new(code::TOO_LARGE, words)))).into()
    }

    fn worded(self, fault: Fault, reason: Option<&str>) -> Fault {
        if fault.code != code::CANCELLED {
            return fault;
        }
        let code = if reason == Some(code::TIMEOUT) { code::TIMEOUT } else { code::CANCELLED };
        self.of_job(Fault { code: code.to_owned(), ..fault })
    }

    fn of_job(self, fault: Fault) -> Fault {
        Fault { job_id: fault.job_id.or_else(|| self.job.map(str::to_owned)), ..fault }
    }

    fn frame(self, answer: Answer) -> String {
        let (payload, error) = match answer {
            Ok(payload) => (Some(payload), None),
            Err(fault) => (None, Some(fault)),
        };
        let settled = node::Settled {
            id: self.id.to_owned(),
            node_id: self.node_id.to_owned(),
            ok: error.is_none(),
            payload,
            payload_json: None,
            error,
        };
        FromNode::Result(Box::new(settled)).write()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json, value::RawValue};

    const CALL: Settled<'static> = Settled { id: "c", node_id: "n", job: Some("j") };

    fn payload(answer: Answer, reason: Option<&str>) -> Value {
        let text = CALL.write(answer, reason);
        serde_json::from_str::<Value>(text.as_str()).unwrap()["payload"].take()
    }

    #[test]
    fn a_result_is_told_once() {
        let answer = Ok(RawValue::from_string(r#"{"a":[1]}"#.into()).unwrap());
        let told = json!({ "id": "c", "nodeId": "n", "ok": true, "payload": { "a": [1] }, "error": null });
        assert_eq!(payload(answer, None), told);
    }

    #[test]
    fn a_cancelled_call_is_settled_with_the_gateways_word_and_its_job() {
        let cancelled = || Err(Fault::new(code::CANCELLED, "ended"));
        for (reason, code) in [
            (Some("TIMEOUT"), "TIMEOUT"),
            (Some("CANCELLED"), "CANCELLED"),
            (Some("<script>"), "CANCELLED"),
            (None, "CANCELLED"),
        ] {
            let error = json!({ "code": code, "message": "ended", "jobId": "j" });
            assert_eq!(payload(cancelled(), reason)["error"], error);
        }
        let other = Err(Fault::new(code::NOT_FOUND, "no"));
        assert_eq!(payload(other, Some("TIMEOUT"))["error"], json!({ "code": "NOT_FOUND", "message": "no" }));
    }

    #[test]
    fn a_result_that_is_too_large_becomes_words() {
        let large = RawValue::from_string(format!("\"{}\"", "x".repeat(LARGEST_RESULT))).unwrap();
        let told = payload(Ok(large), None);
        assert_eq!((&told["ok"], &told["error"]["code"]), (&json!(false), &json!("TOO_LARGE")));
    }
}
