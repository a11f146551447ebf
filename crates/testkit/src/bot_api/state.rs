//! Everything the Bot API server remembers.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::chats::{Chat, User};
use super::fault::Faults;
use super::files::Files;
use super::record::{Action, Answered, Call, Commands, Draft, Sent};
use super::updates::Updates;

/// The memory of one server: one bot, its chats, what it did.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) token: String,
    pub(crate) me: User,
    pub(crate) chats: HashMap<i64, Chat>,
    /// Groups that became supergroups.
    pub(crate) upgraded: HashMap<i64, i64>,
    pub(crate) topics: HashSet<(i64, i64)>,
    /// Chats whose people have stopped the bot.
    pub(crate) blocked: HashSet<i64>,
    pub(crate) files: Files,
    pub(crate) webhook: String,
    pub(crate) strangers: Strangers,
    pub(crate) updates: Updates,
    pub(crate) faults: Faults,
    /// What each chat shows now, by chat and message.
    pub(crate) shown: BTreeMap<(i64, i64), Sent>,
    pub(crate) sent: Vec<Sent>,
    pub(crate) edits: Vec<Sent>,
    pub(crate) deleted: Vec<(i64, i64)>,
    pub(crate) drafts: Vec<Draft>,
    pub(crate) actions: Vec<Action>,
    pub(crate) commands: Vec<Commands>,
    pub(crate) answered: Vec<Answered>,
    pub(crate) calls: Vec<Call>,
    last_message: HashMap<i64, i64>,
    presses: u64,
}

/// What happens to a message for a chat that the bot has never met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strangers {
    Refused,
    Accepted,
}

impl State {
    pub(crate) fn new(token: &str, me: User) -> Self {
        Self {
            token: token.to_owned(),
            me,
            chats: HashMap::new(),
            upgraded: HashMap::new(),
            topics: HashSet::new(),
            blocked: HashSet::new(),
            files: Files::default(),
            webhook: String::new(),
            strangers: Strangers::Refused,
            updates: Updates::starting_at(700_001),
            faults: Faults::default(),
            shown: BTreeMap::new(),
            sent: Vec::new(),
            edits: Vec::new(),
            deleted: Vec::new(),
            drafts: Vec::new(),
            actions: Vec::new(),
            commands: Vec::new(),
            answered: Vec::new(),
            calls: Vec::new(),
            last_message: HashMap::new(),
            presses: 0,
        }
    }

    /// The bot may write to that chat, and to its topic, from now on.
    pub(crate) fn know(&mut self, chat: &Chat) {
        self.chats.insert(chat.id, Chat { topic: None, ..chat.clone() });
        if let Some(topic) = chat.topic {
            self.topics.insert((chat.id, topic));
        }
    }

    /// A number for the next message of a chat, the people's and the bot's together.
    pub(crate) fn next_message(&mut self, chat: i64) -> i64 {
        let last = self.last_message.entry(chat).or_insert(0);
        *last += 1;
        *last
    }

    /// The number of a chat's newest message; 0 before the first.
    pub(crate) fn last_said(&self, chat: i64) -> i64 {
        self.last_message.get(&chat).copied().unwrap_or(0)
    }

    /// Whether that chat has had a message with that number.
    pub(crate) fn was_said(&self, chat: i64, message: i64) -> bool {
        message > 0 && self.last_message.get(&chat).is_some_and(|last| message <= *last)
    }

    /// A number for the next press of a button.
    pub(crate) fn next_press(&mut self) -> String {
        self.presses += 1;
        format!("4200000000{}", self.presses)
    }
}
