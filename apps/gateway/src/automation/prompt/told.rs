//! The events that a turn carries, as lines: those of its thread, and before them the job that is due.

use argus_protocol::SessionId;
use argus_protocol::argus::cron::Job;
use argus_session::{Beat, Origin, Preparation, Target};
use serde_json::{Map, json};

use super::{Prompts, Writing};
use crate::automation::events::{Event, Queue, line};

impl Prompts {
    /// The lines of the events that this turn carries from now on; none where its prompt is written anew meanwhile.
    pub(super) async fn events(
        &self,
        session: &SessionId,
        turn: &Preparation,
        writing: &Writing<'_>,
    ) -> Result<Vec<String>, String> {
        let queues = self.queues(session, turn).await?;
        if !writing.is_newest() {
            return Err("it was written anew meanwhile".to_owned());
        }
        let carried = if turn.steers {
            self.ledger.release_events(&turn.submissions).await.map(|()| Vec::new())
        } else {
            self.ledger.carry_events(session, &queues, &turn.submissions).await
        };
        let carried = carried.map_err(|error| format!("its system events cannot be read: {error}"))?;
        let due = self.due(session, turn).await;
        Ok(due.iter().chain(&carried).map(line).collect())
    }

    /// The queues whose events this turn's thread is to hear.
    async fn queues(&self, session: &SessionId, turn: &Preparation) -> Result<Vec<Queue>, String> {
        let own = Queue::Thread(turn.thread.clone());
        let is_main = self.state.main_thread(session).await.as_ref() == Some(&turn.thread)
            || self.is_for_main(turn).await?;
        Ok(if is_main { vec![Queue::Main, own] } else { vec![own] })
    }

    /// Whether this was begun for events of the main thread, whichever thread that is by now.
    async fn is_for_main(&self, turn: &Preparation) -> Result<bool, String> {
        let Origin::Heartbeat { why: Beat::Events, .. } = turn.origin else { return Ok(false) };
        let Some(id) = turn.submissions.first() else { return Ok(false) };
        let stored = self.ledger.submission(id).await;
        let stored = stored.map_err(|error| format!("it cannot be looked up what it is for: {error}"))?;
        Ok(stored.is_some_and(|(submission, _)| submission.target == Target::Main))
    }

    /// The job that is due, as an event.
    async fn due(&self, session: &SessionId, turn: &Preparation) -> Option<Event> {
        let Origin::Cron { job, run, .. } = &turn.origin else { return None };
        let known = self.job(session, job).await;
        let known = known.as_ref();
        let said = [
            ("jobId", Some(json!(job))),
            ("expr", known.and_then(|known| known.expr.as_ref()).map(|expr| json!(expr))),
            ("atMs", known.and_then(|known| known.at_ms).map(|at| json!(at))),
            ("everyMs", known.and_then(|known| known.every_ms).map(|every| json!(every))),
            ("tz", known.and_then(|known| known.tz.as_ref()).map(|tz| json!(tz))),
        ];
        let meta: Map<_, _> =
            said.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        let due = run.rsplit_once('@').and_then(|(_, due)| due.parse().ok());
        Some(Event {
            id: String::new(),
            session: session.clone(),
            queue: Queue::Main,
            kind: "cron".to_owned(),
            text: turn.text.clone(),
            meta: Some(meta),
            created_ms: due.unwrap_or_else(|| (self.clock)()),
        })
    }

    async fn job(&self, session: &SessionId, job: &str) -> Option<Job> {
        self.state.jobs(session).await.into_iter().find(|known| known.job_id == job)
    }

    /// What people call a job.
    pub(super) async fn name_of_job(&self, session: &SessionId, job: &str) -> String {
        let name = self.job(session, job).await.and_then(|known| known.name);
        let on_one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        match name.as_deref().map(on_one_line).filter(|name| !name.is_empty()) {
            Some(name) => format!("the job \"{name}\" ({})", on_one_line(job)),
            None => format!("the job {}", on_one_line(job)),
        }
    }
}
