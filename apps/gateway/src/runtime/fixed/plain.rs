//! One connection to an agent that speaks plain lines: the numbers are ours, and end with it.

use argus_jsonl::{Line, LineCodec};
use argus_protocol::bridge::{AgentState, FromGateway};
use argus_protocol::dropped;
use argus_session::{AfterLoss, RuntimeLine};
use bytes::Bytes;
use futures::{SinkExt, StreamExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio_util::codec::{FramedRead, FramedWrite};

use crate::clock::new_epoch;
use crate::runtime::link::{AT_ONCE, BATCHES, Link, LinkCommand, LinkEvent, agent_line};
use crate::runtime::provision::{Reached, Welcome};

/// How much is read at once, and written at once, in bytes.
const CHUNK: usize = 16 * 1024;

/// What is known of an upstream that speaks plain lines.
pub(super) struct Plain {
    /// It, in words.
    pub(super) place: String,
    /// The longest line in bytes.
    pub(super) line_limit: usize,
}

impl Plain {
    /// Speaks with the agent at the other end of `stream`, which is another one with every connection.
    pub(super) fn talk(self, stream: TcpStream) -> Reached {
        let (events_in, events) = mpsc::channel(BATCHES);
        let (commands, commands_out) = mpsc::channel(64);
        tokio::spawn(self.pump(stream, events_in, commands_out));
        let name = new_epoch();
        let welcome = Welcome {
            agent_epoch: fresh_agent_epoch(&name),
            boot: format!("plain-{name}"),
            after_loss: AfterLoss::Lost,
            agent_state: AgentState::Up,
            first_seq: 1,
            last_seq: 0,
            last_down_seq: 0,
            free: true,
        };
        Reached { welcome, link: Link { events, commands } }
    }

    async fn pump(
        self,
        stream: TcpStream,
        events: mpsc::Sender<Vec<LinkEvent>>,
        commands: mpsc::Receiver<LinkCommand>,
    ) {
        let (reading, writing) = stream.into_split();
        let lines = FramedRead::with_capacity(reading, LineCodec::new(self.line_limit), CHUNK);
        let mut out = FramedWrite::new(writing, LineCodec::new(usize::MAX));
        out.set_backpressure_boundary(CHUNK);
        let reason = tokio::select! {
            reason = self.hear(lines, &events) => reason,
            reason = self.say(out, &events, commands) => reason,
        };
        _ = events.send(vec![LinkEvent::Down { reason }]).await;
    }

    /// Numbers the agent's lines until there are no more; why.
    async fn hear(
        &self,
        lines: FramedRead<OwnedReadHalf, LineCodec>,
        events: &mpsc::Sender<Vec<LinkEvent>>,
    ) -> String {
        let mut seq = 0;
        let mut lines = lines.ready_chunks(AT_ONCE);
        loop {
            let Some(together) = lines.next().await else {
                return format!("{} closed the connection", self.place);
            };
            let (mut heard, mut broken) = (Vec::with_capacity(together.len()), None);
            for line in together {
                match line {
                    Ok(line) => {
                        seq += 1;
                        heard.push(LinkEvent::Line { seq, line: self.understand(seq, line) });
                    }
                    Err(error) => broken = Some(self.broke(&error)),
                }
            }
            if events.send(heard).await.is_err() {
                return "nobody listens any more".to_owned();
            }
            if let Some(reason) = broken {
                return reason;
            }
        }
    }

    fn understand(&self, seq: u64, line: Line) -> RuntimeLine {
        match line {
            Line::Text(text) => agent_line(seq, text),
            Line::Oversized { head, tail, bytes } => {
                let event = dropped::event(&head, &tail, bytes, self.line_limit);
                tracing::warn!(?event, "a line of the agent is too long and dropped");
                RuntimeLine::Event(event)
            }
        }
    }

    /// Writes what the session says, as much at once as there is, until it wants no more; why.
    async fn say(
        &self,
        mut out: FramedWrite<OwnedWriteHalf, LineCodec>,
        events: &mpsc::Sender<Vec<LinkEvent>>,
        mut commands: mpsc::Receiver<LinkCommand>,
    ) -> String {
        loop {
            let Some(mut command) = commands.recv().await else {
                return "nobody needs it any more".to_owned();
            };
            let mut taken = None;
            loop {
                match command {
                    LinkCommand::Frame { seq, text } => {
                        if let Err(error) = out.feed(text).await {
                            return self.broke(&error);
                        }
                        taken = Some(seq);
                    }
                    LinkCommand::Control(FromGateway::Kill {} | FromGateway::Stop { .. }) => {
                        return format!("the connection to {} was closed", self.place);
                    }
                    // It runs, keeps nothing and is asked nothing.
                    LinkCommand::Control(
                        FromGateway::Start {}
                        | FromGateway::Ack { .. }
                        | FromGateway::Hello { .. }
                        | FromGateway::Ping {}
                        | FromGateway::Pong {},
                    ) => {}
                }
                match commands.try_recv() {
                    Ok(next) => command = next,
                    Err(_) => break,
                }
            }
            let Some(seq) = taken else { continue };
            if let Err(error) = SinkExt::<Bytes>::flush(&mut out).await {
                return self.broke(&error);
            }
            if events.send(vec![LinkEvent::Took { seq }]).await.is_err() {
                return "nobody listens any more".to_owned();
            }
        }
    }

    fn broke(&self, error: &std::io::Error) -> String {
        format!("the connection to {} broke: {error}", self.place)
    }
}

/// A number that no connection had before: what was stored of another one is never taken for this one's.
fn fresh_agent_epoch(name: &str) -> u64 {
    // As many bits as a number of JSON keeps.
    u64::from_str_radix(name, 16).map_or(1, |number| number >> 12)
}
