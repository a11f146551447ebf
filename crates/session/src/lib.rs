//! What a session *is*: inputs become effects. No tokio, no clock, no IO, no randomness.
//!
//! A session joins one runtime (an agent behind a bridge), the clients that watch and steer it, and the lanes in which
//! its threads take turns. Whoever owns it feeds [`Session::handle`] with everything that happens and performs what
//! [`Session::next_effect`] asks for; time is what the owner says it is.

mod agent;
mod answer;
mod approvals;
mod beginning;
mod breaking;
mod checkpoint;
mod clients;
mod closing;
mod config;
mod control;
mod decline;
mod dropped;
mod effect;
mod followups;
mod foreign;
mod forwarding;
mod handshake;
mod hastening;
mod history;
mod input;
mod introduction;
mod lane;
mod lanes;
mod limits;
mod link;
mod notes;
mod opening;
mod progress;
mod questions;
mod records;
mod recovery;
mod relay;
mod replies;
mod returning;
mod runtime;
mod sending;
mod session;
mod settling;
mod starting;
mod steering;
pub mod turn;
mod turns;

pub use config::{Policy, SessionConfig};
pub use effect::{Answer, Effect, KeptFrame, LaneStatus, Preparation, StoreOp};
pub use hastening::Hastened;
pub use input::{
    AfterLoss, Arrival, Haste, Heard, Identity, Input, KeptHistory, LinkUp, Listening, Now, OpenState,
    OpenSubmission, Prompt, Restored, RuntimeLine, StoreTicket, Ticket,
};
pub use lane::LaneId;
pub use opening::says_thread_is_gone;
pub use progress::{Activity, Progress};
pub use questions::{ChatQuestion, QuestionEnd};
pub use runtime::Occupancy;
pub use session::Session;
pub use turn::{Beat, ChatRef, Origin, Outcome, Settlement, Submission, Target, Usage};
