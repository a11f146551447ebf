//! Writes one answer of the model as server-sent events of the Responses API.

use std::io;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures::stream;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::script::{Failure, Step};
use super::{LONGEST_WAIT, State};
use crate::board::Board;

/// One answer being given.
pub(crate) struct Answer {
    pub(crate) board: Arc<Board<State>>,
    /// Its number among all answers, which makes its ids.
    pub(crate) number: usize,
    pub(crate) steps: Vec<Step>,
    /// What the last command printed.
    pub(crate) output: String,
}

/// Why an answer is not finished: the reader is gone, or it shall go wrong.
struct Over;

struct Writer {
    out: mpsc::Sender<io::Result<Bytes>>,
}

/// The message item that text goes into.
struct Message {
    id: String,
    text: String,
}

impl Answer {
    /// The HTTP answer; what is behind its first bytes is written as the reader takes it.
    pub(crate) fn begin(self) -> Response {
        if let Some(Step::Fail(Failure::Status(status))) = self.steps.first() {
            return status_response(*status);
        }
        let (out, lines) = mpsc::channel(16);
        tokio::spawn(async move {
            let writer = Writer { out };
            let _ = self.write(&writer).await;
        });
        let body = stream::unfold(lines, |mut lines| async { Some((lines.recv().await?, lines)) });
        let headers = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-cache")];
        (headers, Body::from_stream(body)).into_response()
    }

    async fn write(self, writer: &Writer) -> Result<(), Over> {
        let response = format!("resp_{}", self.number);
        writer.event("response.created", json!({ "response": { "id": response } })).await?;
        let mut open: Option<Message> = None;
        for (n, step) in self.steps.iter().enumerate() {
            let id = format!("{}_{n}", self.number);
            match step {
                Step::Text(delta) => writer.delta(&mut open, &id, delta).await?,
                Step::Output => writer.delta(&mut open, &id, &self.output).await?,
                Step::Pause(time) => writer.or_gone(tokio::time::sleep(*time)).await?,
                Step::Gate(name) => self.wait_at(name, writer).await?,
                Step::Think(summary) => {
                    writer.close(open.take()).await?;
                    writer.think(&format!("rs_{id}"), summary).await?;
                }
                Step::Run(command) | Step::RunOutside(command) => {
                    writer.close(open.take()).await?;
                    let mut arguments = json!({ "cmd": command });
                    if matches!(step, Step::RunOutside(_)) {
                        arguments["sandbox_permissions"] = "require_escalated".into();
                        arguments["justification"] = "May it run?".into();
                    }
                    let arguments = arguments.to_string();
                    let call = json!({ "type": "function_call", "id": format!("fc_{id}"),
                        "call_id": format!("call_{id}"), "name": "exec_command", "arguments": arguments });
                    writer.event("response.output_item.done", json!({ "item": call })).await?;
                }
                Step::Tool(name, arguments) => {
                    writer.close(open.take()).await?;
                    let call = json!({ "type": "function_call", "id": format!("fc_{id}"),
                        "call_id": format!("call_{id}"), "namespace": "mcp__argus", "name": name,
                        "arguments": arguments });
                    writer.event("response.output_item.done", json!({ "item": call })).await?;
                }
                Step::Fail(failure) => return writer.fail(&response, failure).await,
            }
        }
        writer.close(open.take()).await?;
        let usage = json!({ "input_tokens": 10, "input_tokens_details": null, "output_tokens": 5,
            "output_tokens_details": null, "total_tokens": 15 });
        writer.event("response.completed", json!({ "response": { "id": response, "usage": usage } })).await
    }

    async fn wait_at(&self, gate: &str, writer: &Writer) -> Result<(), Over> {
        self.board.write(|state| *state.at_gate.entry(gate.to_owned()).or_insert(0) += 1);
        let opened = self.board.wait(LONGEST_WAIT, |state| state.open_gates.contains(gate).then_some(()));
        let waited = writer.or_gone(opened).await;
        self.board.write(|state| {
            if let Some(waiting) = state.at_gate.get_mut(gate) {
                *waiting = waiting.saturating_sub(1);
            }
        });
        waited?.map_err(|_| Over)
    }
}

impl Writer {
    async fn event(&self, kind: &str, mut data: Value) -> Result<(), Over> {
        data["type"] = json!(kind);
        let lines = format!("event: {kind}\ndata: {data}\n\n");
        self.out.send(Ok(Bytes::from(lines))).await.map_err(|_| Over)
    }

    /// Adds to the open message, which is begun if none is.
    async fn delta(&self, open: &mut Option<Message>, id: &str, delta: &str) -> Result<(), Over> {
        if open.is_none() {
            let begun = Message { id: format!("msg_{id}"), text: String::new() };
            let item = json!({ "type": "message", "id": begun.id, "role": "assistant", "content": [] });
            self.event("response.output_item.added", json!({ "item": item })).await?;
            *open = Some(begun);
        }
        let Some(message) = open else { return Ok(()) };
        message.text.push_str(delta);
        let data = json!({ "item_id": message.id, "output_index": 0, "content_index": 0, "delta": delta });
        self.event("response.output_text.delta", data).await
    }

    async fn close(&self, message: Option<Message>) -> Result<(), Over> {
        let Some(Message { id, text }) = message else { return Ok(()) };
        let content = json!([{ "type": "output_text", "text": text }]);
        let item = json!({ "type": "message", "id": id, "role": "assistant", "content": content });
        self.event("response.output_item.done", json!({ "item": item })).await
    }

    async fn think(&self, id: &str, summary: &str) -> Result<(), Over> {
        let item = |summary: Value| json!({ "item": { "type": "reasoning", "id": id, "summary": summary } });
        let part = |name: &str, value: Value| {
            let mut data = json!({ "item_id": id, "output_index": 0, "summary_index": 0 });
            data[name] = value;
            data
        };
        let whole = json!({ "type": "summary_text", "text": summary });
        let empty = json!({ "type": "summary_text", "text": "" });
        self.event("response.output_item.added", item(json!([]))).await?;
        self.event("response.reasoning_summary_part.added", part("part", empty)).await?;
        self.event("response.reasoning_summary_text.delta", part("delta", json!(summary))).await?;
        self.event("response.reasoning_summary_text.done", part("text", json!(summary))).await?;
        self.event("response.output_item.done", item(json!([whole]))).await
    }

    async fn fail(&self, response: &str, failure: &Failure) -> Result<(), Over> {
        match failure {
            Failure::Event { code, message } => {
                let error = json!({ "code": code, "message": message });
                let response = json!({ "id": response, "status": "failed", "error": error });
                return self.event("response.failed", json!({ "response": response })).await;
            }
            Failure::Hang(time) => self.or_gone(tokio::time::sleep(*time)).await?,
            Failure::Cut | Failure::Status(_) => {}
        }
        let _ = self.out.send(Err(io::ErrorKind::ConnectionReset.into())).await;
        Err(Over)
    }

    /// Waits for something, but not longer than somebody reads.
    async fn or_gone<T>(&self, what: impl Future<Output = T>) -> Result<T, Over> {
        tokio::select! {
            done = what => Ok(done),
            () = self.out.closed() => Err(Over),
        }
    }
}

fn status_response(status: u16) -> Response {
    let error = json!({ "error": { "message": format!("the model answers {status}"), "type": "scripted",
        "code": null } });
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(CONTENT_TYPE, "application/json")], error.to_string()).into_response()
}
