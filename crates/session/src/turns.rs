//! What the agent says of turns, and what follows: they begin, speak, end.

use argus_protocol::agent::{ErrorNotice, Route, Turn, method};
use argus_protocol::{Frame, ThreadId, TurnId};

use crate::answer::AnswerText;
use crate::effect::Effect;
use crate::lane::{Heard, Leg, Sent, Starting, State, Why, origin};
use crate::progress::note;
use crate::session::{Session, moves};
use crate::turn::Outcome;

/// Most of what is shown of a turn that is kept until it is known whose it is.
const MOST_ASIDE: usize = 256;

impl Session {
    /// A notification: noted where it concerns a lane, then told to everybody.
    pub(crate) fn notice(&mut self, seq: u64, notice: &Frame) {
        let mut text = notice.text().clone();
        // Without a lane nothing that is said concerns us.
        let concerns_us = !self.lanes.all.is_empty() || moves(notice.method());
        let route = concerns_us.then(|| notice.params_as::<Route<'_>>()).flatten().unwrap_or_default();
        let thread = route.thread_id.as_deref().and_then(|id| id.parse::<ThreadId>().ok());
        match (notice.method(), thread) {
            (method::THREAD_STARTED, _) => {
                self.threads.loaded.extend(route.thread.and_then(|thread| thread.id.parse().ok()));
            }
            (method::THREAD_CLOSED, Some(thread)) => {
                self.threads.loaded.remove(&thread);
            }
            (method::SERVER_REQUEST_RESOLVED, _) => text = self.resolved_notice(notice),
            (method::TURN_STARTED, Some(thread)) => {
                if let Some(turn) = route.turn().and_then(|id| id.parse().ok()) {
                    self.turn_started(seq, &thread, turn);
                }
            }
            (method::TURN_COMPLETED, Some(thread)) => {
                if let Some(turn) = route.turn {
                    self.turn_completed(seq, &thread, turn);
                }
            }
            (_, Some(thread)) => self.sign_of_life(seq, &thread, route.turn(), notice),
            (_, None) => {}
        }
        self.broadcast(notice.method(), text);
    }

    /// Anything else in a thread: its turn lives, and perhaps says something.
    fn sign_of_life(&mut self, seq: u64, thread: &ThreadId, turn: Option<&str>, notice: &Frame) {
        let now = self.now.mono;
        let Some(lane) = self.lanes.find_thread(thread).and_then(|id| self.lanes.all.get_mut(&id)) else {
            return;
        };
        let (batch, text, notes, aside) = match &mut lane.state {
            State::Running(running) if seq > running.mark.after => {
                if turn.is_some_and(|turn| turn != running.turn.as_str()) {
                    return;
                }
                running.last_sign = now;
                running.seen |= turn.is_some();
                (&running.batch, &mut running.text, &mut *running.notes, None)
            }
            State::Starting(Starting {
                batch,
                leg: Leg::Sent(Sent { mark, heard: Some(heard), .. }),
                ..
            }) if seq > mark.after && turn.is_none_or(|turn| turn == heard.turn.as_str()) => {
                (&*batch, &mut heard.text, &mut heard.notes, Some(&mut heard.progress))
            }
            _ => return,
        };
        if notice.method() == method::ERROR {
            if let Some(error) = notice.params_as::<ErrorNotice>() {
                lane.trouble = Some(error.error.message);
            }
            return;
        }
        let Some(origin) = origin(batch) else { return };
        let shown = origin.watcher().is_some();
        let Some(progress) = note(notice, text, notes, shown) else { return };
        match aside {
            Some(aside) if aside.len() < MOST_ASIDE => aside.push(progress),
            Some(_) => {}
            None => {
                let (origin, submission) = (origin.clone(), batch[0].id.clone());
                self.effects.push_back(Effect::Progress { origin, submission, progress });
            }
        }
    }

    fn turn_started(&mut self, seq: u64, thread: &ThreadId, turn: TurnId) {
        let (id, current) = (self.lanes.of_thread(thread), self.is_current());
        let Some(lane) = self.lanes.all.get_mut(&id) else { return };
        self.threads.loaded.insert(thread.clone());
        match &mut lane.state {
            State::Running(running) if running.turn == turn => running.seen = true,
            // Before ours, in what the bridge kept.
            State::Running(running) if seq <= running.mark.after || (!running.seen && !current) => {}
            State::Running(running) => {
                let text = std::mem::take(&mut running.text).partial();
                let reason = "another turn took its place".to_owned();
                self.end_turn(id, Outcome::Failed { reason, text });
                self.begin_foreign(id, turn, seq);
            }
            State::Starting(Starting { leg: Leg::Sent(sent), .. }) => {
                if seq > sent.mark.after {
                    sent.heard = Some(Box::new(Heard::new(turn)));
                }
            }
            State::Preparing { .. } | State::Starting(_) => {
                self.step_aside(id);
                self.stands_in_line(id);
                self.begin_foreign(id, turn, seq);
            }
            State::Idle | State::Opening | State::Binding { .. } => self.begin_foreign(id, turn, seq),
            State::Recovering(_) => {}
        }
    }

    fn turn_completed(&mut self, seq: u64, thread: &ThreadId, turn: Turn<'_>) {
        self.clients.disown(thread.as_str());
        self.withdraw_requests(thread.as_str(), &turn.id);
        // An agent that brings a turn to its end, however it ends, is no failed start.
        (self.trouble.agents, self.trouble.links) = (0, 0);
        let Some((id, lane)) =
            self.lanes.find_thread(thread).and_then(|id| Some((id, self.lanes.all.get_mut(&id)?)))
        else {
            return;
        };
        lane.last_completed = Some(turn.id.clone().into_owned());
        match &mut lane.state {
            State::Running(running)
                if seq > running.mark.after && running.turn.as_str() == turn.id && running.over.is_none() =>
            {
                let text = std::mem::take(&mut running.text);
                let why = running.ending.as_ref().map(|ending| &ending.why);
                let outcome = outcome(turn, text, why, lane.trouble.as_deref());
                self.turn_over(id, outcome);
            }
            State::Starting(Starting { leg: Leg::Sent(sent), .. }) if seq > sent.mark.after => {
                let Ok(name) = turn.id.parse::<TurnId>() else { return };
                let heard = sent.heard.take().filter(|heard| heard.turn == name);
                let mut heard = heard.unwrap_or_else(|| Box::new(Heard::new(name)));
                let text = std::mem::take(&mut heard.text);
                heard.outcome = Some(outcome(turn, text, None, lane.trouble.as_deref()));
                sent.heard = Some(heard);
            }
            _ => {}
        }
    }
}

/// How a turn ended, by what the agent says of it and why it was being ended. `trouble`: its newest complaint.
fn outcome(turn: Turn<'_>, text: AnswerText, why: Option<&Why>, trouble: Option<&str>) -> Outcome {
    match (turn.status.as_ref(), why) {
        ("interrupted" | "failed", Some(Why::Limit(words))) => {
            Outcome::Failed { reason: words.clone(), text: text.partial() }
        }
        ("interrupted", _) => Outcome::Interrupted { text: text.partial() },
        ("failed", _) => {
            let said = turn.error.map(|error| error.message).filter(|message| !message.is_empty());
            let reason =
                said.or(trouble.map(str::to_owned)).unwrap_or_else(|| "the agent gave no reason".into());
            Outcome::Failed { reason, text: text.partial() }
        }
        _ => Outcome::Completed { text: text.finish(turn.items) },
    }
}
