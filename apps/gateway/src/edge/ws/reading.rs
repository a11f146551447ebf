//! What a client says: each frame relayed or called, and the next one read at once.

use std::sync::Arc;

use argus_protocol::argus::{PREFIX, input};
use argus_protocol::error::INVALID_REQUEST;
use argus_protocol::{ClientId, Frame, FrameKind, RpcError, frame};
use axum::extract::ws::{Message, WebSocket};
use bytes::Bytes;
use futures::StreamExt as _;
use serde::Deserialize;
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite;

use super::super::auth::{Grant, too_soon};
use super::super::rpc::Methods;
use crate::automation::line::{Line, Place};
use crate::sessions::{AskError, ClientSender, CloseReason, SessionHandle, Share};

/// Calls of `argus/*` that one client may have open.
const OPEN_CALLS: u32 = 32;

/// The reading side of one client.
pub(super) struct Reading {
    client: ClientId,
    handle: SessionHandle,
    sender: ClientSender,
    share: Share,
    methods: Methods,
    grant: Grant,
    calls: Arc<Semaphore>,
    /// What is enqueued stays in its order, whatever else the calls do.
    line: Line,
}

impl Reading {
    pub(super) fn new(
        client: ClientId,
        handle: SessionHandle,
        sender: ClientSender,
        methods: Methods,
        grant: Grant,
    ) -> Self {
        let calls = Arc::new(Semaphore::new(OPEN_CALLS as usize));
        Self { client, handle, sender, share: Share::default(), methods, grant, calls, line: Line::default() }
    }

    /// Waits until every call is answered.
    pub(super) async fn calls_ended(&self) {
        _ = self.calls.acquire_many(OPEN_CALLS).await;
    }

    /// Takes frames until the client is gone; an error where it is to be told why.
    pub(super) async fn read(
        &mut self,
        socket: &mut WebSocket,
        heard: &watch::Sender<Instant>,
    ) -> Result<(), CloseReason> {
        while let Some(message) = socket.next().await {
            heard.send_replace(Instant::now());
            match message {
                Ok(Message::Text(text)) => self.take(text.into()).await,
                Ok(Message::Binary(_)) => {
                    let error =
                        RpcError::new(INVALID_REQUEST, "binary frames are not taken; send JSON as text");
                    self.sender.send(frame::reply_error("null", &error));
                    self.keep_pace().await;
                }
                // After a close the stream answers it and ends.
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Close(_)) => {}
                Err(error) => return fault(error).map_or(Ok(()), Err),
            }
        }
        Ok(())
    }

    /// Waits where what cannot be refused came too soon, and with it the client's socket.
    async fn keep_pace(&self) {
        let wait = self.grant.owe();
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    async fn take(&mut self, text: Bytes) {
        let frame = match Frame::parse(text) {
            Ok(frame) => frame,
            Err(error) => {
                self.sender.send(frame::reply_error("null", &error.into()));
                return self.keep_pace().await;
            }
        };
        match frame.id().filter(|_| frame.kind() == FrameKind::Request) {
            Some(id) => {
                if let Err(wait) = self.grant.pay() {
                    return self.sender.send(frame::reply_error(id, &too_soon(wait)));
                }
            }
            None => self.keep_pace().await,
        }
        if frame.kind() == FrameKind::Response {
            self.note_answer(&frame);
        }
        if frame.method().starts_with(PREFIX) {
            return self.call(frame);
        }
        let id = frame.id().filter(|_| frame.kind() == FrameKind::Request).map(str::to_owned);
        let (Err(error), Some(id)) = (self.handle.relay(self.client, frame, &self.share).await, id) else {
            return;
        };
        let error = match error {
            AskError::Overloaded => RpcError::overloaded(error.to_string()),
            AskError::Gone => RpcError::failed(error.to_string()),
        };
        self.sender.send(frame::reply_error(&id, &error));
    }

    /// Notes that this client answers a question of the agent. Whether its answer is the first one, the session knows.
    fn note_answer(&self, frame: &Frame) {
        #[derive(Deserialize)]
        struct Answer<'a> {
            #[serde(borrow)]
            decision: Option<&'a str>,
        }
        let plain = |word: &str| word.len() <= 40 && word.bytes().all(|b| b.is_ascii_alphabetic());
        let decision = frame.result_as::<Answer<'_>>().and_then(|answer| answer.decision);
        let outcome = match decision.filter(|word| plain(word)) {
            Some(decision) => decision,
            None if frame.error().is_some() => "an error",
            None => "answered",
        };
        let id: String = frame.id().unwrap_or_default().trim_matches('"').chars().take(64).collect();
        self.methods.note_answer(&format!("{} {id}", self.handle.id()), outcome);
    }

    /// Runs a method beside the stream: whatever it waits for, the client's next frame is read.
    fn call(&mut self, request: Frame) {
        let Ok(permit) = self.calls.clone().try_acquire_owned() else {
            let words = format!("{OPEN_CALLS} calls are open already; wait for a reply");
            if let Some(id) = request.id() {
                self.sender.send(frame::reply_error(id, &RpcError::overloaded(words)));
            } else {
                tracing::warn!(client.id = %self.client, method = request.method(), "{words}");
            }
            return;
        };
        let (methods, sender) = (self.methods.clone(), self.sender.clone());
        let place = if request.method() == input::ENQUEUE { self.line.join() } else { Place::alone() };
        tokio::spawn(async move {
            if let Some(reply) = methods.call(&request, place).await {
                sender.send(reply);
            }
            drop(permit);
        });
    }
}

/// What the client did wrong; `None` where the connection just broke.
pub(super) fn fault(error: axum::Error) -> Option<CloseReason> {
    match error.into_inner().downcast_ref::<tungstenite::Error>()? {
        tungstenite::Error::Capacity(_) => Some(CloseReason::TooBig),
        tungstenite::Error::Utf8(_) => Some(CloseReason::NoText),
        _ => None,
    }
}
