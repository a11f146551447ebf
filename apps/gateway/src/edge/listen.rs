//! The listening socket: connections come in until the gateway stops, and are waited for then.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustix::process::{Resource, getrlimit};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::auth::admit;
use super::lobby::{Lobby, Visitor};
use super::watched::Watched;
use super::{Edge, outlet, router};

/// What a caller may take of us before it has named the token.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// A request's head has to be there after this, counted from the end of the one before it.
    head: Duration,
    /// A connection on which nothing moves for this long is closed. No answer takes as long, and live clients of `/ws`
    /// answer pings far more often.
    silence: Duration,
    /// Connections without a token.
    strangers: usize,
}

const LIMITS: Limits =
    Limits { head: Duration::from_secs(10), silence: Duration::from_mins(3), strangers: 128 };
/// What is read ahead of one connection, and with it the longest head of a request, in bytes.
const READ_AHEAD: usize = 64 << 10;

/// Connections that may wait to be accepted. The usual 128 are fewer than a page full of clients that come back at once,
/// and who finds no room tries again only after a second.
const BACKLOG: u32 = 1024;

/// Listens at an address.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves everything in `router` until `edge.shutdown`; returns when every connection has ended.
pub async fn serve(listener: TcpListener, edge: Edge) {
    let (connections, shutdown) = (edge.connections.clone(), edge.shutdown.clone());
    let access = edge.access.clone();
    let judge = move |request: &mut hyper::Request<Incoming>, visitor: &Visitor, from| {
        let admission = admit(&access, request.headers(), request.uri().query(), visitor, from);
        request.extensions_mut().insert(admission);
        request.extensions_mut().insert(from);
    };
    let limits = Limits { strangers: strangers(), ..LIMITS };
    serve_within(limits, listener, router::router(edge), judge, shutdown).await;
    connections.close();
    connections.wait().await;
}

/// An eighth of the descriptors we may have, so that hundreds may come at once whose first bytes are still on their way.
fn strangers() -> usize {
    let descriptors = getrlimit(Resource::Nofile).current.and_then(|most| usize::try_from(most).ok());
    descriptors.map_or(1024, |most| (most / 8).clamp(128, 1024))
}

/// The same with other limits; `judge` lets in whose request carries a token, and tells the router.
async fn serve_within(
    limits: Limits,
    mut listener: TcpListener,
    router: Router,
    judge: impl Fn(&mut hyper::Request<Incoming>, &Visitor, SocketAddr) + Clone + Send + 'static,
    shutdown: CancellationToken,
) {
    let (lobby, callers) = (Lobby::new(limits.strangers), TaskTracker::new());
    loop {
        let (stream, from) = tokio::select! {
            accepted = Listener::accept(&mut listener) => accepted,
            () = shutdown.cancelled() => break,
        };
        let visitor = Arc::new(lobby.enter());
        let judge = judge.clone();
        let judge = move |request: &mut _, visitor: &_| judge(request, visitor, from);
        callers.spawn(converse(limits, stream, visitor, router.clone(), judge, shutdown.clone()));
    }
    drop(listener);
    callers.close();
    callers.wait().await;
}

/// Answers one connection's requests.
async fn converse(
    limits: Limits,
    stream: TcpStream,
    visitor: Arc<Visitor>,
    router: Router,
    judge: impl Fn(&mut hyper::Request<Incoming>, &Visitor),
    shutdown: CancellationToken,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection sends with delay");
    }
    let stream = outlet::connection(stream);
    let outlet = stream.outlet();
    let over = visitor.over().clone();
    let io = TokioIo::new(Watched::new(stream, limits.silence, visitor.clone()));
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        judge(&mut request, &visitor);
        request.extensions_mut().insert(outlet.clone());
        request.extensions_mut().insert(visitor.clone());
        router.call(request.map(Body::new))
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.head).max_buf_size(READ_AHEAD);
    let mut conversation = std::pin::pin!(http.serve_connection(io, service).with_upgrades());
    let to_end = async {
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = over.cancelled() => {}
        }
    };
    let ended = tokio::select! {
        ended = conversation.as_mut() => ended,
        () = to_end => {
            conversation.as_mut().graceful_shutdown();
            conversation.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use std::net::SocketAddr;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    const LONG: Duration = Duration::from_mins(10);

    struct Served {
        at: SocketAddr,
        shutdown: CancellationToken,
        serving: tokio::task::JoinHandle<()>,
    }

    async fn served(limits: Limits) -> Served {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (at, shutdown) = (listener.local_addr().unwrap(), CancellationToken::new());
        let slow = || tokio::time::sleep(Duration::from_millis(100));
        let router = Router::new().route("/", get(|| async { "hello" })).route("/slow", get(slow));
        let judge = |request: &mut hyper::Request<Incoming>, visitor: &Visitor, _| {
            if request.headers().contains_key("x-known") {
                visitor.let_in();
            }
        };
        let serving = tokio::spawn(serve_within(limits, listener, router, judge, shutdown.clone()));
        Served { at, shutdown, serving }
    }

    impl Served {
        async fn connect(&self, said: &str) -> TcpStream {
            let mut stream = TcpStream::connect(self.at).await.unwrap();
            stream.write_all(said.as_bytes()).await.unwrap();
            stream
        }
    }

    /// Whether the far end has closed; waits for an answer or for that.
    async fn closed(stream: &mut TcpStream) -> bool {
        let read = tokio::time::timeout(Duration::from_secs(20), stream.read(&mut [0; 1024])).await;
        matches!(read.expect("an answer or an end"), Ok(0) | Err(_))
    }

    #[tokio::test]
    async fn half_a_request_is_not_waited_for_longer_than_the_limit() {
        let served = served(Limits { head: Duration::from_millis(50), ..LIMITS }).await;
        for said in ["", "GET / HT", "GET / HTTP/1.1\r\nhost: a\r\n"] {
            assert!(closed(&mut served.connect(said).await).await, "{said}");
        }
        // One that was answered does not stay for ever either.
        let mut stream = served.connect("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        assert!(!closed(&mut stream).await);
        assert!(closed(&mut stream).await);
    }

    #[tokio::test]
    async fn connections_without_a_token_are_bounded_and_keep_nobody_out_who_has_one() {
        let served = served(Limits { head: LONG, silence: LONG, strangers: 2 }).await;
        let known = "GET / HTTP/1.1\r\nhost: a\r\nx-known: 1\r\n\r\n";
        let mut caller = served.connect(known).await;
        assert!(!closed(&mut caller).await);
        let mut halves = Vec::new();
        for _ in 0..5 {
            halves.push(served.connect("GET / HT").await);
        }
        for half in &mut halves[..3] {
            assert!(closed(half).await);
        }
        caller.write_all(known.as_bytes()).await.unwrap();
        assert!(!closed(&mut caller).await);
        assert!(!closed(&mut served.connect(known).await).await);
    }

    #[tokio::test]
    async fn the_end_waits_for_requests_under_way_and_not_for_idle_connections() {
        let served = served(Limits { head: LONG, silence: LONG, strangers: 8 }).await;
        let mut idle = served.connect("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        assert!(!closed(&mut idle).await);
        let mut busy = served.connect("GET /slow HTTP/1.1\r\nhost: a\r\n\r\n").await;
        // A second answer on the first connection tells that the later one was accepted too.
        idle.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        assert!(!closed(&mut idle).await);
        served.shutdown.cancel();
        assert!(closed(&mut idle).await);
        assert!(!closed(&mut busy).await);
        served.serving.await.unwrap();
    }
}
