//! Follows what the engine tells of our containers, so that a link ends when its container does, with the reason.

use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use tokio::sync::watch;

use super::engine::{Engine, EngineError, Event, Happened};
use super::found::State;
use super::reaper;
use super::spec::label;
use crate::runtime::link::Fate;

/// How long to wait before the engine is asked again, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How often to look whether the engine still answers: one that hangs closes nothing.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Everybody who follows a container, and how the engine stands.
#[derive(Debug)]
pub(super) struct Watch {
    engine: Arc<Engine>,
    installation: String,
    state: Mutex<Known>,
    revivals: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Known {
    followed: HashMap<String, watch::Sender<Option<String>>>,
    /// Containers in which something was ended for want of memory.
    out_of_memory: HashSet<String>,
    standing: Standing,
}

/// How the engine stands.
#[derive(Debug, Default)]
enum Standing {
    /// Nobody has asked it yet.
    #[default]
    Unknown,
    Up,
    Down {
        since: Instant,
        why: String,
    },
}

impl Watch {
    /// Watches containers of this installation once [`Self::run`] runs.
    pub(super) fn new(engine: Arc<Engine>, installation: String) -> Self {
        Self { engine, installation, state: Mutex::default(), revivals: watch::channel(0).0 }
    }

    fn state(&self) -> MutexGuard<'_, Known> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What becomes of a container from now on.
    pub(super) fn follow(&self, id: &str) -> Fate {
        let mut state = self.state();
        state.followed.retain(|_, teller| teller.receiver_count() > 0);
        let teller = state.followed.entry(id.to_owned()).or_insert_with(|| watch::channel(None).0);
        Fate::of(teller.subscribe())
    }

    /// Counts how often the engine came back.
    pub(super) fn revivals(&self) -> watch::Receiver<u64> {
        self.revivals.subscribe()
    }

    /// What is wrong with the engine.
    pub(super) fn trouble(&self) -> Option<String> {
        match &self.state().standing {
            Standing::Down { since, why } => Some(format!("{why} (for {} s)", since.elapsed().as_secs())),
            Standing::Up | Standing::Unknown => None,
        }
    }

    /// Watches for ever; `known` tells whether a session is still known, and by a container of that name.
    pub(super) async fn run(&self, known: impl Fn(&argus_protocol::SessionId, &str) -> bool + Sync) {
        let mut pause = FIRST_PAUSE;
        let mut reaped = false;
        loop {
            let lost = match self.engine.events(&self.label()).await {
                Ok(events) => {
                    let mut first_look = pin!(async {
                        self.look().await?;
                        if !reaped {
                            reaper::reap(&self.engine, &self.installation, &known).await?;
                            reaped = true;
                        }
                        Ok(())
                    });
                    self.listen(events, first_look.as_mut()).await
                }
                Err(error) => error,
            };
            if self.stands_down(&lost) {
                pause = FIRST_PAUSE;
            }
            self.engine.forget();
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn label(&self) -> String {
        format!("{}={}", label::INSTALLATION, self.installation)
    }

    /// Takes events as they come, after a first look at what was missed; why there are no more.
    async fn listen(
        &self,
        mut events: super::engine::Events,
        mut first_look: std::pin::Pin<&mut impl Future<Output = Result<(), EngineError>>>,
    ) -> EngineError {
        let mut looked = false;
        let mut next_look = tokio::time::interval(LOOK_EVERY);
        next_look.tick().await;
        loop {
            let looking = tokio::select! {
                // First, so that what happens while we look is not missed.
                biased;
                event = events.next() => match event {
                    Some(Ok(event)) => {
                        self.take(event).await;
                        continue;
                    }
                    Some(Err(error)) => return error,
                    None => return self.engine.away(&"it closed the connection"),
                },
                looking = &mut first_look, if !looked => {
                    looked = true;
                    looking
                }
                _ = next_look.tick(), if looked => self.look().await,
            };
            match looking {
                Ok(()) => self.stands_up(),
                Err(error) => return error,
            }
        }
    }

    async fn take(&self, event: Event) {
        match event.happened {
            Happened::OutOfMemory => {
                tracing::warn!(
                    container = event.name,
                    "a container used all its memory; something in it was ended"
                );
                self.state().out_of_memory.insert(event.container);
            }
            Happened::Died { code } => {
                let oom = self.state().out_of_memory.remove(&event.container);
                // One that runs was started again before we heard of its end.
                let now = self.engine.find(&event.container).await;
                if now.is_ok_and(|found| found.is_some_and(|found| found.state == State::Running)) {
                    return;
                }
                let why = if oom { ", out of memory" } else { "" };
                let words = format!("the container ended (exit {code}{why})");
                tracing::info!(container = event.name, "{words}");
                self.tell(&event.container, &words);
            }
            Happened::Removed => self.tell(&event.container, "the container was removed"),
        }
    }

    /// Tells everybody who follows a container that does not run.
    async fn look(&self) -> Result<(), EngineError> {
        let followed: Vec<_> = self.state().followed.keys().cloned().collect();
        let there = self.engine.list(&self.label()).await?;
        let runs = |id: &String| there.iter().any(|found| found.id == *id && found.state == State::Running);
        for id in followed.into_iter().filter(|id| !runs(id)) {
            self.tell(&id, "the container ended while the container engine was away");
        }
        Ok(())
    }

    fn tell(&self, id: &str, words: &str) {
        if let Some(teller) = self.state().followed.remove(id) {
            teller.send_replace(Some(words.to_owned()));
        }
    }

    fn stands_up(&self) {
        let before = std::mem::replace(&mut self.state().standing, Standing::Up);
        if let Standing::Down { since, .. } = before {
            tracing::info!(after = ?since.elapsed(), "the container engine is back");
            self.revivals.send_modify(|count| *count += 1);
        }
    }

    /// Notes that the engine is away; whether that is news.
    fn stands_down(&self, error: &EngineError) -> bool {
        let mut state = self.state();
        if let Standing::Down { why, .. } = &mut state.standing {
            *why = error.to_string();
            return false;
        }
        tracing::error!(%error, "the container engine is away");
        state.standing = Standing::Down { since: Instant::now(), why: error.to_string() };
        true
    }
}
