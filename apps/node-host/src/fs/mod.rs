//! `fs.*`: files below the owner's folders, in pieces; never outside, whatever links say.

mod fault;
mod list;
mod place;
mod read;
mod write;

use std::sync::Arc;

use argus_protocol::node::{Fault, code};
use async_trait::async_trait;
use tokio::sync::Semaphore;

use crate::call::{Answer, Call, Command};
use crate::policy::Policy;

/// The largest piece of a file in bytes.
pub const LARGEST_PIECE: usize = 512 << 10;

/// How many file commands are done at the same time; the others wait for their turn.
const AT_ONCE: usize = 8;

/// The file commands.
#[derive(Clone, Debug)]
pub struct Files {
    policy: Policy,
    turns: Arc<Semaphore>,
}

impl Files {
    /// Below that policy's folders.
    pub fn new(policy: Policy) -> Self {
        Self { policy, turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

#[async_trait]
impl Command for Files {
    fn names(&self) -> Vec<&'static str> {
        ["fs.stat", "fs.list", "fs.read", "fs.write"]
            .into_iter()
            .filter(|name| self.policy.offers(name))
            .collect()
    }

    async fn call(&self, call: Call) -> Answer {
        let cancelled = || Fault::new(code::CANCELLED, "nobody waits for it any more");
        let turn = tokio::select! {
            turn = Arc::clone(&self.turns).acquire_owned() => turn.map_err(|_| cancelled())?,
            () = call.cancel.cancelled() => return Err(cancelled()),
        };
        let policy = self.policy.clone();
        let cancel = call.cancel.clone();
        let done = tokio::task::spawn_blocking(move || {
            // Held by the work itself: a disk that hangs takes no more than its share of threads.
            let _turn = turn;
            match call.command.as_str() {
                "fs.stat" => list::stat(&policy, &call),
                "fs.list" => list::list(&policy, &call),
                "fs.read" => read::read(&policy, &call),
                "fs.write" => write::write(&policy, &call),
                other => Err(Fault::new(code::UNSUPPORTED, format!("`{other}` is no command of files"))),
            }
        });
        tokio::select! {
            done = done => done.unwrap_or_else(|error| Err(Fault::new(code::FAILED, format!("it failed: {error}")))),
            () = cancel.cancelled() => Err(cancelled()),
        }
    }
}
