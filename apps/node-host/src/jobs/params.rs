//! What `system.run` takes.

use std::time::Duration;

use argus_protocol::node::{Fault, code};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::meta::Notify;
use crate::call::{Call, read};
use crate::keeper::words::{Input, Size};

/// The longest text that a job can be given to read when it starts.
const LONGEST_TEXT: usize = 1 << 20;

/// The longest command line in bytes: it is told again with every answer.
const LONGEST_LINE: usize = 256 << 10;

/// The longest time that a call waits for its job.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// How long a call waits for its job where it does not say.
const WAIT: Duration = Duration::from_secs(10);

/// The longest key that makes calls one deed.
const LONGEST_KEY: usize = 512;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Params {
    argv: Vec<String>,
    /// With `env` the matter of the policy, which made them part of the plan.
    #[serde(default, rename = "cwd")]
    _cwd: IgnoredAny,
    #[serde(default, rename = "env")]
    _env: IgnoredAny,
    #[serde(default)]
    timeout_ms: Option<f64>,
    #[serde(default)]
    yield_ms: Option<f64>,
    #[serde(default)]
    stdin_text: Option<String>,
    #[serde(default)]
    stdin: Option<Stdin>,
    #[serde(default)]
    notify_on_exit: Option<bool>,
    #[serde(default)]
    pty: bool,
    #[serde(default)]
    rows: Option<u16>,
    #[serde(default)]
    cols: Option<u16>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Stdin {
    Open,
    Null,
}

/// A call to run something, checked.
pub(crate) struct Wish {
    pub(crate) input: Input,
    pub(crate) timeout: Option<Duration>,
    pub(crate) wait: Duration,
    pub(crate) notify_on_exit: Option<bool>,
}

impl Wish {
    /// Reads what the call wishes.
    pub(crate) fn of(call: &Call) -> Result<Self, Fault> {
        let params: Params = read(call)?;
        if params.argv.is_empty() {
            return Err(bad("`argv` is empty: name a program"));
        }
        if params.argv.iter().map(String::len).sum::<usize>() > LONGEST_LINE {
            return Err(bad("`argv` has more than 256 KiB: put what is long into `stdinText` or a file"));
        }
        if call.idempotency_key.as_ref().is_some_and(|key| key.len() > LONGEST_KEY) {
            return Err(bad("the idempotency key has more than 512 bytes: choose a shorter one"));
        }
        let timeout = span(params.timeout_ms, "timeoutMs")?.filter(|timeout| !timeout.is_zero());
        let wait = span(params.yield_ms, "yieldMs")?.unwrap_or(WAIT).min(LONGEST_WAIT);
        let notify_on_exit = params.notify_on_exit;
        Ok(Self { input: input(params)?, timeout, wait, notify_on_exit })
    }

    /// Who is to be told of the end.
    pub(crate) fn notify(&self) -> Notify {
        match self.notify_on_exit {
            None => Notify::Auto,
            Some(true) => Notify::Always,
            Some(false) => Notify::Never,
        }
    }
}

fn input(params: Params) -> Result<Input, Fault> {
    let text = params.stdin_text;
    if params.pty {
        if text.is_some() || params.stdin == Some(Stdin::Null) {
            return Err(bad(
                "with `pty` input is typed: leave `stdinText` and `stdin` out, and use `process.write`",
            ));
        }
        let size = Size { rows: params.rows.unwrap_or(24), cols: params.cols.unwrap_or(80) };
        return size_of(size).map(Input::Terminal);
    }
    match (params.stdin, text) {
        (Some(Stdin::Open), Some(_)) => {
            Err(bad("`stdinText` is all there is to read: with `stdin: \"open\"` use `process.write`"))
        }
        (Some(Stdin::Open), None) => Ok(Input::Open),
        (_, Some(text)) if text.len() > LONGEST_TEXT => {
            Err(bad("`stdinText` has more than 1 MiB: put it into a file, or use `stdin: \"open\"`"))
        }
        (_, Some(text)) => Ok(Input::Text(text)),
        (_, None) => Ok(Input::Nothing),
    }
}

/// A size that a terminal can have.
pub(crate) fn size_of(size: Size) -> Result<Size, Fault> {
    if size.rows == 0 || size.cols == 0 {
        return Err(bad("a terminal has at least one row and one column"));
    }
    Ok(size)
}

/// A span of time from milliseconds.
pub(crate) fn span(ms: Option<f64>, name: &str) -> Result<Option<Duration>, Fault> {
    let span = ms.map(|ms| Duration::try_from_secs_f64(ms / 1000.0)).transpose();
    span.map_err(|_| bad(&format!("`{name}` is no number of milliseconds")))
}

/// Milliseconds of a span.
pub(crate) fn ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// That is not what the command takes.
pub(crate) fn bad(words: &str) -> Fault {
    Fault::new(code::BAD_INPUT, words)
}
