//! System events in numbers: `cargo xtask bench automation`.
//!
//! Sessions have a thousand scheduled jobs in `state.json` and 20,000 events waiting in 20 queues. Measured is how long it
//! takes until an event is durable, by the gateway's own code and on a real disk: on average when 256 are told at once, and
//! one after the other when nobody else tells any. Beside it stands what the disk takes for a bare write of 256 bytes that
//! is synced, in the same run. `BENCH_DIR` names the folder whose disk is meant, else it is that of the build.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use argus_gateway::automation::events::{Queue, Source};
use argus_gateway::automation::ports::Workers;
use argus_gateway::automation::{Automation, AutomationParts, Pulse};
use argus_gateway::config::{
    AutomationConfig, BeatThread, Budget, ContextMode, HeartbeatConfig, Hours, When,
};
use argus_gateway::store::clock;
use argus_gateway::store::ledger::Ledger;
use argus_gateway::store::state_file::StateFile;
use argus_gateway::workspace::Workspaces;
use argus_protocol::SessionId;
use argus_protocol::argus::deliver::Deliver;
use argus_session::Submission;
use async_trait::async_trait;
use futures::StreamExt as _;
use serde_json::{Value, json};

/// Scheduled jobs.
const JOBS: usize = 1000;
/// Sessions, each with two queues: its main thread's and another one's.
const SESSIONS: usize = 10;
/// Told at the same time.
const AT_ONCE: usize = 256;

/// How much is measured.
struct Counts {
    /// Events that wait before anything is measured.
    waiting: usize,
    /// Events told when many are.
    together: usize,
    /// Events told one after the other, and bare writes.
    single: usize,
}

#[tokio::main]
async fn main() {
    let counts = if std::env::args().any(|word| word == "--quick") {
        Counts { waiting: 2000, together: 2000, single: 50 }
    } else {
        Counts { waiting: 20_000, together: 20_000, single: 500 }
    };
    let parent = std::env::var_os("BENCH_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")), PathBuf::from);
    let dir = tempfile::tempdir_in(parent).expect("a folder can be made there");
    let state = dir.path().join("state.json");
    std::fs::write(&state, jobs().to_string()).expect("the jobs can be written");
    let ledger = Ledger::open(&dir.path().join("ledger.db"), |_: &_, _| Vec::new()).await.expect("a ledger");
    let automation = automation(dir.path(), &state, ledger.clone());

    let took = tell(&automation, counts.waiting, "before").await;
    println!("{JOBS} jobs in state.json, {} events waiting in {} queues", counts.waiting, SESSIONS * 2);
    println!("  (to fill them: {} on average)", ms(each(took, counts.waiting)));
    let took = tell(&automation, counts.together, "together").await;
    println!(
        "{} events, {AT_ONCE} under way at once: {} each on average, {:.1} s in all",
        counts.together,
        ms(each(took, counts.together)),
        took.as_secs_f64()
    );
    // In turn, so that both meet the same disk.
    let (mut single, mut bare) = (Vec::with_capacity(counts.single), Vec::with_capacity(counts.single));
    let mut file = File::create(dir.path().join("bare")).expect("a file can be made");
    for number in 0..counts.single {
        let began = Instant::now();
        told(&automation, session(0), aside("single"), number, &format!("single {number}")).await;
        single.push(began.elapsed());
        bare.push(write(&mut file));
    }
    println!("{} events one after the other: {}", counts.single, spread(single));
    println!("{} bare writes of 256 bytes, each synced: {}", counts.single, spread(bare));
    let looked = Instant::now();
    let queues = ledger.queues_waiting().await.expect("the ledger can be read");
    println!("to see what waits in {} queues: {}", queues.len(), ms(looked.elapsed()));
    ledger.close().await;
}

fn aside(name: &str) -> Queue {
    Queue::Thread(name.parse().expect("a thread id"))
}

/// Tells so many events, [`AT_ONCE`] at a time, to each queue in turn.
async fn tell(automation: &Automation, count: usize, word: &str) -> Duration {
    let began = Instant::now();
    futures::stream::iter(0..count)
        .for_each_concurrent(AT_ONCE, |number| async move {
            let queue = if (number / SESSIONS).is_multiple_of(2) { Queue::Main } else { aside("aside") };
            told(automation, session(number % SESSIONS), queue, number, &format!("{word} {number}")).await;
        })
        .await;
    began.elapsed()
}

/// One event.
async fn told(automation: &Automation, session: SessionId, queue: Queue, number: usize, text: &str) {
    let meta = json!({ "number": number }).as_object().cloned();
    let key = Some(format!("key of {text}"));
    let told = automation.enqueue_event(&session, queue, "bench", text, meta, key, Source::Caller);
    told.await.expect("an event is taken");
}

/// What the disk takes by itself.
fn write(file: &mut File) -> Duration {
    let began = Instant::now();
    file.write_all(&[7; 256]).expect("there is room");
    file.sync_data().expect("the disk takes it");
    began.elapsed()
}

fn spread(mut times: Vec<Duration>) -> String {
    times.sort();
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
    format!("p50 {}, p99 {}", ms(at(50)), ms(at(99)))
}

fn each(took: Duration, count: usize) -> Duration {
    took / u32::try_from(count).unwrap_or(u32::MAX)
}

fn ms(time: Duration) -> String {
    format!("{:.3} ms", time.as_secs_f64() * 1000.0)
}

fn session(number: usize) -> SessionId {
    format!("bench-{number}").parse().expect("a session id")
}

/// A state file as the gateway writes it.
fn jobs() -> Value {
    let sessions = (0..SESSIONS).map(|number| {
        let jobs: Vec<_> = (0..JOBS / SESSIONS)
            .map(|job| {
                json!({ "jobId": format!("job-{job}"), "expr": "0 9 * * 1-5", "text": "Morning summary", "enabled": true,
                    "nextRunAtMs": 4_102_444_800_000_u64 })
            })
            .collect();
        let own = json!({ "mainThreadId": "main", "cronJobs": jobs, "systemEventQueues": {}, "lastActiveByThread": {} });
        (session(number).to_string(), own)
    });
    let sessions: serde_json::Map<_, _> = sessions.collect();
    json!({ "version": 1, "defaultSessionId": session(0), "sessions": sessions })
}

fn automation(dir: &Path, state: &Path, ledger: Ledger) -> Automation {
    Automation::new(AutomationParts {
        ledger,
        state: Arc::new(StateFile::load(state).expect("a state file")),
        workers: Arc::new(Nobody),
        pulse: Pulse::default(),
        config: AutomationConfig {
            heartbeat: HeartbeatConfig {
                every: None,
                hours: Hours::ALL,
                when: When::Always,
                thread: BeatThread::Main,
                target: Deliver::Nowhere,
            },
            zone: argus_schedule::Tz::UTC,
            budget: Budget { turns: 0, tokens: 0 },
            context: ContextMode::Every,
        },
        bots: Vec::new(),
        workspaces: Workspaces::Own { sessions: dir.join("sessions") },
        clock: clock::system(),
    })
}

/// Sessions that are there and do nothing.
struct Nobody;

#[async_trait]
impl Workers for Nobody {
    async fn begin(&self, _: Submission) {}

    async fn knows(&self, _: &SessionId) -> bool {
        true
    }

    async fn list(&self) -> Result<Vec<SessionId>, String> {
        Ok((0..SESSIONS).map(session).collect())
    }

    async fn stored_default(&self) -> Option<SessionId> {
        Some(session(0))
    }

    async fn default_session(&self) -> Result<SessionId, String> {
        Ok(session(0))
    }

    async fn ask_agent(&self, _: &SessionId, _: &str, _: Value) -> Result<Value, String> {
        Err("nobody is there".to_owned())
    }
}
