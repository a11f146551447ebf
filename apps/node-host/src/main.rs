//! The program of a node.

use std::process::ExitCode;

fn main() -> ExitCode {
    if std::env::args_os().nth(1).is_some_and(|word| word == argus_node_host::keeper::ARGUMENT) {
        return argus_node_host::keeper::main();
    }
    ExitCode::FAILURE
}
