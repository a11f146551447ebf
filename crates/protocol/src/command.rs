//! The agent's command: a line of shell words, run without a shell.

use std::str::FromStr;

/// The program and its arguments, split as a shell would split them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentCommand {
    program: String,
    arguments: Vec<String>,
}

/// Why a text is not a command.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// Nothing but white space.
    #[error("the command is empty; name the agent's program, for example `codex app-server`")]
    Empty,
    /// A quote without its partner.
    #[error("the command has an unclosed quote")]
    Unclosed,
    /// Something only a shell understands.
    #[error(
        "the command holds `{0}`, but no shell runs it; put it in single quotes if it is meant as it stands, or name a script"
    )]
    NeedsShell(char),
    /// `NAME=value` in front.
    #[error(
        "the command begins with the assignment `{0}`, but no shell runs it; set the variable in the environment"
    )]
    Assignment(String),
}

impl AgentCommand {
    /// The program's name or path.
    pub fn program(&self) -> &str {
        &self.program
    }

    /// Its arguments.
    pub fn arguments(&self) -> &[String] {
        &self.arguments
    }
}

impl FromStr for AgentCommand {
    type Err = CommandError;

    fn from_str(text: &str) -> Result<Self, CommandError> {
        if let Some(found) = shell_syntax(text) {
            return Err(CommandError::NeedsShell(found));
        }
        let words = shell_words::split(text).map_err(|_| CommandError::Unclosed)?;
        let Some((program, arguments)) = words.split_first() else { return Err(CommandError::Empty) };
        if program.is_empty() {
            return Err(CommandError::Empty);
        }
        if program.split_once('=').is_some_and(|(name, _)| !name.contains('/')) {
            return Err(CommandError::Assignment(program.clone()));
        }
        Ok(Self { program: program.clone(), arguments: arguments.to_vec() })
    }
}

/// What a shell expands, even between double quotes.
const EXPANSION: &str = "$`";

/// What a shell reads as more than a letter, outside of quotes.
const SYNTAX: &str = "|&;<>()$`*?[]{}\n";

/// What a shell reads so only where a word begins.
const AT_START: &str = "~#!";

/// The first character to which a shell would give a meaning that we do not.
fn shell_syntax(text: &str) -> Option<char> {
    let mut quote = None;
    let mut word_starts = true;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match quote {
            Some('\'') if character != '\'' => {}
            Some(open) if character == open => quote = None,
            None if matches!(character, '\'' | '"') => quote = Some(character),
            _ if character == '\\' => drop(characters.next()),
            Some(_) if EXPANSION.contains(character) => return Some(character),
            None if SYNTAX.contains(character) => return Some(character),
            None if word_starts && AT_START.contains(character) => return Some(character),
            _ => {}
        }
        word_starts = quote.is_none() && character.is_ascii_whitespace();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_a_shell_splits_them() {
        let command: AgentCommand =
            r#"  /opt/my\ codex -c 'a = "$b | c"' "two words" app-server "#.parse().unwrap();
        assert_eq!(command.program(), "/opt/my codex");
        assert_eq!(command.arguments(), ["-c", r#"a = "$b | c""#, "two words", "app-server"]);
    }

    #[test]
    fn what_only_a_shell_understands_is_refused() {
        for (text, found) in [
            ("codex app-server && reboot", '&'),
            ("codex | tee log", '|'),
            ("codex; true", ';'),
            ("codex > log", '>'),
            ("$CODEX app-server", '$'),
            ("codex \"$HOME\"", '$'),
            ("codex `id`", '`'),
            ("codex *.toml", '*'),
            ("~/codex", '~'),
            ("codex\nreboot", '\n'),
            ("codex # comment", '#'),
        ] {
            assert_eq!(text.parse::<AgentCommand>(), Err(CommandError::NeedsShell(found)), "{text}");
        }
        assert_eq!("A=1 codex".parse::<AgentCommand>(), Err(CommandError::Assignment("A=1".into())));
    }

    #[test]
    fn a_command_names_a_program() {
        for (text, error) in [
            ("", CommandError::Empty),
            ("  ", CommandError::Empty),
            ("''", CommandError::Empty),
            ("codex 'app", CommandError::Unclosed),
        ] {
            assert_eq!(text.parse::<AgentCommand>(), Err(error), "{text}");
        }
        assert!("codex -c a=1 x~y b#c".parse::<AgentCommand>().is_ok());
    }
}
