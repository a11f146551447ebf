//! Makes text of voice messages: by a command, or by a server that speaks as OpenAI's does.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use argus_protocol::token::Secret;
use rustix::process::{Pid, Signal, kill_process_group};
use serde::Deserialize;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

use crate::config::{SECRETS, Transcriber};

/// How long one transcript may take.
const LIMIT: Duration = Duration::from_mins(2);
/// Longest transcript, in bytes.
const LONGEST: u64 = 32 * 1024;
/// What is said in that file. An error is in words.
pub(super) async fn transcribe(by: &Transcriber, file: &Path, mime: Option<&str>) -> Result<String, String> {
    let words = match by {
        Transcriber::Command(command) => tokio::time::timeout(LIMIT, run(command, file)).await,
        Transcriber::Endpoint { url, key, model } => {
            tokio::time::timeout(LIMIT, ask(url, key.as_ref(), model, file, mime)).await
        }
    };
    let words = words.unwrap_or_else(|_| Err(format!("it took longer than {LIMIT:?}")));
    match words.map(|words| words.trim().to_owned()) {
        Ok(words) if words.is_empty() => Err("no words were found in it".to_owned()),
        Err(reason) => {
            tracing::warn!(reason, "a voice message could not be transcribed");
            Err(reason)
        }
        Ok(words) => Ok(words),
    }
}

/// Runs the command, without a shell, with the file's path as its last argument; what it prints are the words.
async fn run(command: &str, file: &Path) -> Result<String, String> {
    let words = shell_words::split(command).map_err(|error| format!("ARGUS_TRANSCRIBE_CMD: {error}"))?;
    let Some((program, arguments)) = words.split_first() else {
        return Err("ARGUS_TRANSCRIBE_CMD is empty".to_owned());
    };
    let mut command = Command::new(program);
    command.args(arguments).arg(file).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    for name in SECRETS {
        command.env_remove(name);
    }
    let child = command.process_group(0).kill_on_drop(true).spawn();
    let mut child = child.map_err(|error| format!("the transcriber cannot be started: {error}"))?;
    let mut group = Group(child.id().and_then(|id| Pid::from_raw(id.cast_signed())));
    let mut printed = Vec::new();
    if let Some(output) = child.stdout.take() {
        let read = output.take(LONGEST).read_to_end(&mut printed).await;
        read.map_err(|error| format!("the transcriber cannot be read: {error}"))?;
    }
    let ended = child.wait().await.map_err(|error| error.to_string())?;
    group.0 = None;
    // Who prints more than is read may be ended by that.
    if !ended.success() && u64::try_from(printed.len()).is_ok_and(|length| length < LONGEST) {
        return Err(format!("the transcriber failed ({ended})"));
    }
    Ok(String::from_utf8_lossy(&printed).into_owned())
}

/// The command that runs, with what it started; dropped before it ended, all of it is ended.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // It may have ended just now.
            _ = kill_process_group(group, Signal::KILL);
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    text: String,
}

/// Asks a server.
async fn ask(
    url: &url::Url,
    key: Option<&Secret>,
    model: &str,
    file: &Path,
    mime: Option<&str>,
) -> Result<String, String> {
    let wrong = |error: reqwest::Error| format!("the transcriber cannot be reached: {}", error.without_url());
    let bytes = tokio::fs::read(file).await.map_err(|error| error.to_string())?;
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let part = reqwest::multipart::Part::bytes(bytes).file_name(name);
    let part =
        part.mime_str(mime.unwrap_or("audio/ogg")).map_err(|_| "its media type cannot be sent".to_owned())?;
    let form = reqwest::multipart::Form::new().text("model", model.to_owned()).part("file", part);
    let client =
        reqwest::Client::builder().connect_timeout(Duration::from_secs(10)).build().map_err(wrong)?;
    let mut request = client.post(url.clone()).multipart(form);
    if let Some(key) = key {
        request = request.bearer_auth(key.reveal());
    }
    let mut response = request.send().await.map_err(wrong)?;
    if !response.status().is_success() {
        return Err(format!("the transcriber answered {}", response.status()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(wrong)? {
        body.extend_from_slice(&chunk);
        if u64::try_from(body.len()).is_ok_and(|length| length > 4 * LONGEST) {
            return Err("the transcriber's answer is too long".to_owned());
        }
    }
    let answer: Answer =
        serde_json::from_slice(&body).map_err(|_| "the transcriber's answer has no `text`".to_owned())?;
    let end = answer.text.floor_char_boundary(usize::try_from(LONGEST).unwrap_or(usize::MAX));
    Ok(answer.text[..end].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(command: &str) -> Transcriber {
        Transcriber::Command(command.to_owned())
    }

    #[tokio::test]
    async fn a_command_is_given_the_file_and_what_it_prints_are_the_words() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), " hello $(there)\n").unwrap();
        assert_eq!(transcribe(&by("cat --"), file.path(), None).await, Ok("hello $(there)".to_owned()));
        // No shell reads it.
        let told = transcribe(&by("echo ; exit 1"), file.path(), None).await.unwrap();
        assert!(told.starts_with("; exit 1 /"), "{told}");
    }

    #[tokio::test]
    async fn one_that_fails_or_finds_nothing_says_so() {
        let file = Path::new("/dev/null");
        for (command, reason) in [
            ("false", "the transcriber failed"),
            ("true", "no words were found"),
            ("/nonexistent/program", "the transcriber cannot be started"),
            ("'", "ARGUS_TRANSCRIBE_CMD"),
        ] {
            let told = transcribe(&by(command), file, None).await.unwrap_err();
            assert!(told.starts_with(reason), "{told}");
        }
        let much = transcribe(&by("yes"), file, None).await.unwrap();
        assert!(much.len() <= usize::try_from(LONGEST).unwrap());
    }
}
