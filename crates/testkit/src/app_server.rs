//! A scripted stand-in for `codex app-server`: JSON lines over stdio, no model, behaviour by words in the turn's text.
//!
//! Words anywhere in the text of a turn (a `[` in an argument needs its `]`):
//!
//! | word | effect |
//! |---|---|
//! | `[say: x]` | the answer is exactly `x`; `[say:]` gives a turn without any message |
//! | `[long: n]` | the answer is `n` characters of markdown ([`crate::prompt::long_markdown`]) |
//! | `[deltas: n size s]` | the answer comes in `n` deltas of `s` characters ([`deltas_text`]) |
//! | `[ids]` | the answer is `thread=… turn=…` |
//! | `[slow: ms]` | so long a wait between two deltas |
//! | `[approve]`, `[approve: cmd]` | asks for approval of a command first; nothing is really run |
//! | `[change: path]` | asks for approval of a new file there first; nothing is really written |
//! | `[ask: method]`, `[ask: method {…}]` | sends the client that request (with those members) first; the answer is `answered: ` and what came back |
//! | `[early]`, `[late]` | `turn/start` is answered after `turn/started`, or after `turn/completed` |
//! | `[hold: path]` | in the middle of the answer, waits until that file exists |
//! | `[die]`, `[die: code]` | in the middle, the process exits (1) |
//! | `[fail: x]` | in the middle, the turn fails with that message |
//! | `[retry: x]` | in the middle, an `error` notification with `willRetry` |
//! | `[hang]`, `[hang hard]` | in the middle, nothing more comes until an interrupt; with `hard` not even then |
//! | `[garbage]` | in the middle, a line that is no JSON |
//! | `[big: n]` | in the middle, a `warning` of `n` bytes and a little |
//! | `[big completed: n]` | `turn/completed` is longer by `n` bytes |
//! | `[stderr: x]` | in the middle, a line on stderr |
//!
//! Without words for it the answer is [`echo`] of the text. What happens in the middle happens in the order of the
//! words. Variables the program reads: `SCRIPTED_STATE` (folder of threads; else `$CODEX_HOME/scripted-threads`),
//! `SCRIPTED_LOG` (see [`accepted_turns`]), `SCRIPTED_TIMES` (a file of `turn/start` and `turn/completed`, each with its
//! unix microseconds), `SCRIPTED_START` = `exit` | `hang` | `slow` | `slow:ms`,
//! `SCRIPTED_ACCOUNT` = `missing` | `api-key` | `chatgpt`.

mod agent;
mod binary;
mod plan;
mod requests;
mod shapes;
mod store;
mod turn;
mod wire;

use std::io::{BufRead as _, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use std::{env, fs, thread};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use self::agent::Agent;
pub use self::binary::binary;
pub use self::plan::echo;
use self::store::Store;

/// The version of codex whose frames these are.
pub const VERSION: &str = "0.169.0";

/// The longest line taken from a client; a longer one ends the program.
const LONGEST_LINE: u64 = 256 * 1024 * 1024;

/// One line of the file named by `SCRIPTED_LOG`: a `turn/start` or `turn/steer` that was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedTurn {
    /// Whether it began a turn.
    pub entry: TurnEntry,
    /// The thread.
    pub thread: String,
    /// The turn.
    pub turn: String,
    /// The whole text it came with.
    pub text: String,
    /// The process that accepted it.
    pub process: u32,
}

/// How an accepted input came into its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TurnEntry {
    /// It began the turn.
    Started,
    /// The turn was running already.
    Steered,
}

/// Reads a log of accepted turns; a file that is not there is an empty one.
pub fn accepted_turns(log: &Path) -> Vec<AcceptedTurn> {
    let text = fs::read_to_string(log).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).expect("the agent writes this log")).collect()
}

/// The whole text of `[deltas: count size …]`.
pub fn deltas_text(count: usize, size: usize) -> String {
    crate::prompt::numbered_deltas(count, size).concat()
}

/// The program: serves stdin and stdout until stdin ends, which stops it at once, whatever it is doing.
pub fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a current-thread runtime can be built");
    let code = runtime.block_on(serve());
    runtime.shutdown_background();
    code
}

async fn serve() -> ExitCode {
    match env::var("SCRIPTED_START").as_deref().map(|fault| fault.split_once(':').unwrap_or((fault, ""))) {
        Ok(("exit", _)) => {
            eprintln!("scripted-app-server was told not to start");
            return ExitCode::FAILURE;
        }
        Ok(("hang", _)) => {
            let mut lines = lines();
            while lines.recv().await.is_some() {}
            return ExitCode::SUCCESS;
        }
        Ok(("slow", ms)) => tokio::time::sleep(Duration::from_millis(ms.parse().unwrap_or(1500))).await,
        _ => {}
    }
    let beside_codex = || {
        let home = env::var_os("CODEX_HOME").map_or_else(env::temp_dir, PathBuf::from);
        home.join("scripted-threads")
    };
    let folder = env::var_os("SCRIPTED_STATE").map_or_else(beside_codex, PathBuf::from);
    let store = match Store::open(&folder) {
        Ok(store) => store,
        Err(error) => {
            eprintln!("the folder `{}` cannot be used: {error}", folder.display());
            return ExitCode::FAILURE;
        }
    };
    let agent = Arc::new(Agent::new(
        store,
        env::var_os("SCRIPTED_LOG").map(PathBuf::from),
        env::var_os("SCRIPTED_TIMES").map(PathBuf::from),
    ));
    let mut lines = lines();
    while let Some(line) = lines.recv().await {
        requests::take(&agent, &line).await;
    }
    ExitCode::SUCCESS
}

/// The lines of stdin, read by a thread of their own; the end of stdin, or a line over the limit, ends them.
fn lines() -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel(16);
    thread::spawn(move || {
        let mut stdin = std::io::stdin().lock();
        loop {
            let mut line = Vec::new();
            let read = (&mut stdin).take(LONGEST_LINE).read_until(b'\n', &mut line);
            if read.is_err() || !line.ends_with(b"\n") || sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// A fresh id in the form of the real ones (UUID version 7).
fn fresh_id() -> String {
    let mut random = [0; 10];
    getrandom::fill(&mut random).expect("the system gives random bytes");
    let ms = wire::unix_ms();
    format!(
        "{:08x}-{:04x}-7{:03x}-{:04x}-{}",
        ms >> 16 & 0xffff_ffff,
        ms & 0xffff,
        u16::from_be_bytes([random[0], random[1]]) & 0xfff,
        u16::from_be_bytes([random[2], random[3]]) & 0x3fff | 0x8000,
        HEXLOWER.encode(&random[4..]),
    )
}
