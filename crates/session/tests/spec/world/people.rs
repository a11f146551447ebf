//! Clients and chats: what they send, what they got.

use argus_protocol::argus::session::Attached;
use argus_protocol::{ClientId, Frame, SubmissionId};
use argus_session::{
    Answer, Arrival, ChatRef, Haste, Hastened, Heard, Identity, Input, Listening, Origin, Outcome,
    Settlement, Submission, Target, Ticket,
};
use serde_json::{Value, json};

use super::{Step, World};

/// A chat by its name.
pub(crate) fn chat(name: &str) -> ChatRef {
    ChatRef { channel: "telegram".into(), bot: "1".into(), chat: name.parse().unwrap() }
}

pub(crate) fn from_chat(name: &str) -> Origin {
    Origin::Chat { chat: chat(name), user: format!("user of {name}"), message: "1".into() }
}

pub(crate) fn from_client() -> Origin {
    Origin::Client { chat: None }
}

/// The lane of a chat.
pub(crate) fn lane_of(name: &str) -> Target {
    Target::Chat { chat: chat(name), era: 0 }
}

pub(crate) fn thread_of(id: &str) -> Target {
    Target::Thread { id: id.parse().unwrap() }
}

impl World {
    /// A client attaches with `argus/session` as its first frame.
    pub(crate) fn attach(&mut self, client: u64) {
        self.attach_as(client, true);
    }

    pub(crate) fn attach_as(&mut self, client: u64, handler: bool) {
        self.come(client, handler);
        self.run();
    }

    /// A client attaches, and nothing follows yet.
    pub(crate) fn come(&mut self, client: u64, handler: bool) {
        self.come_as(client, handler, Listening::Plain, None);
    }

    fn come_as(&mut self, client: u64, handler: bool, listening: Listening, name: Option<&str>) {
        self.clients.insert(client, Vec::new());
        let hello = Attached::new(self.config.id.clone(), "process");
        let identity = name.map(|name| Identity { holder: "h".to_owned(), name: name.to_owned() });
        let arrival = Arrival { hello, listening, handler, identity };
        self.feed(Input::Attached { client: ClientId::new(client), arrival });
    }

    /// A client of the agent's own wire attaches: it hears what is said once it is greeted.
    pub(crate) fn come_bare(&mut self, client: u64) {
        self.come_as(client, true, Listening::Introduced, None);
    }

    /// A client attaches that says who it is; `after` as for one that wants numbers.
    pub(crate) fn come_named(&mut self, client: u64, name: &str, after: Option<u64>) {
        // What is owed to who has that name is owed to this connection now.
        let before = self.names.insert(name.to_owned(), client);
        self.owed.iter_mut().filter(|(to, _)| Some(*to) == before).for_each(|(to, _)| *to = client);
        let heard = after.map(|number| Heard { number, epoch: Some("e".to_owned()) });
        let listening = heard.map_or(Listening::Plain, |after| Listening::Numbered { after: Some(after) });
        self.come_as(client, true, listening, Some(name));
        let hello = &self.clients[&client][0];
        if hello["params"]["returned"] == false {
            self.owed.retain(|(to, _)| *to != client);
        }
    }

    /// These replies are said again to a client that is about to attach.
    pub(crate) fn expect_again(&mut self, client: u64, ids: &[Value]) {
        self.owed.extend(ids.iter().map(|id| (client, id.clone())));
    }

    /// Another client of that name attaches, and nothing follows yet.
    pub(crate) fn come_anew_named(&mut self, name: &str) {
        self.next_client += 1;
        self.come_named(self.next_client, name, None);
    }

    /// A connection that another one of the same client took the place of.
    pub(super) fn replaced(&mut self, client: ClientId) {
        let number = client.to_string().parse().unwrap();
        self.clients.remove(&number).expect("it was attached");
    }

    /// A client attaches that wants numbers, and first what followed `after`.
    pub(crate) fn attach_after(&mut self, client: u64, after: Option<u64>) {
        let after = after.map(|number| Heard { number, epoch: Some("e".to_owned()) });
        self.come_as(client, false, Listening::Numbered { after }, None);
        self.run();
    }

    /// Another client attaches, and nothing follows yet.
    pub(crate) fn come_anew(&mut self, handler: bool) {
        self.next_client += 1;
        self.come(self.next_client, handler);
    }

    pub(crate) fn detach(&mut self, client: u64) {
        self.leave(client);
        self.run();
    }

    /// A client leaves, and nothing follows yet.
    pub(crate) fn leave(&mut self, client: u64) {
        self.clients.remove(&client);
        if !self.names.values().any(|named| *named == client) {
            self.owed.retain(|(to, _)| *to != client);
        }
        self.feed(Input::Detached { client: ClientId::new(client) });
    }

    pub(super) fn forget_people(&mut self) {
        self.clients.clear();
        self.names.clear();
        self.owed.clear();
        self.asked.clear();
    }

    pub(crate) fn attached(&self) -> Vec<u64> {
        self.clients.keys().copied().collect()
    }

    pub(super) fn deliver(&mut self, client: ClientId, text: &[u8]) {
        let frame: Value = serde_json::from_slice(text).expect("clients get JSON");
        let number = client.to_string().parse::<u64>().unwrap();
        if frame["method"].is_null() {
            let at = self.owed.iter().position(|(to, id)| *to == number && *id == frame["id"]);
            self.owed.remove(at.expect("every request has one reply"));
        }
        self.clients.get_mut(&number).expect("only attached clients get frames").push(frame);
    }

    /// A client sends a frame.
    pub(crate) fn send(&mut self, client: u64, frame: &Value) {
        self.send_text(client, &frame.to_string());
    }

    pub(crate) fn send_text(&mut self, client: u64, text: &str) {
        self.say(client, text);
        self.run();
    }

    /// The same, and nothing follows yet.
    pub(crate) fn say(&mut self, client: u64, text: &str) {
        let frame = Frame::parse_str(text).expect("the edge lets only frames pass");
        if let (argus_protocol::FrameKind::Request, Some(id)) = (frame.kind(), frame.id()) {
            self.owed.push((client, serde_json::from_str(id).unwrap()));
        }
        self.feed(Input::FromClient { client: ClientId::new(client), frame });
    }

    /// What a client got since it was asked last.
    pub(crate) fn got(&mut self, client: u64) -> Vec<Value> {
        std::mem::take(self.clients.get_mut(&client).expect("an attached client"))
    }

    /// Those of them that are errors: id and code.
    pub(crate) fn got_errors(&mut self, client: u64) -> Vec<(Value, i64)> {
        let got = self.got(client).into_iter();
        got.filter_map(|frame| Some((frame["id"].clone(), frame["error"]["code"].as_i64()?))).collect()
    }

    /// Those of them with this method.
    pub(crate) fn got_of(&mut self, client: u64, method: &str) -> Vec<Value> {
        self.got(client).into_iter().filter(|frame| frame["method"] == method).collect()
    }

    /// A client that attached and was greeted; what it got so far is forgotten.
    pub(crate) fn greeted(&mut self, client: u64) {
        self.attach(client);
        self.send(
            client,
            &json!({ "id": 0, "method": "initialize", "params": { "clientInfo": { "name": "c" } } }),
        );
        self.got(client);
    }

    /// A client has the agent run a turn by itself in this thread.
    pub(crate) fn client_turn(&mut self, client: u64, thread: &str, text: &str) {
        let params = json!({ "threadId": thread, "input": [{ "type": "text", "text": text }] });
        self.send(client, &json!({ "id": text, "method": "turn/start", "params": params }));
    }

    /// A client makes a thread.
    pub(crate) fn client_thread(&mut self, client: u64) -> String {
        self.send(client, &json!({ "id": "t", "method": "thread/start", "params": {} }));
        let got = self.got(client);
        let reply = got.iter().find(|frame| frame["id"] == "t").unwrap();
        reply["result"]["thread"]["id"].as_str().unwrap().to_owned()
    }

    fn ticket(&mut self) -> Ticket {
        self.next_ticket += 1;
        self.asked.insert(self.next_ticket);
        Ticket(self.next_ticket)
    }

    /// What was answered to the question asked last.
    pub(crate) fn answer(&self) -> Option<&Answer> {
        self.answers.get(&self.next_ticket)
    }

    /// Stores a submission and hands it over; nothing follows yet.
    pub(crate) fn hand_over(&mut self, target: Target, origin: Origin, text: &str) -> SubmissionId {
        self.next_submission += 1;
        let id: SubmissionId = format!("{:032x}", self.next_submission).parse().unwrap();
        let session = self.config.id.clone();
        let submission = Submission {
            id: id.clone(),
            session,
            target,
            thread: None,
            origin,
            text: text.to_owned(),
            attachments: vec![],
        };
        let submission = self.disk.submit(submission);
        let ticket = Some(self.ticket());
        self.feed(Input::Submit { submission, ticket });
        id
    }

    pub(crate) fn submit(&mut self, target: Target, origin: Origin, text: &str) -> SubmissionId {
        let id = self.hand_over(target, origin, text);
        self.run();
        id
    }

    /// Chat `a` says something in an open thread, and everything goes on until the `turn/start` is on the wire.
    pub(crate) fn submit_until_sent(&mut self, target: Target, text: &str) -> SubmissionId {
        let id = self.hand_over(target, from_chat("a"), text);
        while self.step(Step::Store) || self.step(Step::Prepare) {}
        id
    }

    /// A chat says something in its own lane.
    pub(crate) fn chat_says(&mut self, name: &str, text: &str) -> SubmissionId {
        self.submit(lane_of(name), from_chat(name), text)
    }

    /// The oldest question that some chat was asked and has neither answered nor seen the end of.
    pub(crate) fn open_question(&self) -> Option<String> {
        let open = self.disk.questions.iter().find(|asked| asked.answer.is_none() && asked.end.is_none());
        open.map(|asked| asked.question.key.clone())
    }

    /// A chat answers what it was asked; nothing follows yet.
    pub(crate) fn chat_answers(&mut self, key: &str, result: &str) {
        let asked = self.disk.questions.iter_mut().find(|asked| asked.question.key == key).unwrap();
        let result = asked.answer.get_or_insert_with(|| result.to_owned()).clone();
        self.feed(Input::ChatAnswers { key: key.to_owned(), result });
    }

    pub(crate) fn stop(&mut self, target: Target) -> Answer {
        self.ask_to_stop(target);
        self.run();
        self.answer().cloned().expect("a stop is answered at once")
    }

    /// Somebody says stop, and nothing follows yet.
    pub(crate) fn ask_to_stop(&mut self, target: Target) {
        let ticket = self.ticket();
        self.feed(Input::Stop { target, ticket });
    }

    /// Somebody wants a submission to come before its time; nothing follows yet.
    pub(crate) fn ask_to_hasten(&mut self, id: &SubmissionId, how: Haste) {
        let ticket = self.ticket();
        self.feed(Input::Hasten { submission: id.clone(), how, ticket });
    }

    pub(crate) fn hasten(&mut self, id: &SubmissionId, how: Haste) -> Hastened {
        self.ask_to_hasten(id, how);
        self.run();
        match self.answer() {
            Some(Answer::Hastened(hastened)) => *hastened,
            other => panic!("no word on haste but {other:?}"),
        }
    }

    /// Somebody changes what they said; whether it could still be changed.
    pub(crate) fn amend(&mut self, id: &SubmissionId, text: &str) -> bool {
        let row = self.disk.row(id);
        if row.state != Some(argus_session::OpenState::Queued) {
            return false;
        }
        text.clone_into(&mut row.submission.text);
        let ticket = self.ticket();
        self.feed(Input::Amend { submission: id.clone(), text: text.to_owned(), ticket });
        matches!(self.answer(), Some(Answer::Amended(true)))
    }

    pub(crate) fn status(&mut self, target: Target) -> argus_session::LaneStatus {
        let ticket = self.ticket();
        self.feed(Input::Status { target, ticket });
        match self.answer() {
            Some(Answer::Status(status)) => status.clone(),
            other => panic!("no status but {other:?}"),
        }
    }

    pub(crate) fn ensure_main(&mut self) -> Option<Answer> {
        self.ask_for_main();
        self.run();
        self.answer().cloned()
    }

    /// Somebody wants the main thread, and nothing follows yet.
    pub(crate) fn ask_for_main(&mut self) {
        let ticket = self.ticket();
        self.feed(Input::EnsureMain { ticket });
    }

    /// How a submission ended.
    pub(crate) fn outcome(&self, id: &SubmissionId) -> End {
        match self.settlement(id).map(|settlement| settlement.outcome.clone()) {
            None => End::Open,
            Some(Outcome::Completed { text }) => End::Completed(text),
            Some(Outcome::Interrupted { text }) => End::Interrupted(text),
            Some(Outcome::Failed { reason, text }) => End::Failed { reason, text },
        }
    }

    pub(crate) fn settlement(&self, id: &SubmissionId) -> Option<&Settlement> {
        self.disk.settlements.iter().find(|settlement| settlement.submissions.contains(id))
    }

    /// What agents carried out, by prompt.
    pub(crate) fn executed(&self) -> Vec<&str> {
        self.threads.executed.iter().map(|(_, _, prompt)| prompt.as_str()).collect()
    }
}

/// How a submission ended, if it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Open,
    Completed(String),
    Interrupted(String),
    Failed { reason: String, text: String },
}

pub(crate) fn completed(text: &str) -> End {
    End::Completed(text.to_owned())
}

pub(crate) fn interrupted(text: &str) -> End {
    End::Interrupted(text.to_owned())
}

/// The reason of a failure, and what was said until then.
pub(crate) fn failed(end: End) -> (String, String) {
    match end {
        End::Failed { reason, text } => (reason, text),
        other => panic!("no failure but {other:?}"),
    }
}
