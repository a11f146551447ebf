//! The socket on which gateways call.

use std::io;
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use tokio::net::{TcpListener, UnixListener};

use crate::Listen;
use crate::door::{Input, Output};

/// A bound socket; a Unix one loses its name when this is dropped.
#[derive(Debug)]
pub(crate) enum Listener {
    /// A name in the file system.
    Unix(UnixListener, Name),
    /// A port.
    Tcp(TcpListener),
}

/// The name of a Unix socket.
#[derive(Debug)]
pub(crate) struct Name(PathBuf);

impl Drop for Name {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Listener {
    /// Binds. The caller has made sure that no living bridge listens there.
    pub(crate) async fn bind(listen: &Listen) -> anyhow::Result<Self> {
        match listen {
            Listen::Unix(path) => {
                let socket =
                    bind_private(path).with_context(|| format!("cannot listen on `{}`", path.display()))?;
                Ok(Self::Unix(socket, Name(path.clone())))
            }
            Listen::Tcp(address) => {
                let socket = TcpListener::bind(address).await;
                Ok(Self::Tcp(socket.with_context(|| format!("cannot listen on `{address}`"))?))
            }
        }
    }

    /// Where it listens; a port 0 is known here.
    pub(crate) fn address(&self) -> io::Result<Listen> {
        match self {
            Self::Unix(_, name) => Ok(Listen::Unix(name.0.clone())),
            Self::Tcp(socket) => Ok(Listen::Tcp(socket.local_addr()?)),
        }
    }

    /// Waits for the next caller.
    pub(crate) async fn accept(&self) -> io::Result<(Input, Output)> {
        match self {
            Self::Unix(socket, _) => {
                let (input, output) = socket.accept().await?.0.into_split();
                Ok((Box::new(input), Box::new(output)))
            }
            Self::Tcp(socket) => {
                let stream = socket.accept().await?.0;
                // It fails where the caller is gone already, which is noticed soon enough.
                let _ = stream.set_nodelay(true);
                let (input, output) = stream.into_split();
                Ok((Box::new(input), Box::new(output)))
            }
        }
    }
}

/// Binds a socket that nobody else could open at any moment: it gets its name only when its mode is right. A socket
/// that stands there, left by a dead bridge, is replaced.
fn bind_private(path: &Path) -> anyhow::Result<UnixListener> {
    if let Ok(found) = std::fs::symlink_metadata(path)
        && !found.file_type().is_socket()
    {
        bail!("something that is no socket stands there; remove it or name another path");
    }
    let folder = path.parent().context("the path has no folder")?;
    let nursery = Nursery::new(folder)?;
    let born = nursery.0.join("s");
    let socket =
        UnixListener::bind(&born).context("is the path too long? A socket's may have about 100 bytes")?;
    std::fs::set_permissions(&born, std::fs::Permissions::from_mode(0o600))?;
    std::fs::rename(&born, path)?;
    Ok(socket)
}

/// A folder only this user can enter, gone when dropped.
struct Nursery(PathBuf);

impl Nursery {
    fn new(folder: &Path) -> io::Result<Self> {
        let path = folder.join(format!(".b{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Nursery {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_is_private_and_a_stale_one_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bridge.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let listener = Listener::bind(&Listen::Unix(path.clone())).await.unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        let (caller, accepted) = tokio::join!(tokio::net::UnixStream::connect(&path), listener.accept());
        assert!(caller.is_ok() && accepted.is_ok());
        drop(listener);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn what_is_no_socket_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notes.txt");
        std::fs::write(&path, "mine").unwrap();
        assert!(Listener::bind(&Listen::Unix(path.clone())).await.is_err());
        assert_eq!(std::fs::read_to_string(path).unwrap(), "mine");
    }
}
