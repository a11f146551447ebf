//! A gateway and a machine for tests of the link: the one is a real WebSocket server, the other does what tests say.

#![allow(dead_code, missing_docs, reason = "each test program uses its own part of it")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use argus_node_host::credential::Secret;
use argus_node_host::link::{Address, LinkConfig, Machine, Pace, Questions, serve};
use argus_node_host::{Answer, Call, Progress, call::told};
use argus_protocol::node::{
    Connect, Connected, Exited, Fault, FromNode, Joiner, Request, ResultAck, Settled, ToNode, code,
};
use async_trait::async_trait;
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::{Request as Upgrade, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_util::sync::CancellationToken;

pub(crate) const NODE: &str = "n1";
const LIMIT: Duration = Duration::from_secs(20);

/// Times short enough for a test.
pub(crate) fn pace() -> Pace {
    let ms = Duration::from_millis;
    Pace {
        heartbeat: ms(50),
        silence: Duration::from_secs(10),
        patience: Duration::from_secs(10),
        tell_again: ms(300),
        settle: ms(300),
        stable: Duration::from_mins(1),
        first_wait: ms(10),
        longest_wait: ms(40),
    }
}

/// Waits for something that comes soon.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, what).await.expect("it did not come in time")
}

/// What tests say that the machine does.
#[derive(Default)]
pub(crate) struct Fake {
    pub(crate) done: AtomicU64,
    pub(crate) exits: Mutex<Vec<Exited>>,
    pub(crate) told: Mutex<Vec<String>>,
    pub(crate) delivered: Mutex<Vec<String>>,
    pub(crate) given_up: Mutex<Vec<String>>,
    pub(crate) ended: watch::Sender<u64>,
    /// What `held` waits for.
    pub(crate) go: Option<Semaphore>,
}

impl Fake {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { go: Some(Semaphore::new(0)), ..Self::default() })
    }

    pub(crate) fn times_done(&self) -> u64 {
        self.done.load(Ordering::SeqCst)
    }

    /// A job ends that nobody was told of.
    pub(crate) fn end(&self, job: &str) {
        self.exits.lock().unwrap().push(Exited {
            job_id: job.into(),
            exit_code: Some(0),
            ..Exited::default()
        });
        self.ended.send_modify(|n| *n += 1);
    }

    pub(crate) fn let_go(&self) {
        self.go.as_ref().unwrap().add_permits(1);
    }
}

#[async_trait]
impl Machine for Fake {
    fn introduce(&self, connect: Connect) -> Connect {
        Connect { commands: vec!["echo".into(), "held".into()], ..connect }
    }

    async fn call(&self, call: Call) -> Answer {
        self.done.fetch_add(1, Ordering::SeqCst);
        match call.command.as_str() {
            "echo" => told(&call.params),
            "large" => told(&"x\u{1}".repeat(usize::try_from(call.params.as_u64().unwrap()).unwrap())),
            // A job that tells of itself, and ends when the test says so.
            "held" => {
                let _ = call.progress.try_send(Progress::Job(format!("job of {}", call.id)));
                tokio::select! {
                    permit = self.go.as_ref().unwrap().acquire() => permit.unwrap().forget(),
                    () = call.cancel.cancelled() => return Err(Fault::new(code::CANCELLED, "ended")),
                }
                told(&"held")
            }
            "asks" => {
                let _ = call.progress.try_send(Progress::Waiting(Duration::from_mins(1)));
                self.go.as_ref().unwrap().acquire().await.unwrap().forget();
                let _ = call.progress.try_send(Progress::GoesOn);
                told(&"asked")
            }
            "deaf" => std::future::pending().await,
            "panics" => panic!("as it should"),
            other => Err(Fault::new(code::UNSUPPORTED, other)),
        }
    }

    async fn untold(&self) -> Vec<Exited> {
        self.exits.lock().unwrap().iter().take(64).cloned().collect()
    }

    fn ended(&self) -> watch::Receiver<u64> {
        self.ended.subscribe()
    }

    async fn told(&self, job_id: &str) {
        self.exits.lock().unwrap().retain(|exited| exited.job_id != job_id);
        self.told.lock().unwrap().push(job_id.to_owned());
    }

    fn at_work(&self) -> usize {
        0
    }

    fn result_given_up(&self, call_id: &str) {
        self.given_up.lock().unwrap().push(call_id.to_owned());
    }

    async fn result_delivered(&self, call_id: &str) {
        self.delivered.lock().unwrap().push(call_id.to_owned());
    }
}

/// The gateway.
pub(crate) struct Gateway {
    pub(crate) door: TcpListener,
    pub(crate) url: String,
}

/// One connection of a node to it.
pub(crate) struct Visit {
    socket: WebSocketStream<TcpStream>,
    joiner: Joiner,
    pub(crate) authorization: Option<String>,
    pub(crate) uri: String,
}

/// A node whose link is kept until this is dropped.
pub(crate) struct Node {
    pub(crate) machine: Arc<Fake>,
    pub(crate) questions: Questions,
    pub(crate) stop: CancellationToken,
    pub(crate) serving: JoinHandle<()>,
}

impl Drop for Node {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Node {
    pub(crate) fn of(gateway: &Gateway) -> Self {
        Self::paced(gateway, pace())
    }

    pub(crate) fn paced(gateway: &Gateway, pace: Pace) -> Self {
        let (machine, questions, stop) = (Fake::new(), Questions::default(), CancellationToken::new());
        let config = LinkConfig {
            address: Address::read(&gateway.url).unwrap().address,
            token: Secret::new("sesame"),
            connect: Connect { node_id: NODE.into(), ..Connect::default() },
            pace,
        };
        let as_machine: Arc<dyn Machine> = Arc::clone(&machine) as _;
        let serving = tokio::spawn(serve(config, as_machine, questions.clone(), stop.clone()));
        Self { machine, questions, stop, serving }
    }
}

impl Gateway {
    pub(crate) async fn open() -> Self {
        let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/nodes/ws", door.local_addr().unwrap());
        Self { door, url }
    }

    /// The next bare connection.
    pub(crate) async fn knock(&self) -> TcpStream {
        soon(self.door.accept()).await.unwrap().0
    }

    /// The next node, as far as its upgrade.
    pub(crate) async fn visit(&self) -> Visit {
        let (mut authorization, mut uri) = (None, String::new());
        let stream = self.knock().await;
        #[allow(clippy::result_large_err, reason = "the library's own type")]
        let look = |request: &Upgrade, response: Response| {
            let value = request.headers().get("authorization");
            authorization = value.map(|value| value.to_str().unwrap().to_owned());
            uri = request.uri().to_string();
            Ok(response)
        };
        let socket = soon(tokio_tungstenite::accept_hdr_async(stream, look)).await.unwrap();
        Visit { socket, joiner: Joiner::default(), authorization, uri }
    }

    /// The next node, greeted.
    pub(crate) async fn welcome(&self) -> (Visit, Connect) {
        self.welcome_as(None).await
    }

    /// The same by that process of the gateway.
    pub(crate) async fn welcome_as(&self, process: Option<&str>) -> (Visit, Connect) {
        let mut visit = self.visit().await;
        let FromNode::Connect(connect) = visit.hear().await else { panic!("no connect frame first") };
        visit
            .say(&ToNode::Connected(Connected {
                node_id: connect.node_id.clone(),
                display_name: None,
                gateway: process.map(str::to_owned),
            }))
            .await;
        (visit, *connect)
    }
}

impl Visit {
    pub(crate) async fn say(&mut self, frame: &ToNode) {
        self.say_text(frame.write()).await;
    }

    pub(crate) async fn say_text(&mut self, text: impl Into<Utf8Bytes>) {
        self.socket.send(Message::Text(text.into())).await.unwrap();
    }

    pub(crate) async fn send(&mut self, message: Message) -> bool {
        self.socket.send(message).await.is_ok()
    }

    /// The next frame that is no heartbeat, put together if it came in parts.
    pub(crate) async fn hear(&mut self) -> FromNode {
        soon(async {
            loop {
                let heard = self.socket.next().await.expect("the node is gone").expect("the node is gone");
                let Message::Text(text) = heard else { continue };
                assert!(text.len() <= argus_protocol::node::LARGEST_FRAME, "a frame of {} bytes", text.len());
                match FromNode::read(text.as_str()).unwrap() {
                    FromNode::Heartbeat(_) => {}
                    FromNode::Part(part) => {
                        if let Some(whole) = self.joiner.take(&part).unwrap() {
                            return FromNode::read(&whole).unwrap();
                        }
                    }
                    frame => return frame,
                }
            }
        })
        .await
    }

    /// The next frame of any kind.
    pub(crate) async fn hear_any(&mut self) -> Option<Message> {
        soon(self.socket.next()).await.and_then(Result::ok)
    }

    pub(crate) async fn call(&mut self, id: &str, command: &str, params: Value) {
        let request = Request {
            id: id.into(),
            node_id: NODE.into(),
            command: command.into(),
            params_json: Some(params.to_string()),
            timeout_ms: None,
            idempotency_key: None,
            session_id: None,
            ticket: None,
        };
        self.say(&ToNode::Request(Box::new(request))).await;
    }

    /// The result that comes next.
    pub(crate) async fn result(&mut self) -> Settled {
        match self.hear().await {
            FromNode::Result(settled) => *settled,
            other => panic!("no result: {other:?}"),
        }
    }

    /// The result that comes next, and what is in it.
    pub(crate) async fn answer(&mut self) -> (String, Result<Value, String>) {
        let settled = self.result().await;
        let id = settled.id.clone();
        match settled.error.clone() {
            Some(fault) => (id, Err(fault.code)),
            None => (id, Ok(serde_json::from_str(settled.into_payload().get()).unwrap())),
        }
    }

    pub(crate) async fn ack(&mut self, id: &str) {
        self.say(&ToNode::ResultAck(ResultAck { id: id.into() })).await;
    }

    pub(crate) async fn close(mut self, code: u16) {
        let frame = CloseFrame { code: CloseCode::from(code), reason: "as the test says".into() };
        self.socket.close(Some(frame)).await.unwrap();
        while soon(self.socket.next()).await.is_some_and(|heard| heard.is_ok()) {}
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it is what calls are answered")]
pub(crate) fn echoed(value: &str) -> Result<Value, String> {
    Ok(json!(value))
}

/// Waits until something holds.
pub(crate) async fn until(what: impl Fn() -> bool) {
    soon(async {
        while !what() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}
