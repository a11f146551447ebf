//! Whether a gateway is still there: any byte from it counts, and silence is asked about, then believed.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::Instant;

use super::Gateway;

/// Silence after which the gateway is asked.
pub(super) const ASK_AFTER: Duration = Duration::from_secs(20);

/// Silence after that, after which it is given up.
pub(super) const GIVE_UP_AFTER: Duration = Duration::from_secs(25);

/// When something was heard last.
#[derive(Clone, Debug)]
pub(crate) struct Alive(Arc<Mutex<Instant>>);

impl Alive {
    /// Something was heard, or nothing could have been.
    pub(super) fn heard(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn last(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream that notes when bytes arrive, so that a long line is not taken for silence.
#[derive(Debug)]
pub(crate) struct Watched<R> {
    inner: R,
    alive: Alive,
}

impl<R> Watched<R> {
    /// Watches `inner` from now on.
    pub(crate) fn new(inner: R) -> Self {
        Self { inner, alive: Alive(Arc::new(Mutex::new(Instant::now()))) }
    }

    /// What is noted.
    pub(crate) fn watch(&self) -> Alive {
        self.alive.clone()
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Watched<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.inner).poll_read(cx, buf);
        if polled.is_ready() {
            self.alive.heard();
        }
        polled
    }
}

/// Asks a silent gateway, and returns when it does not answer.
pub(super) async fn silence(gateway: &Gateway, alive: &Alive, ask_after: Duration, give_up_after: Duration) {
    loop {
        let last = alive.last();
        tokio::time::sleep_until(last + ask_after).await;
        if alive.last() != last {
            continue;
        }
        gateway.owe_ping();
        // From here and not from `last`: a machine that stood still has heard nobody, and must ask first.
        tokio::time::sleep(give_up_after).await;
        if alive.last() == last {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(5);

    #[tokio::test]
    async fn a_silent_gateway_is_asked_and_then_given_up() {
        let gateway = Gateway::default();
        let alive = Watched::new(tokio::io::empty()).watch();
        silence(&gateway, &alive, SOON, SOON).await;
        assert!(gateway.ping.load(std::sync::atomic::Ordering::Relaxed));
    }

    #[tokio::test]
    async fn a_gateway_that_answers_is_asked_again() {
        let gateway = Gateway::default();
        let alive = Watched::new(tokio::io::empty()).watch();
        let answers = async {
            for _ in 0..3 {
                gateway.news.notified().await;
                alive.heard();
            }
        };
        tokio::select! {
            // The answer is always in time, however slow the machine.
            biased;
            () = answers => {}
            () = silence(&gateway, &alive, SOON, SOON) => panic!("it was given up"),
        }
    }
}
