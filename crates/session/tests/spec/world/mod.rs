//! A world around one session: an owner that performs its effects, a bridge with an agent, clients, chats, a clock.
//!
//! Everything happens in steps that a test can order as it likes; [`World::run`] takes them until nothing is left.

pub(crate) mod agent;
pub(crate) mod bridge;
pub(crate) mod disk;
mod people;
mod steps;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use argus_protocol::SubmissionId;
use argus_session::{
    AfterLoss, Answer, ChatQuestion, Effect, Input, KeptFrame, Now, Origin, Policy, Preparation, Progress,
    QuestionEnd, RuntimeLine, Session, SessionConfig, StoreOp, StoreTicket, Ticket,
};
use serde_json::{Value, json};

use agent::{Manners, Threads};
use bridge::{Bridge, Told};
use disk::Disk;

pub(crate) use people::{
    End, chat, completed, failed, from_chat, from_client, interrupted, lane_of, thread_of,
};
pub(crate) use steps::{STEPS, Step};

/// How the owner's store behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    AtOnce,
    Held,
    /// Everything fails but what is tried until it works.
    Failing,
}

/// How the owner writes prompts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Prompts {
    AtOnce,
    Held,
    Failing(&'static str),
}

/// Whether there is a runtime to be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    Works,
    Fails { reason: &'static str, passing: bool },
    Silent,
}

/// What a chat is to be told of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    Put(ChatQuestion),
    Over(String, QuestionEnd),
}

/// Both directions of a connection.
#[derive(Debug, Default)]
pub(crate) struct Pipe {
    down: VecDeque<Told>,
    /// The next line to deliver.
    next: u64,
    /// The newest `took` that was told.
    took: u64,
}

impl Pipe {
    /// What was told and not heard is lost.
    pub(crate) fn forget_orders(&mut self) {
        self.down.clear();
    }

    /// The next line to deliver.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }
}

pub(crate) struct World {
    pub(crate) session: Session,
    pub(crate) config: SessionConfig,
    pub(crate) now: u64,
    pub(crate) disk: Disk,
    pub(crate) store: Store,
    pub(crate) prompts: Prompts,
    pub(crate) host: Host,
    pub(crate) manners: Manners,
    pub(crate) threads: Threads,
    /// What is behind the link.
    pub(crate) after_loss: AfterLoss,
    pub(crate) bridge: Option<Bridge>,
    pub(crate) link: Option<Pipe>,
    pub(crate) stores: VecDeque<(StoreTicket, StoreOp)>,
    pub(crate) keeps: VecDeque<KeptFrame>,
    pub(crate) prepares: VecDeque<Preparation>,
    /// What is on its way to chats.
    pub(crate) asks: VecDeque<Ask>,
    /// The questions that this owner said are over.
    told_over: BTreeSet<String>,
    /// What chats were shown of turns.
    pub(crate) shown: Vec<(Origin, SubmissionId, Progress)>,
    /// Every prompt asked for.
    pub(crate) prepared: Vec<Preparation>,
    pub(crate) provisioning: bool,
    /// How often a runtime was asked for.
    pub(crate) provisioned: u32,
    /// Orders, in words.
    pub(crate) orders: Vec<&'static str>,
    pub(crate) acked: u64,
    pub(crate) answers: BTreeMap<u64, Answer>,
    pub(crate) running: Vec<Origin>,
    /// Questions without an answer.
    pub(crate) asked: BTreeSet<u64>,
    /// Requests of clients without a reply: whose, and its id.
    pub(crate) owed: Vec<(u64, Value)>,
    /// What somebody wanted to come before its time, what was changed, and what the agent was made to ignore.
    pub(crate) hastened: BTreeSet<SubmissionId>,
    pub(crate) amended: BTreeSet<usize>,
    pub(crate) ignored: BTreeSet<&'static str>,
    clients: BTreeMap<u64, Vec<Value>>,
    /// The newest connection of each client that has a name.
    names: BTreeMap<String, u64>,
    bridges: u64,
    next_client: u64,
    next_submission: u64,
    next_ticket: u64,
}

/// Most effects that one input may have.
const MOST_EFFECTS: usize = 10_000;

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// Agents that are reached without a bridge.
    pub(crate) fn plain() -> Self {
        Self { after_loss: AfterLoss::Lost, ..Self::new() }
    }

    pub(crate) fn with(change: impl FnOnce(&mut SessionConfig)) -> Self {
        let mut config = SessionConfig {
            id: "s".parse().unwrap(),
            boot: 1,
            cwd: Some("/work".into()),
            policy: Policy {
                sandbox: "workspace-write".into(),
                sandbox_policy: json!({ "type": "workspaceWrite" }),
                ask: "on-request".into(),
                never: "never".into(),
            },
            run_timeout_ms: 3_600_000,
            no_output_timeout_ms: 0,
            idle_stop_ms: 0,
            approval_timeout_ms: 600_000,
            sign_in: "run `codex login`".into(),
        };
        change(&mut config);
        let mut world = Self {
            session: Session::new(config.clone(), Disk::default().restored(), at(0)),
            config,
            now: 0,
            disk: Disk::default(),
            store: Store::AtOnce,
            prompts: Prompts::AtOnce,
            host: Host::Works,
            manners: Manners::default(),
            threads: Threads::default(),
            after_loss: AfterLoss::Lives,
            bridge: None,
            link: None,
            stores: VecDeque::new(),
            keeps: VecDeque::new(),
            prepares: VecDeque::new(),
            asks: VecDeque::new(),
            told_over: BTreeSet::new(),
            shown: Vec::new(),
            prepared: Vec::new(),
            provisioning: false,
            provisioned: 0,
            orders: Vec::new(),
            acked: 0,
            answers: BTreeMap::new(),
            running: Vec::new(),
            asked: BTreeSet::new(),
            owed: Vec::new(),
            hastened: BTreeSet::new(),
            amended: BTreeSet::new(),
            ignored: BTreeSet::new(),
            clients: BTreeMap::new(),
            names: BTreeMap::new(),
            bridges: 0,
            next_client: 100,
            next_submission: 0,
            next_ticket: 0,
        };
        world.perform();
        world
    }

    /// Feeds the session and performs what it asks for.
    pub(crate) fn feed(&mut self, input: Input) {
        self.session.handle(input, at(self.now));
        self.perform();
    }

    pub(crate) fn hear(&mut self, mut lines: Vec<(u64, RuntimeLine)>) {
        match lines.pop() {
            Some((seq, line)) if lines.is_empty() => self.feed(Input::FromRuntime { seq, line }),
            last => {
                lines.extend(last);
                self.session.hear(lines, at(self.now));
                self.perform();
            }
        }
    }

    fn perform(&mut self) {
        let mut count = 0;
        while let Some(effect) = self.session.next_effect() {
            count += 1;
            assert!(count < MOST_EFFECTS, "one input has no end of effects; the last: {effect:?}");
            self.perform_one(effect);
        }
        let deadline = self.session.next_deadline();
        assert!(deadline.is_none_or(|at| at > self.now), "a deadline passed: {deadline:?} at {}", self.now);
    }

    fn perform_one(&mut self, effect: Effect) {
        match effect {
            Effect::ToClient { client, text } => self.deliver(client, &text),
            Effect::ToClients { clients, text } => {
                for client in clients.iter().copied() {
                    self.deliver(client, &text);
                }
            }
            Effect::Replaced { client } => self.replaced(client),
            Effect::ToRuntime { seq, text } => {
                let text = String::from_utf8(text.to_vec()).expect("frames are text");
                assert!(!text.contains('\n'), "a frame is one line: {text}");
                assert!(self.link.is_some(), "a frame goes nowhere: {text}");
                self.tell(Told::Frame(seq, text));
            }
            Effect::Ack { seq } => {
                self.acked = self.acked.max(seq);
                self.tell(Told::Ack(seq));
            }
            Effect::StartAgent => self.order("start", Told::Start),
            Effect::KillAgent => self.order("kill", Told::Kill),
            Effect::StopRuntime => self.order("stop", Told::Stop),
            Effect::Provision => {
                assert!(!self.provisioning && self.link.is_none(), "one runtime at a time");
                (self.provisioning, self.provisioned) = (true, self.provisioned + 1);
            }
            Effect::Prepare(preparation) => {
                self.prepared.push(preparation.clone());
                self.prepares.push_back(preparation);
            }
            Effect::Keep(frame) => self.keeps.push_back(frame),
            Effect::Store { ticket, op } => self.stores.push_back((ticket, op)),
            Effect::Answer { ticket: Ticket(number), answer } => {
                assert!(self.asked.remove(&number), "question {number} is answered once: {answer:?}");
                self.answers.insert(number, answer);
            }
            Effect::TurnRunning { origin, .. } => self.running.push(origin),
            Effect::AskChat(question) => self.asks.push_back(Ask::Put(question)),
            Effect::QuestionOver { key, end } => {
                assert!(self.told_over.insert(key.clone()), "{key} is over twice");
                self.asks.push_back(Ask::Over(key, end));
            }
            Effect::Progress { origin, submission, progress } => {
                self.shown.push((origin, submission, progress));
            }
            Effect::TurnOver { origin } => {
                let at = self.running.iter().position(|one| *one == origin);
                self.running.remove(at.expect("a turn is over that ran"));
            }
        }
    }

    /// Orders go over the link there is; without one they are lost.
    fn tell(&mut self, told: Told) {
        if let Some(pipe) = &mut self.link {
            pipe.down.push_back(told);
        }
    }

    fn order(&mut self, name: &'static str, told: Told) {
        self.orders.push(name);
        self.tell(told);
    }

    /// No agent is given a `turn/start` or `turn/steer` of ours before its record is durable, nor under another number.
    fn recorded_before_it_goes(&self, bridge: &Bridge, seq: u64, text: &str) {
        let frame: Value = serde_json::from_str(text).expect("frames are JSON");
        let prompt = frame["params"]["input"][0]["text"].as_str().unwrap_or_default();
        let of_ours = (frame["method"] == "turn/start" || frame["method"] == "turn/steer")
            && self.prepared.iter().any(|one| one.text == prompt);
        if !of_ours || seq <= bridge.taken || bridge.agent.is_none() {
            return;
        }
        let recorded = self.disk.rows.iter().any(|row| match &row.state {
            Some(argus_session::OpenState::Starting { boot: to, down_seq, request_id, .. }) => {
                *to == bridge.boot && *down_seq == seq && json!(request_id) == frame["id"]
            }
            _ => false,
        });
        assert!(recorded, "{text} goes as {seq} without a record");
    }
}

pub(crate) fn at(mono: u64) -> Now {
    Now { mono, unix: 1_700_000_000_000 + mono }
}
