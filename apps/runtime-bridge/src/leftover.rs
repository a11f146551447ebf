//! An agent that outlived a killed bridge: how it is known again, so that nothing else is ever ended in its place.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use serde::{Deserialize, Serialize};

/// How long the leftover may take to vanish once killed.
const VANISH: Duration = Duration::from_secs(2);

/// A process group as it was noted when it began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Leftover {
    group: i32,
    /// When its leader began, in words that no other process of that number shares.
    born: String,
    /// The session it lives in; 0 where that is not told, as for one that began outside our process namespace.
    session: i32,
}

impl Leftover {
    /// Notes a group whose leader is alive.
    pub(crate) fn of(group: Pid) -> Option<Self> {
        let leader = group.as_raw_nonzero().get();
        Some(Self { group: leader, born: born(group)?, session: members::session(leader)? })
    }

    /// Ends the group if it is still the one that was noted.
    pub(crate) async fn end(&self) {
        let Some(group) = Pid::from_raw(self.group) else { return };
        if !self.is_alive(group) {
            return;
        }
        tracing::warn!(group = self.group, "ending the agent that a killed bridge left behind");
        let _ = kill_process_group(group, Signal::KILL);
        let vanished = async {
            while test_kill_process_group(group).is_ok() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        if tokio::time::timeout(VANISH, vanished).await.is_err() {
            tracing::warn!(group = self.group, "the agent left behind does not vanish");
        }
    }

    fn is_alive(&self, group: Pid) -> bool {
        match born(group) {
            Some(born) => born == self.born,
            None => members::outlive(self),
        }
    }
}

/// When a process began. Its number alone says nothing: numbers are used again.
#[cfg(target_os = "linux")]
fn born(pid: Pid) -> Option<String> {
    let stat = members::Stat::read(pid.as_raw_nonzero().get())?;
    Some(format!("{} {}", members::boot_id()?, stat.began))
}

/// When a process began. Its number alone says nothing: numbers are used again.
#[cfg(not(target_os = "linux"))]
fn born(pid: Pid) -> Option<String> {
    let pid = pid.as_raw_nonzero().get().to_string();
    let told = std::process::Command::new("ps").args(["-o", "lstart=", "-p", &pid]).output().ok()?;
    let text = String::from_utf8(told.stdout).ok()?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}

#[cfg(target_os = "linux")]
mod members {
    //! What Linux tells about the processes of a group whose leader is gone.

    use super::Leftover;

    /// The few facts we read of a process.
    pub(super) struct Stat {
        pub(super) group: i32,
        pub(super) session: i32,
        pub(super) began: u64,
    }

    impl Stat {
        pub(super) fn read(pid: i32) -> Option<Self> {
            Self::parse(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
        }

        /// Fields after the name, which ends at the last parenthesis.
        pub(super) fn parse(stat: &str) -> Option<Self> {
            let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
            Some(Self {
                group: fields.get(2)?.parse().ok()?,
                session: fields.get(3)?.parse().ok()?,
                began: fields.get(19)?.parse().ok()?,
            })
        }
    }

    /// The session of a process. The kernel's file is read because the library's call cannot say 0.
    pub(super) fn session(pid: i32) -> Option<i32> {
        Some(Stat::read(pid)?.session)
    }

    /// Names the time since the machine started.
    pub(super) fn boot_id() -> Option<String> {
        Some(std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?.trim().to_owned())
    }

    /// Whether children of the leader are left: same group, same session, begun later. As long as they live, the
    /// group's number is not given to another process.
    pub(super) fn outlive(leftover: &Leftover) -> bool {
        let Some((boot, began)) = leftover.born.split_once(' ') else { return false };
        let Ok(began) = began.parse::<u64>() else { return false };
        if boot_id().as_deref() != Some(boot) {
            return false;
        }
        let Ok(processes) = std::fs::read_dir("/proc") else { return false };
        processes
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter_map(Stat::read)
            .any(|stat| {
                stat.group == leftover.group && stat.session == leftover.session && stat.began >= began
            })
    }

    #[cfg(test)]
    mod tests {
        use super::Stat;

        #[test]
        fn a_name_with_parentheses_confuses_nobody() {
            let text = "7 (a) b) (c) S 1 42 43 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 999 1 2";
            let stat = Stat::parse(text).unwrap();
            assert_eq!((stat.group, stat.session, stat.began), (42, 43, 999));
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod members {
    use super::Leftover;

    /// Not asked for here.
    pub(super) fn session(_: i32) -> Option<i32> {
        Some(0)
    }

    /// Not known here; a group without its leader is left alone.
    pub(super) fn outlive(_: &Leftover) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt as _;

    use super::*;

    fn sleeper() -> (std::process::Child, Pid) {
        let child = std::process::Command::new("sleep").arg("60").process_group(0).spawn().unwrap();
        let group = Pid::from_child(&child);
        (child, group)
    }

    #[tokio::test]
    async fn the_group_that_was_noted_is_ended() {
        let (mut child, group) = sleeper();
        let noted = Leftover::of(group).unwrap();
        let ((), waited) = tokio::join!(noted.end(), async {
            tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap()
        });
        assert!(!waited.success());
    }

    #[tokio::test]
    async fn another_process_of_that_number_is_left_alone() {
        let (mut child, group) = sleeper();
        let mut noted = Leftover::of(group).unwrap();
        noted.born.push('1');
        noted.end().await;
        assert_eq!(child.try_wait().unwrap(), None);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
