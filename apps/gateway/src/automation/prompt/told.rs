//! The events that a turn carries, as lines: those of its thread, and before them the job that is due.

use argus_protocol::SessionId;
use argus_session::{Beat, Origin, Preparation, Target};
use serde_json::{Map, Value, json};

use super::Prompts;
use crate::automation::events::{Event, Queue, line};

impl Prompts {
    /// The lines of the events that this turn carries from now on.
    pub(super) async fn events(
        &self,
        session: &SessionId,
        turn: &Preparation,
    ) -> Result<Vec<String>, String> {
        let carried = if turn.steers {
            self.ledger.release_events(&turn.submissions).await.map(|()| Vec::new())
        } else {
            let queues = self.queues(session, turn).await?;
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
        let mut meta = Map::from_iter([("jobId".to_owned(), json!(job))]);
        if let Some(Value::Object(known)) = self.job(session, job).await {
            for name in ["expr", "atMs", "everyMs", "tz"] {
                meta.extend(
                    known
                        .get(name)
                        .filter(|value| !value.is_null())
                        .map(|value| (name.to_owned(), value.clone())),
                );
            }
        }
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

    /// A job as it stands in the state.
    async fn job(&self, session: &SessionId, job: &str) -> Option<Value> {
        let mut state = self.state.whole().await;
        let jobs = state.get_mut("sessions")?.get_mut(session.as_str())?.get_mut("cronJobs")?.take();
        let Value::Array(jobs) = jobs else { return None };
        jobs.into_iter().find(|known| known.get("jobId").and_then(Value::as_str) == Some(job))
    }

    /// What people call a job.
    pub(super) async fn name_of_job(&self, session: &SessionId, job: &str) -> String {
        let known = self.job(session, job).await;
        let name = known.as_ref().and_then(|known| known.get("name")).and_then(Value::as_str);
        let on_one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        match name.map(on_one_line).filter(|name| !name.is_empty()) {
            Some(name) => format!("the job \"{name}\" ({})", on_one_line(job)),
            None => format!("the job {}", on_one_line(job)),
        }
    }
}
