//! `argus pair`: the code that pairs a person, and who else may talk to the bots.

use std::process::ExitCode;

use argus_protocol::argus::pairing::{APPROVE, Approve, CODE, LIST, PairingCode, People, REVOKE, Who};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::local::{Local, Where};
use crate::shown::now_ms;

/// What to do about people; nothing: show the code.
#[derive(Args)]
pub(crate) struct Pair {
    #[command(flatten)]
    place: Where,
    #[command(subcommand)]
    deed: Option<Deed>,
}

#[derive(Subcommand)]
enum Deed {
    /// Show the code that pairs the next person
    Code,
    /// List who may talk to the bots, and who wrote to them and may not
    List,
    /// Let somebody in who wrote to a bot, or a group with all its members
    Approve {
        /// Their id, as `argus pair list` shows it; a group's is negative
        #[arg(allow_negative_numbers = true)]
        id: String,
        /// As an operator, who decides on approvals, settings and people
        #[arg(long)]
        operator: bool,
        /// Which bot, where there are several: its numeric id
        #[arg(long, value_name = "ID")]
        bot: Option<String>,
    },
    /// Take that back
    Revoke {
        /// Their id
        #[arg(allow_negative_numbers = true)]
        id: String,
        /// Which bot, where there are several: its numeric id
        #[arg(long, value_name = "ID")]
        bot: Option<String>,
    },
}

pub(crate) async fn run(pair: Pair) -> anyhow::Result<ExitCode> {
    let gateway = pair.place.find()?;
    match pair.deed {
        None | Some(Deed::Code) => code(&gateway).await?,
        Some(Deed::List) => list(&gateway).await?,
        Some(Deed::Approve { id, operator, bot }) => {
            let wish = Approve { who: Who { id: id.clone(), bot }, operator };
            let _: Value = gateway.call(APPROVE, json!(wish)).await?;
            eprintln!("{id} may talk to the bot{}.", if operator { ", as an operator" } else { "" });
        }
        Some(Deed::Revoke { id, bot }) => {
            let _: Value = gateway.call(REVOKE, json!(Who { id: id.clone(), bot })).await?;
            eprintln!("{id} may not talk to the bot any more.");
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn code(gateway: &Local) -> anyhow::Result<()> {
    let code: PairingCode = gateway.call(CODE, json!({})).await?;
    println!("{}", code.code);
    eprintln!("Send `/start {}` to the bot. It works once{}.", code.code, paired(&code));
    Ok(())
}

fn paired(code: &PairingCode) -> String {
    match code.paired {
        0 => "; the first to use it becomes operator".to_owned(),
        1 => "; one person is paired already".to_owned(),
        many => format!("; {many} people are paired already"),
    }
}

async fn list(gateway: &Local) -> anyhow::Result<()> {
    let people: People = gateway.call(LIST, json!({})).await?;
    for line in lines(&people, now_ms()) {
        println!("{line}");
    }
    if people.known.is_empty() && people.waiting.is_empty() && people.chats.is_empty() {
        eprintln!("Nobody is known, and nobody waits.");
    }
    Ok(())
}

/// What is shown of each: people known, groups, people who wait.
fn lines(people: &People, now_ms: u64) -> Vec<String> {
    let known = people.known.iter().map(|one| {
        format!(
            "{}  {}  {}  via {}  bot {}",
            printable(&one.id),
            printable(&one.name),
            one.role,
            one.via,
            printable(&one.bot)
        )
    });
    let chats = people
        .chats
        .iter()
        .map(|chat| format!("{}  group, open to all  bot {}", printable(&chat.id), printable(&chat.bot)));
    let waiting = people.waiting.iter().map(|one| {
        let minutes = now_ms.saturating_sub(one.at_ms) / 60_000;
        format!(
            "{}  {}  waits, wrote {minutes}m ago  bot {}",
            printable(&one.id),
            printable(&one.name),
            printable(&one.bot)
        )
    });
    known.chain(chats).chain(waiting).collect()
}

/// People call themselves as they like: nothing of it may steer a terminal.
pub(crate) fn printable(text: &str) -> String {
    let shown: String = text.chars().filter(|c| !c.is_control()).collect();
    if shown.trim().is_empty() { "-".to_owned() } else { shown }
}

#[cfg(test)]
mod tests {
    use argus_protocol::argus::pairing::{KnownPerson, OpenChat, WaitingPerson};
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Alone {
        #[command(flatten)]
        pair: Pair,
    }

    #[test]
    fn people_are_listed_so_that_no_name_steers_the_terminal() {
        let (channel, bot) = ("telegram".to_owned(), "42".to_owned());
        let people = People {
            known: vec![KnownPerson {
                channel: channel.clone(),
                bot: bot.clone(),
                id: "7".into(),
                name: "A\u{1b}[2Jnn".into(),
                role: "operator".into(),
                via: "code".into(),
                since_ms: 0,
            }],
            waiting: vec![WaitingPerson {
                channel: channel.clone(),
                bot: bot.clone(),
                id: "1".into(),
                name: String::new(),
                at_ms: 0,
            }],
            chats: vec![OpenChat { channel, bot, id: "-5".into() }],
        };
        let expected = [
            "7  A[2Jnn  operator  via code  bot 42",
            "-5  group, open to all  bot 42",
            "1  -  waits, wrote 2m ago  bot 42",
        ];
        assert_eq!(lines(&people, 120_000), expected);
    }

    #[test]
    fn a_group_is_named_by_its_negative_id() {
        let parsed =
            Alone::try_parse_from(["pair", "approve", "-100123", "--bot", "42"]).map_err(|e| e.to_string());
        let Ok(Alone { pair: Pair { deed: Some(Deed::Approve { id, operator, bot }), .. } }) = parsed else {
            panic!("not an approval")
        };
        assert_eq!((id.as_str(), operator, bot.as_deref()), ("-100123", false, Some("42")));
        let alone = Alone::try_parse_from(["pair"]).map_err(|e| e.to_string()).unwrap();
        assert!(alone.pair.deed.is_none());
    }
}
