//! How long a turn may take, and how long it may be silent.

use crate::config::SessionConfig;
use crate::lane::{Ending, LaneId, Running, State, Why};
use crate::session::Session;

impl Session {
    /// When the next lane has something to do by time alone.
    pub(crate) fn next_lane_limit(&self) -> Option<u64> {
        if !self.is_current() {
            return None;
        }
        let now = self.now.mono;
        let due = self.lanes.all.values().filter_map(|lane| match &lane.state {
            State::Running(running) => match &running.ending {
                _ if running.over.is_some() => None,
                Some(ending) => ending.until,
                None if running.asked_since.is_some() => None,
                None => self.turn_limit(running).map(|(at, _)| at),
            },
            State::Idle if self.is_ready() && !lane.is_idle() => Some(lane.retry_at).filter(|at| *at > now),
            State::Binding { again_at } if self.is_ready() => *again_at,
            _ => None,
        });
        due.min()
    }

    /// When a turn has to end, and why.
    fn turn_limit(&self, running: &Running) -> Option<(u64, String)> {
        if running.batch.is_empty() {
            return None;
        }
        let limit = |start: u64, ms: u64, what: &str| {
            (ms > 0)
                .then(|| (start.saturating_add(ms), format!("{what} for {} s, so it was stopped", ms / 1000)))
        };
        let whole = limit(running.runs_from, self.config.run_timeout_ms, "the turn ran");
        let silent = limit(running.last_sign, self.config.no_output_timeout_ms, "the agent gave no sign");
        whole.into_iter().chain(silent).min()
    }

    /// The link is back: what was waited for may come with it, and has time to.
    pub(crate) fn go_on_waiting(&mut self) {
        let now = self.now.mono;
        self.relay.extend_limits(now + SessionConfig::AFTER_LINK_MS);
        for lane in self.lanes.all.values_mut() {
            if let State::Running(Running { ending: Some(Ending { until: Some(until), .. }), .. }) =
                &mut lane.state
            {
                *until = (*until).max(now + SessionConfig::INTERRUPT_GRACE_MS);
            }
        }
    }

    /// Ends what takes too long. While the link is away nothing does: what the agent says is not heard.
    pub(crate) fn expire_lanes(&mut self) {
        if !self.is_current() {
            return;
        }
        let all = self.lanes.all.iter();
        let running = all.filter(|(_, lane)| matches!(lane.state, State::Running(_))).map(|(id, _)| *id);
        for id in running.collect::<Vec<_>>() {
            self.pause_while_asked(id);
            self.expire_lane(id);
        }
    }

    fn expire_lane(&mut self, id: LaneId) {
        let now = self.now.mono;
        let Some(State::Running(running)) = self.lanes.all.get(&id).map(|lane| &lane.state) else { return };
        match &running.ending {
            _ if running.over.is_some() => {}
            None if running.asked_since.is_some() => {}
            None => {
                if let Some((_, words)) = self.turn_limit(running).filter(|(at, _)| *at <= now) {
                    self.interrupt(id, Why::Limit(words));
                }
            }
            Some(Ending { until: Some(at), .. }) if *at <= now => {
                self.end_hung_agent("the agent did not end a turn when it was told to");
                if let Some(State::Running(Running { ending: Some(ending), .. })) =
                    self.lanes.all.get_mut(&id).map(|lane| &mut lane.state)
                {
                    ending.until = None;
                }
            }
            Some(_) => {}
        }
    }

    /// While a person is asked, neither limit goes on.
    fn pause_while_asked(&mut self, id: LaneId) {
        let now = self.now.mono;
        let Some(lane) = self.lanes.all.get_mut(&id) else { return };
        let (State::Running(running), Some(thread)) = (&mut lane.state, &lane.thread) else { return };
        match (self.requests.concerns(thread.as_str()), running.asked_since) {
            (true, None) => running.asked_since = Some(now),
            (false, Some(since)) => {
                running.asked_since = None;
                running.runs_from += now.saturating_sub(since);
                running.last_sign = now;
            }
            (true, Some(_)) | (false, None) => {}
        }
    }
}
