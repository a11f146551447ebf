//! The node as a program of its own.

use std::process::ExitCode;

use argus_node_host::install::Invocation;
use argus_node_host::program::{NodeHost, main_with, misread};
use clap::Parser as _;

/// Lets a gateway run commands on this machine, as far as its owner allows.
#[derive(clap::Parser)]
#[command(name = "argus-node-host", version)]
struct Program {
    #[command(flatten)]
    node: NodeHost,
}

fn main() -> ExitCode {
    // Before anything is made that a keeper would carry with it.
    if std::env::args_os().nth(1).is_some_and(|word| word == argus_node_host::keeper::ARGUMENT) {
        return argus_node_host::keeper::main();
    }
    match Program::try_parse() {
        Ok(program) => main_with(program.node, &Invocation::of_this_program(&[])),
        Err(told) => misread(&told),
    }
}
