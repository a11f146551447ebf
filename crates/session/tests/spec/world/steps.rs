//! What can happen next in a world, one thing at a time.

use argus_protocol::bridge::Event;
use argus_session::{AfterLoss, Input, Session, StoreOp, StoreTicket};
use serde_json::Value;

use super::agent::Agent;
use super::bridge::{Bridge, Line, Told};
use super::{Ask, Host, Pipe, Prompts, Store, World, at};

/// One thing that goes on by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The oldest thing to be stored is.
    Store,
    /// The oldest frame to be kept is.
    Keep,
    /// The oldest prompt is written.
    Prepare,
    /// The oldest thing that a chat is to be told of a question is.
    Ask,
    /// The runtime is reached, or not.
    Provision,
    /// The bridge hears the oldest thing it was told.
    Down,
    /// The agent reads a line.
    Agent,
    /// The session hears the next line of the bridge.
    Up,
    /// The session hears what the bridge took.
    Took,
}

pub(crate) const STEPS: [Step; 9] = [
    Step::Store,
    Step::Keep,
    Step::Prepare,
    Step::Ask,
    Step::Provision,
    Step::Down,
    Step::Agent,
    Step::Up,
    Step::Took,
];

impl World {
    /// Lets everything go on until nothing is left that does by itself.
    pub(crate) fn run(&mut self) {
        for _ in 0..100_000 {
            if !STEPS.iter().any(|step| self.step(*step)) {
                return;
            }
        }
        panic!("it never comes to rest");
    }

    /// Takes one step; whether there was anything to do.
    pub(crate) fn step(&mut self, step: Step) -> bool {
        match step {
            Step::Store => self.store != Store::Held && self.store_one(),
            Step::Keep => self.keep_one(),
            Step::Prepare => self.prompts != Prompts::Held && self.prepare_one(),
            Step::Ask => self.ask_one(),
            Step::Provision => self.provisioning && self.host != Host::Silent && self.provision(),
            Step::Down => self.hear_one(),
            Step::Agent => {
                self.bridge.as_mut().is_some_and(|b| b.agent_reads(&self.manners, &mut self.threads))
            }
            Step::Up => self.say_one(),
            Step::Took => self.took(),
        }
    }

    pub(crate) fn store_one(&mut self) -> bool {
        let Some((ticket, op)) = self.stores.pop_front() else { return false };
        let fails =
            self.store == Store::Failing && !matches!(op, StoreOp::Settle(_) | StoreOp::Queued { .. });
        let result = if fails {
            Err("the disk is full".to_owned())
        } else {
            self.disk.store(op);
            Ok(())
        };
        self.feed(Input::Stored { ticket, result });
        true
    }

    fn keep_one(&mut self) -> bool {
        let Some(frame) = self.keeps.pop_front() else { return false };
        let number = frame.number;
        self.disk.said.push(frame);
        self.feed(Input::Kept { number });
        true
    }

    pub(crate) fn prepare_one(&mut self) -> bool {
        let Some(preparation) = self.prepares.pop_front() else { return false };
        let prompt = match self.prompts {
            Prompts::Failing(why) => Err(why.to_owned()),
            Prompts::AtOnce | Prompts::Held => Ok(preparation.text.into()),
        };
        self.feed(Input::Prepared { lane: preparation.lane, attempt: preparation.attempt, prompt });
        true
    }

    fn ask_one(&mut self) -> bool {
        match self.asks.pop_front() {
            None => return false,
            Some(Ask::Put(question)) => {
                let key = question.key.clone();
                if let Some(result) = self.disk.ask(question) {
                    self.feed(Input::ChatAnswers { key, result });
                }
            }
            Some(Ask::Over(key, end)) => self.disk.over(&key, end),
        }
        true
    }

    fn provision(&mut self) -> bool {
        self.provisioning = false;
        if let Host::Fails { reason, passing } = self.host {
            self.feed(Input::ProvisionFailed { reason: reason.to_owned(), passing });
            return true;
        }
        if self.bridge.is_none() {
            self.bridges += 1;
            self.acked = 0;
            let made = match self.after_loss {
                AfterLoss::Lives => Bridge::new,
                AfterLoss::Lost => Bridge::plain,
            };
            self.bridge = Some(made(self.bridges, &self.manners));
        }
        let Some(bridge) = &self.bridge else { return false };
        let mut up = bridge.welcome();
        up.handshake.clone_from(&self.disk.handshake);
        let checkpoint = self.disk.checkpoint.clone().filter(|(boot, ..)| *boot == bridge.boot);
        up.checkpoint = checkpoint.map(|(_, seq, body)| (seq, body));
        self.link = Some(Pipe { next: bridge.first(), took: bridge.taken, ..Pipe::default() });
        self.feed(Input::LinkUp(up));
        true
    }

    fn hear_one(&mut self) -> bool {
        let Some(told) = self.link.as_mut().and_then(|pipe| pipe.down.pop_front()) else { return false };
        if let (Told::Frame(seq, text), Some(bridge)) = (&told, &self.bridge) {
            self.recorded_before_it_goes(bridge, *seq, text);
        }
        let Some(bridge) = &mut self.bridge else { return false };
        if !bridge.hear(told, &self.manners) {
            self.bridge = None;
            self.lose_link();
        }
        true
    }

    fn say_one(&mut self) -> bool {
        let (Some(pipe), Some(bridge)) = (&mut self.link, &self.bridge) else { return false };
        assert!(pipe.next >= bridge.first(), "line {} is forgotten before it is sent", pipe.next);
        // Sometimes one line comes alone, sometimes several come together.
        let together = pipe.next..=pipe.next + pipe.next % 4;
        let lines: Vec<_> =
            together.map_while(|seq| Some((seq, bridge.line(seq).map(Line::read)?))).collect();
        pipe.next += lines.len() as u64;
        if lines.is_empty() {
            let over = bridge.hung_up();
            if over {
                self.lose_link();
            }
            return over;
        }
        self.hear(lines);
        true
    }

    fn took(&mut self) -> bool {
        let (Some(pipe), Some(bridge)) = (&mut self.link, &self.bridge) else { return false };
        if bridge.taken <= pipe.took {
            return false;
        }
        pipe.took = bridge.taken;
        let seq = bridge.taken;
        self.feed(Input::RuntimeTook { seq });
        true
    }

    /// Time passes; whatever falls due meanwhile happens.
    pub(crate) fn pass(&mut self, ms: u64) {
        let until = self.now + ms;
        self.run();
        while let Some(due) = self.session.next_deadline().filter(|due| *due <= until) {
            self.now = due;
            self.feed(Input::Tick);
            self.run();
        }
        self.now = until;
        self.feed(Input::Tick);
        self.run();
    }

    /// The connection to the bridge breaks; what was on its way is lost.
    pub(crate) fn lose_link(&mut self) {
        if self.link.take().is_some() {
            self.bridge.take_if(|bridge| bridge.after_loss == AfterLoss::Lost);
            self.feed(Input::LinkDown { reason: "the link ended".to_owned() });
        }
    }

    /// The bridge is gone, and its agent with it.
    pub(crate) fn lose_bridge(&mut self) {
        self.bridge = None;
        self.lose_link();
    }

    /// The agent is gone.
    pub(crate) fn agent_dies(&mut self, exit: &str, tail: &str) {
        self.bridge.iter_mut().for_each(|bridge| bridge.agent_dies(exit, tail));
    }

    /// The gateway ends without a word and another one takes its place; its clients are gone.
    pub(crate) fn restart_gateway(&mut self) {
        (self.link, self.provisioning) = (None, false);
        self.bridge.take_if(|bridge| bridge.after_loss == AfterLoss::Lost);
        self.stores.clear();
        self.keeps.clear();
        self.prepares.clear();
        self.asks.clear();
        self.told_over.clear();
        self.running.clear();
        self.forget_people();
        self.config.boot += 1;
        self.session = Session::new(self.config.clone(), self.disk.restored(), at(self.now));
        self.perform();
    }

    /// The store goes on, with what it holds.
    pub(crate) fn release_store(&mut self) {
        self.store = Store::AtOnce;
        self.run();
    }

    pub(crate) fn held_stores(&self) -> Vec<&StoreOp> {
        self.stores.iter().map(|(_, op): &(StoreTicket, StoreOp)| op).collect()
    }

    pub(crate) fn agent(&self) -> &Agent {
        self.bridge.as_ref().and_then(|bridge| bridge.agent.as_ref()).expect("an agent runs")
    }

    pub(crate) fn has_agent(&self) -> bool {
        self.bridge.as_ref().is_some_and(|bridge| bridge.agent.is_some())
    }

    /// Lets the agent say something.
    pub(crate) fn agent_says(&mut self, what: impl FnOnce(&mut Agent) -> Vec<Value>) {
        let bridge = self.bridge.as_mut().expect("a bridge runs");
        let frames = what(bridge.agent.as_mut().expect("an agent runs"));
        bridge.says(frames);
        self.run();
    }

    /// The same, while nobody listens.
    pub(crate) fn says_unheard(&mut self, what: impl FnOnce(&mut Agent) -> Vec<Value>) {
        let bridge = self.bridge.as_mut().expect("a bridge runs");
        let frames = what(bridge.agent.as_mut().expect("an agent runs"));
        bridge.says(frames);
    }

    pub(crate) fn bridge_says(&mut self, line: Line) {
        self.bridge.as_mut().expect("a bridge runs").keep(line);
        self.run();
    }

    /// The bridge skips a line that is too long.
    pub(crate) fn drops(&mut self, method: Option<&str>, id: Option<&str>, thread: Option<&str>) {
        let (method, id, thread_id) = (method.map(Into::into), id.map(Into::into), thread.map(Into::into));
        self.bridge_says(Line::Event(Event::Dropped { method, id, thread_id, bytes: 100, limit: 10 }));
    }
}
