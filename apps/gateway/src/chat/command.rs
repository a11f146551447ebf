//! Whether a text is a command, and which.

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said<'a> {
    /// A command for us.
    Command(Command<'a>),
    /// A command that names another bot. (An adapter has taken our own name out.)
    ForAnother,
    /// Anything else, unknown slash texts included.
    Text,
}

/// The commands we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command<'a> {
    /// The first thing a person sends; may carry a pairing code.
    Start(&'a str),
    /// A pairing code, or what an operator wants done about pairing.
    Pair(&'a str),
    Help,
    Where,
    New,
    Stop,
    Status,
    WhoAmI,
    /// The last thing that was asked, again.
    Retry,
    /// The last outcome, again.
    Last,
    /// The chat's earlier threads.
    Threads,
    Model,
    Approvals,
    /// What a message does while a turn runs.
    Busy,
    Lang,
    Sessions,
    Usage,
}

/// Reads a text: `/name`, `/name argument`, `/name@bot argument`.
pub(super) fn read(text: &str) -> Said<'_> {
    let text = text.trim();
    let Some(body) = text.strip_prefix('/') else { return Said::Text };
    let (word, argument) = body.split_once(char::is_whitespace).unwrap_or((body, ""));
    let (name, bot) = word.split_once('@').map_or((word, None), |(name, bot)| (name, Some(bot)));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !plain(name) || !bot.is_none_or(plain) {
        return Said::Text;
    }
    if bot.is_some() {
        return Said::ForAnother;
    }
    let argument = argument.trim();
    Said::Command(match name.to_ascii_lowercase().as_str() {
        "start" => Command::Start(argument),
        "pair" => Command::Pair(argument),
        "help" => Command::Help,
        "where" => Command::Where,
        "new" => Command::New,
        "stop" => Command::Stop,
        "status" => Command::Status,
        "whoami" => Command::WhoAmI,
        "retry" => Command::Retry,
        "last" | "lastresult" => Command::Last,
        "threads" => Command::Threads,
        "model" => Command::Model,
        "approvals" => Command::Approvals,
        "busy" => Command::Busy,
        "lang" => Command::Lang,
        "sessions" => Command::Sessions,
        "usage" => Command::Usage,
        _ => return Said::Text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_a_command_for_us_for_another_or_just_a_text() {
        for (text, said) in [
            ("/help", Said::Command(Command::Help)),
            (" /Help \n", Said::Command(Command::Help)),
            ("/stop now", Said::Command(Command::Stop)),
            ("/start", Said::Command(Command::Start(""))),
            ("/start  ABCD-EFGH ", Said::Command(Command::Start("ABCD-EFGH"))),
            ("/pair\nABCD", Said::Command(Command::Pair("ABCD"))),
            ("/whoami", Said::Command(Command::WhoAmI)),
            ("/last", Said::Command(Command::Last)),
            ("/lastresult", Said::Command(Command::Last)),
            ("/pair here", Said::Command(Command::Pair("here"))),
            ("/stop@other_bot", Said::ForAnother),
            ("/anything@other_bot x", Said::ForAnother),
            ("/review this", Said::Text),
            ("/usr/bin/env", Said::Text),
            ("/a@b@c", Said::Text),
            ("/", Said::Text),
            ("/ help", Said::Text),
            ("help", Said::Text),
            ("please /stop", Said::Text),
            ("/停止", Said::Text),
            ("", Said::Text),
        ] {
            assert_eq!(read(text), said, "{text:?}");
        }
    }
}
