//! The people and chats a test lets speak to the bot.

use serde_json::{Value, json};

/// A Telegram account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The account's number.
    pub id: i64,
    /// The name shown.
    pub first_name: String,
    /// The name after `@`, without it.
    pub username: Option<String>,
    /// IETF tag of the person's app.
    pub language: Option<String>,
    /// A program and not a person.
    pub kind: UserKind,
}

/// Who stands behind an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserKind {
    /// A human being.
    Person,
    /// A bot.
    Bot,
}

impl User {
    /// A person without a user name.
    pub fn new(id: i64, first_name: &str) -> Self {
        Self { id, first_name: first_name.to_owned(), username: None, language: None, kind: UserKind::Person }
    }

    /// Gives the account a user name (without `@`).
    #[must_use]
    pub fn username(mut self, username: &str) -> Self {
        self.username = Some(username.to_owned());
        self
    }

    /// Sets the language of the person's app.
    #[must_use]
    pub fn language(mut self, language: &str) -> Self {
        self.language = Some(language.to_owned());
        self
    }

    /// Makes it a bot.
    #[must_use]
    pub fn bot(mut self) -> Self {
        self.kind = UserKind::Bot;
        self
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut user = json!({
            "id": self.id,
            "is_bot": self.kind == UserKind::Bot,
            "first_name": self.first_name,
        });
        if let Some(username) = &self.username {
            user["username"] = json!(username);
        }
        if let Some(language) = &self.language {
            user["language_code"] = json!(language);
        }
        user
    }
}

/// A chat, and the topic in it where a message is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chat {
    /// The chat's number: a person's own, or negative for groups.
    pub id: i64,
    /// What sort of chat it is.
    pub kind: ChatKind,
    /// The forum topic (`message_thread_id`) that messages of this value belong to.
    pub topic: Option<i64>,
}

/// The sorts of chats a bot meets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChatKind {
    /// One person and the bot.
    Private {
        /// The person's shown name.
        first_name: String,
        /// Their user name.
        username: Option<String>,
    },
    /// A small group.
    Group {
        /// Its title.
        title: String,
    },
    /// A supergroup without topics.
    Supergroup {
        /// Its title.
        title: String,
    },
    /// A supergroup with topics; only those listed exist, and 1 is the general one.
    Forum {
        /// Its title.
        title: String,
    },
}

impl Chat {
    /// The private chat of that person with the bot.
    pub fn private(user: &User) -> Self {
        let kind = ChatKind::Private { first_name: user.first_name.clone(), username: user.username.clone() };
        Self { id: user.id, kind, topic: None }
    }

    /// A small group; `id` is negative.
    pub fn group(id: i64, title: &str) -> Self {
        Self { id, kind: ChatKind::Group { title: title.to_owned() }, topic: None }
    }

    /// A supergroup without topics; `id` starts with -100.
    pub fn supergroup(id: i64, title: &str) -> Self {
        Self { id, kind: ChatKind::Supergroup { title: title.to_owned() }, topic: None }
    }

    /// A supergroup with topics; `id` starts with -100.
    pub fn forum(id: i64, title: &str) -> Self {
        Self { id, kind: ChatKind::Forum { title: title.to_owned() }, topic: None }
    }

    /// The same chat, in that topic.
    #[must_use]
    pub fn topic(mut self, topic: i64) -> Self {
        self.topic = Some(topic);
        self
    }

    pub(crate) fn to_json(&self) -> Value {
        match &self.kind {
            ChatKind::Private { first_name, username } => {
                let mut chat = json!({ "id": self.id, "type": "private", "first_name": first_name });
                if let Some(username) = username {
                    chat["username"] = json!(username);
                }
                chat
            }
            ChatKind::Group { title } => {
                json!({ "id": self.id, "type": "group", "title": title,
                    "all_members_are_administrators": true })
            }
            ChatKind::Supergroup { title } => {
                json!({ "id": self.id, "type": "supergroup", "title": title })
            }
            ChatKind::Forum { title } => {
                json!({ "id": self.id, "type": "supergroup", "title": title, "is_forum": true })
            }
        }
    }
}
