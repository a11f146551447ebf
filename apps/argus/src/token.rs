//! `argus token`: the operator's token, for programs of the person's own.

use std::process::ExitCode;

use crate::local::Where;

pub(crate) fn run(place: Where) -> anyhow::Result<ExitCode> {
    println!("{}", place.find()?.token());
    Ok(ExitCode::SUCCESS)
}
