//! Settings of what the assistant does unasked: its heartbeat, its zone, what it may take in a day.

use std::time::Duration;

use argus_protocol::argus::deliver::{Deliver, NoSuchPlace};
use argus_protocol::token::Secret;
use argus_schedule::Tz;
use clap::Args;

use super::TelegramConfig;
use super::read::Reader;

/// Settings of automation, still as text.
#[derive(Args, Clone, Default)]
pub struct AutomationArgs {
    /// Seconds between two heartbeats of a session, 0 = none [default: 1800]
    #[arg(long, env = "ARGUS_HEARTBEAT_SECONDS", value_name = "SECONDS")]
    pub heartbeat_seconds: Option<String>,
    /// The hours of the day in which heartbeats come of themselves, such as 08:00-22:00 [default: 00:00-24:00]
    #[arg(long, env = "ARGUS_HEARTBEAT_HOURS", value_name = "FROM-TO")]
    pub heartbeat_hours: Option<String>,
    /// Whether a heartbeat comes when nothing changed since a quiet one: always or changed [default: always]
    #[arg(long, env = "ARGUS_HEARTBEAT_WHEN", value_name = "WORD")]
    pub heartbeat_when: Option<String>,
    /// Where heartbeats run: main, or own, a thread of their own [default: main]
    #[arg(long, env = "ARGUS_HEARTBEAT_THREAD", value_name = "WORD")]
    pub heartbeat_thread: Option<String>,
    /// Where their alerts go: home, last, none or a chat such as telegram:7 [default: home]
    #[arg(long, env = "ARGUS_HEARTBEAT_TARGET", value_name = "PLACE")]
    pub heartbeat_target: Option<String>,
    /// The time zone of hours, of days, and of jobs that name none [default: UTC]
    #[arg(long, env = "ARGUS_TIMEZONE", value_name = "ZONE")]
    pub timezone: Option<String>,
    /// Turns that a session may begin unasked in a day, 0 = no limit [default: 300]
    #[arg(long, env = "ARGUS_AUTOMATION_TURNS_PER_DAY", value_name = "COUNT")]
    pub automation_turns: Option<String>,
    /// Tokens that such turns may take in a day, 0 = no limit [default: 5000000]
    #[arg(long, env = "ARGUS_AUTOMATION_TOKENS_PER_DAY", value_name = "COUNT")]
    pub automation_tokens: Option<String>,
    /// How often the workspace's texts are told to a thread: every turn, or changed [default: every]
    #[arg(long, env = "ARGUS_CONTEXT_MODE", value_name = "WORD")]
    pub context_mode: Option<String>,
}

/// Settings of automation, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AutomationConfig {
    /// Heartbeats.
    pub heartbeat: HeartbeatConfig,
    /// The zone of hours, of days, and of jobs that name none.
    pub zone: Tz,
    /// What a session may take in a day.
    pub budget: Budget,
    /// How often a thread is told the workspace's texts.
    pub context: ContextMode,
}

/// Settings of heartbeats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeartbeatConfig {
    /// From one to the next; `None`: none come of themselves.
    pub every: Option<Duration>,
    /// When in the day.
    pub hours: Hours,
    /// Whether one comes where nothing changed since a quiet one.
    pub when: When,
    /// Where they run.
    pub thread: BeatThread,
    /// Where alerts go.
    pub target: Deliver,
}

/// A part of the day, in minutes since midnight; where it ends before it begins it goes over midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    /// Its first minute.
    pub from: u16,
    /// The first minute after it, up to 1440.
    pub to: u16,
}

/// Whether a heartbeat comes where nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// It comes.
    Always,
    /// It does not.
    Changed,
}

/// Where heartbeats run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BeatThread {
    /// In the session's main thread.
    Main,
    /// In a thread of their own.
    Own,
}

/// What a session may take unasked in a day; zero is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Turns.
    pub turns: u64,
    /// Tokens that the model reads and writes, as the agent reports them.
    pub tokens: u64,
}

/// How often a thread is told the workspace's texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContextMode {
    /// With every turn.
    Every,
    /// When they changed since it heard them last.
    Changed,
}

impl Hours {
    /// The whole day.
    pub const ALL: Self = Self { from: 0, to: 24 * 60 };

    /// Whether that minute of the day is among them.
    pub fn have(self, minute: u16) -> bool {
        if self.from < self.to {
            (self.from..self.to).contains(&minute)
        } else {
            minute >= self.from || minute < self.to
        }
    }
}

pub(super) fn automation(args: &AutomationArgs, read: &mut Reader) -> AutomationConfig {
    let every = read.seconds("ARGUS_HEARTBEAT_SECONDS", args.heartbeat_seconds.as_ref(), 1800);
    if !every.is_zero() && every < Duration::from_secs(10) {
        read.mistake("ARGUS_HEARTBEAT_SECONDS: expected 0 or at least 10 seconds".to_owned());
    }
    AutomationConfig {
        heartbeat: HeartbeatConfig {
            every: (!every.is_zero()).then_some(every),
            hours: read.or("ARGUS_HEARTBEAT_HOURS", args.heartbeat_hours.as_ref(), Hours::ALL, hours),
            when: read.or("ARGUS_HEARTBEAT_WHEN", args.heartbeat_when.as_ref(), When::Always, |text| {
                word(text, &[("always", When::Always), ("changed", When::Changed)])
            }),
            thread: read.or(
                "ARGUS_HEARTBEAT_THREAD",
                args.heartbeat_thread.as_ref(),
                BeatThread::Main,
                |text| word(text, &[("main", BeatThread::Main), ("own", BeatThread::Own)]),
            ),
            target: read.or("ARGUS_HEARTBEAT_TARGET", args.heartbeat_target.as_ref(), Deliver::Home, place),
        },
        zone: read.or("ARGUS_TIMEZONE", args.timezone.as_ref(), Tz::UTC, |text| {
            argus_schedule::zone(text).map_err(|mistake| mistake.reason)
        }),
        budget: Budget {
            turns: read.or("ARGUS_AUTOMATION_TURNS_PER_DAY", args.automation_turns.as_ref(), 300, count),
            tokens: read.or(
                "ARGUS_AUTOMATION_TOKENS_PER_DAY",
                args.automation_tokens.as_ref(),
                5_000_000,
                count,
            ),
        },
        context: read.or("ARGUS_CONTEXT_MODE", args.context_mode.as_ref(), ContextMode::Every, |text| {
            word(text, &[("every", ContextMode::Every), ("changed", ContextMode::Changed)])
        }),
    }
}

fn place(text: &str) -> Result<Deliver, String> {
    let place: Deliver = text.parse().map_err(|why: NoSuchPlace| why.to_string())?;
    if let Deliver::Chat { chat, .. } = &place
        && (chat.as_str().starts_with('0') || chat.as_str().split(':').any(|id| id.parse::<i64>().is_err()))
    {
        return Err("expected a chat as its number, with its topic perhaps: telegram:7, telegram:-100123:9"
            .to_owned());
    }
    Ok(place)
}

/// Whether one of the bots speaks in the chat where alerts go; what is wrong where none does.
pub(super) fn reached(target: &Deliver, telegram: Option<&TelegramConfig>) -> Result<(), String> {
    let Deliver::Chat { bot, .. } = target else { return Ok(()) };
    let Some(telegram) = telegram else {
        return Err(
            "ARGUS_HEARTBEAT_TARGET: it names a chat, and there is no bot; set TELEGRAM_BOT_TOKEN".to_owned()
        );
    };
    let is_it = |token: &Secret| {
        let id = token.reveal().split_once(':').map(|(id, _)| id);
        bot.as_deref().is_none_or(|bot| id == Some(bot))
    };
    if telegram.tokens.iter().any(is_it) {
        return Ok(());
    }
    Err(format!("ARGUS_HEARTBEAT_TARGET: `{target}` names a bot that TELEGRAM_BOT_TOKEN does not hold"))
}

fn count(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "expected a number, 0 = no limit".to_owned())
}

fn word<T: Copy>(text: &str, words: &[(&str, T)]) -> Result<T, String> {
    let known = words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
    known.ok_or_else(|| {
        let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        format!("expected {}", words.join(" or "))
    })
}

fn hours(text: &str) -> Result<Hours, String> {
    let expected = || "expected hours such as 08:00-22:00".to_owned();
    let minute = |text: &str| {
        let (hour, minute) = text.trim().split_once(':')?;
        let (hour, minute) = (hour.parse::<u16>().ok()?, minute.parse::<u16>().ok()?);
        (hour <= 24 && minute < 60 && hour * 60 + minute <= 24 * 60).then(|| hour * 60 + minute)
    };
    let (from, to) = text.split_once('-').ok_or_else(expected)?;
    let (from, to) = minute(from).zip(minute(to)).ok_or_else(expected)?;
    if from == to { Err(expected()) } else { Ok(Hours { from, to }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_may_go_over_midnight() {
        let (day, night) = (hours("08:00-22:00").unwrap(), hours("22:30-06:00").unwrap());
        assert!(day.have(8 * 60) && !day.have(22 * 60));
        assert!(night.have(23 * 60) && night.have(0) && !night.have(6 * 60));
        assert!(hours("00:00-24:00").unwrap() == Hours::ALL && Hours::ALL.have(24 * 60 - 1));
        for wrong in
            ["8-22", "08:00", "08:00-08:00", "08:60-09:00", "08:00-24:01", "99999:00-1:00", "1093:00-1:00"]
        {
            assert!(hours(wrong).is_err(), "{wrong}");
        }
    }
}
