//! The process group of a job: what is sent to it, and when that is no more.

use std::io;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, WaitOptions, kill_process_group, test_kill_process_group, waitid,
    waitpid,
};

use super::signals;

/// How a leader ended: its exit code, or the name of a signal.
pub(crate) type Ending = (Option<i64>, Option<String>);

/// A job's group. The number of its leader is nobody else's until it is buried.
#[derive(Debug)]
pub(crate) struct Group {
    leader: Pid,
    buried: Mutex<bool>,
}

impl Group {
    /// The group that this process leads.
    pub(crate) fn new(leader: Pid) -> Self {
        Self { leader, buried: Mutex::new(false) }
    }

    /// The leader's number.
    pub(crate) fn pid(&self) -> i32 {
        self.leader.as_raw_nonzero().get()
    }

    /// Waits for the leader's end, and leaves it unburied so that its number stays its own.
    pub(crate) fn wait(&self) -> Ending {
        loop {
            match waitid(WaitId::Pid(self.leader), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT) {
                Ok(Some(status)) => {
                    let signal = status.terminating_signal().map(signals::name);
                    return (status.exit_status().map(i64::from), signal);
                }
                Ok(None) | Err(rustix::io::Errno::INTR) => {}
                // Somebody else buried it, which cannot be; how it ended is not known then.
                Err(_) => return (None, None),
            }
        }
    }

    /// Sends all of the group a signal. Fails once the leader is buried.
    pub(crate) fn send(&self, signal: Signal) -> io::Result<()> {
        let buried = self.buried.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if *buried {
            return Err(io::Error::from(io::ErrorKind::NotFound));
        }
        Ok(kill_process_group(self.leader, signal)?)
    }

    /// Buries the leader, which has ended.
    pub(crate) fn bury(&self) {
        let mut buried = self.buried.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *buried = true;
        let _ = waitpid(Some(self.leader), WaitOptions::NOHANG);
    }

    /// Gives those who outlive the leader until then, and ends them. A number of a group is nobody else's while one is left.
    pub(crate) fn finish(&self, until: Instant) {
        while test_kill_process_group(self.leader).is_ok() {
            if Instant::now() >= until {
                let _ = kill_process_group(self.leader, Signal::KILL);
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
