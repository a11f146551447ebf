//! What a message of the outbox says.

use argus_protocol::SubmissionId;
use argus_protocol::argus::message::SendKind;
use serde::{Deserialize, Serialize};

use super::LedgerError;
use super::codec::{from_json, to_json};

/// What a message says. The kind is a column of its own, and says how the rest is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// A text.
    Text(TextBody),
    /// A message that was put out before changes.
    Edit(EditBody),
    /// Messages that were put out before go.
    TakeBack(TakeBackBody),
    /// A long text as a file.
    Document(DocumentBody),
    /// Files; several are an album.
    Files(FilesBody),
}

/// A text, within the channel's limits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TextBody {
    /// With the channel's mark-up.
    pub html: String,
    /// Without any, should the channel refuse the mark-up.
    pub plain: String,
    /// Rows of buttons below it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<Vec<Button>>,
    /// The submission whose live message it takes the place of, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live: Option<SubmissionId>,
    /// The channel's id of the message that it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
}

/// A change of a message that was put out before, in the same chat. Nothing where that one was never sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EditBody {
    /// The dedupe key of the one to change.
    pub of: String,
    /// What it says from now on, with the channel's mark-up.
    pub html: String,
    /// The same without any.
    pub plain: String,
    /// Rows of buttons below it from now on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<Vec<Button>>,
}

/// Messages that were put out before, in the same chat, and go. Nothing where none was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TakeBackBody {
    /// The dedupe keys of those that go.
    pub of: Vec<String>,
}

/// A long text as a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DocumentBody {
    /// The file's name.
    pub name: String,
    /// All of it.
    pub text: String,
    /// What stands below it, with the channel's mark-up …
    pub html: String,
    /// … and without.
    pub plain: String,
    /// The submission whose live message goes when it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live: Option<SubmissionId>,
}

/// Files that are kept until they are sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FilesBody {
    /// One, or several of kinds that go together.
    pub files: Vec<KeptFile>,
}

/// A file that is kept until it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptFile {
    /// Its name among the kept ones.
    pub kept: String,
    /// The name it is sent with.
    pub name: String,
    /// As what it is sent.
    pub kind: SendKind,
    /// What stands below it, with the channel's mark-up …
    #[serde(default)]
    pub html: String,
    /// … and without.
    #[serde(default)]
    pub plain: String,
}

/// A button below a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Button {
    /// What it shows.
    pub text: String,
    /// What comes back when it is pressed; at most 64 bytes.
    pub data: String,
}

impl TextBody {
    /// A text without anything else.
    pub fn of(html: impl Into<String>, plain: impl Into<String>) -> Self {
        Self { html: html.into(), plain: plain.into(), ..Self::default() }
    }
}

impl Body {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Edit(_) => "edit",
            Self::TakeBack(_) => "take-back",
            Self::Document(_) => "document",
            Self::Files(_) => "files",
        }
    }

    pub(super) fn payload(&self) -> String {
        match self {
            Self::Text(body) => to_json(body),
            Self::Edit(body) => to_json(body),
            Self::TakeBack(body) => to_json(body),
            Self::Document(body) => to_json(body),
            Self::Files(body) => to_json(body),
        }
    }

    pub(super) fn read(kind: &str, payload: &str) -> Result<Self, LedgerError> {
        Ok(match kind {
            "text" => Self::Text(from_json("a message", payload)?),
            "edit" => Self::Edit(from_json("a change of a message", payload)?),
            "take-back" => Self::TakeBack(from_json("messages to take back", payload)?),
            "document" => Self::Document(from_json("a text as a file", payload)?),
            "files" => Self::Files(from_json("files to send", payload)?),
            other => return Err(LedgerError::unreadable("a message's kind", other)),
        })
    }
}
