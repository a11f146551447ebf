//! A scripted agent: it answers what the gateway asks of it, and plays turns as far as the test says.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Value, json};

/// How it behaves; the test changes what it wants otherwise.
#[derive(Clone, Debug)]
pub(crate) struct Manners {
    /// Requests that are never answered.
    pub(crate) silent: BTreeSet<&'static str>,
    /// Requests that it dies of.
    pub(crate) deadly: BTreeSet<&'static str>,
    /// Requests that are answered with an error.
    pub(crate) refused: BTreeMap<&'static str, String>,
    /// What `account/read` answers.
    pub(crate) account: Value,
    /// When the reply to `turn/start` comes.
    pub(crate) reply: Reply,
    /// Why it does not even start, with its last words.
    pub(crate) stillborn: Option<(String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    First,
    AfterStarted,
    AfterEnd,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            silent: BTreeSet::new(),
            deadly: BTreeSet::new(),
            refused: BTreeMap::new(),
            account: json!({ "account": { "type": "apiKey" }, "requiresOpenaiAuth": true }),
            reply: Reply::First,
            stillborn: None,
        }
    }
}

/// What agents leave on their disk.
#[derive(Debug, Default)]
pub(crate) struct Threads {
    /// Every thread, and how many turns it has.
    pub(crate) turns: BTreeMap<String, u32>,
    /// Threads that another program holds.
    pub(crate) held_elsewhere: BTreeSet<String>,
    /// Every `turn/start` that was carried out: thread, turn, prompt.
    pub(crate) executed: Vec<(String, String, String)>,
    /// Those among them that steered a turn that ran: turn, prompt.
    pub(crate) steered: Vec<(String, String)>,
    /// What was told within a turn: turn, prompt.
    pub(crate) told: Vec<(String, String)>,
    next_thread: u32,
    next_turn: u32,
}

/// One agent process.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) epoch: u64,
    pub(crate) stdin: VecDeque<String>,
    pub(crate) greeted: bool,
    pub(crate) loaded: BTreeSet<String>,
    /// The turn that runs in a thread.
    pub(crate) running: BTreeMap<String, String>,
    /// Every request and notification it read.
    pub(crate) read: Vec<Value>,
    owed: BTreeMap<String, Value>,
    /// Its own requests in turns without an answer: their threads, by id.
    asking: BTreeMap<String, String>,
    next_request: u64,
}

/// What follows from reading one line.
pub(crate) enum Read {
    Says(Vec<Value>),
    Dies,
}

impl Agent {
    pub(crate) fn new(epoch: u64) -> Self {
        Self {
            epoch,
            stdin: VecDeque::new(),
            greeted: false,
            loaded: BTreeSet::new(),
            running: BTreeMap::new(),
            read: Vec::new(),
            owed: BTreeMap::new(),
            asking: BTreeMap::new(),
            next_request: 0,
        }
    }

    /// Reads the oldest line of its input.
    pub(crate) fn read(&mut self, manners: &Manners, threads: &mut Threads) -> Option<Read> {
        let line: Value = serde_json::from_str(&self.stdin.pop_front()?).expect("the agent is sent JSON");
        self.read.push(line.clone());
        let method = line["method"].as_str().unwrap_or_default();
        let id = line["id"].clone();
        if manners.deadly.contains(method) {
            return Some(Read::Dies);
        }
        if method.is_empty()
            && let Some(thread) = self.asking.remove(&id.to_string())
            && !manners.silent.contains("resolved")
        {
            let params = json!({ "threadId": thread, "requestId": id });
            return Some(Read::Says(vec![json!({ "method": "serverRequest/resolved", "params": params })]));
        }
        if method.is_empty() || id.is_null() || manners.silent.contains(method) {
            return Some(Read::Says(vec![]));
        }
        if let Some(why) = manners.refused.get(method) {
            return Some(Read::Says(vec![refusal(&id, why)]));
        }
        Some(Read::Says(self.answer(method, &id, &line["params"], manners, threads)))
    }

    fn answer(
        &mut self,
        method: &str,
        id: &Value,
        params: &Value,
        manners: &Manners,
        threads: &mut Threads,
    ) -> Vec<Value> {
        let thread = params["threadId"].as_str().unwrap_or_default().to_owned();
        let reply = |result: Value| vec![json!({ "id": id, "result": result })];
        match method {
            "initialize" if self.greeted => vec![refusal(id, "Already initialized")],
            "initialize" => {
                self.greeted = true;
                reply(json!({ "userAgent": "argus_gateway/0.169.0 (Test)", "codexHome": "/c" }))
            }
            "account/read" => reply(manners.account.clone()),
            "thread/start" => {
                threads.next_thread += 1;
                let thread = format!("thread-{}", threads.next_thread);
                threads.turns.insert(thread.clone(), 0);
                self.loaded.insert(thread.clone());
                let told = json!({ "method": "thread/started", "params": { "thread": { "id": thread } } });
                [reply(json!({ "thread": { "id": thread } })), vec![told]].concat()
            }
            "thread/resume" if threads.held_elsewhere.contains(&thread) => {
                vec![refusal(id, "thread already has an active writer")]
            }
            "thread/resume" if self.loaded.contains(&thread) || threads.turns.get(&thread) > Some(&0) => {
                self.loaded.insert(thread.clone());
                reply(json!({ "thread": { "id": thread } }))
            }
            "thread/resume" => vec![refusal(id, "no rollout found for thread")],
            "turn/start" if !self.loaded.contains(&thread) => vec![refusal(id, "thread not found")],
            "turn/start" => self.turn(id, &thread, params, manners, threads),
            "turn/steer" => {
                let prompt = params["input"][0]["text"].as_str().unwrap_or_default().to_owned();
                match self.running.get(&thread).filter(|turn| params["expectedTurnId"] == **turn) {
                    Some(turn) => {
                        threads.told.push((turn.clone(), prompt.clone()));
                        threads.executed.push((thread, turn.clone(), prompt));
                        reply(json!({ "turnId": turn }))
                    }
                    None => vec![refusal(id, "no active turn to steer")],
                }
            }
            "turn/interrupt" => match self.running.get(&thread).cloned() {
                Some(turn) => {
                    [reply(json!({})), self.end(&thread, &turn, &json!({ "status": "interrupted" }))].concat()
                }
                None => vec![refusal(id, "no active turn")],
            },
            _ => reply(json!({ "echo": method, "params": params })),
        }
    }

    fn turn(
        &mut self,
        id: &Value,
        thread: &str,
        params: &Value,
        manners: &Manners,
        threads: &mut Threads,
    ) -> Vec<Value> {
        let thread = thread.to_owned();
        let prompt = params["input"][0]["text"].as_str().unwrap_or_default().to_owned();
        let reply =
            |turn: &str| json!({ "id": id, "result": { "turn": { "id": turn, "status": "inProgress" } } });
        if let Some(turn) = self.running.get(&thread) {
            threads.steered.push((turn.clone(), prompt.clone()));
            threads.executed.push((thread.clone(), turn.clone(), prompt));
            return vec![reply(turn)];
        }
        threads.next_turn += 1;
        let turn = format!("turn-{}", threads.next_turn);
        *threads.turns.entry(thread.clone()).or_default() += 1;
        threads.executed.push((thread.clone(), turn.clone(), prompt));
        self.running.insert(thread.clone(), turn.clone());
        let started =
            json!({ "method": "turn/started", "params": { "threadId": thread, "turn": { "id": turn } } });
        match manners.reply {
            Reply::First => vec![reply(&turn), started],
            Reply::AfterStarted => vec![started, reply(&turn)],
            Reply::AfterEnd => {
                self.owed.insert(turn.clone(), reply(&turn));
                vec![started]
            }
        }
    }

    /// A turn that it begins by itself.
    pub(crate) fn begin(&mut self, thread: &str, turn: &str) -> Vec<Value> {
        self.running.insert(thread.to_owned(), turn.to_owned());
        vec![json!({ "method": "turn/started", "params": { "threadId": thread, "turn": { "id": turn } } })]
    }

    /// More of an answer.
    pub(crate) fn delta(&self, thread: &str, text: &str) -> Vec<Value> {
        let turn = &self.running[thread];
        let params =
            json!({ "threadId": thread, "turnId": turn, "itemId": format!("{turn}-m"), "delta": text });
        vec![json!({ "method": "item/agentMessage/delta", "params": params })]
    }

    /// The end of a turn with its answer.
    pub(crate) fn complete(&mut self, thread: &str, text: &str) -> Vec<Value> {
        let turn = self.running[thread].clone();
        let item = json!({ "type": "agentMessage", "text": text });
        let params = json!({ "threadId": thread, "turnId": turn, "item": item });
        let said = json!({ "method": "item/completed", "params": params });
        let end = json!({ "status": "completed", "items": [item] });
        [vec![said], self.end(thread, &turn, &end)].concat()
    }

    /// The end of a turn that failed.
    pub(crate) fn fail(&mut self, thread: &str, why: &str) -> Vec<Value> {
        let turn = self.running[thread].clone();
        self.end(thread, &turn, &json!({ "status": "failed", "error": { "message": why }, "items": [] }))
    }

    fn end(&mut self, thread: &str, turn: &str, end: &Value) -> Vec<Value> {
        self.running.remove(thread);
        self.asking.retain(|_, asking| asking != thread);
        let mut end = end.clone();
        end["id"] = json!(turn);
        let told = json!({ "method": "turn/completed", "params": { "threadId": thread, "turn": end } });
        std::iter::once(told).chain(self.owed.remove(turn)).collect()
    }

    /// A request of its own, with the next number of this process.
    pub(crate) fn ask(&mut self, method: &str, thread: &str) -> Value {
        self.next_request += 1;
        json!({ "id": self.next_request - 1, "method": method, "params": { "threadId": thread } })
    }

    /// A request in the turn that runs in this thread, which it says is resolved when it has its answer.
    pub(crate) fn ask_in_turn(&mut self, method: &str, thread: &str) -> Value {
        let mut request = self.ask(method, thread);
        request["params"]["turnId"] = json!(self.running[thread]);
        request["params"]["itemId"] = json!("i");
        self.asking.insert(request["id"].to_string(), thread.to_owned());
        request
    }

    /// What it read of this method, by `params`.
    pub(crate) fn read_of(&self, method: &str) -> Vec<Value> {
        self.read.iter().filter(|line| line["method"] == method).map(|line| line["params"].clone()).collect()
    }
}

fn refusal(id: &Value, why: &str) -> Value {
    json!({ "id": id, "error": { "code": -32600, "message": why } })
}
