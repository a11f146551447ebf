//! `argus status`: how the gateway stands, in words; exit code 1 when something does not serve.

use std::process::ExitCode;

use crate::local::Where;

pub(crate) async fn run(place: Where) -> anyhow::Result<ExitCode> {
    let gateway = place.find()?;
    let (status, report) = gateway.get("/readyz").await?;
    let (_, sessions) = gateway.get("/sessions").await?;
    println!("{}", if status == 200 { "everything serves" } else { "something does not serve" });
    for reason in report["reasons"].as_array().into_iter().flatten() {
        println!("  {}", reason.as_str().unwrap_or_default());
    }
    for session in sessions["sessions"].as_array().into_iter().flatten() {
        let text = |name: &str| session[name].as_str().unwrap_or_default().to_owned();
        println!("  session {}: {}", text("sessionId"), text("status"));
    }
    Ok(ExitCode::from(u8::from(status != 200)))
}
