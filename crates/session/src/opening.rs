//! A lane's thread: resumed or made, made durable, tried again or given up.

use argus_protocol::agent::{ACTIVE_WRITER, ThreadReply, method};
use argus_protocol::{Frame, RpcError, ThreadId};
use serde_json::json;

use crate::config::SessionConfig;
use crate::effect::{Answer, Effect, StoreOp};
use crate::input::Ticket;
use crate::lane::{LaneId, State};
use crate::records::Storing;
use crate::relay::Pending;
use crate::session::Session;
use crate::turn::Target;

/// Words in the agent's error for a thread without a single turn, which it never wrote down.
const NO_ROLLOUT: &str = "no rollout";
/// What is said of a thread that cannot be opened, before the agent's own words.
const NOT_OPENED: &str = "the agent could not open the thread: ";
/// How often a thread that another program holds is tried again.
const CONFLICTS: u32 = 10;

impl Session {
    pub(crate) fn ensure_main(&mut self, ticket: Ticket) {
        let id = self.lanes.of(&Target::Main, None);
        let Some(lane) = self.lanes.all.get_mut(&id) else { return };
        let durable = !matches!(lane.state, State::Binding { .. });
        match &lane.thread {
            Some(thread) if durable && self.threads.loaded.contains(thread) => {
                let answer = Answer::Thread(thread.clone());
                self.effects.push_back(Effect::Answer { ticket, answer });
            }
            _ => lane.openers.push(ticket),
        }
    }

    /// Has the lane's thread resumed, or a new one made.
    pub(crate) fn open(&mut self, id: LaneId) {
        let Some(lane) = self.lanes.all.get_mut(&id) else { return };
        lane.state = State::Opening;
        let (cwd, sandbox, never) =
            (&self.config.cwd, &self.config.policy.sandbox, &self.config.policy.never);
        let (method, params) = match &lane.thread {
            Some(thread) => (
                method::THREAD_RESUME,
                json!({ "threadId": thread, "cwd": cwd, "approvalPolicy": never, "sandbox": sandbox, "excludeTurns": true }),
            ),
            None => {
                (method::THREAD_START, json!({ "cwd": cwd, "approvalPolicy": never, "sandbox": sandbox }))
            }
        };
        self.request(method, &params, Pending::Open { lane: id }, SessionConfig::REQUEST_LIMIT_MS);
    }

    /// The agent's word on the lane's thread.
    pub(crate) fn opened(&mut self, id: LaneId, reply: &Frame) {
        let Some(lane) = self.lanes.all.get_mut(&id).filter(|lane| matches!(lane.state, State::Opening))
        else {
            return;
        };
        lane.state = State::Idle;
        let thread =
            reply.result_as::<ThreadReply>().and_then(|reply| reply.thread.id.parse::<ThreadId>().ok());
        match thread {
            Some(thread) if lane.thread.is_some() => {
                lane.conflicts = 0;
                self.threads.loaded.insert(thread);
            }
            Some(thread) => {
                self.threads.loaded.insert(thread.clone());
                self.lanes.rebind(id, Some(thread));
                self.bind(id);
            }
            None => self.not_opened(id, reply.error().unwrap_or("a reply without a thread")),
        }
    }

    fn not_opened(&mut self, id: LaneId, why: &str) {
        let Some(lane) = self.lanes.all.get_mut(&id) else { return };
        let replaceable = lane.thread.is_some() && !matches!(lane.target, Target::Thread { .. });
        if why.contains(ACTIVE_WRITER) && lane.conflicts < CONFLICTS {
            lane.conflicts += 1;
            lane.retry_at = self.now.mono + (1000 << lane.conflicts.min(5));
            lane.trouble = Some("the thread is in use by another program".to_owned());
            self.stands_in_line(id);
        } else if why.contains(NO_ROLLOUT) && replaceable {
            self.lanes.rebind(id, None);
        } else {
            lane.conflicts = 0;
            self.fail_lane(id, &format!("{NOT_OPENED}{}", message_of(why)));
        }
    }

    /// Has the lane's new thread made durable.
    pub(crate) fn bind(&mut self, id: LaneId) {
        let Some(lane) = self.lanes.all.get_mut(&id) else { return };
        let Some(thread) = lane.thread.clone() else { return };
        lane.state = State::Binding { again_at: None };
        let target = lane.target.clone();
        self.store(StoreOp::Bind { target, thread }, Storing::Bind(id));
    }

    /// The lane's new thread is durable; or it could not be made so, which is tried again. Who waits for the thread
    /// itself is told, submissions wait.
    pub(crate) fn bound(&mut self, id: LaneId, result: Result<(), String>) {
        let Some(lane) = self.lanes.all.get_mut(&id) else { return };
        if !matches!(lane.state, State::Binding { again_at: None }) {
            return;
        }
        let Err(why) = result else {
            lane.state = State::Idle;
            return;
        };
        let reason = format!("the thread could not be stored: {why}");
        lane.state = State::Binding { again_at: Some(self.now.mono + 5000) };
        lane.trouble = Some(reason.clone());
        self.fail_openers(id, &reason);
        self.stands_in_line(id);
    }
}

/// Whether submissions failed for this reason because the agent has no such thread, and never will.
pub fn says_thread_is_gone(reason: &str) -> bool {
    reason.strip_prefix(NOT_OPENED).is_some_and(|why| why.contains(NO_ROLLOUT))
}

/// The words of an error object, or the text itself.
pub(crate) fn message_of(error: &str) -> String {
    serde_json::from_str::<RpcError>(error).map_or_else(|_| error.to_owned(), |e| e.message)
}
