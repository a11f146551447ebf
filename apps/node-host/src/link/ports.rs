//! What the link asks of the machine: commands to call, and ends of jobs to tell.

use argus_protocol::node::{Connect, Exited};
use async_trait::async_trait;
use tokio::sync::watch;

use crate::{Answer, Call};

/// The machine, as the link sees it.
#[async_trait]
pub trait Machine: Send + Sync {
    /// Says in a connection's first frame what works here now.
    fn introduce(&self, connect: Connect) -> Connect;

    /// Does one of them. Dropped when a cancelled call does not settle in time.
    async fn call(&self, call: Call) -> Answer;

    /// How many jobs run.
    fn at_work(&self) -> usize;

    /// Ends of jobs that nobody was told of, oldest first, a bounded number at once. `node_id` is left to the link.
    async fn untold(&self) -> Vec<Exited>;

    /// Changes whenever [`Machine::untold`] may have grown.
    fn ended(&self) -> watch::Receiver<u64>;

    /// The gateway has the end of that job: durably not to be told again.
    async fn told(&self, job_id: &str);

    /// Whoever made that call has its result.
    async fn result_delivered(&self, call_id: &str);

    /// Nobody will ever have it.
    fn result_given_up(&self, call_id: &str);
}
