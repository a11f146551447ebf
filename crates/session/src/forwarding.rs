//! Frames of clients: answered here, forwarded, or kept until the agent serves.

use argus_protocol::agent::{Route, is_experimental, method};
use argus_protocol::error::INVALID_REQUEST;
use argus_protocol::{ClientId, Frame, FrameKind, RpcError, ThreadId, frame};
use serde_json::json;

use crate::config::SessionConfig;
use crate::relay::{ClientRequest, Pending};
use crate::session::Session;

/// Methods that need no loaded thread, or load it themselves.
const NEED_NO_LOADED_THREAD: [&str; 8] = [
    method::THREAD_RESUME,
    "thread/read",
    "thread/turns/list",
    "thread/items/list",
    "thread/archive",
    "thread/unarchive",
    "thread/delete",
    "thread/fork",
];
/// Methods whose reply names a thread that is loaded from then on.
const LOAD_A_THREAD: [&str; 3] = [method::THREAD_START, method::THREAD_RESUME, "thread/fork"];

impl Session {
    /// A client's frame: answered here, forwarded, or kept until the agent serves.
    pub(crate) fn client_said(&mut self, client: ClientId, frame: Frame) {
        if !self.clients.is_here(client) {
            return;
        }
        self.needed_at = self.now.mono;
        if frame.id().is_some_and(|id| id.len() > SessionConfig::CLIENT_ID_BYTES) {
            let limit = SessionConfig::CLIENT_ID_BYTES;
            let error = RpcError::new(INVALID_REQUEST, format!("`id` is longer than {limit} bytes"));
            return self.refuse(client, &frame, &error);
        }
        if frame.kind() == FrameKind::Request && is_experimental(frame.method()) && !self.experiments(client)
        {
            // In the agent's own words.
            let words = format!("{} requires experimentalApi capability", frame.method());
            return self.refuse(client, &frame, &RpcError::new(INVALID_REQUEST, words));
        }
        match (frame.kind(), frame.method()) {
            (FrameKind::Response, _) => self.answer_request(&frame),
            (FrameKind::Notification, method::INITIALIZED) => {}
            (FrameKind::Request, method::INITIALIZE) => self.introduced(client, &frame),
            _ if self.serves() && self.relay.waiting.is_empty() => self.forward(client, frame),
            _ if self.relay.has_room_for(&frame) => self.relay.waiting.push_back((client, frame)),
            _ => self.refuse(client, &frame, &Self::overloaded()),
        }
    }

    /// Whether the client asked for what is experimental.
    fn experiments(&mut self, client: ClientId) -> bool {
        self.clients.get(client).is_some_and(|client| client.introduction.is_experimental())
    }

    /// Whether a frame would reach an agent that serves.
    pub(crate) fn serves(&self) -> bool {
        self.is_ready() && self.is_current()
    }

    /// Forwards what waited for the agent.
    pub(crate) fn forward_waiting(&mut self) {
        for (client, frame) in std::mem::take(&mut self.relay.waiting) {
            self.forward(client, frame);
        }
    }

    fn forward(&mut self, client: ClientId, frame: Frame) {
        // Which thread it is about only matters where one may have to be resumed, or a turn begins.
        let matters = frame.method() == method::TURN_START || !self.threads.before.is_empty();
        let route = matters.then(|| frame.params_as::<Route<'_>>()).flatten().unwrap_or_default();
        let thread = route.thread_id.as_deref().and_then(|id| id.parse::<ThreadId>().ok());
        if let Some(thread) = thread.as_ref().filter(|_| !NEED_NO_LOADED_THREAD.contains(&frame.method())) {
            let has_room = self.relay.has_room_for(&frame);
            match self.relay.held_for(thread) {
                Some(held) if has_room => return held.push((client, frame)),
                Some(_) => return self.refuse(client, &frame, &Self::overloaded()),
                None => {}
            }
            if self.threads.before.contains(thread) && !self.threads.loaded.contains(thread) {
                return self.resume_for(thread.clone(), client, frame);
            }
        }
        match frame.kind() {
            FrameKind::Request => self.forward_request(client, &frame, thread.as_ref()),
            FrameKind::Notification | FrameKind::Response => {
                self.send_down_for_client(frame.text().clone());
            }
        }
    }

    fn forward_request(&mut self, client: ClientId, frame: &Frame, thread: Option<&ThreadId>) {
        let Some(known) = self.clients.get(client) else { return };
        if known.outstanding >= SessionConfig::REQUESTS_PER_CLIENT {
            return self.refuse(client, frame, &Self::overloaded());
        }
        let id = self.relay.fresh_id();
        if !self.send_down_for_client(frame.with_id(&id.to_string())) {
            return self.refuse(client, frame, &Self::overloaded());
        }
        if let Some(known) = self.clients.get(client) {
            known.outstanding += 1;
        }
        let (kind, limit) = match thread {
            Some(thread) if frame.method() == method::TURN_START => {
                self.clients.own(client, thread.as_str());
                let lane = self.foreign_turn_asked(thread);
                (ClientRequest::StartsTurn(lane), Some(self.now.mono + SessionConfig::REQUEST_LIMIT_MS))
            }
            _ if LOAD_A_THREAD.contains(&frame.method()) => (ClientRequest::OpensThread, None),
            _ => (ClientRequest::Other, None),
        };
        let own_id = frame.id().unwrap_or("null").to_owned();
        self.relay.expect(id, Pending::Client { client, id: own_id, kind }, limit);
    }

    /// Has a thread resumed that the agent's predecessor had loaded, and then goes on with this frame.
    fn resume_for(&mut self, thread: ThreadId, client: ClientId, frame: Frame) {
        let params = json!({ "threadId": thread, "excludeTurns": true });
        let id = self.relay.fresh_id();
        if !self.send_down_for_client(frame::request(id, method::THREAD_RESUME, &params)) {
            return self.refuse(client, &frame, &Self::overloaded());
        }
        let limit = Some(self.now.mono + SessionConfig::REQUEST_LIMIT_MS);
        self.relay.expect(id, Pending::ResumeFor { thread, held: vec![(client, frame)] }, limit);
    }

    /// The thread is resumed, or cannot be: then the agent has its own words for what is asked of it.
    pub(crate) fn resumed_for(&mut self, thread: ThreadId, held: Vec<(ClientId, Frame)>, reply: &Frame) {
        if reply.result().is_some() {
            self.threads.loaded.insert(thread);
        } else {
            self.threads.before.remove(&thread);
        }
        for (client, frame) in held {
            self.forward(client, frame);
        }
    }

    /// Answers a request of a client with an error of ours; anything else is dropped.
    pub(crate) fn refuse(&mut self, client: ClientId, frame: &Frame, error: &RpcError) {
        let (FrameKind::Request, Some(id)) = (frame.kind(), frame.id()) else { return };
        self.reply(client, id, frame::reply_error(id, error));
    }

    pub(crate) fn refuse_all(
        &mut self,
        frames: impl IntoIterator<Item = (ClientId, Frame)>,
        error: &RpcError,
    ) {
        for (client, frame) in frames {
            self.refuse(client, &frame, error);
        }
    }

    /// There is no agent to be had now: clients that wait for one are told why.
    pub(crate) fn refuse_waiting(&mut self, reason: &str) {
        let error = RpcError::failed(reason);
        self.refuse_introductions(&error);
        let waiting = std::mem::take(&mut self.relay.waiting);
        self.refuse_all(waiting, &error);
    }
}
