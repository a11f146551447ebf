//! When the next message may go: so many to a chat, to a group, in all; and who has to wait because they were told to.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use crate::telegram::ChatId;

const MINUTE: Duration = Duration::from_mins(1);
const SECOND: Duration = Duration::from_secs(1);

/// How much the channel takes. The defaults are what Telegram's documentation names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Time between two messages to one chat.
    pub chat_interval: Duration,
    /// Messages to one group within a minute.
    pub group_per_minute: usize,
    /// Messages and actions in all within a second.
    pub overall_per_second: usize,
    /// The pause after a first attempt in vain; each further one is twice as long, up to a minute.
    pub first_pause: Duration,
    /// The pause of everything while the token is refused.
    pub token_pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            chat_interval: SECOND,
            group_per_minute: 20,
            overall_per_second: 30,
            first_pause: SECOND,
            token_pause: MINUTE,
        }
    }
}

/// What was sent lately, and who has to wait. Pure: told what time it is.
#[derive(Debug)]
pub(super) struct Pace {
    limits: Limits,
    /// When the latest ones went, oldest first; at most one second's worth.
    overall: VecDeque<Instant>,
    chats: HashMap<i64, ChatPace>,
    held: Option<Instant>,
}

#[derive(Debug, Default)]
struct ChatPace {
    /// When the latest messages and changes went, oldest first; one for a person, at most one minute's worth for a group.
    sent: VecDeque<Instant>,
    /// When the last message went.
    said: Option<Instant>,
    /// When a growing message was changed last.
    shown: Option<Instant>,
    held: Option<Instant>,
    /// Until when the channel itself told this chat to wait.
    refused: Option<Instant>,
}

impl Pace {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, overall: VecDeque::new(), chats: HashMap::new(), held: None }
    }

    /// When a message to that chat may go, `now` at the earliest. It does not wait for what was shown just before it.
    pub(super) fn ready_at(&self, chat: ChatId, now: Instant) -> Instant {
        let mut at = now.max(self.overall_ready_at(now));
        if let Some(chat_pace) = self.chats.get(&chat.number()) {
            let last = chat_pace.said.map(|last| last + self.limits.chat_interval);
            let window = match chat_pace.sent.len().checked_sub(self.limits.group_per_minute) {
                Some(first) if chat.is_group() => chat_pace.sent.get(first).map(|first| *first + MINUTE),
                _ => None,
            };
            at = [last, window, chat_pace.held].into_iter().flatten().fold(at, Instant::max);
        }
        at
    }

    /// When a change of a growing message may go to that chat, `now` at the earliest. Messages come first: half of what a
    /// group and all chats together may get is left to them.
    pub(super) fn ready_for_change(&self, chat: ChatId, now: Instant) -> Instant {
        let mut at = self.ready_at(chat, now);
        let shown = self.chats.get(&chat.number()).and_then(|chat_pace| chat_pace.shown);
        at = at.max(shown.map_or(at, |shown| shown + self.limits.chat_interval));
        let half = |most: usize| (most / 2).max(1);
        let nth_last = |sent: &VecDeque<Instant>, most: usize| {
            sent.len().checked_sub(half(most)).and_then(|first| sent.get(first)).copied()
        };
        if let Some(sent) = self.chats.get(&chat.number()).map(|c| &c.sent).filter(|_| chat.is_group()) {
            at = at.max(nth_last(sent, self.limits.group_per_minute).map_or(at, |first| first + MINUTE));
        }
        at.max(nth_last(&self.overall, self.limits.overall_per_second).map_or(at, |first| first + SECOND))
    }

    fn overall_ready_at(&self, now: Instant) -> Instant {
        let window = self.overall.len().checked_sub(self.limits.overall_per_second);
        let free = window.and_then(|first| self.overall.get(first)).map(|first| *first + SECOND);
        [free, self.held].into_iter().flatten().fold(now, Instant::max)
    }

    /// A message goes to that chat.
    pub(super) fn sent(&mut self, chat: ChatId, now: Instant) {
        self.chats.entry(chat.number()).or_default().said = Some(now);
        self.went(chat, now);
    }

    /// A growing message is changed there.
    pub(super) fn shown(&mut self, chat: ChatId, now: Instant) {
        self.chats.entry(chat.number()).or_default().shown = Some(now);
        self.went(chat, now);
    }

    fn went(&mut self, chat: ChatId, now: Instant) {
        let most = if chat.is_group() { self.limits.group_per_minute.max(1) } else { 1 };
        let sent = &mut self.chats.entry(chat.number()).or_default().sent;
        sent.push_back(now);
        while sent.len() > most {
            sent.pop_front();
        }
        self.count(now);
    }

    fn count(&mut self, now: Instant) {
        self.overall.push_back(now);
        while self.overall.len() > self.limits.overall_per_second.max(1) {
            self.overall.pop_front();
        }
    }

    /// Counts an action, if there is room for one: messages come first, so half of the room is left to them.
    pub(super) fn may_act(&mut self, chat: ChatId, now: Instant) -> bool {
        let lately = self.overall.iter().filter(|at| **at + SECOND > now).count();
        let held = self.chats.get(&chat.number()).and_then(|c| c.held).into_iter().chain(self.held);
        let free = lately * 2 < self.limits.overall_per_second && held.max().is_none_or(|until| until <= now);
        if free {
            self.count(now);
        }
        free
    }

    /// Nothing to that chat before `until`.
    pub(super) fn hold(&mut self, chat: ChatId, until: Instant) {
        let held = &mut self.chats.entry(chat.number()).or_default().held;
        *held = (*held).max(Some(until));
    }

    /// Nothing at all before `until`.
    pub(super) fn hold_all(&mut self, until: Instant) {
        self.held = self.held.max(Some(until));
    }

    /// The channel told that chat to wait. When it has told another one so and that time is not over, it means us all.
    pub(super) fn refused(&mut self, chat: ChatId, until: Instant, now: Instant) {
        let others = self.chats.iter().filter(|(number, _)| **number != chat.number());
        let waiting = others.filter_map(|(_, other)| other.refused).filter(|other| *other > now).max();
        if let Some(waiting) = waiting {
            self.hold_all(waiting.max(until));
        }
        self.hold(chat, until);
        self.chats.entry(chat.number()).or_default().refused = Some(until);
    }

    /// Forgets chats whose last message holds nobody up any more.
    pub(super) fn forget_old(&mut self, now: Instant) {
        let quiet = self.limits.chat_interval.max(MINUTE);
        self.chats.retain(|_, chat| {
            chat.sent.back().is_some_and(|last| *last + quiet > now)
                || [chat.held, chat.refused].into_iter().flatten().any(|until| until > now)
        });
    }

    #[cfg(test)]
    fn known_chats(&self) -> usize {
        self.chats.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chat(key: &str) -> ChatId {
        ChatId::of_key(&key.parse().unwrap()).unwrap()
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_chat_gets_one_message_a_second_and_its_topics_share_it() {
        let (mut pace, now) = (Pace::new(Limits::default()), Instant::now());
        assert_eq!(pace.ready_at(chat("7"), now), now);
        pace.sent(chat("7"), now);
        assert_eq!(pace.ready_at(chat("7:9"), now + ms(300)), now + ms(1000));
        assert_eq!(pace.ready_at(chat("8"), now), now);
        assert_eq!(pace.ready_at(chat("7"), now + ms(1500)), now + ms(1500));
    }

    #[test]
    fn a_group_gets_twenty_a_minute() {
        let (mut pace, start) = (Pace::new(Limits::default()), Instant::now());
        let mut now = start;
        for _ in 0..20 {
            now = pace.ready_at(chat("-5"), now);
            pace.sent(chat("-5"), now);
        }
        assert_eq!(now, start + ms(19_000));
        assert_eq!(pace.ready_at(chat("-5"), now), start + MINUTE);
        pace.sent(chat("-5"), start + MINUTE);
        assert_eq!(pace.ready_at(chat("-5"), start + MINUTE), start + ms(61_000));
    }

    #[test]
    fn thirty_go_in_a_second_and_actions_leave_half_of_it() {
        let (mut pace, now) = (Pace::new(Limits::default()), Instant::now());
        let actions = (0..40).filter(|_| pace.may_act(chat("1"), now)).count();
        assert_eq!(actions, 15);
        for number in 0..15 {
            let to = chat(&format!("{}", number + 100));
            assert_eq!(pace.ready_at(to, now), now);
            pace.sent(to, now);
        }
        assert_eq!(pace.ready_at(chat("1"), now), now + SECOND);
        assert!(pace.may_act(chat("1"), now + SECOND));
    }

    #[test]
    fn who_is_told_to_wait_waits_alone_and_when_it_is_told_to_two_all_wait() {
        let (mut pace, now) = (Pace::new(Limits::default()), Instant::now());
        pace.refused(chat("7"), now + ms(5000), now);
        assert_eq!(pace.ready_at(chat("7"), now), now + ms(5000));
        assert!(!pace.may_act(chat("7"), now));
        assert_eq!(pace.ready_at(chat("8"), now), now);
        pace.refused(chat("8"), now + ms(3000), now);
        assert_eq!(pace.ready_at(chat("9"), now), now + ms(5000));
        assert!(!pace.may_act(chat("9"), now));
        let later = now + ms(5000);
        pace.refused(chat("9"), later + ms(1000), later);
        assert_eq!(pace.ready_at(chat("7"), later), later);
    }

    #[test]
    fn changes_of_growing_messages_leave_half_of_everything_to_messages() {
        let (mut pace, start) = (Pace::new(Limits::default()), Instant::now());
        let mut now = start;
        for _ in 0..10 {
            now = pace.ready_for_change(chat("-5"), now);
            pace.shown(chat("-5"), now);
        }
        assert_eq!(now, start + ms(9000));
        assert_eq!(pace.ready_for_change(chat("-5"), now), start + MINUTE);
        assert_eq!(pace.ready_at(chat("-5"), now), now, "a message does not wait for what was shown");
        for _ in 0..10 {
            now = pace.ready_at(chat("-5"), now);
            pace.sent(chat("-5"), now);
        }
        assert_eq!(pace.ready_at(chat("-5"), now), start + MINUTE, "but both count in a group");
        let now = start + MINUTE;
        for number in 1..=15 {
            pace.sent(chat(&number.to_string()), now);
        }
        assert_eq!(pace.ready_for_change(chat("99"), now), now + SECOND);
        assert_eq!(pace.ready_at(chat("99"), now), now);
    }

    #[test]
    fn what_holds_nobody_up_is_forgotten() {
        let (mut pace, now) = (Pace::new(Limits::default()), Instant::now());
        for number in 1..=100 {
            pace.sent(chat(&number.to_string()), now);
        }
        pace.hold(chat("7"), now + MINUTE * 2);
        pace.forget_old(now + MINUTE);
        assert_eq!(pace.known_chats(), 1);
        pace.forget_old(now + MINUTE * 2);
        assert_eq!(pace.known_chats(), 0);
    }
}
