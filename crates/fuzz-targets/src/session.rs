//! A session whose clients and agent write whatever they like.
//!
//! The input is a script, one deed a line, so that seeds are readable: see [`Stage::deed`].

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use argus_protocol::bridge::{AgentState, Event};
use argus_protocol::{ClientId, Frame, FrameKind, SubmissionId};
use argus_session::{
    AfterLoss, Arrival, ChatRef, Effect, Haste, Heard, Identity, Input, LinkUp, Listening, Now, Origin,
    Policy, Restored, RuntimeLine, Session, SessionConfig, Submission, Target, Ticket,
};
use bytes::Bytes;

use crate::frame::again;

/// Plays the script.
pub fn session(bytes: &[u8]) {
    let mut stage = Stage::new();
    for line in bytes.split(|byte| *byte == b'\n').take(MOST_DEEDS) {
        let (mark, rest) = line.split_at(line.len().min(1));
        if let Some(input) = stage.deed(mark, rest) {
            stage.feed(input);
        }
    }
}

const MOST_DEEDS: usize = 200;

/// Most effects that follow from one input and the owner's answers to them.
const MOST_EFFECTS: usize = 10_000;

/// An owner who does all that is asked for at once, and what it must remember to hold the session to its word.
struct Stage {
    session: Session,
    now: u64,
    next: u64,
    /// Who is here. The last digit is the name in the script; the whole number is given once.
    clients: BTreeSet<u64>,
    /// Their names, for those that have one.
    names: BTreeMap<u64, String>,
    /// Requests of clients without a reply, and how often each id is open. A client with a name may hear a reply again.
    owed: BTreeMap<(String, String), usize>,
    questions: BTreeSet<u64>,
    provisioning: bool,
    linked: bool,
    agent: u64,
    last_line: u64,
    last_sent: u64,
    /// Ids of the newest request to the agent and of the newest question to a client.
    newest: (String, String),
    kept: u64,
    running: Vec<Origin>,
    submitted: Option<SubmissionId>,
    /// What chats were asked and is not over, and the newest that one was asked.
    open: BTreeSet<String>,
    asked: Option<String>,
}

impl Stage {
    fn new() -> Self {
        let config = SessionConfig {
            id: "s".parse().expect("an id"),
            boot: 1,
            cwd: Some("/work".into()),
            policy: Policy {
                sandbox: "workspace-write".into(),
                sandbox_policy: serde_json::json!({ "type": "workspaceWrite" }),
                ask: "on-request".into(),
                never: "never".into(),
            },
            run_timeout_ms: 3_600_000,
            no_output_timeout_ms: 600_000,
            idle_stop_ms: 1_800_000,
            approval_timeout_ms: 600_000,
            sign_in: "run `codex login`".into(),
        };
        Self {
            session: Session::new(config, Restored::default(), Now::default()),
            now: 0,
            next: 0,
            clients: BTreeSet::new(),
            names: BTreeMap::new(),
            owed: BTreeMap::new(),
            questions: BTreeSet::new(),
            provisioning: false,
            linked: false,
            agent: 0,
            last_line: 0,
            last_sent: 0,
            newest: Default::default(),
            kept: 0,
            running: Vec::new(),
            submitted: None,
            open: BTreeSet::new(),
            asked: None,
        }
    }

    /// | line | what happens |
    /// |---|---|
    /// | `+`, `+7`, `+ann 7` | a client comes, without numbers or after 7, perhaps one that has a name |
    /// | `-3` | client 3 goes |
    /// | `0{…}` … `9{…}` | that client says a frame; `$` is the id of the newest question |
    /// | `>{…}` | the agent says a frame; `$` is the id of the newest request |
    /// | `!up`, `!down`, `!{…}` | the bridge tells of the agent, or of something else |
    /// | `@link`, `@lost`, `@none` | a runtime is reached, is lost, or there is none |
    /// | `s`, `sthread-1` | a submission for the main thread or for another |
    /// | `c`, `cthread-1` | the same of a chat |
    /// | `h`, `i`, `a` | the newest submission is told within the turn that runs, takes its place, or is changed |
    /// | `y{…}` | the chat's answer to the newest question that it was asked |
    /// | `m`, `x`, `?` | the main thread is wanted; what runs there is to stop; how is it there |
    /// | `t500` | so many milliseconds pass |
    fn deed(&mut self, mark: &[u8], rest: &[u8]) -> Option<Input> {
        let text = std::str::from_utf8(rest).ok()?;
        let number = || text.trim().parse::<u64>().ok();
        match mark {
            b"+" => match text.trim().rsplit_once(' ') {
                Some((name, number)) => self.comes(Some(name.to_owned()), number.parse().ok()),
                None => self.comes(None, number()),
            },
            b"-" => {
                let client = self.client(number()?)?;
                self.clients.remove(&client);
                Some(Input::Detached { client: ClientId::new(client) })
            }
            [digit @ b'0'..=b'9'] => self.says(u64::from(digit - b'0'), &text.replace('$', &self.newest.1)),
            b">" if self.linked => {
                let said = Frame::parse_str(&text.replace('$', &self.newest.0));
                Some(self.line(said.map_or(RuntimeLine::Noise, RuntimeLine::Frame)))
            }
            b"!" if self.linked => {
                let event = match text {
                    "up" => {
                        self.agent += 1;
                        Event::Agent {
                            state: AgentState::Up,
                            epoch: self.agent,
                            exit: None,
                            stderr_tail: None,
                        }
                    }
                    "down" => {
                        let exit = Some("exit 1".to_owned());
                        Event::Agent { state: AgentState::Down, epoch: self.agent, exit, stderr_tail: None }
                    }
                    json => serde_json::from_str(json).ok()?,
                };
                Some(self.line(RuntimeLine::Event(event)))
            }
            b"@" => self.link(text),
            b"s" | b"c" => {
                self.next += 1;
                let chat = ChatRef {
                    channel: "c".into(),
                    bot: "1".into(),
                    chat: "a".parse().expect("a chat's key"),
                };
                let origin = match mark {
                    b"c" => Origin::Chat { chat, user: "u".into(), message: "1".into() },
                    _ => Origin::Client { chat: None },
                };
                let submission = Submission {
                    id: format!("{:032x}", self.next).parse().expect("32 hex digits"),
                    session: "s".parse().expect("an id"),
                    target: target(text),
                    thread: None,
                    origin,
                    text: "do".into(),
                    attachments: Vec::new(),
                };
                self.submitted = Some(submission.id.clone());
                Some(Input::Submit { submission, ticket: Some(self.ticket()) })
            }
            b"h" | b"i" => {
                let how = if mark == b"h" { Haste::Steer } else { Haste::Interrupt };
                let submission = self.submitted.clone()?;
                Some(Input::Hasten { submission, how, ticket: self.ticket() })
            }
            b"a" => {
                let submission = self.submitted.clone()?;
                Some(Input::Amend { submission, text: text.to_owned(), ticket: self.ticket() })
            }
            b"y" => Some(Input::ChatAnswers { key: self.asked.clone()?, result: text.to_owned() }),
            b"m" => Some(Input::EnsureMain { ticket: self.ticket() }),
            b"x" => Some(Input::Stop { target: target(text), ticket: self.ticket() }),
            b"?" => Some(Input::Status { target: target(text), ticket: self.ticket() }),
            b"t" => {
                self.now += number()?.min(10_000_000);
                Some(Input::Tick)
            }
            _ => None,
        }
    }

    fn comes(&mut self, identity: Option<String>, after: Option<u64>) -> Option<Input> {
        let name = (0..10).find(|name| self.client(*name).is_none())?;
        self.next += 1;
        let client = self.next * 10 + name;
        self.clients.insert(client);
        let listening = match after {
            None => Listening::Plain,
            Some(number) => Listening::Numbered { after: Some(Heard { number, epoch: None }) },
        };
        let hello = serde_json::from_str(r#"{"id":"s","mode":"process","attached":true,"created":false}"#);
        let hello = hello.expect("the first frame's parameters");
        self.names.extend(identity.clone().map(|identity| (client, identity)));
        let (handler, identity) =
            (name % 3 != 2, identity.map(|name| Identity { holder: "h".to_owned(), name }));
        let arrival = Arrival { hello, listening, handler, identity };
        Some(Input::Attached { client: ClientId::new(client), arrival })
    }

    fn client(&self, name: u64) -> Option<u64> {
        self.clients.iter().copied().find(|client| client % 10 == name)
    }

    fn says(&mut self, name: u64, text: &str) -> Option<Input> {
        let (client, frame) = (self.client(name)?, Frame::parse_str(text).ok()?);
        if let (FrameKind::Request, Some(id)) = (frame.kind(), frame.id()) {
            *self.owed.entry((self.whose(client), id.to_owned())).or_default() += 1;
        }
        Some(Input::FromClient { client: ClientId::new(client), frame })
    }

    /// The name of a client, or what stands for it.
    fn whose(&self, client: u64) -> String {
        self.names.get(&client).cloned().unwrap_or_else(|| client.to_string())
    }

    fn line(&mut self, line: RuntimeLine) -> Input {
        self.last_line += 1;
        Input::FromRuntime { seq: self.last_line, line }
    }

    fn link(&mut self, what: &str) -> Option<Input> {
        match what {
            "link" if std::mem::take(&mut self.provisioning) => {
                self.linked = true;
                Some(Input::LinkUp(LinkUp {
                    boot: "boot".into(),
                    agent_epoch: self.agent,
                    agent_state: AgentState::Down,
                    first_seq: self.last_line + 1,
                    last_seq: self.last_line,
                    last_down_seq: self.last_sent,
                    after_loss: if self.now.is_multiple_of(2) { AfterLoss::Lives } else { AfterLoss::Lost },
                    handshake: None,
                    checkpoint: None,
                }))
            }
            "none" if std::mem::take(&mut self.provisioning) => {
                Some(Input::ProvisionFailed { reason: "none".into(), passing: self.now.is_multiple_of(2) })
            }
            "lost" if std::mem::take(&mut self.linked) => Some(Input::LinkDown { reason: "lost".into() }),
            _ => None,
        }
    }

    fn ticket(&mut self) -> Ticket {
        self.next += 1;
        self.questions.insert(self.next);
        Ticket(self.next)
    }

    /// Feeds one input and all that follows from it.
    fn feed(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        let mut effects = 0;
        while let Some(input) = inputs.pop_front() {
            self.session.handle(input, Now { mono: self.now, unix: 1_700_000_000_000 + self.now });
            while let Some(effect) = self.session.next_effect() {
                effects += 1;
                assert!(effects < MOST_EFFECTS, "one deed has no end of effects; the last: {effect:?}");
                inputs.extend(self.perform(effect));
            }
        }
        let deadline = self.session.next_deadline();
        assert!(deadline.is_none_or(|at| at > self.now), "a deadline passed: {deadline:?} at {}", self.now);
    }

    fn perform(&mut self, effect: Effect) -> Option<Input> {
        match effect {
            Effect::ToClient { client, text } => self.told(&client.to_string(), text),
            Effect::ToClients { clients, text } => {
                for client in clients.iter() {
                    self.told(&client.to_string(), text.clone());
                }
            }
            Effect::ToRuntime { seq, text } => {
                assert!(self.linked && seq > self.last_sent, "frame {seq} goes after {}", self.last_sent);
                self.last_sent = seq;
                if let (FrameKind::Request, Some(id)) = (again(text.clone()).kind(), again(text).id()) {
                    id.clone_into(&mut self.newest.0);
                }
                return Some(Input::RuntimeTook { seq });
            }
            Effect::Ack { seq } => assert!(seq <= self.last_line, "line {seq} was not heard"),
            Effect::Provision => {
                assert!(!self.provisioning && !self.linked, "one runtime at a time");
                self.provisioning = true;
            }
            Effect::Prepare(wanted) => {
                let prompt = Ok(wanted.text.into());
                return Some(Input::Prepared { lane: wanted.lane, attempt: wanted.attempt, prompt });
            }
            Effect::Store { ticket, .. } => return Some(Input::Stored { ticket, result: Ok(()) }),
            Effect::Keep(frame) => {
                assert_eq!(frame.number, self.kept + 1, "numbers have no holes");
                self.kept = frame.number;
                return Some(Input::Kept { number: frame.number });
            }
            Effect::Answer { ticket: Ticket(number), answer } => {
                assert!(self.questions.remove(&number), "question {number} is answered once: {answer:?}");
            }
            Effect::TurnRunning { origin, .. } => self.running.push(origin),
            Effect::AskChat(question) => {
                assert!(self.open.insert(question.key.clone()), "{} is asked once", question.key);
                self.asked = Some(question.key);
            }
            Effect::QuestionOver { key, .. } => {
                assert!(self.open.remove(&key), "{key} is over, which is not open");
            }
            Effect::TurnOver { origin } => {
                let at = self.running.iter().position(|one| *one == origin);
                self.running.swap_remove(at.expect("a turn is over that ran"));
            }
            Effect::Replaced { client } => {
                self.clients.retain(|here| ClientId::new(*here) != client);
            }
            Effect::Progress { .. } | Effect::StartAgent | Effect::KillAgent | Effect::StopRuntime => {}
        }
        None
    }

    fn told(&mut self, client: &str, text: Bytes) {
        let client = client.parse::<u64>().expect("a client's number");
        assert!(self.clients.contains(&client), "{client} is not here: {text:?}");
        let frame = again(text);
        match (frame.kind(), frame.id()) {
            (FrameKind::Request, Some(id)) => id.clone_into(&mut self.newest.1),
            (FrameKind::Response, Some(id)) => {
                let owed = self.owed.get_mut(&(self.whose(client), id.to_owned()));
                let owed = owed.filter(|owed| **owed > 0);
                let owed = owed.unwrap_or_else(|| panic!("{client} did not ask: {:?}", frame.text()));
                *owed -= usize::from(!self.names.contains_key(&client));
            }
            _ => {}
        }
    }
}

fn target(text: &str) -> Target {
    text.parse().map_or(Target::Main, |id| Target::Thread { id })
}
