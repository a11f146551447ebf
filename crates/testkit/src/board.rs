//! State that a server writes, and a test reads or waits on.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

/// A value behind a lock that tells those who wait when it was touched.
#[derive(Debug)]
pub(crate) struct Board<T> {
    value: Mutex<T>,
    touched: watch::Sender<u64>,
}

/// Nothing fitting happened within the limit.
#[derive(Debug)]
pub(crate) struct TooLate;

impl<T> Board<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { value: Mutex::new(value), touched: watch::channel(0).0 }
    }

    /// Looks without telling anybody.
    pub(crate) fn read<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        look(&self.lock())
    }

    /// Changes, then wakes those who wait.
    pub(crate) fn write<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        let answer = change(&mut self.lock());
        self.touched.send_modify(|n| *n = n.wrapping_add(1));
        answer
    }

    /// Waits until `find` finds something, at most `limit`.
    pub(crate) async fn wait<R>(
        &self,
        limit: Duration,
        mut find: impl FnMut(&mut T) -> Option<R>,
    ) -> Result<R, TooLate> {
        let mut touched = self.touched.subscribe();
        let found = async {
            loop {
                touched.borrow_and_update();
                if let Some(found) = find(&mut self.lock()) {
                    return found;
                }
                touched.changed().await.expect("the sender lives as long as the board");
            }
        };
        tokio::time::timeout(limit, found).await.map_err(|_| TooLate)
    }

    fn lock(&self) -> MutexGuard<'_, T> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
