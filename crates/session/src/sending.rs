//! What goes down to the agent, in line and in order.

use argus_protocol::RpcError;
use bytes::Bytes;

use crate::config::SessionConfig;
use crate::effect::Effect;
use crate::lane::{Leg, State, SteerLeg};
use crate::link::{Down, Link};
use crate::session::Session;

/// What becomes of the head of the line.
enum Head {
    Send,
    Record,
    Drop,
    Wait,
}

impl Session {
    /// Puts a frame of ours in line towards the agent; `false` when far too much waits there.
    pub(crate) fn send_down(&mut self, text: Bytes) -> bool {
        self.line_up(Down::Frame(text), SessionConfig::OWN_WAITING_BYTES)
    }

    /// The same for a frame of a client, which has less room: no flood of theirs keeps ours away.
    pub(crate) fn send_down_for_client(&mut self, text: Bytes) -> bool {
        self.line_up(Down::Frame(text), SessionConfig::WAITING_BYTES)
    }

    pub(crate) fn line_up(&mut self, down: Down, limit: usize) -> bool {
        self.link.as_mut().is_some_and(|link| link.push(down, limit))
    }

    /// Sends what is in line, as far as the head of the line is ready to go.
    pub(crate) fn flush_down(&mut self) {
        while self.is_current() && !self.a_number_is_taken() {
            match self.head() {
                Head::Send => {
                    let sent = self.link.as_mut().and_then(Link::send_head);
                    self.effects.extend(sent.map(|(seq, text)| Effect::ToRuntime { seq, text }));
                }
                Head::Record => return self.record_start(),
                Head::Drop => self.link.iter_mut().for_each(Link::drop_head),
                Head::Wait => return,
            }
        }
    }

    fn head(&mut self) -> Head {
        let Some(link) = self.link.as_ref().filter(|link| link.has_window()) else { return Head::Wait };
        let (lane, wanted) = match link.queue.front() {
            None => return Head::Wait,
            Some(Down::Frame(_)) => return Head::Send,
            Some(Down::Turn { lane, request_id, .. }) => (*lane, *request_id),
        };
        match self.lanes.all.get(&lane).map(|lane| &lane.state) {
            Some(State::Starting(starting)) if starting.request_id == wanted => match starting.leg {
                Leg::InLine => Head::Record,
                Leg::Recording(_) => Head::Wait,
                Leg::Recorded(_) => {
                    self.start_goes(lane);
                    Head::Send
                }
                Leg::Sent(_) => Head::Drop,
            },
            Some(State::Running(running)) => {
                let steer = running.steers.iter().find(|one| one.request_id() == Some(wanted));
                match steer.map(|steer| &steer.leg) {
                    Some(SteerLeg::InLine { .. }) => Head::Record,
                    Some(SteerLeg::Recording { .. }) => Head::Wait,
                    Some(SteerLeg::Recorded { .. }) => {
                        self.steer_goes(lane, wanted);
                        Head::Send
                    }
                    Some(SteerLeg::Preparing { .. } | SteerLeg::Sent { .. }) | None => Head::Drop,
                }
            }
            // It was stopped, or made room for a client's turn.
            _ => Head::Drop,
        }
    }

    /// A client's frame could not be taken.
    pub(crate) fn overloaded() -> RpcError {
        RpcError::overloaded("the session has too much waiting; try again in a moment")
    }
}
