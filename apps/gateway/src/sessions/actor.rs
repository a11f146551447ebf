//! The owner of one session: waits for whatever comes, feeds the core, performs what it asks for.

use std::collections::HashMap;
use std::sync::Arc;

use argus_protocol::{ClientId, SessionId};
use argus_session::{
    Answer, Input, LinkUp, Restored, Session, SessionConfig, StoreOp, StoreTicket, Target, Ticket,
};
use tokio::sync::{mpsc, oneshot};
use tracing::Instrument;

use super::at_start::AtStart;
use super::handle::{Command, LINE, Question, SessionHandle};
use super::line_out::LineOut;
use super::outbound::{ClientSender, CloseReason};
use super::record;
use super::registry::SessionsParts;
use crate::runtime::{LinkEvent, Reached};

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
    pub(super) runtime: RuntimeTie,
    pub(super) line_out: LineOut,
    pub(super) clients: HashMap<ClientId, ClientSender>,
    pub(super) questions: HashMap<Ticket, oneshot::Sender<Answer>>,
    next_ticket: u64,
    pub(super) at_start: AtStart,
    /// Who waits for the end of a session that is being deleted.
    pub(super) closing: Option<oneshot::Sender<()>>,
}

/// What ties the session to a runtime.
pub(super) enum RuntimeTie {
    /// Nothing.
    None,
    /// It is being reached; the result comes in any case.
    Reaching,
    /// What it says.
    Linked(mpsc::Receiver<LinkEvent>),
}

enum Event {
    Input(Input),
    Command(Command),
    Reached(Reached, LinkUp),
    LinkGone,
    Drained,
    Nobody,
}

impl Actor {
    /// Starts the actor; its first act is to read what its last owner left open.
    pub(super) fn spawn(id: SessionId, parts: Arc<SessionsParts>) -> SessionHandle {
        let (sender, commands) = mpsc::channel(LINE);
        let span = tracing::info_span!("session", session.id = %id);
        let handle = SessionHandle { id: id.clone(), commands: sender };
        tokio::spawn(Self::own(id, parts, commands).instrument(span));
        handle
    }

    async fn own(id: SessionId, parts: Arc<SessionsParts>, commands: mpsc::Receiver<Command>) {
        let restored = loop {
            match restore(&id, &parts).await {
                Ok(restored) => break restored,
                Err(error) => {
                    tracing::error!(error, "what was left open cannot be read yet; it is tried again");
                    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                }
            }
        };
        let (results_in, results) = mpsc::unbounded_channel();
        let (reached_in, reached) = mpsc::unbounded_channel();
        let (records, ops) = mpsc::unbounded_channel();
        let recorder = record::spawn(id.clone(), parts.clone(), ops, results_in.clone());
        let config = SessionConfig { id: id.clone(), ..parts.config.clone() };
        let at_start = AtStart::new(restored.open.iter().map(|open| open.submission.id.clone()));
        let session = Session::new(config, restored, parts.clock.now());
        let mut actor = Self {
            id,
            parts,
            session,
            commands,
            results,
            results_in,
            reached,
            reached_in,
            records,
            runtime: RuntimeTie::None,
            line_out: LineOut::default(),
            clients: HashMap::new(),
            questions: HashMap::new(),
            next_ticket: 0,
            at_start,
            closing: None,
        };
        let done = actor.live().await;
        // Whatever was asked to be recorded becomes durable before the end is told.
        drop(actor);
        _ = recorder.await;
        _ = done.send(());
    }

    /// Runs until it is told to end; whom to tell that it did.
    async fn live(&mut self) -> oneshot::Sender<()> {
        self.perform();
        loop {
            match self.next_event().await {
                Event::Input(input) => self.feed(input),
                // Whoever deletes the session removes the runtime too.
                Event::Reached(..) if self.closing.is_some() => self.runtime = RuntimeTie::None,
                Event::Reached(reached, up) => {
                    self.line_out.connect(reached.link.commands);
                    self.runtime = RuntimeTie::Linked(reached.link.events);
                    self.feed(Input::LinkUp(up));
                }
                Event::LinkGone => {
                    self.runtime = RuntimeTie::None;
                    self.line_out.disconnect();
                    self.feed(Input::LinkDown { reason: "the link to the runtime ended".to_owned() });
                }
                Event::Drained => {}
                Event::Command(Command::Shutdown { done }) => return done,
                Event::Command(command) => self.obey(command),
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
        tokio::select! {
            line = line => match line {
                Some(LinkEvent::Line { seq, line }) => Event::Input(Input::FromRuntime { seq, line }),
                Some(LinkEvent::Took { seq }) => Event::Input(Input::RuntimeTook { seq }),
                Some(LinkEvent::Down { reason }) => {
                    tracing::info!(reason, "the link to the runtime ended");
                    Event::LinkGone
                }
                None => Event::LinkGone,
            },
            Some(input) = self.results.recv() => Event::Input(input),
            Some((reached, up)) = self.reached.recv() => Event::Reached(reached, up),
            command = self.commands.recv(), if has_room => command.map_or(Event::Nobody, Event::Command),
            () = self.line_out.drain_one() => Event::Drained,
            () = tick => Event::Input(Input::Tick),
        }
    }

    fn feed(&mut self, input: Input) {
        if let Input::ProvisionFailed { .. } = &input {
            self.runtime = RuntimeTie::None;
        }
        self.session.handle(input, self.parts.clock.now());
        self.perform();
    }

    fn obey(&mut self, command: Command) {
        let input = match command {
            Command::Attach { client, hello, handler, sender } => {
                self.clients.insert(client, sender);
                Input::Attached { client, hello, handler }
            }
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
                }
            }
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

async fn restore(id: &SessionId, parts: &SessionsParts) -> Result<Restored, String> {
    let mut open = parts.ledger.open_submissions(id).await.map_err(|error| error.to_string())?;
    for left in &mut open {
        // Its chat may have been given a thread after it was stored.
        if let (None, Target::Chat { chat, era }) = (&left.submission.thread, &left.submission.target) {
            let bound = parts.ledger.chat_thread(id, chat, *era).await;
            left.submission.thread = bound.map_err(|error| error.to_string())?;
        }
    }
    Ok(Restored { main_thread: parts.state.main_thread(id).await, open })
}
