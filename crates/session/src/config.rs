//! What a session is told once: names, limits, what turns may do.

use argus_protocol::SessionId;
use serde_json::Value;

/// Settings of one session; all times in milliseconds, 0 meaning "no limit" where that is said.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// The session.
    pub id: SessionId,
    /// The gateway's boot number, stored before use: the high half of every request id towards the agent.
    pub boot: u32,
    /// The agent's working folder, as the agent sees it; `None` leaves it to the agent.
    pub cwd: Option<String>,
    /// What turns of clients and chats may do.
    pub policy: Policy,
    /// A turn's limit; 0 = none.
    pub run_timeout_ms: u64,
    /// A turn's limit without any sign of the agent; 0 = none.
    pub no_output_timeout_ms: u64,
    /// Without turns, waiting requests and client frames for this long, the runtime is stopped; 0 = never.
    pub idle_stop_ms: u64,
    /// A server request that nobody answers is declined after this long.
    pub approval_timeout_ms: u64,
    /// What a person does about missing model credentials, in words: ``run `codex login` ``.
    pub sign_in: String,
}

/// What the agent may do in turns that the gateway starts, in the agent's own words.
#[derive(Clone, Debug)]
pub struct Policy {
    /// `sandbox` of `thread/start` and `thread/resume`: `workspace-write`, `danger-full-access`, …
    pub sandbox: String,
    /// `sandboxPolicy` of `turn/start`.
    pub sandbox_policy: Value,
    /// `approvalPolicy` where somebody can be asked.
    pub ask: String,
    /// `approvalPolicy` where nobody can.
    pub never: String,
}

impl SessionConfig {
    /// An `initialize` that is not answered by then means that the agent hangs.
    pub(crate) const INITIALIZE_LIMIT_MS: u64 = 30_000;
    /// The same for the gateway's other requests.
    pub(crate) const REQUEST_LIMIT_MS: u64 = 120_000;
    /// After `turn/interrupt`, the agent has this long to end the turn before its processes are ended.
    pub(crate) const INTERRUPT_GRACE_MS: u64 = 10_000;
    /// What is told within a turn and not answered by then counts as taken.
    pub(crate) const STEER_LIMIT_MS: u64 = 10_000;
    /// An agent or a link that lived this long is no longer taken for a failed start.
    pub(crate) const PROVEN_MS: u64 = 10_000;
    /// An agent that was told to end and does not is told again after this.
    pub(crate) const KILL_AGAIN_MS: u64 = 10_000;
    /// What we wait for when the link comes back has at least this long.
    pub(crate) const AFTER_LINK_MS: u64 = 30_000;
    /// How many submissions may wait in one lane.
    pub(crate) const LANE_CAPACITY: usize = 200;
    /// How often a submission may lose its agent before its turn began.
    pub(crate) const START_ATTEMPTS: u32 = 3;
    /// Frames of clients that wait for the agent, in bytes.
    pub(crate) const WAITING_BYTES: usize = 8 << 20;
    /// Frames on their way to the agent, the gateway's own among them, in bytes.
    pub(crate) const OWN_WAITING_BYTES: usize = 16 << 20;
    /// Frames of clients that wait for the agent, in number.
    pub(crate) const WAITING_FRAMES: usize = 256;
    /// The longest id of a client's request, as JSON text.
    pub(crate) const CLIENT_ID_BYTES: usize = 1024;
    /// Requests of one client without a reply.
    pub(crate) const REQUESTS_PER_CLIENT: usize = 1024;
    /// Text kept of one answer, in bytes.
    pub(crate) const ANSWER_BYTES: usize = 4 << 20;
    /// Lanes that stay known while idle.
    pub(crate) const IDLE_LANES: usize = 256;
    /// Lines behind an open turn that make a checkpoint worth its write, in bytes.
    pub(crate) const CHECKPOINT_BYTES: usize = 4 << 20;
}
