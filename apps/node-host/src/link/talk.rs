//! One connection, from its greeting to its end.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use argus_protocol::node::{Beat, Connect, Connected, FromNode, ToNode};
use futures::FutureExt as _;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_util::sync::CancellationToken;

use super::calls::{Calls, Outgoing};
use super::exits::Exits;
use super::outbox::{Bulk, Outbox};
use super::{Address, Cause, Machine, Pace, Questions, Wire, now_ms};

/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_secs(2);

/// How a connection ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// This node was told to stop.
    Stopped,
    /// Otherwise, and why in words.
    Lost(Cause, String),
}

/// All that outlives a connection.
pub(super) struct Desk {
    machine: Arc<dyn Machine>,
    ended: watch::Receiver<u64>,
    calls: Calls,
    exits: Exits,
    questions: Questions,
    connect: Connect,
    /// The gateway's process that greeted last.
    gateway: Option<String>,
    pace: Pace,
}

/// One connection.
struct Talk {
    outbox: Outbox,
    greeted: bool,
    garbage: u64,
}

impl Desk {
    pub(super) fn new(machine: Arc<dyn Machine>, questions: Questions, connect: Connect, pace: Pace) -> Self {
        let calls = Calls::new(Arc::clone(&machine), connect.node_id.clone(), pace.settle);
        let ended = machine.ended();
        Self { machine, ended, calls, exits: Exits::default(), questions, connect, gateway: None, pace }
    }

    /// Follows what runs while there is no connection; what is to be said waits for one.
    pub(super) async fn idle(&mut self) -> Infallible {
        loop {
            self.calls.next().await;
            self.give_up();
        }
    }

    /// Has the ends of jobs told otherwise whose results nobody will be told.
    fn give_up(&mut self) {
        for id in self.calls.given_up() {
            self.machine.result_given_up(&id);
        }
    }

    /// Serves a connection until it ends.
    pub(super) async fn talk(&mut self, mut wire: Wire, address: &Address, stop: &CancellationToken) -> End {
        let mut talk = Talk { outbox: Outbox::default(), greeted: false, garbage: 0 };
        let hello = FromNode::Connect(Box::new(self.machine.introduce(self.connect.clone())));
        talk.say("", &hello);
        let end = tokio::select! {
            end = self.converse(&mut wire, &mut talk, address) => end,
            () = stop.cancelled() => End::Stopped,
        };
        self.calls.lost();
        self.give_up();
        match &end {
            End::Stopped => {
                let _ = tokio::time::timeout(GOODBYE, self.last_words(&mut wire, &mut talk)).await;
                let _ = tokio::time::timeout(GOODBYE, wire.close(CloseCode::Away, "the node ends")).await;
            }
            // Who was silent for so long hears no goodbye.
            End::Lost(..) => drop(wire),
        }
        end
    }

    /// Says what is known already.
    async fn last_words(&mut self, wire: &mut Wire, talk: &mut Talk) {
        while let Some(said) = self.calls.next().now_or_never() {
            if let Some(frame) = said {
                talk.push(frame);
            }
        }
        wire.finish(&mut talk.outbox).await;
    }

    async fn converse(&mut self, wire: &mut Wire, talk: &mut Talk, address: &Address) -> End {
        let start = Instant::now();
        let mut beat = interval_at(start + self.pace.heartbeat, self.pace.heartbeat);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard_at = start;
        loop {
            tokio::select! {
                heard = wire.turn(&mut talk.outbox) => {
                    heard_at = Instant::now();
                    let was_greeted = talk.greeted;
                    match heard {
                        Ok(Message::Text(text)) => self.heard(talk, text.as_str()).await,
                        Ok(Message::Close(frame)) => return closed(frame.as_ref()),
                        Ok(_) => {}
                        Err(error) => return lost(&error),
                    }
                    if talk.greeted && !was_greeted {
                        tracing::info!("connected to `{address}` as `{}`", self.connect.node_id);
                    }
                }
                said = self.calls.next() => {
                    self.give_up();
                    // Before the greeting it waits: all is said again after it.
                    if let Some(frame) = said && talk.greeted {
                        talk.push(frame);
                    }
                }
                _ = beat.tick() => {
                    talk.outbox.ping();
                    if talk.greeted {
                        let jobs = self.machine.at_work();
                        talk.say("", &FromNode::Heartbeat(Beat { t: now_ms(), jobs }));
                    }
                }
                () = sleep_until(heard_at + self.pace.silence) => {
                    let words = format!("the gateway said nothing for {} s", self.pace.silence.as_secs());
                    return End::Lost(Cause::Lost, words);
                }
                () = sleep_until(start + self.pace.patience), if !talk.greeted => {
                    let words = format!("`{address}` did not greet this node");
                    return End::Lost(Cause::Lost, words);
                }
                Ok(()) = self.ended.changed(), if talk.greeted => self.exits.stirred(),
                () = self.exits.due(), if talk.greeted && talk.outbox.has_room() => {
                    let again = self.pace.tell_again;
                    let (exits, machine) = (&mut self.exits, self.machine.as_ref());
                    exits.tell(machine, &mut talk.outbox, &self.connect.node_id, again).await;
                }
                () = self.questions.changed(), if talk.greeted => self.ask(talk),
            }
        }
    }

    async fn heard(&mut self, talk: &mut Talk, text: &str) {
        let frame = match ToNode::read(text) {
            Ok(frame) => frame,
            Err(error) => {
                if talk.garbage == 0 {
                    tracing::warn!("the gateway says what cannot be read; it is ignored: {error}");
                }
                talk.garbage += 1;
                return;
            }
        };
        if !talk.greeted && !matches!(frame, ToNode::Connected(_)) {
            tracing::debug!("the gateway speaks before it greets; it is ignored");
            return;
        }
        match frame {
            ToNode::Connected(connected) => self.greeted(talk, connected),
            ToNode::Request(request) => {
                if let Some(frame) = self.calls.request(*request) {
                    talk.push(frame);
                }
            }
            ToNode::Cancel(cancel) => self.calls.cancel(cancel),
            ToNode::ResultAck(ack) => {
                if self.calls.acked(&ack.id) {
                    self.machine.result_delivered(&ack.id).await;
                }
            }
            ToNode::ExitAck(ack) => {
                self.machine.told(&ack.job_id).await;
                self.exits.acked(&ack.job_id);
            }
            ToNode::Answer(answer) => self.questions.answered(answer),
            ToNode::Enrolled(_) | ToNode::Unknown => {}
        }
    }

    fn greeted(&mut self, talk: &mut Talk, by: Connected) {
        if talk.greeted {
            return;
        }
        if by.node_id != self.connect.node_id {
            tracing::warn!("the gateway greets `{}`, and this is `{}`", by.node_id, self.connect.node_id);
        }
        talk.greeted = true;
        if self.gateway.is_some() && by.gateway.is_some() && self.gateway != by.gateway {
            self.calls.abandoned();
            self.give_up();
        }
        self.gateway = by.gateway.or(self.gateway.take());
        for frame in self.calls.again() {
            talk.push(frame);
        }
        self.exits.again();
        self.questions.again();
        self.ask(talk);
    }

    fn ask(&self, talk: &mut Talk) {
        for (id, frame) in self.questions.to_send() {
            talk.say(&id, &frame);
        }
    }
}

impl Talk {
    fn say(&mut self, id: &str, frame: &FromNode) {
        self.outbox.push(id, frame.write().into(), Bulk::Own);
    }

    fn push(&mut self, Outgoing { id, text, bulk }: Outgoing) {
        self.outbox.push(&id, text, bulk);
    }
}

fn closed(frame: Option<&CloseFrame>) -> End {
    let Some(frame) = frame else {
        return End::Lost(Cause::Lost, "the gateway closed the link".to_owned());
    };
    let cause = match frame.code {
        CloseCode::Restart => Cause::Restarting,
        CloseCode::Again => Cause::Busy,
        CloseCode::Policy => Cause::Refused,
        _ => Cause::Lost,
    };
    // Words of another's: shortened, and without what would draw on a terminal.
    let reason: String = frame.reason.as_str().chars().filter(|c| !c.is_control()).take(200).collect();
    let words = format!("the gateway closed the link ({} {reason})", u16::from(frame.code));
    End::Lost(cause, words.replace(" )", ")"))
}

fn lost(error: &Error) -> End {
    let words = match error {
        Error::ConnectionClosed | Error::AlreadyClosed => "the link to the gateway is gone".to_owned(),
        error => format!("the link to the gateway is gone: {error}"),
    };
    End::Lost(Cause::Lost, words)
}
