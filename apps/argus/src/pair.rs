//! `argus pair`: the code that pairs a person.

use std::process::ExitCode;

use argus_protocol::argus::pairing::{CODE, PairingCode};
use serde_json::json;

use crate::local::Where;

pub(crate) async fn run(place: Where) -> anyhow::Result<ExitCode> {
    let code: PairingCode = place.find()?.call(CODE, json!({})).await?;
    println!("{}", code.code);
    eprintln!("Send `/start {}` to the bot. It works once{}.", code.code, paired(&code));
    Ok(ExitCode::SUCCESS)
}

fn paired(code: &PairingCode) -> String {
    match code.paired {
        0 => "; the first to use it becomes operator".to_owned(),
        1 => "; one person is paired already".to_owned(),
        many => format!("; {many} people are paired already"),
    }
}
