//! The owner of one session: waits for whatever comes, feeds the core, performs what it asks for.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use argus_protocol::{ClientId, SessionId};
use argus_session::{
    Answer, Input, KeptFrame, LinkUp, Occupancy, Restored, Session, SessionConfig, StoreOp, StoreTicket,
    Ticket,
};
use tokio::sync::{mpsc, oneshot, watch};

use super::asking::Asking;
use super::at_start::AtStart;
use super::fan_out::FanOut;
use super::handle::{Command, Question};
use super::keep::Keep;
use super::line_out::LineOut;
use super::outbound::{ClientSender, CloseReason};
use super::registry::{Sessions, SessionsParts};
use super::seats::{Bell, Verdict};
use crate::runtime::{LinkEvent, Reached};

/// An actor that nobody needs, whose session has no runtime, ends after this long.
const REST: Duration = Duration::from_mins(10);
/// Commands that are obeyed before anything else is looked at.
const COMMANDS_AT_ONCE: usize = 64;

/// One session's actor.
pub(super) struct Actor {
    pub(super) id: SessionId,
    pub(super) parts: Arc<SessionsParts>,
    pub(super) session: Session,
    commands: mpsc::Receiver<Command>,
    /// What our own tasks bring back: prompts, records. Its rate is that of turns.
    results: mpsc::UnboundedReceiver<Input>,
    pub(super) results_in: mpsc::UnboundedSender<Input>,
    reached: mpsc::UnboundedReceiver<(Reached, LinkUp)>,
    pub(super) reached_in: mpsc::UnboundedSender<(Reached, LinkUp)>,
    pub(super) records: mpsc::UnboundedSender<(StoreTicket, StoreOp)>,
    pub(super) asking: Asking,
    pub(super) keep: Keep,
    /// What is to be kept of what is said now.
    pub(super) kept: Vec<KeptFrame>,
    /// What everybody is to be told of it.
    pub(super) fan_out: FanOut,
    pub(super) runtime: RuntimeTie,
    pub(super) line_out: LineOut,
    pub(super) clients: HashMap<ClientId, ClientSender>,
    pub(super) questions: HashMap<Ticket, oneshot::Sender<Answer>>,
    next_ticket: u64,
    pub(super) at_start: AtStart,
    /// Who waits for the end of a session that is being deleted.
    pub(super) closing: Option<oneshot::Sender<()>>,
    sessions: Sessions,
    /// Rung by those who share out the seats of live runtimes.
    pub(super) bell: Arc<Bell>,
    /// Counts how often runtimes could be had again.
    revivals: watch::Receiver<u64>,
    /// What the seats were told last.
    occupancy: Occupancy,
    /// Since when nobody needs even this actor.
    rests_since: Option<Instant>,
}

/// The ends that an actor is given.
pub(super) struct Wires {
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) results: mpsc::UnboundedReceiver<Input>,
    pub(super) results_in: mpsc::UnboundedSender<Input>,
    pub(super) records: mpsc::UnboundedSender<(StoreTicket, StoreOp)>,
    pub(super) asking: Asking,
    pub(super) keep: Keep,
}

/// What ties the session to a runtime.
pub(super) enum RuntimeTie {
    /// Nothing.
    None,
    /// It is being reached; the result comes in any case.
    Reaching,
    /// What it says.
    Linked(mpsc::Receiver<Vec<LinkEvent>>),
}

enum Event {
    Input(Input),
    Command(Command),
    Reached(Reached, LinkUp),
    Heard(Vec<LinkEvent>),
    LinkGone(String),
    Drained,
    SeatFree,
    RestedLong,
    Nobody,
}

impl Actor {
    /// An actor for a session with what its last owner left open.
    pub(super) fn new(id: SessionId, sessions: Sessions, restored: Restored, wires: Wires) -> Self {
        let parts = sessions.parts.clone();
        let config = SessionConfig { id: id.clone(), ..parts.config.clone() };
        let at_start = AtStart::new(restored.open.iter().map(|open| open.submission.id.clone()));
        let session = Session::new(config, restored, parts.clock.now());
        let (reached_in, reached) = mpsc::unbounded_channel();
        let revivals = parts.provisioner.revivals();
        Self {
            id,
            parts,
            session,
            commands: wires.commands,
            results: wires.results,
            results_in: wires.results_in,
            reached,
            reached_in,
            records: wires.records,
            asking: wires.asking,
            keep: wires.keep,
            kept: Vec::new(),
            fan_out: FanOut::default(),
            runtime: RuntimeTie::None,
            line_out: LineOut::default(),
            clients: HashMap::new(),
            questions: HashMap::new(),
            next_ticket: 0,
            at_start,
            closing: None,
            sessions,
            bell: Arc::default(),
            revivals,
            occupancy: Occupancy::None,
            rests_since: None,
        }
    }

    /// Runs until it is told to end; whom to tell that it did.
    pub(super) async fn live(&mut self) -> oneshot::Sender<()> {
        self.perform();
        loop {
            self.note_standing();
            match self.next_event().await {
                Event::Input(input) => self.feed(input),
                // Whoever deletes the session removes the runtime too.
                Event::Reached(..) if self.closing.is_some() => self.runtime = RuntimeTie::None,
                Event::Reached(reached, up) => {
                    self.line_out.connect(reached.link.commands);
                    self.runtime = RuntimeTie::Linked(reached.link.events);
                    self.feed(Input::LinkUp(up));
                }
                Event::Heard(events) => self.hear(events),
                Event::LinkGone(reason) => self.link_gone(reason),
                Event::Drained => {}
                Event::SeatFree => self.take_seat(),
                Event::RestedLong if self.sessions.retire(&self.id, &self.bell, &self.commands) => {
                    return oneshot::channel().0;
                }
                Event::RestedLong => self.rests_since = None,
                Event::Command(command) => {
                    if let Some(done) = self.obey_all(command) {
                        return done;
                    }
                }
                Event::Nobody => return oneshot::channel().0,
            }
            if matches!(self.runtime, RuntimeTie::None)
                && let Some(done) = self.closing.take()
            {
                return done;
            }
        }
    }

    /// The only place that waits. Its arms only produce events.
    async fn next_event(&mut self) -> Event {
        let deadline = self.session.next_deadline().map(|at| self.parts.clock.instant(at));
        let tick = async {
            match deadline {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        let has_room = self.line_out.has_room();
        let line = async {
            match &mut self.runtime {
                RuntimeTie::Linked(events) => events.recv().await,
                RuntimeTie::None | RuntimeTie::Reaching => std::future::pending().await,
            }
        };
        let rested = async {
            match self.rests_since {
                Some(since) => tokio::time::sleep_until((since + REST).into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            heard = line => match heard {
                Some(heard) => Event::Heard(heard),
                None => Event::LinkGone("the link to the runtime ended".to_owned()),
            },
            Some(input) = self.results.recv() => Event::Input(input),
            Some((reached, up)) = self.reached.recv() => Event::Reached(reached, up),
            command = self.commands.recv(), if has_room => command.map_or(Event::Nobody, Event::Command),
            () = self.line_out.drain_one() => Event::Drained,
            () = tick => Event::Input(Input::Tick),
            () = self.bell.seat_free.notified() => Event::SeatFree,
            Ok(()) = self.revivals.changed() => Event::Input(Input::RuntimeMayBeHad),
            () = self.bell.seat_wanted.notified() => Event::Input(Input::MakeRoom),
            () = rested => Event::RestedLong,
        }
    }

    /// Takes what the link says, and does what follows from all of it at once.
    fn hear(&mut self, events: Vec<LinkEvent>) {
        let now = self.parts.clock.now();
        let mut lines = Vec::with_capacity(events.len());
        for event in events {
            let LinkEvent::Line { seq, line } = event else {
                self.session.hear(lines.drain(..), now);
                match event {
                    LinkEvent::Took { seq } => self.session.handle(Input::RuntimeTook { seq }, now),
                    LinkEvent::Down { reason } => {
                        self.perform();
                        tracing::info!(reason, "the link to the runtime ended");
                        return self.link_gone(reason);
                    }
                    LinkEvent::Line { .. } => {}
                }
                continue;
            };
            lines.push((seq, line));
        }
        self.session.hear(lines, now);
        self.perform();
    }

    fn link_gone(&mut self, reason: String) {
        self.runtime = RuntimeTie::None;
        self.line_out.disconnect();
        self.feed(Input::LinkDown { reason });
        self.keep.hurry();
    }

    fn feed(&mut self, input: Input) {
        if let Input::ProvisionFailed { .. } = &input {
            self.runtime = RuntimeTie::None;
        }
        self.session.handle(input, self.parts.clock.now());
        self.perform();
    }

    /// Obeys this command and those that wait behind it, as far as there is room; whom to tell of the end, if it is told
    /// to end.
    fn obey_all(&mut self, first: Command) -> Option<oneshot::Sender<()>> {
        let mut next = first;
        for _ in 1..COMMANDS_AT_ONCE {
            if let Command::Shutdown { done } = next {
                return Some(done);
            }
            self.obey(next);
            if !self.line_out.has_room() || self.closing.is_some() {
                return None;
            }
            next = self.commands.try_recv().ok()?;
        }
        if let Command::Shutdown { done } = next {
            return Some(done);
        }
        self.obey(next);
        None
    }

    /// Tells the seats how it stands, and itself whether it is needed at all.
    fn note_standing(&mut self) {
        let occupancy = self.session.occupancy();
        if occupancy != self.occupancy {
            self.occupancy = occupancy;
            self.sessions.seats.note(&self.id, occupancy);
        }
        if !self.session.is_at_rest() || !self.asking.is_at_rest() || self.closing.is_some() {
            self.rests_since = None;
        } else if self.rests_since.is_none() {
            self.rests_since = Some(Instant::now());
        }
    }

    /// There is a seat for us: a runtime is asked for again, or another session has it.
    fn take_seat(&mut self) {
        if self.session.occupancy() == Occupancy::None {
            return self.sessions.seats.leave(&self.id, &self.bell);
        }
        self.feed(Input::RuntimeMayBeHad);
    }

    /// A seat, or how long the line is, in words.
    pub(super) fn ask_for_seat(&self) -> Result<(), String> {
        match self.sessions.seats.request(&self.id, &self.bell, self.parts.clock.now().mono) {
            Verdict::Seated => Ok(()),
            Verdict::InLine { place, seats } => Err(format!(
                "every runtime is in use (ARGUS_MAX_RUNTIMES is {seats}); session `{}` is number {place} in line",
                self.id
            )),
        }
    }

    fn obey(&mut self, command: Command) {
        let input = match command {
            Command::Attach { client, arrival, sender } => {
                self.clients.insert(client, sender);
                Input::Attached { client, arrival }
            }
            Command::Adopt => {
                self.sessions.seats.take(&self.id, &self.bell);
                Input::RuntimeLives
            }
            Command::StillAtWork => Input::StillAtWork,
            Command::Detach { client } => {
                self.clients.remove(&client);
                Input::Detached { client }
            }
            Command::Frame { client, frame, place } => {
                drop(place);
                Input::FromClient { client, frame }
            }
            // Stored before this actor read what was open: it is in its lane already.
            Command::Submit { submission, reply } if self.at_start.knows(&submission.id) => {
                return self.at_start.ask(&submission.id, reply);
            }
            Command::Submit { submission, reply } => {
                let ticket = Some(self.expect_answer(reply));
                Input::Submit { submission, ticket }
            }
            Command::Ask { question, reply } => {
                let ticket = self.expect_answer(reply);
                match question {
                    Question::EnsureMain => Input::EnsureMain { ticket },
                    Question::Stop(target) => Input::Stop { target, ticket },
                    Question::Status(target) => Input::Status { target, ticket },
                    Question::Hasten(submission, how) => Input::Hasten { submission, how, ticket },
                    Question::Amend(submission, text) => Input::Amend { submission, text, ticket },
                }
            }
            Command::ChatAnswers { key, result } => Input::ChatAnswers { key, result },
            Command::Close { reason, done } => {
                self.closing = Some(done);
                Input::Closed { reason }
            }
            Command::Shutdown { .. } => return,
        };
        self.feed(input);
        if self.closing.is_some() {
            self.let_go(CloseReason::Deleted);
        }
    }

    fn expect_answer(&mut self, reply: oneshot::Sender<Answer>) -> Ticket {
        self.next_ticket += 1;
        self.questions.insert(Ticket(self.next_ticket), reply);
        Ticket(self.next_ticket)
    }

    fn let_go(&self, reason: CloseReason) {
        for client in self.clients.values() {
            client.close(reason);
        }
    }
}

/// However it ends, its seat is free.
impl Drop for Actor {
    fn drop(&mut self) {
        self.sessions.seats.leave(&self.id, &self.bell);
    }
}
