//! Serves a router on an address of this machine, port 0, from a thread of its own, so that a test which blocks never starves it.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::{io, thread};

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// A running server; dropping it cuts every connection and ends its thread.
#[derive(Debug)]
pub(crate) struct Loopback {
    address: SocketAddr,
    stop: CancellationToken,
    thread: Option<thread::JoinHandle<()>>,
}

impl Loopback {
    /// Starts serving `router` on that address of this machine. Handlers may take a [`Cutter`] as `ConnectInfo`.
    pub(crate) fn serve(host: IpAddr, name: &str, router: Router) -> Self {
        let listener =
            std::net::TcpListener::bind((host, 0)).expect("the address is ours and has a free port");
        listener.set_nonblocking(true).expect("a fresh socket can be made non-blocking");
        let address = listener.local_addr().expect("a bound socket has an address");
        let stop = CancellationToken::new();
        let ended = stop.clone();
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .expect("a current-thread runtime can be built");
                runtime.block_on(async {
                    let listener = TcpListener::from_std(listener).expect("the socket is non-blocking");
                    let door = Door { listener, stop: ended.clone() };
                    let service = router.into_make_service_with_connect_info::<Cutter>();
                    let serving = axum::serve(door, service).into_future();
                    tokio::select! {
                        _ = serving => {}
                        () = ended.cancelled() => {}
                    }
                });
            })
            .expect("a thread can be started");
        Self { address, stop, thread: Some(thread) }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Cuts the connection a request came on, whatever has been written to it.
#[derive(Clone, Debug)]
pub(crate) struct Cutter(CancellationToken);

impl Cutter {
    /// Ends the connection; nothing more of it reaches the client.
    pub(crate) fn cut(&self) {
        self.0.cancel();
    }
}

impl Connected<IncomingStream<'_, Door>> for Cutter {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        stream.remote_addr().clone()
    }
}

struct Door {
    listener: TcpListener,
    stop: CancellationToken,
}

impl Listener for Door {
    type Io = Line;
    type Addr = Cutter;

    async fn accept(&mut self) -> (Line, Cutter) {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let cut = self.stop.child_token();
                    let _ = stream.set_nodelay(true);
                    let ended = Box::pin(cut.clone().cancelled_owned());
                    return (Line { stream, cut: cut.clone(), ended }, Cutter(cut));
                }
                Err(error) => tracing::warn!(%error, "a connection could not be accepted"),
            }
        }
    }

    fn local_addr(&self) -> io::Result<Cutter> {
        Ok(Cutter(self.stop.clone()))
    }
}

/// A connection that can be cut from outside.
struct Line {
    stream: TcpStream,
    cut: CancellationToken,
    ended: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Line {
    fn refuse_if_cut(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.ended.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::ErrorKind::ConnectionReset.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.refuse_if_cut(cx)?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.cut.is_cancelled() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
