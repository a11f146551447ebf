//! One bridge: the parts, put together.

use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use argus_protocol::bridge::LISTENING;
use tokio_util::sync::CancellationToken;

use crate::agent;
use crate::claim::Claim;
use crate::desk::Desk;
use crate::door;
use crate::listen::Listener;
use crate::{Listen, Settings, node, workspace};

/// How long the agent may take to end when the bridge is told to.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// A bridge whose socket is open.
#[derive(Debug)]
pub struct Bridge {
    settings: Settings,
    claim: Claim,
    listener: Listener,
}

/// Opens a bridge and serves it until its agent is stopped for good.
pub async fn serve(settings: Settings, shutdown: CancellationToken) -> anyhow::Result<()> {
    let bridge = Bridge::open(settings).await?;
    bridge.announce();
    bridge.serve(shutdown).await;
    Ok(())
}

impl Bridge {
    /// Claims the address, ends what a killed bridge left there, and listens.
    pub async fn open(settings: Settings) -> anyhow::Result<Self> {
        let claim = Claim::take(&settings).await?;
        let listener = Listener::bind(&settings.listen).await?;
        workspace::prepare(&settings.workspace, settings.home.as_deref());
        Ok(Self { settings, claim, listener })
    }

    /// Where it listens; a port 0 is known here.
    pub fn address(&self) -> std::io::Result<Listen> {
        self.listener.address()
    }

    /// Tells whoever reads our output that a port is open, so that nobody has to guess when to call.
    fn announce(&self) {
        if let Ok(address @ Listen::Tcp(_)) = self.address() {
            // Without a reader there is nobody to tell.
            let _ = writeln!(std::io::stdout(), "{LISTENING}{address}");
        }
    }

    /// Runs the agent and lets gateways in, until one of them says stop, nobody needs the agent any more, or
    /// `shutdown` is cancelled. Dropping this kills the agent's process group.
    pub async fn serve(mut self, shutdown: CancellationToken) {
        let desk = Arc::new(Desk::new(boot(), &self.settings));
        let work = async {
            agent::supervise(&desk, &self.settings, &mut self.claim).await;
            desk.dismiss().await;
        };
        tokio::select! {
            () = work => {}
            () = door::attend(&self.listener, &desk, &self.settings) => {}
            never = node::supervise(&desk, &self.settings) => match never {},
            () = stop_when_idle(&desk, self.settings.idle_exit) => {}
            () = stop_when_told(&desk, shutdown) => {}
        }
        tracing::info!("the bridge ends");
    }
}

/// Stops the agent, and so the bridge, once neither a gateway nor a turn was there for `limit`.
async fn stop_when_idle(desk: &Desk, limit: Option<Duration>) {
    let mut idle = desk.idle();
    while let Some(limit) = limit {
        if idle.wait_for(|idle| *idle).await.is_err() {
            break;
        }
        if tokio::time::timeout(limit, idle.wait_for(|idle| !*idle)).await.is_err() {
            tracing::info!("no gateway and no turn for too long; stopping");
            desk.order_stop(STOP_GRACE);
            break;
        }
    }
    std::future::pending::<()>().await;
}

async fn stop_when_told(desk: &Desk, shutdown: CancellationToken) {
    shutdown.cancelled().await;
    tracing::info!("told to end; stopping");
    desk.order_stop(STOP_GRACE);
    std::future::pending::<()>().await;
}

/// Unix milliseconds now.
pub(crate) fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Names this bridge process among all that ever answer at its address.
fn boot() -> String {
    format!("{:x}-{:x}", unix_ms(), std::process::id())
}
