//! What the agent's side does at the desk.

use std::time::Duration;

use argus_protocol::bridge::{AgentState, Event};
use bytes::Bytes;

use super::Desk;
use crate::inbox::{End, Next, Order};
use crate::kept::{Form, Standing};

impl Desk {
    /// Waits until another line of the agent may be read.
    pub(crate) async fn room(&self) {
        while !self.state().kept.has_room() {
            self.room.notified().await;
        }
    }

    /// Numbers and keeps a line of the agent; [`Self::announce`] follows.
    pub(crate) fn keep_frame(&self, line: Bytes) {
        let state = &mut *self.state();
        state.turns.observe(&line);
        state.unheard = false;
        state.kept.push(Form::Frame, line);
        self.look_whether_idle(state);
    }

    /// Numbers and keeps the news of a line that was dropped; [`Self::announce`] follows.
    pub(crate) fn keep_dropped(&self, event: &Event) {
        let state = &mut *self.state();
        if let Event::Dropped { method: Some(method), thread_id, .. } = event
            && method == "turn/completed"
        {
            state.turns.completed(thread_id.as_deref());
        }
        state.kept.push(Form::Event, json(event));
        self.look_whether_idle(state);
    }

    /// Lets the gateway's side see what was kept.
    pub(crate) fn announce(&self) {
        if let Some(gateway) = &self.state().gateway {
            gateway.wake();
        }
    }

    /// An agent starts; tells its epoch.
    pub(crate) fn begin_agent(&self, unix_ms: u64) -> u64 {
        self.state().inbox.begin(unix_ms)
    }

    /// The agent runs.
    pub(crate) fn agent_is_up(&self, epoch: u64) {
        self.keep_standing(AgentState::Up, epoch, None, None);
    }

    /// The agent reads no more input.
    pub(crate) fn agent_is_ending(&self) {
        self.state().inbox.ending();
        self.announce();
    }

    /// The agent is gone, and everything it said is kept.
    pub(crate) fn agent_is_down(&self, epoch: u64, exit: String, stderr_tail: Option<String>) {
        {
            let state = &mut *self.state();
            state.inbox.ended();
            state.turns.clear();
            state.unheard = false;
            self.look_whether_idle(state);
        }
        self.keep_standing(AgentState::Down, epoch, Some(exit), stderr_tail);
    }

    fn keep_standing(
        &self,
        state: AgentState,
        epoch: u64,
        exit: Option<String>,
        stderr_tail: Option<String>,
    ) {
        let event = Event::Agent { state, epoch, exit, stderr_tail };
        self.state().kept.push(Form::Standing(Standing { epoch, state }), json(&event));
        self.announce();
    }

    /// The next frame for agent `epoch`; `None` when there will be none.
    pub(crate) async fn next_input(&self, epoch: u64) -> Option<(u64, Bytes)> {
        loop {
            let next = self.state().inbox.next(epoch);
            match next {
                Next::Frame(number, frame) => return Some((number, frame)),
                Next::Wait => self.input.notified().await,
                Next::End => return None,
            }
        }
    }

    /// Frame `number` is in the agent's input.
    pub(crate) fn handed_over(&self, number: u64) {
        let state = &mut *self.state();
        state.inbox.handed_over(number);
        state.unheard = true;
        if let Some(gateway) = &state.gateway {
            gateway.wake();
            gateway.has_space();
        }
    }

    /// What to do now that no agent runs. None is started before the first gateway came, which says with what it is
    /// reached, nor before the lines of the last one left room for it.
    pub(crate) async fn order(&self) -> Order {
        loop {
            let (order, may_start) = {
                let state = self.state();
                (state.inbox.order(), state.met && state.kept.has_room())
            };
            match order {
                Some(Order::Start) if !may_start => {}
                Some(order) => return order,
                None => {}
            }
            tokio::select! {
                () = self.orders.notified() => {}
                () = self.room.notified() => {}
            }
        }
    }

    /// Waits until the running agent should end; with `after` a stop, until it should end sooner than that.
    pub(crate) async fn end_ordered(&self, after: Option<Duration>) -> End {
        loop {
            let end = self.state().inbox.end();
            match end {
                Some(End::Kill) => return End::Kill,
                Some(End::Stop(grace)) if after.is_none_or(|after| grace < after) => return End::Stop(grace),
                _ => self.orders.notified().await,
            }
        }
    }
}

fn json(event: &Event) -> Bytes {
    serde_json::to_vec(event).expect("an event of texts and numbers is JSON").into()
}
