//! `argus enter`: how a container begins as root and goes on without rights, but with the group of the engine's socket.

use std::convert::Infallible;
use std::ffi::OsString;
use std::os::unix::fs::{FileTypeExt, MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use rustix::process::{Gid, Uid, geteuid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

/// Whom the image made for us: user and group.
const OURS: Owner = Owner { user: 10_001, group: 10_001 };

/// What follows.
#[derive(clap::Args)]
pub(crate) struct Enter {
    /// The program that takes our place, and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
    /// The gateway's home; who owns it goes on
    #[arg(long, env = "ARGUS_HOME", hide = true)]
    home: Option<PathBuf>,
    /// The file of the gateway's token; its folder is given to who goes on
    #[arg(long, env = "ARGUS_TOKEN_FILE", hide = true)]
    token_file: Option<PathBuf>,
    /// The engine's address
    #[arg(long, env = "DOCKER_HOST", hide = true)]
    docker_host: Option<String>,
}

/// Who owns a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Owner {
    user: u32,
    group: u32,
}

/// Becomes the command; returns only when something failed. Without root's rights there is nothing to give away.
pub(crate) fn run(enter: Enter) -> anyhow::Result<Infallible> {
    let mut words = enter.command.into_iter();
    let program = words.next().context("name a program after `--`")?;
    if geteuid().is_root() {
        let home = enter.home.filter(|home| !home.as_os_str().is_empty());
        let shared = enter.token_file.as_deref().and_then(Path::parent).map(Path::to_owned);
        let folders: Vec<PathBuf> = [home, shared].into_iter().flatten().collect();
        let owners: Vec<_> = folders.iter().map(|folder| owner(folder)).collect();
        // Agents in the shared home may give it away; not the gateway's own folder, which they do not see.
        let keeper = folders.first().and_then(|home| owner(&home.join("gateway")));
        let person = keeper.filter(|keeper| keeper.user != 0).unwrap_or_else(|| person(&owners));
        for (folder, owner) in folders.iter().zip(owners) {
            if owner.is_some_and(|owner| is_handed_over(owner, person)) {
                chown(folder, Some(person.user), Some(person.group)).with_context(|| {
                    format!("`{}` cannot be given to user {}", folder.display(), person.user)
                })?;
            }
        }
        become_person(person, socket_group(&socket(enter.docker_host.as_deref())))?;
    }
    let error = Command::new(&program).args(words).exec();
    Err(error).with_context(|| format!("`{}` cannot be started", program.to_string_lossy()))
}

/// Who goes on: the first owner who is somebody, so that files in a person's folder stay hers; else the image's user.
fn person(owners: &[Option<Owner>]) -> Owner {
    owners.iter().flatten().find(|owner| owner.user != 0).copied().unwrap_or(OURS)
}

/// A folder that the engine has just made, or the image, belongs to nobody yet. What is in it is left as it is.
fn is_handed_over(owner: Owner, person: Owner) -> bool {
    owner != person && (owner.user == 0 || owner == OURS)
}

fn owner(folder: &Path) -> Option<Owner> {
    let found = folder.metadata().ok()?;
    Some(Owner { user: found.uid(), group: found.gid() })
}

/// Where the engine listens, if on a socket of this machine.
fn socket(docker_host: Option<&str>) -> PathBuf {
    match docker_host.map(str::trim).filter(|host| !host.is_empty()) {
        None => "/var/run/docker.sock".into(),
        Some(host) => host.strip_prefix("unix://").unwrap_or_default().into(),
    }
}

fn socket_group(socket: &Path) -> Option<u32> {
    socket.metadata().ok().filter(|found| found.file_type().is_socket()).map(|found| found.gid())
}

/// This thread is the only one, so that its identity is the process's.
fn become_person(person: Owner, socket: Option<u32>) -> anyhow::Result<()> {
    let groups: Vec<_> = socket.into_iter().map(Gid::from_raw).collect();
    let (user, group) = (Uid::from_raw(person.user), Gid::from_raw(person.group));
    set_thread_groups(&groups)
        .and_then(|()| set_thread_res_gid(group, group, group))
        .and_then(|()| set_thread_res_uid(user, user, user))
        .with_context(|| format!("cannot become user {}: SETUID and SETGID must be allowed", person.user))
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    const ROOT: Owner = Owner { user: 0, group: 0 };
    const ANN: Owner = Owner { user: 1000, group: 1000 };

    #[test]
    fn who_owns_the_home_goes_on_and_where_that_is_root_the_images_own_user() {
        assert_eq!(person(&[Some(ANN), Some(OURS)]), ANN);
        assert_eq!(person(&[Some(ROOT), Some(OURS)]), OURS);
        assert_eq!([person(&[]), person(&[None, None]), person(&[Some(ROOT)])], [OURS; 3]);
    }

    #[test]
    fn only_a_folder_that_is_nobodys_yet_is_handed_over() {
        let given = [(ROOT, OURS), (ROOT, ANN), (OURS, ANN), (ANN, ANN), (OURS, OURS), (ANN, OURS)];
        assert_eq!(
            given.map(|(owner, person)| is_handed_over(owner, person)),
            [true, true, true, false, false, false]
        );
    }

    #[test]
    fn the_engines_socket_is_the_usual_one_unless_named_and_none_for_an_engine_elsewhere() {
        assert_eq!(socket(None), Path::new("/var/run/docker.sock"));
        assert_eq!(socket(Some(" ")), Path::new("/var/run/docker.sock"));
        assert_eq!(
            socket(Some("unix:///run/user/1000/docker.sock")),
            Path::new("/run/user/1000/docker.sock")
        );
        assert_eq!(socket_group(&socket(Some("tcp://10.0.0.1:2376"))), None);
    }

    #[test]
    fn only_a_socket_has_a_group_that_counts() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(socket_group(folder.path()), None);
        let path = folder.path().join("s");
        let _listener = UnixListener::bind(&path).unwrap();
        assert_eq!(socket_group(&path), Some(path.metadata().unwrap().gid()));
    }
}
