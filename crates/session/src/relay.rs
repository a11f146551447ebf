//! Whose request is whose: ids towards the agent are ours, and every reply finds its way back.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use argus_protocol::agent::ThreadReply;
use argus_protocol::{ClientId, Frame, RpcError, ThreadId, frame};
use serde::Serialize;

use crate::config::SessionConfig;
use crate::handshake::Credentials;
use crate::lane::LaneId;
use crate::link::HoldId;
use crate::session::Session;

/// What a reply of the agent is for.
#[derive(Debug)]
pub(crate) enum Pending {
    /// A client's request, with the client's own id (JSON text).
    Client {
        client: ClientId,
        id: String,
        kind: ClientRequest,
    },
    Initialize {
        epoch: u64,
        hold: HoldId,
    },
    Account,
    /// A lane's thread is being resumed or made.
    Open {
        lane: LaneId,
    },
    /// A thread that the agent's predecessor had loaded is resumed before these frames go on.
    ResumeFor {
        thread: ThreadId,
        held: Vec<(ClientId, Frame)>,
    },
    TurnStart {
        lane: LaneId,
    },
    Steer {
        lane: LaneId,
        request_id: u64,
    },
    Interrupt,
}

/// What a client's request changes here.
#[derive(Debug)]
pub(crate) enum ClientRequest {
    OpensThread,
    StartsTurn(LaneId),
    Other,
}

/// Everything between clients and agent that waits.
#[derive(Debug)]
pub(crate) struct Relay {
    next_id: u64,
    pending: BTreeMap<u64, (Pending, Option<u64>)>,
    limits: BTreeSet<(u64, u64)>,
    resuming: BTreeMap<ThreadId, u64>,
    /// Frames of clients that wait for an agent that serves.
    pub(crate) waiting: VecDeque<(ClientId, Frame)>,
    /// Clients whose `initialize` waits, with its id.
    pub(crate) introductions: Vec<(ClientId, String)>,
    /// The agent's epoch and its reply to `initialize`.
    pub(crate) handshake: Option<(u64, String)>,
    pub(crate) credentials: Credentials,
    /// A client came and the runtime is being warmed up.
    pub(crate) wanted: bool,
}

impl Relay {
    pub(crate) fn new(boot: u32) -> Self {
        Self {
            next_id: u64::from(boot) << 32,
            pending: BTreeMap::new(),
            limits: BTreeSet::new(),
            resuming: BTreeMap::new(),
            waiting: VecDeque::new(),
            introductions: Vec::new(),
            handshake: None,
            credentials: Credentials::default(),
            wanted: false,
        }
    }

    pub(crate) fn has_work(&self) -> bool {
        self.wanted || !self.pending.is_empty() || !self.waiting.is_empty() || !self.introductions.is_empty()
    }

    pub(crate) fn next_limit(&self) -> Option<u64> {
        self.limits.first().map(|(at, _)| *at)
    }

    pub(crate) fn fresh_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// Expects a reply to `id`; what is not answered by `limit` means that the agent hangs.
    pub(crate) fn expect(&mut self, id: u64, pending: Pending, limit: Option<u64>) {
        self.limits.extend(limit.map(|at| (at, id)));
        if let Pending::ResumeFor { thread, .. } = &pending {
            self.resuming.insert(thread.clone(), id);
        }
        self.pending.insert(id, (pending, limit));
    }

    /// Expects no reply to `id` any more.
    pub(crate) fn forget(&mut self, id: u64) -> Option<Pending> {
        let (pending, limit) = self.pending.remove(&id)?;
        if let Some(at) = limit {
            self.limits.remove(&(at, id));
        }
        if let Pending::ResumeFor { thread, .. } = &pending {
            self.resuming.remove(thread);
        }
        Some(pending)
    }

    fn forget_all(&mut self) -> impl Iterator<Item = Pending> + use<> {
        self.limits.clear();
        self.resuming.clear();
        std::mem::take(&mut self.pending).into_values().map(|(pending, _)| pending)
    }

    /// What is past its limit at `now`.
    fn overdue(&mut self, now: u64) -> Option<Pending> {
        let (at, id) = self.limits.first().copied().filter(|(at, _)| *at <= now)?;
        self.limits.remove(&(at, id));
        self.forget(id)
    }

    /// No limit ends before `at`.
    pub(crate) fn extend_limits(&mut self, at: u64) {
        while let Some((early, id)) = self.limits.first().copied().filter(|(early, _)| *early < at) {
            self.limits.remove(&(early, id));
            self.limits.insert((at, id));
            self.pending.entry(id).and_modify(|(_, limit)| *limit = Some(at));
        }
    }

    /// The reply to `id` is to come by `at` at the latest.
    pub(crate) fn hurry(&mut self, id: u64, at: u64) {
        if let Some((_, limit)) = self.pending.get_mut(&id)
            && let Some(late) = limit.filter(|late| *late > at)
        {
            *limit = Some(at);
            self.limits.remove(&(late, id));
            self.limits.insert((at, id));
        }
    }

    /// The frames that wait until this thread is resumed; `None` when it is not being resumed.
    pub(crate) fn held_for(&mut self, thread: &ThreadId) -> Option<&mut Vec<(ClientId, Frame)>> {
        match self.resuming.get(thread).and_then(|id| self.pending.get_mut(id)) {
            Some((Pending::ResumeFor { held, .. }, _)) => Some(held),
            _ => None,
        }
    }

    /// What is on its way for a client is for its new connection from now on.
    pub(crate) fn hand_over(&mut self, before: ClientId, after: ClientId) {
        let change = |client: &mut ClientId| {
            if *client == before {
                *client = after;
            }
        };
        for (pending, _) in self.pending.values_mut() {
            match pending {
                Pending::Client { client, .. } => change(client),
                Pending::ResumeFor { held, .. } => held.iter_mut().for_each(|(client, _)| change(client)),
                Pending::Initialize { .. }
                | Pending::Account
                | Pending::Open { .. }
                | Pending::TurnStart { .. }
                | Pending::Steer { .. }
                | Pending::Interrupt => {}
            }
        }
        self.waiting.iter_mut().for_each(|(client, _)| change(client));
        self.introductions.iter_mut().for_each(|(client, _)| change(client));
    }

    /// The client is gone for good: replies to it go nowhere, its frames are not forwarded.
    pub(crate) fn forget_client(&mut self, client: ClientId) {
        self.introductions.retain(|(id, _)| *id != client);
        self.waiting.retain(|(id, _)| *id != client);
    }

    /// Whether another frame of a client may wait here.
    pub(crate) fn has_room_for(&self, frame: &Frame) -> bool {
        let held = self.resuming.values().filter_map(|id| match self.pending.get(id) {
            Some((Pending::ResumeFor { held, .. }, _)) => Some(held),
            _ => None,
        });
        let all = held.flatten().chain(&self.waiting).map(|(_, frame)| frame.text().len());
        let (count, bytes) = all.fold((0, 0), |(count, bytes), more| (count + 1, bytes + more));
        count < SessionConfig::WAITING_FRAMES
            && (count == 0 || bytes + frame.text().len() <= SessionConfig::WAITING_BYTES)
    }
}

impl Session {
    /// Sends a request of our own; when too much is in line, it fails as if the agent had refused it.
    pub(crate) fn request(&mut self, method: &str, params: &impl Serialize, pending: Pending, limit_ms: u64) {
        let id = self.relay.fresh_id();
        self.relay.expect(id, pending, Some(self.now.mono + limit_ms));
        if self.send_down(frame::request(id, method, params)) {
            return;
        }
        let error = frame::reply_error(&id.to_string(), &Self::overloaded());
        if let Ok(reply) = Frame::parse(error) {
            self.response(&reply);
        }
    }

    /// A reply of the agent. One that nobody waits for (any more) goes nowhere.
    pub(crate) fn response(&mut self, reply: &Frame) {
        let Some(id) = reply.id().and_then(|id| id.parse().ok()) else { return };
        match self.relay.forget(id) {
            Some(Pending::Client { client, id, kind }) => self.client_reply(client, &id, &kind, reply),
            Some(Pending::Initialize { epoch, hold }) => self.greeted(epoch, hold, reply),
            Some(Pending::Account) => self.account_read(reply),
            Some(Pending::Open { lane }) => self.opened(lane, reply),
            Some(Pending::ResumeFor { thread, held }) => self.resumed_for(thread, held, reply),
            Some(Pending::TurnStart { lane }) => self.turn_start_answered(lane, id, reply),
            Some(Pending::Steer { lane, .. }) => self.steer_answered(lane, id, reply),
            Some(Pending::Interrupt) | None => {}
        }
    }

    fn client_reply(&mut self, client: ClientId, id: &str, kind: &ClientRequest, reply: &Frame) {
        match kind {
            ClientRequest::OpensThread => {
                let thread = reply.result_as::<ThreadReply>().and_then(|reply| reply.thread.id.parse().ok());
                self.threads.loaded.extend(thread);
            }
            ClientRequest::StartsTurn(lane) => self.foreign_turn_answered(*lane, reply),
            ClientRequest::Other => {}
        }
        self.answer_client(client, id, reply.with_id(id));
    }

    /// A client's request has its reply.
    fn answer_client(&mut self, client: ClientId, id: &str, text: bytes::Bytes) {
        if let Some(known) = self.clients.get(client) {
            known.outstanding = known.outstanding.saturating_sub(1);
        }
        self.reply(client, id, text);
    }

    /// The agent that owed these replies is gone.
    pub(crate) fn fail_pending(&mut self, reason: &str) {
        let error = RpcError::failed(format!("{reason}; it starts again with the next request"));
        for pending in self.relay.forget_all() {
            match pending {
                Pending::Client { client, id, .. } => {
                    self.answer_client(client, &id, frame::reply_error(&id, &error));
                }
                Pending::ResumeFor { held, .. } => self.refuse_all(held, &error),
                Pending::Initialize { hold, .. } => self.release(hold),
                Pending::Account
                | Pending::Open { .. }
                | Pending::TurnStart { .. }
                | Pending::Steer { .. }
                | Pending::Interrupt => {}
            }
        }
    }

    /// What is not answered in time: the agent hangs. While the link is away nothing is: the answer may be there.
    pub(crate) fn expire_relay(&mut self) {
        while self.is_current()
            && let Some(overdue) = self.relay.overdue(self.now.mono)
        {
            match overdue {
                Pending::Account => self.relay.credentials = Credentials::Unknown,
                Pending::ResumeFor { held, .. } => {
                    let error = RpcError::failed("the agent did not resume the thread in time");
                    self.refuse_all(held, &error);
                }
                Pending::Initialize { hold, .. } => {
                    self.release(hold);
                    self.end_hung_agent("the agent did not answer `initialize` in time");
                }
                Pending::Open { .. } | Pending::TurnStart { .. } => {
                    self.end_hung_agent("the agent did not answer in time");
                }
                // Only those for a turn have a limit: one that is begun later must not be steered by ours.
                Pending::Client { client, id, .. } => {
                    let error = RpcError::failed("the agent did not answer in time");
                    self.answer_client(client, &id, frame::reply_error(&id, &error));
                    self.end_hung_agent("the agent did not answer a client in time");
                }
                Pending::Steer { lane, request_id } => self.steer_taken(lane, request_id),
                Pending::Interrupt => {}
            }
        }
    }
}
