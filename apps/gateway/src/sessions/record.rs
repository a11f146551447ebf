//! Makes durable what a session asks for, one after the other.

use std::sync::Arc;
use std::time::Duration;

use argus_protocol::{SessionId, SubmissionId};
use argus_session::{Input, StoreOp, StoreTicket, Target};
use tokio::sync::mpsc;

use super::registry::SessionsParts;
use crate::store::ledger::LedgerError;

/// Starts the recorder of one session. It ends when `ops` does, after the last one is durable; a settlement is tried
/// until it works, since the bridge keeps the turn's lines until then.
pub(super) fn spawn(
    session: SessionId,
    parts: Arc<SessionsParts>,
    mut ops: mpsc::UnboundedReceiver<(StoreTicket, StoreOp)>,
    results: mpsc::UnboundedSender<Input>,
) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        while let Some((ticket, op)) = ops.recv().await {
            let result = if let StoreOp::Settle(settlement) = &op {
                settle(&session, &parts, settlement).await;
                Ok(())
            } else {
                let starts = matches!(op, StoreOp::Starting { .. } | StoreOp::Steering { .. });
                let result = record(&session, &parts, op).await;
                if starts {
                    argus_crash_point::here("turn.recorded").await;
                }
                result
            };
            if let Err(error) = &result {
                tracing::error!(session.id = %session, error, "the ledger refused a record");
            }
            _ = results.send(Input::Stored { ticket, result });
        }
    })
}

async fn settle(session: &SessionId, parts: &SessionsParts, settlement: &argus_session::Settlement) {
    let mut pause = Duration::from_millis(100);
    while let Err(error) = parts.react.settle(session, settlement).await {
        tracing::error!(session.id = %session, error, "an answer cannot be stored yet; it is tried again");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}

/// Tried until it works: what is recorded as sent and was not must not be taken for it by another owner.
async fn queue(session: &SessionId, parts: &SessionsParts, ids: &[SubmissionId]) -> Result<(), String> {
    let mut pause = Duration::from_millis(100);
    loop {
        match parts.ledger.mark_queued(ids).await {
            Ok(()) => return Ok(()),
            Err(error @ LedgerError::NotOpen(_)) => return Err(error.to_string()),
            Err(error) => {
                tracing::error!(session.id = %session, %error, "what waits again cannot be stored yet; it is tried again");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(5));
            }
        }
    }
}

async fn record(session: &SessionId, parts: &SessionsParts, op: StoreOp) -> Result<(), String> {
    let ledger = &parts.ledger;
    let done = match op {
        StoreOp::Bind { target: Target::Main, thread } => {
            return parts.state.set_main_thread(session, Some(&thread)).await.map_err(|e| e.to_string());
        }
        StoreOp::Bind { target: Target::Chat { chat, era }, thread } => {
            ledger.bind_chat(session, &chat, era, &thread).await
        }
        StoreOp::Bind { target: Target::Named { name }, thread } => {
            ledger.bind_name(session, &name, &thread).await
        }
        StoreOp::Starting { submissions, thread, boot, down_seq, request_id, after_seq } => {
            ledger.mark_starting(&submissions, &thread, &boot, down_seq, request_id, after_seq).await
        }
        StoreOp::Steering { submission, thread, boot, down_seq, request_id, after_seq, turn } => {
            ledger.mark_steering(&submission, &thread, &boot, down_seq, request_id, after_seq, &turn).await
        }
        StoreOp::Running { submissions, turn } => ledger.mark_running(&submissions, &turn).await,
        StoreOp::Queued { submissions } => return queue(session, parts, &submissions).await,
        StoreOp::Handshake { epoch, result } => ledger.save_handshake(session, epoch, &result).await,
        StoreOp::Checkpoint { boot, seq, body } => ledger.save_checkpoint(session, &boot, seq, &body).await,
        StoreOp::Bind { target: Target::Thread { .. }, .. } | StoreOp::Settle(_) => Ok(()),
    };
    done.map_err(|error| error.to_string())
}
