//! One gateway that got in: its lines in, ours out, until it leaves, falls silent or is displaced.

mod alive;
mod reader;
mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

pub(crate) use alive::Watched;

use crate::desk::Desk;
use crate::door::{Greeted, Lines, Output};

/// How long a gateway may take to be told the last things and to leave.
const FAREWELL: Duration = Duration::from_secs(1);

/// What the rest of the bridge knows of a connected gateway.
#[derive(Debug, Default)]
pub(crate) struct Gateway {
    news: Notify,
    space: Notify,
    /// It shall be told the rest and leave.
    leaving: CancellationToken,
    /// It has left.
    gone: CancellationToken,
    displaced: AtomicBool,
    /// The line that is being written to it, 0 between two lines.
    writing: AtomicU64,
    /// The newest line it acknowledged.
    acknowledged: AtomicU64,
    ping: AtomicBool,
    pong: AtomicBool,
}

impl Gateway {
    /// There may be something new to tell it.
    pub(crate) fn wake(&self) {
        self.news.notify_one();
    }

    /// There may be space for its frames again.
    pub(crate) fn has_space(&self) {
        self.space.notify_one();
    }

    /// Waits for [`Self::has_space`].
    pub(crate) async fn space(&self) {
        self.space.notified().await;
    }

    /// Another gateway took over.
    pub(crate) fn displace(&self) {
        self.displaced.store(true, Ordering::Relaxed);
        self.leaving.cancel();
        self.wake();
        self.has_space();
    }

    /// Waits until it was told everything there is, and left.
    pub(crate) async fn dismiss(&self) {
        self.leaving.cancel();
        self.wake();
        self.gone.cancelled().await;
    }

    /// Notes an ack, and tells up to which line it may be acted upon now: a line must not be forgotten while it is
    /// being written (after a reconnect a gateway may acknowledge lines before they are sent to it again).
    pub(crate) fn acknowledged(&self, number: u64) -> u64 {
        let number = self.acknowledged.fetch_max(number, Ordering::Relaxed).max(number);
        match self.writing.load(Ordering::Relaxed) {
            0 => number,
            writing => number.min(writing - 1),
        }
    }

    fn owe_ping(&self) {
        self.ping.store(true, Ordering::Relaxed);
        self.wake();
    }

    fn owe_pong(&self) {
        self.pong.store(true, Ordering::Relaxed);
        self.wake();
    }
}

/// Serves a gateway that said a good hello.
pub(crate) async fn serve(desk: &Desk, greeted: Greeted) {
    let Greeted { lines, output, name, given } = greeted;
    // Before anything can be asked for that needs it.
    desk.give(given);
    let gateway = Arc::new(Gateway::default());
    let attached = Attached { desk, gateway: &gateway };
    let welcome = desk.attach(&gateway);
    tracing::info!(gateway = %name, "a gateway is connected");
    let why = talk(desk, &gateway, lines, output, &welcome).await;
    drop(attached);
    tracing::info!(gateway = %name, %why, "the gateway is disconnected");
}

/// Takes the gateway off the desk however its service ends.
struct Attached<'a> {
    desk: &'a Desk,
    gateway: &'a Arc<Gateway>,
}

impl Drop for Attached<'_> {
    fn drop(&mut self) {
        self.desk.detach(self.gateway);
        self.gateway.gone.cancel();
    }
}

/// Runs both directions; tells why they ended.
async fn talk(
    desk: &Desk,
    gateway: &Arc<Gateway>,
    lines: Lines,
    output: Output,
    welcome: &argus_protocol::bridge::FromBridge,
) -> String {
    let alive = lines.get_ref().watch();
    tokio::select! {
        why = reader::read(desk, gateway, &alive, lines) => why,
        error = writer::write(desk, gateway, output, welcome) => error.to_string(),
        () = alive::silence(gateway, &alive, alive::ASK_AFTER, alive::GIVE_UP_AFTER) => "it fell silent".to_owned(),
        () = async { gateway.leaving.cancelled().await; tokio::time::sleep(FAREWELL).await } =>
            "it was told to leave and did not".to_owned(),
    }
}
