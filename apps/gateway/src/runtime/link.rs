//! One connection to a bridge: hello, welcome, then numbered lines both ways through bounded channels.

use std::time::Duration;

use argus_jsonl::{Line as TextLine, LineCodec};
use argus_protocol::Frame;
use argus_protocol::bridge::{Event, FromBridge, FromGateway, Given, Line, VERSION, parse_line};
use argus_session::{AfterLoss, RuntimeLine};
use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout};
use tokio_util::codec::{FramedRead, FramedWrite};

use super::provision::{Reached, Welcome};

/// What the link says.
#[derive(Debug)]
pub enum LinkEvent {
    /// A numbered line.
    Line {
        /// Its number.
        seq: u64,
        /// What it says.
        line: RuntimeLine,
    },
    /// The bridge took every frame up to this number.
    Took {
        /// The number.
        seq: u64,
    },
    /// The connection is over; nothing follows.
    Down {
        /// In words.
        reason: String,
    },
}

/// What the link is told.
#[derive(Debug)]
pub enum LinkCommand {
    /// Send a frame.
    Frame {
        /// Its number.
        seq: u64,
        /// It.
        text: Bytes,
    },
    /// Send a control line.
    Control(FromGateway),
}

/// Both halves of a connection. Dropping it closes the connection; the runtime lives on.
#[derive(Debug)]
pub struct Link {
    /// What it says, as much together as came together; the runtime waits while this is full.
    pub events: mpsc::Receiver<Vec<LinkEvent>>,
    /// What it is told.
    pub commands: mpsc::Sender<LinkCommand>,
}

/// Why a connection did not become a link.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The bridge said no.
    #[error("the runtime bridge refused us: {0}")]
    Refused(String),
    /// It spoke another language, or none.
    #[error("what answered is no runtime bridge: {0}")]
    NotABridge(String),
    /// The connection broke.
    #[error("the connection to the runtime bridge broke: {0}")]
    Broken(#[from] std::io::Error),
}

/// How long a bridge may take to greet.
const GREETING_LIMIT: Duration = Duration::from_secs(5);
/// A quiet link is asked whether it lives …
const PING_EVERY: Duration = Duration::from_secs(20);
/// … and given up after this long without a word.
const SILENCE_LIMIT: Duration = Duration::from_secs(45);

/// The longest line taken from a bridge. The bridge keeps its agent's lines to its own limit, and may have been given
/// another one than ours of today: whatever it kept must come through.
const LONGEST_LINE: usize = crate::config::LARGEST_LINE_LIMIT + 64;

/// Lines that go to the session together, at most …
pub(super) const AT_ONCE: usize = 256;
/// … and how often that many may wait for it.
pub(super) const BATCHES: usize = 4;

/// How long a link may take to read what was said before the end it was told of.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// What becomes of the place a bridge runs in: in words once it has ended, for as long as somebody watches it.
#[derive(Clone, Debug)]
pub struct Fate(watch::Receiver<Option<String>>);

impl Fate {
    /// The fate that `told` tells.
    pub fn of(told: watch::Receiver<Option<String>>) -> Self {
        Self(told)
    }

    /// Nobody tells.
    pub fn untold() -> Self {
        Self(watch::channel(None).1)
    }

    /// How the place ended; for ever, if nobody tells.
    pub(super) async fn known(&mut self) -> String {
        let words = self.0.wait_for(Option::is_some).await.ok().and_then(|told| told.clone());
        match words {
            Some(words) => words,
            None => std::future::pending().await,
        }
    }

    fn told(&self) -> Option<String> {
        self.0.borrow().clone()
    }
}

/// What an order to stop does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnStop {
    /// The bridge is told to end.
    Tell,
    /// The connection is closed: ending the bridge is for whoever started it.
    HangUp,
}

/// What a bridge is told when it is greeted.
#[derive(Clone, Debug)]
pub struct Greeting<'a> {
    /// The bridge's secret.
    pub secret: &'a str,
    /// Who we are, for its log.
    pub gateway: &'a str,
    /// With what its runtime reaches us.
    pub given: Option<Given>,
}

/// Greets the bridge at the other end of `stream`, which runs in a place with that fate.
pub async fn greet<S>(
    stream: S,
    greeting: Greeting<'_>,
    fate: Fate,
    on_stop: OnStop,
) -> Result<Reached, DialError>
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let (reading, writing) = tokio::io::split(stream);
    let mut lines = FramedRead::new(reading, LineCodec::new(LONGEST_LINE));
    let mut out = FramedWrite::new(writing, LineCodec::new(LONGEST_LINE));
    let Greeting { secret, gateway, given } = greeting;
    let hello =
        FromGateway::Hello { v: VERSION, secret: secret.to_owned(), gateway: gateway.to_owned(), given };
    out.send(control(&hello)).await?;
    let first = timeout(GREETING_LIMIT, lines.next())
        .await
        .map_err(|_| DialError::NotABridge("it is silent".into()))?;
    let text = match first.transpose()? {
        Some(TextLine::Text(text)) => text,
        Some(TextLine::Oversized { .. }) => {
            return Err(DialError::NotABridge("its first line is no greeting".into()));
        }
        // So does a bridge that is about to end.
        None => return Err(DialError::Broken(std::io::ErrorKind::UnexpectedEof.into())),
    };
    let welcome = match serde_json::from_slice(&text) {
        Ok(FromBridge::Welcome {
            v: VERSION,
            boot,
            agent_epoch,
            agent_state,
            first_seq,
            last_seq,
            last_down_seq,
            free,
        }) => Welcome {
            boot,
            after_loss: AfterLoss::Lives,
            agent_epoch,
            agent_state,
            first_seq,
            last_seq,
            last_down_seq,
            free,
        },
        Ok(FromBridge::Welcome { v, .. }) => {
            return Err(DialError::Refused(format!("it speaks version {v}")));
        }
        Ok(FromBridge::Refused { reason }) => return Err(DialError::Refused(reason)),
        _ => return Err(DialError::NotABridge("its first line is no greeting".into())),
    };
    let (events_in, events) = mpsc::channel(BATCHES);
    let (commands, commands_out) = mpsc::channel(64);
    tokio::spawn(pump(lines, out, events_in, commands_out, fate, on_stop));
    Ok(Reached { welcome, link: Link { events, commands } })
}

/// Runs until either side is gone.
async fn pump<R, W>(
    lines: FramedRead<R, LineCodec>,
    mut out: FramedWrite<W, LineCodec>,
    events: mpsc::Sender<Vec<LinkEvent>>,
    mut commands: mpsc::Receiver<LinkCommand>,
    mut fate: Fate,
    on_stop: OnStop,
) where
    R: AsyncRead + Unpin + Send,
    W: AsyncWrite + Unpin + Send,
{
    let (pongs, mut asked) = mpsc::channel(1);
    let reading = async {
        let mut lines = lines.ready_chunks(AT_ONCE);
        loop {
            let together = match timeout(SILENCE_LIMIT, lines.next()).await {
                Err(_) => return "the runtime bridge fell silent".to_owned(),
                Ok(None) => return "the runtime bridge closed the connection".to_owned(),
                Ok(Some(together)) => together,
            };
            let (mut heard, mut broken) = (Vec::with_capacity(together.len()), None);
            for line in together {
                match line.map_err(|error| broke(&error)).and_then(understand) {
                    Ok(Said::Event(event)) => heard.push(event),
                    Ok(Said::Ping) => _ = pongs.try_send(()),
                    Ok(Said::Nothing) => {}
                    Err(reason) => {
                        broken = Some(reason);
                        break;
                    }
                }
            }
            if !heard.is_empty() && events.send(heard).await.is_err() {
                return "nobody listens any more".to_owned();
            }
            if let Some(reason) = broken {
                return reason;
            }
        }
    };
    let writing = async {
        let mut spoke = Instant::now();
        loop {
            let line = tokio::select! {
                command = commands.recv() => match command {
                    None => return "nobody needs it any more".to_owned(),
                    Some(LinkCommand::Control(FromGateway::Stop { .. })) if on_stop == OnStop::HangUp => {
                        return "nobody needs it any more".to_owned();
                    }
                    Some(LinkCommand::Control(line)) => control(&line),
                    Some(LinkCommand::Frame { seq, text }) => numbered(seq, &text),
                },
                Some(()) = asked.recv() => control(&FromGateway::Pong {}),
                () = tokio::time::sleep_until(spoke + PING_EVERY) => control(&FromGateway::Ping {}),
            };
            spoke = Instant::now();
            if let Err(error) = out.feed(line).await {
                return broke(&error);
            }
            if commands.is_empty() && out.flush().await.is_err() {
                return "the connection to the runtime bridge broke".to_owned();
            }
        }
    };
    let mut talk = std::pin::pin!(async {
        tokio::select! { reason = reading => reason, reason = writing => reason }
    });
    let reason = tokio::select! {
        // At once, even if the words are not known yet: what is said to a link that is dead is lost.
        reason = &mut talk => fate.told().unwrap_or(reason),
        words = fate.known() => {
            // What it said before may still be on its way.
            _ = timeout(LAST_WORDS, &mut talk).await;
            words
        }
    };
    _ = events.send(vec![LinkEvent::Down { reason }]).await;
}

enum Said {
    Event(LinkEvent),
    Ping,
    Nothing,
}

fn broke(error: &std::io::Error) -> String {
    format!("the connection to the runtime bridge broke: {error}")
}

/// What a line says; an error where the connection is of no use any more.
fn understand(line: TextLine) -> Result<Said, String> {
    let line = match line {
        TextLine::Text(line) => line,
        TextLine::Oversized { bytes, .. } => {
            return Err(format!("the runtime bridge sent a line of {bytes} bytes, over the limit"));
        }
    };
    let said = match parse_line(&line).map_err(|e| e.to_string())? {
        Line::Frame(seq, json) => {
            Said::Event(LinkEvent::Line { seq, line: agent_line(seq, line.slice_ref(json)) })
        }
        Line::Event(seq, json) => {
            let event: Event =
                serde_json::from_slice(json).map_err(|e| format!("an unknown bridge event: {e}"))?;
            Said::Event(LinkEvent::Line { seq, line: RuntimeLine::Event(event) })
        }
        Line::Control(json) => match serde_json::from_slice(json) {
            Ok(FromBridge::Ack { n }) => Said::Event(LinkEvent::Took { seq: n }),
            Ok(FromBridge::Ping {}) => Said::Ping,
            Ok(FromBridge::Displaced {}) => return Err("another gateway took the runtime over".to_owned()),
            Ok(FromBridge::Pong {} | FromBridge::Welcome { .. } | FromBridge::Refused { .. }) | Err(_) => {
                Said::Nothing
            }
        },
    };
    Ok(said)
}

/// What an agent wrote.
pub(super) fn agent_line(seq: u64, text: Bytes) -> RuntimeLine {
    match Frame::parse(text) {
        Ok(frame) => RuntimeLine::Frame(frame),
        Err(error) => {
            tracing::warn!(seq, %error, "the agent wrote a line that is no frame; it is left out");
            RuntimeLine::Noise
        }
    }
}

fn control(line: &FromGateway) -> Bytes {
    serde_json::to_vec(line).expect("a control line is plain data").into()
}

fn numbered(seq: u64, text: &Bytes) -> Bytes {
    [seq.to_string().as_bytes(), b" ", text].concat().into()
}
