//! A client of `/ws`: sends frames, waits for the ones it wants, keeps the rest.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::programs::PATIENCE;

/// A connected client.
pub struct Client {
    socket: WebSocketStream<TcpStream>,
    kept: VecDeque<Value>,
    next_id: u64,
    /// The session it belongs to.
    pub session: String,
}

impl Client {
    /// Connects with the token in a header and takes `argus/session`.
    ///
    /// # Panics
    /// When it cannot.
    pub async fn connect(url: &str, query: &str, token: &str) -> Self {
        let mut client = Self::open(url, query, token).await.expect("the gateway takes the client");
        let hello = client.notification("argus/session").await;
        hello["params"]["id"].as_str().unwrap_or_default().clone_into(&mut client.session);
        client
    }

    /// Connects and takes nothing.
    pub async fn open(url: &str, query: &str, token: &str) -> Result<Self, Box<Error>> {
        Self::open_with(url, query, &[("authorization", &format!("Bearer {token}"))]).await
    }

    /// Connects with these headers and takes nothing.
    pub async fn open_with(
        url: &str,
        query: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, Box<Error>> {
        let address = format!("{}/ws?{query}", url.replacen("http", "ws", 1));
        let mut request = address.into_client_request()?;
        for (name, value) in headers {
            if let Ok(value) = value.parse() {
                request.headers_mut().insert(*name, value);
            }
        }
        let place = url.trim_start_matches("http://");
        Self::over(TcpStream::connect(place).await.map_err(Error::Io)?, request).await
    }

    /// Connects as a client that can name no path and no query, and takes nothing.
    pub async fn open_bare(url: &str, token: &str) -> Result<Self, Box<Error>> {
        let mut request = url.replacen("http", "ws", 1).into_client_request()?;
        if let Ok(value) = format!("Bearer {token}").parse() {
            request.headers_mut().insert("authorization", value);
        }
        let place = url.trim_start_matches("http://");
        Self::over(TcpStream::connect(place).await.map_err(Error::Io)?, request).await
    }

    /// Connects with so little room for what it does not read that a gateway soon has to keep it.
    pub async fn open_narrow(url: &str, query: &str, token: &str) -> Result<Self, Box<Error>> {
        let mut request = format!("{}/ws?{query}", url.replacen("http", "ws", 1)).into_client_request()?;
        if let Ok(value) = format!("Bearer {token}").parse() {
            request.headers_mut().insert("authorization", value);
        }
        let socket = TcpSocket::new_v4().map_err(Error::Io)?;
        socket.set_recv_buffer_size(4096).map_err(Error::Io)?;
        let place: SocketAddr =
            url.trim_start_matches("http://").parse().expect("an address of the loopback");
        Self::over(socket.connect(place).await.map_err(Error::Io)?, request).await
    }

    async fn over(stream: TcpStream, request: Request) -> Result<Self, Box<Error>> {
        stream.set_nodelay(true).map_err(Error::Io)?;
        // Frames of any size: limits are the gateway's to keep.
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        let (socket, _) = client_async_with_config(request, stream, Some(config)).await?;
        Ok(Self { socket, kept: VecDeque::new(), next_id: 0, session: String::new() })
    }

    /// Sends a text as it is.
    ///
    /// # Panics
    /// When the connection is gone.
    pub async fn send_text(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.expect("the connection lives");
    }

    /// Sends a text as it is, to a gateway that may not want it; whether it went out.
    pub async fn try_send_text(&mut self, text: String) -> bool {
        self.socket.send(Message::text(text)).await.is_ok()
    }

    /// Sends a text frame of any bytes, UTF-8 or not.
    ///
    /// # Panics
    /// When the connection is gone.
    pub async fn send_text_of(&mut self, bytes: Vec<u8>) {
        let frame = Frame::message(bytes, OpCode::Data(Data::Text), true);
        self.socket.send(Message::Frame(frame)).await.expect("the connection lives");
    }

    /// Sends a binary frame.
    ///
    /// # Panics
    /// When the connection is gone.
    pub async fn send_binary(&mut self, bytes: Vec<u8>) {
        self.socket.send(Message::binary(bytes)).await.expect("the connection lives");
    }

    /// Sends a request; its id.
    pub async fn request(&mut self, method: &str, params: Value) -> u64 {
        self.next_id += 1;
        let id = self.next_id;
        self.send_text(&json!({ "id": id, "method": method, "params": params }).to_string()).await;
        id
    }

    /// Sends a request and waits for its reply, whole.
    pub async fn call(&mut self, method: &str, params: Value) -> Value {
        let id = self.request(method, params).await;
        self.reply(id).await
    }

    /// The reply to `id`.
    pub async fn reply(&mut self, id: u64) -> Value {
        self.wait(&format!("the reply to {id}"), |frame| frame["id"] == id && frame.get("method").is_none())
            .await
    }

    /// Introduces itself as any client does.
    ///
    /// # Panics
    /// When the gateway refuses.
    pub async fn initialize(&mut self) -> Value {
        let info = json!({ "clientInfo": { "name": "test_client", "title": "Test", "version": "1" } });
        let reply = self.call("initialize", info).await;
        assert!(reply.get("result").is_some(), "{reply}");
        self.send_text(r#"{"method":"initialized"}"#).await;
        reply
    }

    /// The next notification of a method.
    pub async fn notification(&mut self, method: &str) -> Value {
        self.wait(method, |frame| frame["method"] == method && frame.get("id").is_none()).await
    }

    /// The next request of the agent.
    pub async fn server_request(&mut self) -> Value {
        self.wait("a request of the agent", |frame| {
            frame.get("method").is_some() && frame.get("id").is_some()
        })
        .await
    }

    /// The text of the agent's message in the next turn that ends; the turn's status too.
    pub async fn turn(&mut self) -> (String, String) {
        let mut text = String::new();
        loop {
            let frame = self
                .wait("a turn to end", |frame| {
                    frame["method"] == "turn/completed"
                        || (frame["method"] == "item/completed"
                            && frame["params"]["item"]["type"] == "agentMessage")
                })
                .await;
            if frame["method"] == "turn/completed" {
                return (text, frame["params"]["turn"]["status"].as_str().unwrap_or_default().to_owned());
            }
            frame["params"]["item"]["text"].as_str().unwrap_or_default().clone_into(&mut text);
        }
    }

    /// The first frame that is wanted, kept or to come; the others are kept.
    ///
    /// # Panics
    /// After [`PATIENCE`], or when the connection ends before.
    pub async fn wait(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.kept.iter().position(&wanted) {
            return self.kept.remove(at).unwrap_or_default();
        }
        let found = timeout(PATIENCE, async {
            loop {
                match self.next().await {
                    Ok(frame) if wanted(&frame) => return frame,
                    Ok(frame) => self.kept.push_back(frame),
                    Err(close) => panic!("the connection ended while waiting for {what}: {close:?}"),
                }
            }
        });
        let found = found.await.ok();
        found.unwrap_or_else(|| panic!("waited {PATIENCE:?} in vain for {what}; kept: {:?}", self.kept))
    }

    /// The next frame, or how the connection ended.
    pub async fn next(&mut self) -> Result<Value, Option<CloseFrame>> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => {
                    return Ok(
                        serde_json::from_str(&text).unwrap_or_else(|_| Value::String(text.to_string()))
                    );
                }
                Some(Ok(Message::Close(close))) => {
                    // The answer to it waits to be sent.
                    _ = self.socket.flush().await;
                    return Err(close);
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    /// Everything that comes until nothing came for `quiet`.
    pub async fn drain(&mut self, quiet: Duration) -> Vec<Value> {
        let mut frames: Vec<_> = self.kept.drain(..).collect();
        while let Ok(Ok(frame)) = timeout(quiet, self.next()).await {
            frames.push(frame);
        }
        frames
    }

    /// Waits for the end of the connection: its close code and reason.
    ///
    /// # Panics
    /// After [`PATIENCE`].
    pub async fn closed(&mut self) -> Option<(u16, String)> {
        let end = timeout(PATIENCE, async {
            loop {
                if let Err(close) = self.next().await {
                    return close.map(|frame| (frame.code.into(), frame.reason.to_string()));
                }
            }
        });
        end.await.expect("the connection ends")
    }

    /// Leaves politely, and hears whether the other side does too.
    pub async fn leave(mut self) -> Option<CloseFrame> {
        _ = self.socket.close(None).await;
        let goodbye = timeout(PATIENCE, async {
            loop {
                if let Err(close) = self.next().await {
                    return close;
                }
            }
        });
        goodbye.await.ok().flatten()
    }
}
