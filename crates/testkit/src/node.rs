//! A scripted node: a machine at `/nodes/ws` that says what a test has it say.

use std::net::SocketAddr;
use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::programs::PATIENCE;

/// A connected node.
pub struct Node {
    socket: WebSocketStream<TcpStream>,
    id: String,
}

impl Node {
    /// Connects with a token, or with none, and says nothing yet.
    pub async fn open(url: &str, token: Option<&str>) -> Result<Self, Box<Error>> {
        Self::over(url, token, TcpSocket::new_v4().map_err(Error::Io)?).await
    }

    /// The same, with so little room for what it does not read that a gateway soon has to keep it.
    pub async fn open_narrow(url: &str, token: Option<&str>) -> Result<Self, Box<Error>> {
        let socket = TcpSocket::new_v4().map_err(Error::Io)?;
        socket.set_recv_buffer_size(4096).map_err(Error::Io)?;
        Self::over(url, token, socket).await
    }

    async fn over(url: &str, token: Option<&str>, socket: TcpSocket) -> Result<Self, Box<Error>> {
        let mut request = format!("{}/nodes/ws", url.replacen("http", "ws", 1)).into_client_request()?;
        if let Some(Ok(value)) = token.map(|token| format!("Bearer {token}").parse()) {
            request.headers_mut().insert("authorization", value);
        }
        let place: SocketAddr =
            url.trim_start_matches("http://").parse().expect("an address of the loopback");
        let stream = socket.connect(place).await.map_err(Error::Io)?;
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        let (socket, _) = client_async_with_config(request, stream, Some(config)).await?;
        Ok(Self { socket, id: String::new() })
    }

    /// Connects and introduces itself with this `connect` frame (its `type` is added); takes `node.connected`.
    ///
    /// # Panics
    /// When the gateway does not take it.
    pub async fn connect(url: &str, token: &str, connect: Value) -> Self {
        let mut node = Self::open(url, Some(token)).await.expect("the gateway takes the connection");
        node.introduce(connect).await;
        let hello = node.event("node.connected").await;
        assert_eq!(hello["nodeId"], node.id.as_str(), "{hello}");
        node
    }

    /// The usual node of that id, whose program was started as `boot`.
    pub async fn usual(url: &str, token: &str, id: &str, boot: &str) -> Self {
        let connect = json!({ "nodeId": id, "displayName": format!("The {id}"), "platform": "linux", "version": "1",
            "caps": ["system"], "commands": ["system.run", "system.which"], "boot": boot });
        Self::connect(url, token, connect).await
    }

    /// One as the reference has them.
    pub async fn of_the_reference(url: &str, token: &str, id: &str) -> Self {
        let connect = json!({ "nodeId": id, "displayName": id, "platform": "linux", "version": "0.1.0",
            "caps": ["system"], "commands": ["system.run", "system.which"] });
        Self::connect(url, token, connect).await
    }

    /// Says who it is.
    pub async fn introduce(&mut self, mut connect: Value) {
        connect["type"] = json!("connect");
        connect["nodeId"].as_str().unwrap_or_default().clone_into(&mut self.id);
        self.send(connect).await;
    }

    /// Sends a frame as it is.
    ///
    /// # Panics
    /// When the connection is gone.
    pub async fn send(&mut self, frame: Value) {
        assert!(self.try_send(frame.to_string()).await, "the connection lives");
    }

    /// Sends a text to a gateway that may not want it; whether it went out.
    pub async fn try_send(&mut self, text: String) -> bool {
        self.socket.send(Message::text(text)).await.is_ok()
    }

    /// Sends a binary frame.
    ///
    /// # Panics
    /// When the connection is gone.
    pub async fn send_binary(&mut self, bytes: Vec<u8>) {
        self.socket.send(Message::binary(bytes)).await.expect("the connection lives");
    }

    /// Tells an event.
    pub async fn tell(&mut self, event: &str, payload: Value) {
        self.send(json!({ "type": "event", "event": event, "payload": payload })).await;
    }

    /// Answers a call with what came of it.
    pub async fn answer(&mut self, call: &Value, payload: Value) {
        let result = json!({ "id": call["id"], "nodeId": self.id, "ok": true, "payload": payload });
        self.tell("node.invoke.result", result).await;
    }

    /// Answers a call with why it was not done.
    pub async fn fail(&mut self, call: &Value, code: &str, message: &str) {
        let error = json!({ "code": code, "message": message });
        let result = json!({ "id": call["id"], "nodeId": self.id, "ok": false, "error": error });
        self.tell("node.invoke.result", result).await;
    }

    /// Sends the text of a frame in parts, for that call.
    ///
    /// # Panics
    /// When the connection is gone.
    pub async fn send_parts(&mut self, call: &Value, frame: &str) {
        let (mut rest, mut number) = (frame, 0);
        while !rest.is_empty() {
            let (text, after) = rest.split_at(rest.floor_char_boundary(256 << 10));
            let part = json!({ "id": call["id"], "number": number, "last": after.is_empty(), "text": text });
            self.tell("node.part", part).await;
            (rest, number) = (after, number + 1);
        }
    }

    /// The next call.
    pub async fn call(&mut self) -> Value {
        self.event("node.invoke.request").await
    }

    /// The payload of the next event of that name; others before it are left out.
    ///
    /// # Panics
    /// After [`PATIENCE`], or when the connection ends before.
    pub async fn event(&mut self, name: &str) -> Value {
        let found = timeout(PATIENCE, async {
            loop {
                match self.next().await {
                    Ok(mut frame) if frame["event"] == name => return frame["payload"].take(),
                    Ok(_) => {}
                    Err(close) => panic!("the connection ended while waiting for {name}: {close:?}"),
                }
            }
        });
        found.await.unwrap_or_else(|_| panic!("waited {PATIENCE:?} in vain for {name}"))
    }

    /// The next frame, or how the connection ended: its code and reason.
    pub async fn next(&mut self) -> Result<Value, Option<(u16, String)>> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap_or_default()),
                Some(Ok(Message::Close(close))) => {
                    _ = self.socket.flush().await;
                    return Err(close.map(|frame| (frame.code.into(), frame.reason.to_string())));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    /// Everything that comes until nothing came for `quiet`.
    pub async fn drain(&mut self, quiet: Duration) -> Vec<Value> {
        let mut frames = Vec::new();
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
                    return close;
                }
            }
        });
        end.await.expect("the connection ends")
    }
}
