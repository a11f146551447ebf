//! The gateway that runs on this machine, found by its home.

use std::fs::File;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use reqwest::Client;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Which gateway is meant.
#[derive(Args, Default)]
pub(crate) struct Where {
    /// Folder of everything Argus keeps [default: ~/.argus]
    #[arg(long, env = "ARGUS_HOME", value_name = "DIR")]
    home: Option<String>,
    /// The file that keeps the gateway's token.
    #[arg(
        long,
        env = "ARGUS_TOKEN_FILE",
        value_name = "FILE",
        help = "The file that keeps the gateway's token [default: <home>/gateway/token]"
    )]
    token_file: Option<PathBuf>,
}

/// A running gateway.
pub(crate) struct Local {
    url: String,
    token: String,
    http: Client,
}

impl Where {
    /// Reads where the gateway is and its token.
    pub(crate) fn find(self) -> anyhow::Result<Local> {
        let home = home(self.home.as_deref())?;
        if !is_in_use(&home) {
            bail!("no gateway runs here ({}); start it with `argus up`", home.display());
        }
        let read = |name: &str| read(&home.join("gateway").join(name));
        let url = read("address")?;
        let token = match std::env::var("ARGUS_TOKEN") {
            Ok(token) if !token.trim().is_empty() => token.trim().to_owned(),
            _ => match self.token_file.filter(|file| !file.as_os_str().is_empty()) {
                Some(file) => self::read(&file)?,
                None => read("token")?,
            },
        };
        // The gateway is on this machine: a proxy for the outside must see neither the call nor its token.
        let http = Client::builder().no_proxy().timeout(Duration::from_secs(10)).build()?;
        Ok(Local { url, token, http })
    }
}

impl Local {
    /// The operator's token.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// Where it answers.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The same one, waited for so long.
    pub(crate) fn patient(self, wait: Duration) -> anyhow::Result<Self> {
        Ok(Self { http: Client::builder().no_proxy().timeout(wait).build()?, ..self })
    }

    /// Calls one of the gateway's methods.
    pub(crate) async fn call<T: DeserializeOwned>(&self, method: &str, params: Value) -> anyhow::Result<T> {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let sent = self.http.post(format!("{}/rpc", self.url)).bearer_auth(&self.token).json(&request).send();
        let answer = self.answered(sent.await)?;
        let mut reply: Value = answer.json().await.context("the gateway's answer is not JSON")?;
        if let Some(message) = reply["error"]["message"].as_str() {
            bail!("the gateway says: {message}");
        }
        Ok(serde_json::from_value(reply["result"].take())?)
    }

    /// Reads one of its resources; the HTTP status and the body.
    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<(u16, Value)> {
        let sent = self.http.get(format!("{}{path}", self.url)).bearer_auth(&self.token).send();
        let answer = self.answered(sent.await)?;
        Ok((answer.status().as_u16(), answer.json().await.context("the gateway's answer is not JSON")?))
    }

    fn answered(&self, sent: reqwest::Result<reqwest::Response>) -> anyhow::Result<reqwest::Response> {
        let answer =
            sent.with_context(|| format!("no gateway answers at {}; start it with `argus up`", self.url))?;
        if answer.status().as_u16() == 401 {
            bail!("the gateway at {} refuses the token; set ARGUS_TOKEN to the one it runs with", self.url);
        }
        Ok(answer)
    }
}

/// The home as `argus up` finds it: an empty text counts as unset, and `~/` stands for the user's folder.
pub(crate) fn home(text: Option<&str>) -> anyhow::Result<PathBuf> {
    let user = || std::env::home_dir().context("this user has no home folder; set ARGUS_HOME");
    match text.map(str::trim).filter(|text| !text.is_empty()) {
        None => Ok(user()?.join(".argus")),
        Some(text) => match text.strip_prefix("~/") {
            Some(rest) => Ok(user()?.join(rest)),
            None => Ok(text.into()),
        },
    }
}

/// Whether a gateway holds the lock of that home. Without one, whoever answers at the address that the last one left
/// behind is a stranger, and must not be told the token.
fn is_in_use(home: &Path) -> bool {
    let Ok(lock) = File::open(home.join("gateway/lock")) else { return false };
    !matches!(lock.try_lock_shared(), Ok(()))
}

fn read(path: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(path);
    let text =
        text.with_context(|| format!("no gateway runs here ({}); start it with `argus up`", path.display()))?;
    Ok(text.trim().to_owned())
}

/// Runs a short deed to its end.
pub(crate) fn block_on(deed: impl Future<Output = anyhow::Result<ExitCode>>) -> ExitCode {
    let ended = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = ended.map_err(Into::into).and_then(|runtime| runtime.block_on(deed));
    ended.unwrap_or_else(|error| crate::complain(&format!("{error:#}"), 1))
}
