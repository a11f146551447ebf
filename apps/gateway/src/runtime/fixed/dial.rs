//! A TCP connection whose end is noticed even when nobody tells of it.

use std::io;
use std::time::Duration;

use rustix::net::sockopt;
use tokio::net::TcpStream;

/// A quiet connection is asked whether it lives after this long …
const QUIET: Duration = Duration::from_secs(20);
/// … again after this long …
const AGAIN: Duration = Duration::from_secs(8);
/// … and given up after so many questions without an answer, which is 44 seconds after the last word.
const QUESTIONS: u32 = 3;

/// Connects to a host, which may be a name.
pub(super) async fn dial(host: &str, port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect((host, port)).await?;
    stream.set_nodelay(true)?;
    watch(&stream)?;
    Ok(stream)
}

/// Lines of agents have no pings among them, so the system asks.
fn watch(stream: &TcpStream) -> io::Result<()> {
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, QUIET)?;
    sockopt::set_tcp_keepintvl(stream, AGAIN)?;
    sockopt::set_tcp_keepcnt(stream, QUESTIONS)?;
    // While something is on its way down it does not ask: the same limit for that.
    #[cfg(target_os = "linux")]
    sockopt::set_tcp_user_timeout(stream, 44_000)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_is_given_up_within_45_seconds_of_silence() {
        let door = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = dial("localhost", door.local_addr().unwrap().port()).await.unwrap();
        assert!(stream.nodelay().unwrap() && sockopt::socket_keepalive(&stream).unwrap());
        let idle = sockopt::tcp_keepidle(&stream).unwrap();
        let asking = sockopt::tcp_keepintvl(&stream).unwrap() * sockopt::tcp_keepcnt(&stream).unwrap();
        assert!(idle + asking < Duration::from_secs(45));
        #[cfg(target_os = "linux")]
        assert!(sockopt::tcp_user_timeout(&stream).unwrap() < 45_000);
    }
}
