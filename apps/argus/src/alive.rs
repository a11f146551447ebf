//! `argus alive`: whether the gateway serves, for a container's health check; exit code 1 when it does not.

use std::process::ExitCode;

use anyhow::ensure;

use crate::local::Where;

pub(crate) async fn run(place: Where) -> anyhow::Result<ExitCode> {
    let (status, _) = place.find()?.get("/healthz").await?;
    ensure!(status == 200, "the gateway answers {status}");
    Ok(ExitCode::SUCCESS)
}
