//! Whether a text in a group is meant for the bot, and what it says without the bot's name.

use crate::announce;

/// What a private text says to the bot: `/stop@our_bot now` is `/stop now`, everything else is as written.
pub(crate) fn in_private(text: &str, me: &str) -> String {
    match Command::read(text) {
        Some(command) if command.names(me) => command.without_name(),
        _ => text.to_owned(),
    }
}

/// What a text in a group says to the bot, without its name; `None` when it is not meant for it. Meant are: a command
/// of ours that names no other bot, a text that mentions us, and, where we are `called` in another way (it answers one of
/// our messages, say), whatever names no other bot.
pub(crate) fn in_group(text: &str, me: &str, called: bool) -> Option<String> {
    if let Some(command) = Command::read(text) {
        if command.names(me) {
            return Some(command.without_name());
        }
        match command.bot {
            Some(_) => return None,
            None if command.is_known() || called => return Some(text.to_owned()),
            None => {}
        }
    }
    match without_mentions(text, me) {
        Some(rest) if rest.is_empty() => Some(text.to_owned()),
        Some(rest) => Some(rest),
        None => called.then(|| text.to_owned()),
    }
}

/// `/name`, `/name@bot`, and what follows.
struct Command<'a> {
    name: &'a str,
    bot: Option<&'a str>,
    rest: &'a str,
}

impl<'a> Command<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let body = text.strip_prefix('/')?;
        let (word, rest) = body.split_at(body.find(char::is_whitespace).unwrap_or(body.len()));
        let (name, bot) = match word.split_once('@') {
            Some((name, bot)) => (name, Some(bot)),
            None => (word, None),
        };
        let plain = |part: &str| !part.is_empty() && part.chars().all(is_name);
        (plain(name) && bot.is_none_or(plain)).then_some(Self { name, bot, rest })
    }

    fn names(&self, me: &str) -> bool {
        self.bot.is_some_and(|bot| bot.eq_ignore_ascii_case(me))
    }

    fn is_known(&self) -> bool {
        announce::is_command(self.name)
    }

    fn without_name(&self) -> String {
        format!("/{}{}", self.name, self.rest)
    }
}

/// The text without each `@me`, `None` when there is none. `@me_too` and `mail@me` are other names.
fn without_mentions(text: &str, me: &str) -> Option<String> {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    let mut found = false;
    while let Some(at) = rest.find('@').filter(|_| !me.is_empty()) {
        let (before, mention) = rest.split_at(at);
        kept.push_str(before);
        let after = mention.get(1..=me.len()).filter(|name| name.eq_ignore_ascii_case(me));
        let after = after.map(|name| &mention[1 + name.len()..]);
        let starts = !kept.chars().next_back().is_some_and(|c| is_name(c) || c == '@');
        match after {
            Some(after) if starts && !after.starts_with(is_name) => {
                found = true;
                rest = after;
                // `ask @me about` would keep two spaces; `@me, do` would begin with a comma.
                if kept.trim().is_empty() {
                    rest = rest.trim_start_matches(|c: char| {
                        c.is_whitespace() || matches!(c, ',' | ':' | '，' | '：')
                    });
                } else if kept.ends_with(char::is_whitespace) {
                    rest = rest.strip_prefix(' ').unwrap_or(rest);
                }
            }
            _ => {
                kept.push('@');
                rest = &mention[1..];
            }
        }
    }
    kept.push_str(rest);
    found.then(|| kept.trim().to_owned())
}

/// Characters of user names and commands.
fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::{in_group, in_private};

    fn heard(text: &str) -> Option<String> {
        in_group(text, "argus_bot", false)
    }

    #[test]
    fn in_a_group_only_what_is_meant_for_the_bot_is_heard() {
        for (text, said) in [
            ("@argus_bot what is up?", Some("what is up?")),
            ("@Argus_Bot, what is up?", Some("what is up?")),
            ("please ask @argus_bot about it", Some("please ask about it")),
            ("the end, @argus_bot", Some("the end,")),
            ("好 @argus_bot：看", Some("好 ：看")),
            ("(@argus_bot)", Some("()")),
            ("@argus_bot", Some("@argus_bot")),
            ("/stop", Some("/stop")),
            ("/stop@argus_bot", Some("/stop")),
            ("/anything@ARGUS_BOT with words", Some("/anything with words")),
            ("/deploy @argus_bot now", Some("/deploy now")),
            ("/stop@other_bot", None),
            ("/stop@other_bot @argus_bot", None),
            ("/deploy", None),
            ("hello everybody", None),
            ("@argus_bot_two hi", None),
            ("mail@argus_bot", None),
            ("@@argus_bot", None),
            ("@", None),
            ("", None),
        ] {
            assert_eq!(heard(text).as_deref(), said, "{text:?}");
        }
    }

    #[test]
    fn an_answer_to_the_bot_needs_no_mention() {
        assert_eq!(in_group("and then?", "argus_bot", true).as_deref(), Some("and then?"));
        assert_eq!(in_group("/deploy", "argus_bot", true).as_deref(), Some("/deploy"));
        assert_eq!(in_group("/deploy@other_bot", "argus_bot", true), None);
    }

    #[test]
    fn a_private_text_is_as_written_but_for_our_name_on_a_command() {
        for (text, said) in [
            ("/stop@argus_bot", "/stop"),
            ("/stop@other_bot", "/stop@other_bot"),
            ("/usr/bin/env", "/usr/bin/env"),
            ("hi @argus_bot", "hi @argus_bot"),
        ] {
            assert_eq!(in_private(text, "argus_bot"), said);
        }
    }
}
