//! The link to the gateway: made for ever again, watched, and never ended by what the gateway says.
//!
//! `dial` makes a connection, `talk` serves one, `pace` says when to try again. What outlives a connection is in `calls`
//! (what runs, and results that were not acknowledged), `exits` (ends of jobs) and `questions` (to the device's owner).

mod address;
mod calls;
mod dial;
mod exits;
mod known;
mod outbox;
mod pace;
mod ports;
mod questions;
mod running;
mod talk;
mod wire;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use argus_protocol::node::Connect;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use address::{Address, Written};
pub use pace::{Cause, Pace, wait};
pub use ports::Machine;
pub use questions::{Questions, TooMany};

pub(crate) use dial::{DialError, dial};
pub(crate) use wire::Wire;

use crate::credential::Secret;
use talk::{Desk, End};

/// What the link needs to know.
#[derive(Clone, Debug)]
pub struct LinkConfig {
    /// Where the gateway is.
    pub address: Address,
    /// What opens its door.
    pub token: Secret,
    /// Who this node is; the link adds [`Connect::boot`], the machine what it can do.
    pub connect: Connect,
    /// How often and how long.
    pub pace: Pace,
}

/// Keeps the link until told to stop. Nothing that the gateway does ends it.
pub async fn serve(
    config: LinkConfig,
    machine: Arc<dyn Machine>,
    questions: Questions,
    stop: CancellationToken,
) {
    let connect = Connect { boot: Some(boot()), ..config.connect };
    let mut desk = Desk::new(machine, questions, connect, config.pace.clone());
    let mut failures = 0;
    loop {
        let attempt = dial(&config.address, Some(&config.token), config.pace.patience);
        let dialled = tokio::select! {
            dialled = attempt => dialled,
            never = desk.idle() => match never {},
            () = stop.cancelled() => return,
        };
        let (cause, at_least, why) = match dialled {
            Ok(wire) => {
                let began = Instant::now();
                let end = desk.talk(wire, &config.address, &stop).await;
                if began.elapsed() >= config.pace.stable {
                    failures = 0;
                }
                let End::Lost(cause, why) = end else { return };
                (cause, None, why)
            }
            Err(error) => (cause_of(&error), asked_for(&error), error.to_string()),
        };
        let wait = wait(&config.pace, cause, failures, dice()).max(at_least.unwrap_or_default());
        failures = failures.saturating_add(1);
        tell(cause, &why, wait);
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            never = desk.idle() => match never {},
            () = stop.cancelled() => return,
        }
    }
}

fn cause_of(error: &DialError) -> Cause {
    match error {
        DialError::Refused(..) => Cause::Refused,
        DialError::Busy(..) => Cause::Busy,
        _ => Cause::Lost,
    }
}

fn asked_for(error: &DialError) -> Option<Duration> {
    if let DialError::Busy(_, _, wait) = error { *wait } else { None }
}

fn tell(cause: Cause, why: &str, wait: Duration) {
    let seconds = wait.as_secs_f32();
    if cause == Cause::Refused {
        tracing::error!(
            "{why}; it may need to be enrolled anew, with a code of the gateway's operator (`argus node enrol`); \
             trying again in {seconds:.0} s all the same"
        );
    } else {
        tracing::warn!("{why}; trying again in {seconds:.1} s");
    }
}

/// A number of 0 to 1.
fn dice() -> f64 {
    // Without randomness the nodes of a gateway may come at the same moment, and come all the same.
    let number = getrandom::u32().unwrap_or(u32::MAX / 2);
    f64::from(number) / f64::from(u32::MAX)
}

/// A word for this process that no other one has.
fn boot() -> String {
    let mut bytes = [0; 16];
    if getrandom::fill(&mut bytes).is_err() {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        bytes = since.as_nanos().to_be_bytes();
    }
    data_encoding::HEXLOWER.encode(&bytes)
}

/// Unix milliseconds.
fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
