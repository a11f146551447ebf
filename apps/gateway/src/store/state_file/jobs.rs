//! Scheduled jobs in `state.json`: `sessions.<id>.cronJobs`. What stands there and is no job is kept as it is.

use argus_protocol::SessionId;
use argus_protocol::argus::cron::Job;
use serde::Deserialize as _;
use serde_json::{Map, Value, json};

use super::pause::paused;
use super::{StateError, StateFile};

/// What there is to do at a time.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct DueJobs {
    /// Jobs that are due, and those whose next time is not known.
    pub due: Vec<(SessionId, Job)>,
    /// The earliest next time of all others.
    pub next_ms: Option<u64>,
}

impl StateFile {
    /// The jobs of a session, in their order.
    pub async fn jobs(&self, session: &SessionId) -> Vec<Job> {
        let state = self.state.lock().await;
        let own = state.value.get("sessions").and_then(|sessions| sessions.get(session.as_str()));
        own.map(entries).unwrap_or_default().iter().filter_map(read).collect()
    }

    /// The jobs of all sessions.
    pub async fn all_jobs(&self) -> Vec<(SessionId, Job)> {
        let state = self.state.lock().await;
        let sessions = sessions(&state.value);
        let of_one = |(session, own): (SessionId, &Value)| -> Vec<_> {
            entries(own).iter().filter_map(read).map(|job| (session.clone(), job)).collect()
        };
        sessions.flat_map(of_one).collect()
    }

    /// The jobs that are due at this time, but for sessions that do nothing unasked: theirs wait. Looks at times
    /// alone: it is asked often, and mostly nothing is due.
    pub async fn due_jobs(&self, now_ms: u64) -> DueJobs {
        let state = self.state.lock().await;
        let mut told = DueJobs::default();
        for (session, own) in sessions(&state.value).filter(|(_, own)| !paused(own)) {
            for entry in entries(own) {
                match standing(entry) {
                    Standing::Never => {}
                    Standing::At(next) if next > now_ms => {
                        told.next_ms = Some(told.next_ms.map_or(next, |earliest| earliest.min(next)));
                    }
                    Standing::At(_) | Standing::Unknown => {
                        told.due.extend(read(entry).map(|job| (session.clone(), job)));
                    }
                }
            }
        }
        told
    }

    /// Changes the jobs of a session, unless `change` refuses; durable when this returns.
    pub async fn change_jobs<T, E>(
        &self,
        session: &SessionId,
        change: impl FnOnce(&mut Vec<Job>) -> Result<T, E>,
    ) -> Result<Result<T, E>, StateError> {
        let mut answer = None;
        self.change(|state| {
            let sessions = state.entry("sessions").or_insert_with(|| json!({}));
            let none = Value::Null;
            let before = sessions.get(session.as_str()).unwrap_or(&none);
            let jobs: Vec<Job> = entries(before).iter().filter_map(read).collect();
            let mut changed = jobs.clone();
            let said = change(&mut changed);
            if said.is_ok() && changed != jobs {
                // What is no job for us stays in front.
                let strange = entries(before).iter().filter(|entry| read(entry).is_none()).cloned();
                let after: Vec<_> = strange.chain(changed.iter().map(|job| json!(job))).collect();
                let fresh = || json!({ "mainThreadId": null, "cronJobs": [], "systemEventQueues": {}, "lastActiveByThread": {} });
                if sessions.get(session.as_str()).is_none() {
                    sessions[session.as_str()] = fresh();
                }
                sessions[session.as_str()]["cronJobs"] = Value::Array(after);
            }
            answer = Some(said);
        })
        .await?;
        Ok(answer.expect("the change was made"))
    }

    /// Changes jobs of all sessions in one write; durable when this returns.
    pub async fn change_each_job(
        &self,
        mut change: impl FnMut(&SessionId, &mut Job),
    ) -> Result<(), StateError> {
        self.change(|state| {
            let Some(Value::Object(all)) = state.get_mut("sessions") else { return };
            for (session, own) in all.iter_mut() {
                let (Ok(session), Some(Value::Array(jobs))) = (session.parse(), own.get_mut("cronJobs"))
                else {
                    continue;
                };
                for entry in jobs {
                    let Some(before) = read(entry) else { continue };
                    let mut job = before.clone();
                    change(&session, &mut job);
                    if job != before {
                        *entry = json!(job);
                    }
                }
            }
        })
        .await
    }
}

/// How a job stands, told from its entry.
enum Standing {
    Never,
    At(u64),
    Unknown,
}

fn standing(entry: &Value) -> Standing {
    if entry.get("enabled").is_some_and(|enabled| *enabled == json!(false)) {
        return Standing::Never;
    }
    let time = |name: &str| entry.get(name).and_then(Value::as_u64);
    match (time("nextRunAtMs"), time("atMs"), time("lastRunAtMs")) {
        (Some(next), ..) => Standing::At(next),
        // It was due and will not be again.
        (None, Some(at), Some(last)) if last >= at => Standing::Never,
        (None, ..) => Standing::Unknown,
    }
}

fn sessions(state: &Map<String, Value>) -> impl Iterator<Item = (SessionId, &Value)> {
    let all = state.get("sessions").and_then(Value::as_object);
    all.into_iter().flatten().filter_map(|(id, own)| Some((id.parse().ok()?, own)))
}

fn entries(own: &Value) -> &[Value] {
    own.get("cronJobs").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A job from its entry; `None` where it is none for us.
fn read(entry: &Value) -> Option<Job> {
    Job::deserialize(entry).ok()
}

#[cfg(test)]
#[path = "jobs_tests.rs"]
mod tests;
