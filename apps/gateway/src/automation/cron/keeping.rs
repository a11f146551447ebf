//! Changes of the book of jobs: each is checked, durable when it is answered, and looked at soon.

use argus_protocol::SessionId;
use argus_protocol::argus::cron::{Job, JobThread, Kept, Missed, Removed, Time, Wish};
use argus_protocol::argus::deliver::Deliver;
use argus_schedule::{DateTime, Tz, Utc};

use super::CronError;
use super::checks::{apply, checked_id, checked_time};
use super::timetable::zone_of;
use super::timing::{Schedule, same_time, to_time};
use crate::automation::Automation;
use crate::clock::new_job_id;
use crate::delivery::Reach;
use crate::telegram::ChatId;

/// Most jobs of a session.
const MOST_JOBS: usize = 1000;
/// Times that are shown of a job.
const SHOWN_TIMES: usize = 3;
/// Chats of a session that are looked at.
const MOST_CHATS: u32 = 1000;

impl Automation {
    /// A new job; one of the same id is replaced and keeps when it ran last.
    pub async fn add_job(&self, session: &SessionId, wish: &Wish, reach: Reach) -> Result<Kept, CronError> {
        let zone = self.0.config.zone;
        let id = checked_id(wish.job_id.as_deref())?.unwrap_or_else(new_job_id);
        if wish.expr.as_deref().is_none_or(|expr| expr.trim().is_empty())
            && wish.at.is_none()
            && wish.at_ms.is_none()
            && wish.every_ms.is_none()
        {
            return Err(CronError::Missing("expr"));
        }
        if wish.text.is_none() {
            return Err(CronError::Missing("text"));
        }
        let job = apply(blank(id), wish, zone)?;
        self.check_chat(session, wish.deliver.as_ref(), reach).await?;
        let now = (self.0.clock)();
        let schedule = checked_time(self.timetable(), &job, zone, now)?;
        let kept = self.change_jobs(session, move |jobs| {
            let mut job = job;
            let same = jobs.iter().position(|other| other.job_id == job.job_id);
            let before = same.and_then(|place| jobs.get(place));
            job.last_run_at_ms = before.and_then(|before| before.last_run_at_ms);
            job.next_run_at_ms = next_of(&schedule, &job, before, now);
            match same {
                Some(place) => jobs[place] = job.clone(),
                None if jobs.len() >= MOST_JOBS => {
                    return Err(CronError::Failed(format!(
                        "this session has {MOST_JOBS} jobs already; remove one first"
                    )));
                }
                None => jobs.push(job.clone()),
            }
            Ok(job)
        });
        Ok(self.kept(session, kept.await?, now))
    }

    /// Changes the members of a job that are given.
    pub async fn update_job(
        &self,
        session: &SessionId,
        wish: &Wish,
        reach: Reach,
    ) -> Result<Kept, CronError> {
        let id = wish.job_id.clone().ok_or(CronError::Missing("jobId"))?;
        let nothing =
            Wish { job_id: wish.job_id.clone(), session_id: wish.session_id.clone(), ..Wish::default() };
        if *wish == nothing {
            let reason = "there is nothing to change; give one member beside the id".to_owned();
            return Err(CronError::Wrong { field: "jobId", reason });
        }
        let told = match (&wish.deliver, reach) {
            (None, Reach::ItsChats) => Some(self.job(session, &id).await?.deliver),
            (told, _) => told.clone(),
        };
        self.check_chat(session, told.as_ref(), reach).await?;
        let (parts, now) = (&self.0, (self.0.clock)());
        let kept = self.change_jobs(session, |jobs| {
            let job = job_of(jobs, &id)?;
            let changed = apply(job.clone(), wish, parts.config.zone)?;
            *job = if same_time(job, &changed) && changed.enabled == job.enabled {
                changed
            } else if changed.enabled || !same_time(job, &changed) {
                let schedule = checked_time(self.timetable(), &changed, parts.config.zone, now)?;
                Job { next_run_at_ms: next_of(&schedule, &changed, Some(job), now), ..changed }
            } else {
                Job { next_run_at_ms: None, ..changed }
            };
            Ok(job.clone())
        });
        Ok(self.kept(session, kept.await?, now))
    }

    /// A job is not due any more.
    pub async fn pause_job(&self, session: &SessionId, id: &str) -> Result<Kept, CronError> {
        let wish = Wish { job_id: Some(id.to_owned()), enabled: Some(false), ..Wish::default() };
        self.update_job(session, &wish, Reach::Everywhere).await
    }

    /// A job is due again, from now on.
    pub async fn resume_job(&self, session: &SessionId, id: &str) -> Result<Kept, CronError> {
        let wish = Wish { job_id: Some(id.to_owned()), enabled: Some(true), ..Wish::default() };
        self.update_job(session, &wish, Reach::Everywhere).await
    }

    /// The end of a job. What it began goes on, and its history stays.
    pub async fn remove_job(&self, session: &SessionId, id: &str) -> Result<Removed, CronError> {
        self.change_jobs(session, |jobs| {
            let place = jobs.iter().position(|job| job.job_id == id);
            jobs.remove(place.ok_or_else(|| CronError::NoJob(id.to_owned()))?);
            Ok(())
        })
        .await?;
        Ok(Removed { ok: true, session_id: session.clone(), job_id: id.to_owned() })
    }

    /// Changes jobs, durably, and sees to it that somebody looks.
    async fn change_jobs<T>(
        &self,
        session: &SessionId,
        change: impl FnOnce(&mut Vec<Job>) -> Result<T, CronError>,
    ) -> Result<T, CronError> {
        let changed = self.0.state.change_jobs(session, change).await??;
        self.0.pulse.wake();
        Ok(changed)
    }

    /// A chat that is named can be written to. Who speaks for one session has no say in other people's, nor in what a job of
    /// somebody else tells there.
    async fn check_chat(
        &self,
        session: &SessionId,
        told: Option<&Deliver>,
        reach: Reach,
    ) -> Result<(), CronError> {
        let Some(named @ Deliver::Chat { chat, .. }) = told else { return Ok(()) };
        let wrong = |reason: String| CronError::Wrong { field: "deliver", reason };
        if ChatId::of_key(chat).is_err() {
            return Err(wrong(format!(
                "`{named}` is no chat of Telegram; write telegram:<chatId> or telegram:<chatId>:<topicId>"
            )));
        }
        let Some(meant) = self.place(session, named).await? else {
            return Err(wrong(if self.0.bots.is_empty() {
                "no Telegram bot is configured; set TELEGRAM_BOT_TOKEN".to_owned()
            } else {
                format!(
                    "`{named}` names a bot that is not configured; the bots are {}",
                    self.0.bots.join(", ")
                )
            }));
        };
        match reach {
            Reach::Everywhere => Ok(()),
            Reach::ItsChats if self.0.ledger.chats_of(session, MOST_CHATS).await?.contains(&meant) => Ok(()),
            Reach::ItsChats => {
                Err(CronError::NotItsChat { session: session.clone(), chat: named.to_string() })
            }
        }
    }

    fn kept(&self, session: &SessionId, job: Job, now: u64) -> Kept {
        let zone = zone_of(&job, self.0.config.zone).unwrap_or(Tz::UTC);
        let had = job.next_run_at_ms.or(job.last_run_at_ms);
        let times = self.schedule_of(&job).map(|schedule| schedule.next_times(now, had, SHOWN_TIMES));
        let shown = |at_ms| {
            let at: DateTime<Utc> = to_time(at_ms)?;
            Some(Time { at: at.with_timezone(&zone).to_rfc3339(), at_ms })
        };
        let next_times = times.unwrap_or_default().into_iter().filter_map(shown).collect();
        Kept { ok: true, session_id: session.clone(), job, next_times }
    }
}

/// When a job is due next that was just written: as before where nothing of that changed, else from now on.
fn next_of(schedule: &Schedule, job: &Job, before: Option<&Job>, now: u64) -> Option<u64> {
    if !job.enabled {
        return None;
    }
    let before = before.filter(|before| same_time(before, job));
    let same = before.filter(|before| before.enabled).and_then(|before| before.next_run_at_ms);
    // An interval that goes on keeps to its times; a new one begins with a whole second.
    let had = before.and_then(|before| before.last_run_at_ms).unwrap_or(now / 1000 * 1000);
    same.or_else(|| schedule.next_after(now, Some(had)))
}

pub(super) fn job_of<'a>(jobs: &'a mut [Job], id: &str) -> Result<&'a mut Job, CronError> {
    jobs.iter_mut().find(|job| job.job_id == id).ok_or_else(|| CronError::NoJob(id.to_owned()))
}

fn blank(job_id: String) -> Job {
    Job {
        job_id,
        name: None,
        expr: None,
        seconds: None,
        at_ms: None,
        every_ms: None,
        tz: None,
        text: String::new(),
        enabled: true,
        missed: Missed::default(),
        missed_most: None,
        thread: JobThread::default(),
        keep: None,
        deliver: Deliver::default(),
        last_run_at_ms: None,
        next_run_at_ms: None,
        others: serde_json::Map::new(),
    }
}
