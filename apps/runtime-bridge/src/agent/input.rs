//! Frames into the agent's input.

use argus_crash_point::here;
use tokio::io::AsyncWriteExt as _;
use tokio::process::ChildStdin;

use crate::desk::Desk;

/// Writes frames until there are no more for this agent, then closes its input. An agent that closed its input itself
/// still has its frames counted.
pub(super) async fn feed(desk: &Desk, epoch: u64, stdin: ChildStdin) {
    let mut stdin = Some(stdin);
    while let Some((number, frame)) = desk.next_input(epoch).await {
        here("bridge.down_taken").await;
        if let Some(pipe) = &mut stdin
            && let Err(error) = write_line(pipe, &frame).await
        {
            tracing::warn!(%error, "the agent does not read its input");
            stdin = None;
        }
        desk.handed_over(number);
    }
}

async fn write_line(pipe: &mut ChildStdin, line: &[u8]) -> std::io::Result<()> {
    if line.is_empty() {
        return Ok(());
    }
    pipe.write_all(line).await?;
    pipe.write_all(b"\n").await
}
