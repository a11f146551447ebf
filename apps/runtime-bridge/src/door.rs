//! The door: who may become the gateway of this bridge. Strangers cost little here and are not let in.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use argus_jsonl::{Line, LineCodec};
use argus_protocol::bridge::{FromBridge, FromGateway, Given, VERSION};
use argus_protocol::token::fingerprint_matches;
use futures::StreamExt as _;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::codec::FramedRead;

use crate::Settings;
use crate::desk::Desk;
use crate::link::{self, Watched};
use crate::listen::Listener;

/// How long and how large a hello may be.
const HELLO_TIME: Duration = Duration::from_secs(5);
const HELLO_BYTES: usize = 8 * 1024;

/// How many callers may stand at the door. The one that stands there longest goes when another comes: a gateway says
/// its hello at once, so that it is not kept out by callers that say nothing.
const CALLERS: usize = 4;

/// What a wrong secret costs the one who tried it.
const REFUSAL_DELAY: Duration = Duration::from_millis(300);

/// How long a refused caller may take to read that.
const REFUSAL_TIME: Duration = Duration::from_secs(1);

/// The incoming half of a connection.
pub(crate) type Input = Box<dyn AsyncRead + Send + Unpin>;

/// The outgoing half of a connection.
pub(crate) type Output = Box<dyn AsyncWrite + Send + Unpin>;

/// The lines of a connection.
pub(crate) type Lines = FramedRead<Watched<Input>, LineCodec>;

/// A gateway that said a good hello.
pub(crate) struct Greeted {
    /// What it says next.
    pub(crate) lines: Lines,
    /// Where it listens.
    pub(crate) output: Output,
    /// What it calls itself.
    pub(crate) name: String,
    /// With what the runtime reaches it.
    pub(crate) given: Option<Given>,
}

/// Lets gateways in, one after the other, for ever.
pub(crate) async fn attend(listener: &Listener, desk: &Arc<Desk>, settings: &Settings) {
    let mut callers = JoinSet::new();
    let mut standing: VecDeque<AbortHandle> = VecDeque::new();
    let mut gateways = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((input, output)) => {
                    standing.retain(|caller| !caller.is_finished());
                    if standing.len() >= CALLERS && let Some(longest) = standing.pop_front() {
                        longest.abort();
                    }
                    let fingerprint = settings.secret_fingerprint.clone();
                    let line_bytes = settings.limits.line_bytes;
                    standing.push_back(callers.spawn(greet(input, output, fingerprint, line_bytes)));
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
            Some(greeted) = callers.join_next() => {
                if let Ok(Some(greeted)) = greeted {
                    let desk = Arc::clone(desk);
                    gateways.spawn(async move { link::serve(&desk, greeted).await });
                }
            }
            Some(_) = gateways.join_next() => {}
        }
    }
}

/// Hears a caller's hello; `None` when it was refused.
async fn greet(input: Input, mut output: Output, fingerprint: String, line_bytes: usize) -> Option<Greeted> {
    let mut lines = FramedRead::new(Watched::new(input), LineCodec::new(HELLO_BYTES));
    let heard = tokio::time::timeout(HELLO_TIME, lines.next()).await;
    let refusal = match heard {
        Ok(Some(Ok(Line::Text(line)))) => match serde_json::from_slice(&line) {
            Ok(FromGateway::Hello { secret, .. }) if !fingerprint_matches(&fingerprint, &secret) => {
                tokio::time::sleep(REFUSAL_DELAY).await;
                "the secret is wrong".to_owned()
            }
            Ok(FromGateway::Hello { v, .. }) if v != VERSION => {
                format!("this bridge speaks version {VERSION} of the link, not {v}")
            }
            Ok(FromGateway::Hello { gateway, given, .. }) => {
                let lines = lines.map_decoder(|_| LineCodec::new(line_bytes.saturating_add(NUMBER_BYTES)));
                return Some(Greeted { lines, output, name: gateway, given });
            }
            _ => "the first line must be a hello".to_owned(),
        },
        Ok(Some(Ok(Line::Oversized { .. }))) => "the first line must be a hello".to_owned(),
        Ok(Some(Err(_)) | None) => return None,
        Err(_) => "no hello came in time".to_owned(),
    };
    tracing::warn!(reason = %refusal, "a caller is refused");
    let _ = tokio::time::timeout(REFUSAL_TIME, async {
        refuse(&mut output, refusal).await?;
        // Closed with something unread in it, the socket might lose the refusal.
        tokio::io::copy(lines.get_mut(), &mut tokio::io::sink()).await
    })
    .await;
    None
}

/// What stands before the JSON of a numbered line, at most: twenty digits and a space.
const NUMBER_BYTES: usize = 21;

async fn refuse(output: &mut Output, reason: String) -> io::Result<()> {
    let mut line = serde_json::to_vec(&FromBridge::Refused { reason })?;
    line.push(b'\n');
    output.write_all(&line).await?;
    output.shutdown().await
}
