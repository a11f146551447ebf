//! The agent's command: its words, quoted, are the same command.

use argus_protocol::command::AgentCommand;

/// Reads the bytes as a command line.
pub fn command(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Ok(command) = text.parse::<AgentCommand>() else { return };
    assert!(!command.program().is_empty(), "a command names a program");
    let words = std::iter::once(command.program()).chain(command.arguments().iter().map(String::as_str));
    let quoted = words.map(|word| format!("'{}'", word.replace('\'', r"'\''"))).collect::<Vec<_>>();
    assert_eq!(quoted.join(" ").parse(), Ok(command));
}
