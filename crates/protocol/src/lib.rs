//! The words of every wire: frames, ids, errors, the bridge link, `argus/*` parameters, tokens, the agent's command.

pub mod agent;
pub mod argus;
pub mod bridge;
pub mod command;
pub mod dropped;
pub mod error;
pub mod frame;
pub mod ids;
pub mod node;
pub mod token;

pub use error::RpcError;
pub use frame::{Frame, FrameError, FrameKind};
pub use ids::{ChatKey, ClientId, ClientName, SessionId, SubmissionId, ThreadId, TokenId, TurnId};
