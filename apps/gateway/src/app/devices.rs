//! The machines on which commands run, made with the parts that they need.

use std::sync::Arc;

use argus_protocol::token::SigningKey;

use crate::access::Access;
use crate::automation::Automation;
use crate::config::{Config, Scope};
use crate::devices::{Devices, DevicesParts, Usually};
use crate::ports::NodeFacts;
use crate::sessions::Sessions;
use crate::store::ledger::Ledger;

/// Reads which there are; none is connected yet.
pub(super) async fn open(
    config: &Config,
    ledger: &Ledger,
    key: &SigningKey,
    access: &Access,
    automation: &Automation,
    sessions: &Sessions,
) -> anyhow::Result<Devices> {
    let facts = NodeFacts { automation: automation.clone(), sessions: sessions.clone() };
    let usually = if config.scope == Scope::Shared { Usually::All } else { Usually::Default };
    Ok(Devices::open(DevicesParts {
        ledger: ledger.clone(),
        key: key.clone(),
        access: access.clone(),
        facts: Arc::new(facts),
        usually,
    })
    .await?)
}
