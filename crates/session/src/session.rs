//! The session: one input at a time, effects in order.

use argus_protocol::agent::method;
use argus_protocol::{ClientId, FrameKind};
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::agent::{Agent, Threads};
use crate::approvals::ServerRequests;
use crate::clients::Clients;
use crate::config::SessionConfig;
use crate::effect::{Answer, Effect, KeptFrame};
use crate::history::{History, numbered};
use crate::input::{Input, Now, Restored, RuntimeLine, StoreTicket, Ticket};
use crate::lanes::Lanes;
use crate::link::Link;
use crate::records::Storing;
use crate::relay::Relay;
use crate::runtime::{Runtime, Trouble};

/// One session. Feed it with [`Session::handle`], drain [`Session::next_effect`], come back at
/// [`Session::next_deadline`] with [`Input::Tick`].
#[derive(Debug)]
pub struct Session {
    pub(crate) config: SessionConfig,
    pub(crate) now: Now,
    pub(crate) effects: VecDeque<Effect>,
    pub(crate) runtime: Runtime,
    pub(crate) agent: Agent,
    pub(crate) trouble: Trouble,
    pub(crate) link: Option<Link>,
    pub(crate) threads: Threads,
    pub(crate) clients: Clients,
    pub(crate) history: History,
    /// How old the line at hand is.
    age: Age,
    pub(crate) relay: Relay,
    pub(crate) requests: ServerRequests,
    pub(crate) lanes: Lanes,
    pub(crate) stores: BTreeMap<StoreTicket, Storing>,
    pub(crate) next_store: u64,
    /// Why the session ended for good, in words for clients.
    pub(crate) closed: Option<String>,
    /// When a client, a turn or a question last needed the runtime; monotonic milliseconds.
    pub(crate) needed_at: u64,
}

/// How old a line of the runtime is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Age {
    New,
    /// The bridge kept it while nobody heard.
    Kept,
    /// Our last owner said its frames to everybody.
    SaidBefore,
}

impl Session {
    /// A session at rest, or with the submissions that its last owner left open.
    pub fn new(config: SessionConfig, mut restored: Restored, now: Now) -> Self {
        let relay = Relay::new(config.boot);
        let mut session = Self {
            config,
            now,
            effects: VecDeque::new(),
            runtime: Runtime::Absent { not_before: 0 },
            agent: Agent::Down,
            trouble: Trouble::default(),
            link: None,
            threads: Threads::default(),
            clients: Clients::default(),
            history: History::restore(std::mem::take(&mut restored.history)),
            age: Age::New,
            relay,
            requests: ServerRequests::default(),
            lanes: Lanes::default(),
            stores: BTreeMap::new(),
            next_store: 0,
            closed: None,
            needed_at: now.mono,
        };
        session.requests.asked_before.extend(std::mem::take(&mut restored.questions));
        session.restore_lanes(restored);
        session.pursue();
        session
    }

    /// Takes one input. Effects are to be performed before the next one.
    pub fn handle(&mut self, input: Input, now: Now) {
        self.advance_clock(now);
        self.take(input);
        self.go_on();
    }

    /// Takes several lines of the runtime as [`Self::handle`] takes each of them, except that after one which only adds
    /// to what somebody reads nothing is looked for that could go on now. What is to be done for all of them comes then.
    pub fn hear(&mut self, lines: impl IntoIterator<Item = (u64, RuntimeLine)>, now: Now) {
        self.advance_clock(now);
        for (seq, line) in lines {
            let only_adds = matches!(&line, RuntimeLine::Frame(frame) if frame.kind() == FrameKind::Notification && !moves(frame.method()));
            self.runtime_said(seq, line);
            if !only_adds {
                self.go_on();
            }
        }
        self.go_on();
    }

    fn advance_clock(&mut self, now: Now) {
        self.now = Now { mono: self.now.mono.max(now.mono), unix: now.unix };
        if self.has_work() {
            self.needed_at = self.now.mono;
        }
    }

    fn take(&mut self, input: Input) {
        match input {
            Input::Attached { client, arrival } => self.attach(client, arrival),
            Input::Detached { client } => self.detach(client),
            Input::FromClient { client, frame } => self.client_said(client, frame),
            Input::LinkUp(up) => self.link_up(&up),
            Input::LinkDown { reason } => self.link_down(&reason),
            Input::ProvisionFailed { reason, passing } => self.provision_failed(&reason, passing),
            Input::RuntimeMayBeHad => self.runtime_may_be_had(),
            Input::RuntimeLives => self.want_runtime(),
            Input::MakeRoom => self.make_room(),
            Input::StillAtWork => self.needed_at = self.now.mono,
            Input::FromRuntime { seq, line } => self.runtime_said(seq, line),
            Input::RuntimeTook { seq } => self.link.iter_mut().for_each(|link| link.took(seq)),
            Input::Submit { submission, ticket } => self.submit(submission, ticket),
            Input::EnsureMain { ticket } => self.ensure_main(ticket),
            Input::Stop { target, ticket } => self.stop(&target, ticket),
            Input::Status { target, ticket } => self.status(&target, ticket),
            Input::Hasten { submission, how, ticket } => self.hasten(&submission, how, ticket),
            Input::Amend { submission, text, ticket } => self.amend(&submission, text, ticket),
            Input::ChatAnswers { key, result } => self.chat_answers(&key, &result),
            Input::Prepared { lane, attempt, prompt } => self.prepared(lane, attempt, prompt),
            Input::Stored { ticket, result } => self.stored(ticket, result),
            Input::Kept { number } => self.kept(number),
            Input::Closed { reason } => self.close(&reason),
            Input::Tick => {}
        }
    }

    /// Whatever can go on now, does.
    fn go_on(&mut self) {
        self.expire();
        self.turn_away();
        self.pursue();
        self.acknowledge();
    }

    /// The next thing to be done; `None` when all is done.
    pub fn next_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// When [`Input::Tick`] is due, in monotonic milliseconds.
    pub fn next_deadline(&self) -> Option<u64> {
        let link = self.link.as_ref().filter(|_| self.runtime.is_linked()).and_then(Link::ack_due);
        [
            link,
            self.requests.next_expiry(),
            self.relay.next_limit().filter(|_| self.is_current()),
            self.next_lane_limit(),
            self.next_runtime_step(),
            self.clients.next_given_up(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Whether the session can be forgotten by its owner: nobody attached, nothing open or kept, no runtime.
    pub fn is_at_rest(&self) -> bool {
        !self.history.has_unheard()
            && self.clients.is_empty()
            && !self.has_work()
            && self.stores.is_empty()
            && self.history.unwritten_line().is_none()
            && self.runtime.is_absent()
    }

    /// A numbered line, in its place.
    pub(crate) fn runtime_said(&mut self, seq: u64, line: RuntimeLine) {
        let bytes = if let RuntimeLine::Frame(frame) = &line { frame.text().len() } else { 64 };
        let now = self.now.mono;
        let age = if self.is_current() { Age::New } else { Age::Kept };
        if !self.link.as_mut().is_some_and(|link| link.see(seq, bytes, now)) {
            return;
        }
        let said_before = self.link.as_ref().is_some_and(|link| self.history.has_said(&link.boot, seq));
        self.age = if said_before { Age::SaidBefore } else { age };
        match line {
            RuntimeLine::Event(event) => self.bridge_event(event),
            RuntimeLine::Noise => {}
            RuntimeLine::Frame(frame) => match frame.kind() {
                FrameKind::Request => self.server_request(seq, frame),
                FrameKind::Response => self.response(&frame),
                FrameKind::Notification => self.notice(seq, &frame),
            },
        }
        self.age = Age::New;
        self.checkpoint_when_much_is_held();
    }

    fn kept(&mut self, number: u64) {
        self.history.written(number);
        let now = self.now.mono;
        self.link.iter_mut().for_each(|link| link.ack_soon(now));
    }

    /// Everything that passed its limit.
    pub(crate) fn expire(&mut self) {
        self.expire_requests();
        self.expire_relay();
        self.expire_lanes();
        self.give_up_waiting();
    }

    /// Goes on wherever something can go on now.
    pub(crate) fn pursue(&mut self) {
        self.pursue_runtime();
        if self.serves() {
            self.relay.wanted = false;
            self.forward_waiting();
            self.advance_lanes();
        }
        self.offer_requests();
        self.end_former_questions();
        self.flush_down();
    }

    pub(crate) fn acknowledge(&mut self) {
        let Some(link) = self.link.as_mut().filter(|_| self.runtime.is_linked()) else { return };
        if let Some(seq) = link.ack(self.now.mono, self.history.unwritten_line()) {
            self.effects.push_back(Effect::Ack { seq });
        }
    }

    /// Sends a notification to everybody who wants it, and keeps it for those who come back.
    pub(crate) fn broadcast(&mut self, name: &str, text: Bytes) {
        // Who comes later has not said yet whether it wants the experimental ones: they are not kept.
        if name == method::READ_STATE_CHANGED {
            let audience = self.clients.audience(name, u64::MAX);
            self.tell_all(audience.numbered, text.clone());
            self.tell_all(audience.introduced, text.clone());
            return self.tell_all(audience.plain, text);
        }
        let audience = self.clients.audience(name, self.history.newest() + 1);
        if self.age == Age::New {
            self.tell_all(audience.introduced, text.clone());
        }
        if self.age == Age::SaidBefore {
            // In the history already. Who does not read numbers may have been away since.
            return self.tell_all(audience.plain, text);
        }
        let number = self.history.push(text.clone());
        self.keep(number, text.clone());
        if !self.clients.have_plain() {
            self.history.unheard(number);
        }
        if !audience.numbered.is_empty() {
            self.tell_all(audience.numbered, numbered(&text, number));
        }
        self.tell_all(audience.plain, text);
    }

    fn keep(&mut self, number: u64, text: Bytes) {
        let (boot, line) =
            self.link.as_ref().map_or_else(Default::default, |link| (link.boot.clone(), link.last_seen()));
        self.history.writing(number, if boot.is_empty() { u64::MAX } else { line });
        self.effects.push_back(Effect::Keep(KeptFrame { number, boot, line, text }));
    }

    fn tell_all(&mut self, clients: Arc<[ClientId]>, text: Bytes) {
        if !clients.is_empty() {
            self.effects.push_back(Effect::ToClients { clients, text });
        }
    }

    pub(crate) fn answer(&mut self, ticket: Ticket, answer: Answer) {
        self.effects.push_back(Effect::Answer { ticket, answer });
    }
}

/// Whether a notification of this method can let something go on that waits.
pub(crate) fn moves(name: &str) -> bool {
    matches!(
        name,
        method::THREAD_STARTED
            | method::THREAD_CLOSED
            | method::SERVER_REQUEST_RESOLVED
            | method::TURN_STARTED
            | method::TURN_COMPLETED
            | method::ERROR
    )
}
