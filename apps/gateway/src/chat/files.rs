//! What came with a message: what of it is worked on, and how the person is told of the rest.

use argus_protocol::argus::chat::{Attachment, Receive};

use crate::store::ledger::Language;

/// What is left out of a message.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct LeftOut {
    /// Whether files were too large, and for which limit in bytes.
    too_large: Option<u64>,
    /// Whether there was something that nobody can hand over.
    unsupported: bool,
}

/// Splits what came with a message into what can be fetched, and what is left out.
pub(super) fn sift(message: &Receive, limit: u64) -> (Vec<Attachment>, LeftOut) {
    let fits = |file: &&Attachment| file.size.is_none_or(|size| size <= limit);
    let kept: Vec<_> = message.attachments.iter().filter(fits).cloned().collect();
    let too_large = (kept.len() < message.attachments.len()).then_some(limit);
    (kept, LeftOut { too_large, unsupported: !message.unsupported.is_empty() })
}

impl LeftOut {
    /// Whether it is anything.
    pub(super) fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// What the person is told. `rest` says whether there is anything else to work on.
    pub(super) fn told(&self, language: Language, rest: Rest) -> String {
        let mut lines = Vec::new();
        if let Some(limit) = self.too_large {
            let most = limit >> 20;
            lines.push(match language {
                Language::English => format!("A file is too large for me: at most {most} MB, please."),
                Language::Chinese => format!("文件太大了：最多 {most} MB。"),
            });
        }
        if self.unsupported {
            lines.push(match language {
                Language::English => "Some of what you sent I cannot read.".to_owned(),
                Language::Chinese => "你发送的部分内容我无法读取。".to_owned(),
            });
        }
        lines.push(match (language, rest) {
            (Language::English, Rest::IsWorkedOn) => "I work on the rest.".to_owned(),
            (Language::Chinese, Rest::IsWorkedOn) => "其余内容我会处理。".to_owned(),
            (Language::English, Rest::IsNothing) => "Please write to me what you need.".to_owned(),
            (Language::Chinese, Rest::IsNothing) => "请用文字告诉我你需要什么。".to_owned(),
        });
        match language {
            Language::English => lines.join(" "),
            Language::Chinese => lines.concat(),
        }
    }
}

/// Whether there is anything besides what is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// There is.
    IsWorkedOn,
    /// There is not.
    IsNothing,
}
