//! Makes a connection to the gateway, and says in words why there is none.

use std::io;
use std::time::Duration;

use argus_protocol::node::LARGEST_FRAME;
use rustix::net::sockopt;
use tokio::net::TcpStream;
use tokio_tungstenite::client_async_tls_with_config;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::{HeaderMap, HeaderValue, StatusCode, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, error::ProtocolError};

use super::address::Address;
use super::wire::Wire;
use crate::credential::Secret;

/// What a gateway may say in one frame: more than it does, since a call that it would send again must not end the link
/// for ever.
const LARGEST_HEARD: usize = 4 * LARGEST_FRAME;
/// The longest that a gateway can have a node wait.
const LONGEST_RETRY: Duration = Duration::from_mins(5);

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DialError {
    /// Nothing answers there.
    #[error("cannot reach `{0}`: {1}; does the gateway run, and is the address right?")]
    Unreachable(String, io::Error),
    /// Something there takes too long.
    #[error("`{0}` does not answer within {secs} s", secs = .1.as_secs())]
    Slow(String, Duration),
    /// No encryption comes about.
    #[error("no encrypted connection to `{0}`: {1}")]
    Tls(String, String),
    /// The token is not known there.
    #[error("the gateway at `{0}` refuses this node's token (HTTP {1})")]
    Refused(String, u16),
    /// Not now.
    #[error("the gateway at `{0}` takes nobody now (HTTP {1})")]
    Busy(String, u16, Option<Duration>),
    /// There is a server, and no gateway's door.
    #[error("`{0}` is no gateway's door for nodes: {1}")]
    NoDoor(String, String),
}

/// Connects, with the token in a header.
pub(crate) async fn dial(
    address: &Address,
    token: Option<&Secret>,
    patience: Duration,
) -> Result<Wire, DialError> {
    match tokio::time::timeout(patience, connect(address, token)).await {
        Ok(connected) => connected,
        Err(_) => Err(DialError::Slow(address.to_string(), patience)),
    }
}

async fn connect(address: &Address, token: Option<&Secret>) -> Result<Wire, DialError> {
    let unreachable = |error| DialError::Unreachable(address.to_string(), error);
    let no_door = |why: String| DialError::NoDoor(address.to_string(), why);
    let mut request = address.as_str().into_client_request().map_err(|error| no_door(error.to_string()))?;
    if let Some(token) = token {
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", token.expose()))
            .map_err(|_| no_door("the token has characters that cannot be sent".to_owned()))?;
        bearer.set_sensitive(true);
        request.headers_mut().insert(header::AUTHORIZATION, bearer);
    }
    let (host, port) = address.host_and_port();
    let stream = TcpStream::connect((host.as_str(), port)).await.map_err(unreachable)?;
    watch(&stream).map_err(unreachable)?;
    // Fails where it is set already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let sizes = WebSocketConfig::default()
        .read_buffer_size(8 << 10)
        .write_buffer_size(16 << 10)
        .max_write_buffer_size(2 * LARGEST_FRAME)
        .max_message_size(Some(LARGEST_HEARD))
        .max_frame_size(Some(LARGEST_HEARD));
    match client_async_tls_with_config(request, stream, Some(sizes), None).await {
        Ok((socket, _)) => Ok(Wire::new(socket)),
        Err(error) => Err(explain(address, error)),
    }
}

/// A dead peer is noticed by our own questions; this notices it below TLS too, and while something is on its way.
fn watch(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, Duration::from_secs(20))?;
    sockopt::set_tcp_keepintvl(stream, Duration::from_secs(8))?;
    sockopt::set_tcp_keepcnt(stream, 3)?;
    #[cfg(target_os = "linux")]
    sockopt::set_tcp_user_timeout(stream, 44_000)?;
    Ok(())
}

fn explain(address: &Address, error: tungstenite::Error) -> DialError {
    use tungstenite::Error;
    let at = || address.to_string();
    match error {
        Error::Http(response) => refused(at(), response.status(), response.headers()),
        Error::Io(error) => {
            let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
            match tls {
                Some(rustls::Error::InvalidMessage(_)) => {
                    let words = "the other side does not speak TLS; is the address one with `ws://`?";
                    DialError::Tls(at(), words.to_owned())
                }
                Some(error) => DialError::Tls(at(), error.to_string()),
                None if error.kind() == io::ErrorKind::NotFound => DialError::Tls(at(), error.to_string()),
                None => DialError::Unreachable(at(), error),
            }
        }
        Error::Protocol(ProtocolError::HttparseError(_) | ProtocolError::HandshakeIncomplete)
            if address.as_str().starts_with("ws:") =>
        {
            let words = "it does not speak HTTP; if it is to be reached by TLS, write `wss://`";
            DialError::NoDoor(at(), words.to_owned())
        }
        error => DialError::NoDoor(at(), error.to_string()),
    }
}

fn refused(at: String, status: StatusCode, headers: &HeaderMap) -> DialError {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => DialError::Refused(at, status.as_u16()),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            let seconds =
                headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            let wait = seconds.map(|seconds| Duration::from_secs(seconds).min(LONGEST_RETRY));
            DialError::Busy(at, status.as_u16(), wait)
        }
        StatusCode::BAD_REQUEST if at.starts_with("ws:") => {
            let words = "HTTP 400; if it is to be reached by TLS, write `wss://`";
            DialError::NoDoor(at, words.to_owned())
        }
        other => DialError::NoDoor(at, format!("HTTP {}", other.as_u16())),
    }
}
