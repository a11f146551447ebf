//! What the assistant does unasked, made with the parts that it needs.

use std::sync::Arc;

use super::runtimes;
use crate::automation::prompt::{Prompts, PromptsParts};
use crate::automation::{Automation, AutomationParts, Pulse};
use crate::config::Config;
use crate::media::Media;
use crate::ports::SessionWorkers;
use crate::store::clock;
use crate::store::ledger::Ledger;
use crate::store::state_file::StateFile;

/// Makes what writes prompts.
pub(super) fn prompts(
    config: &Config,
    ledger: &Ledger,
    state: &Arc<StateFile>,
    media: Option<Media>,
) -> Arc<Prompts> {
    Arc::new(Prompts::new(PromptsParts {
        workspaces: runtimes::workspaces(config),
        seen_as: runtimes::seen_as(config),
        media,
        ledger: ledger.clone(),
        state: state.clone(),
        context: config.automation.context,
        clock: clock::system(),
    }))
}

/// Makes it, and takes over what the reference left for it; nothing is begun yet.
pub(super) async fn open(
    config: &Config,
    ledger: &Ledger,
    state: Arc<StateFile>,
    pulse: Pulse,
    bots: &[String],
    workers: SessionWorkers,
) -> anyhow::Result<Automation> {
    let automation = Automation::new(AutomationParts {
        ledger: ledger.clone(),
        state,
        workers: Arc::new(workers),
        pulse,
        config: config.automation.clone(),
        bots: bots.to_vec(),
        workspaces: runtimes::workspaces(config),
        clock: clock::system(),
    });
    automation.take_over_events().await?;
    Ok(automation)
}
