//! Enrolment: a one-time code becomes this machine's credential.

use std::io::{BufRead as _, IsTerminal as _, Read as _};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use argus_protocol::node::{Enrol, Enrolled, FromNode, ToNode, names_a_node};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::args::{EnrolArgs, Mistakes, surroundings};
use crate::credential::{Credential, Secret};
use crate::link::{Address, DialError, Wire, dial};
use crate::settings::bad_id;
use crate::surroundings::Surroundings;

/// How long connecting may take, and again the answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// The longest code.
const LONGEST_CODE: u64 = 1 << 10;

/// Everything that enrolment needs to know.
struct Plan {
    address: Address,
    enrol: Enrol,
    root: PathBuf,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolment {
    /// The id of this machine.
    pub node_id: String,
    /// Where the credential is kept.
    pub path: PathBuf,
    /// What its owner should know.
    pub warnings: Vec<String>,
}

/// Enrols this machine; the credential is durable when this returns. The code is read from standard input where neither
/// flag nor variable tells it.
pub async fn enrol(args: EnrolArgs) -> anyhow::Result<Enrolment> {
    let (plan, warnings) = plan(args, &surroundings())?;
    let enrolled = ask(&plan).await?;
    ensure!(
        names_a_node(&enrolled.node_id) && !enrolled.token.is_empty(),
        "the gateway answered with something that is no credential; nothing was stored"
    );
    let credential = Credential {
        url: plan.address.to_string(),
        node_id: enrolled.node_id.clone(),
        token: Secret::new(enrolled.token),
    };
    let path = credential.store(&plan.root).with_context(|| {
        let shown = plan.root.display();
        format!("cannot store the credential in `{shown}`; the code is used up, so ask for another one when that is mended")
    })?;
    Ok(Enrolment { node_id: enrolled.node_id, path, warnings })
}

fn plan(args: EnrolArgs, around: &Surroundings) -> anyhow::Result<(Plan, Vec<String>)> {
    let (mut mistakes, mut warnings) = (Vec::new(), Vec::new());
    let written = match args.url.as_deref().filter(|url| !url.is_empty()) {
        Some(url) => Address::read(url).map_err(|error| format!("`--url`: the address {error}")),
        None => Err("name the gateway with `--url` or `ARGUS_NODE_WS_URL`".to_owned()),
    };
    let written = written.map_err(|mistake| mistakes.push(mistake)).ok();
    let node_id = args.node_id.filter(|id| !id.is_empty()).unwrap_or_else(|| around.node_id());
    if !names_a_node(&node_id) {
        mistakes.push(bad_id(&node_id));
    }
    let root = around.root(&args.place).map_err(|mistake| mistakes.push(mistake)).ok();
    let (Some(written), Some(root), true) = (written, root, mistakes.is_empty()) else {
        return Err(Mistakes(mistakes).into());
    };
    if !args.replace
        && let Ok(Some(known)) = Credential::load(&root)
    {
        bail!(
            "this machine is node `{}` of `{}` already; `--replace` takes its place, another `--state-dir` stands beside it",
            known.node_id,
            known.url
        );
    }
    if written.address.is_in_the_clear() {
        let shown = &written.address;
        warnings.push(format!("`{shown}` is not encrypted: the credential can be read on the way"));
    }
    let code = match args.code.filter(|code| !code.trim().is_empty()) {
        Some(code) => code,
        None => read_code()?,
    };
    let code = code.trim().to_owned();
    if code.is_empty() {
        let words = "there is no code: have the gateway's operator make one with `argus node enrol`, and pass it on standard input";
        return Err(Mistakes(vec![words.to_owned()]).into());
    }
    let display_name = args.display_name.filter(|name| !name.trim().is_empty());
    let enrol = Enrol {
        code,
        node_id,
        display_name: Some(display_name.unwrap_or_else(|| around.display_name())),
        platform: Some(std::env::consts::OS.to_owned()),
    };
    Ok((Plan { address: written.address, enrol, root }, warnings))
}

fn read_code() -> anyhow::Result<String> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        eprint!("The code that `argus node enrol` printed: ");
    }
    let mut line = String::new();
    stdin
        .lock()
        .take(LONGEST_CODE)
        .read_line(&mut line)
        .context("cannot read the code from standard input")?;
    Ok(line)
}

async fn ask(plan: &Plan) -> anyhow::Result<Enrolled> {
    let mut wire = match dial(&plan.address, None, PATIENCE).await {
        Ok(wire) => wire,
        Err(DialError::Refused(at, status)) => bail!(
            "the gateway at `{at}` lets nobody in without a token (HTTP {status}); is it an older one that enrols no machines?"
        ),
        Err(error) => return Err(error.into()),
    };
    let said = wire.say(FromNode::Enrol(plan.enrol.clone()).write()).await;
    said.with_context(|| format!("the connection to `{}` broke", plan.address))?;
    let answer = tokio::time::timeout(PATIENCE, answer(&mut wire, &plan.address)).await;
    let enrolled = answer.with_context(|| format!("the gateway at `{}` did not answer", plan.address))??;
    // The credential is ours, whether or not the goodbye is heard.
    let _ = tokio::time::timeout(Duration::from_secs(2), wire.close(CloseCode::Normal, "enrolled")).await;
    Ok(enrolled)
}

async fn answer(wire: &mut Wire, address: &Address) -> anyhow::Result<Enrolled> {
    loop {
        match wire.hear().await {
            Ok(Message::Text(text)) => {
                if let Ok(ToNode::Enrolled(enrolled)) = ToNode::read(text.as_str()) {
                    return Ok(enrolled);
                }
            }
            Ok(Message::Close(frame)) => {
                let reason = frame.map(|frame| frame.reason.as_str().to_owned()).unwrap_or_default();
                bail!(refusal(&reason));
            }
            Ok(_) => {}
            Err(error) => {
                return Err(error).with_context(|| {
                    format!("the connection to `{address}` ended before there was an answer")
                });
            }
        }
    }
}

/// The gateway's words for its refusal.
fn refusal(reason: &str) -> String {
    let reason: String = reason.chars().filter(|c| !c.is_control()).take(200).collect();
    if reason.is_empty() {
        let words = "the gateway refuses the code and does not say why; have its operator make another one";
        return format!("{words} with `argus node enrol`");
    }
    format!("the gateway refuses: {reason}")
}
