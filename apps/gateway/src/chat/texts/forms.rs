//! What people read of questions that are answered one after the other, in each language.

use super::pick;
use crate::chat::asking::{Format, Wrong};
use crate::store::ledger::Language;

pub(in crate::chat) fn yes(language: Language, yes: bool) -> String {
    if yes { pick(language, "Yes", "是") } else { pick(language, "No", "否") }
}

pub(in crate::chat) fn place(language: Language, number: usize, of: usize) -> String {
    pick(language, format!("Question {number} of {of}"), format!("问题 {number} / {of}"))
}

pub(in crate::chat) fn write_it(language: Language, or: bool) -> String {
    if or {
        return pick(
            language,
            "Press a button, or reply to this message with your own answer.",
            "按下按钮，或回复此消息写下你自己的答案。",
        );
    }
    pick(language, "Reply to this message with your answer.", "请回复此消息写下答案。")
}

pub(in crate::chat) fn secret(language: Language) -> String {
    pick(
        language,
        "⚠️ What you write stays readable in this chat; delete your message afterwards.",
        "⚠️ 你写的内容会留在此聊天中；请在之后删除你的消息。",
    )
}

pub(in crate::chat) fn skip(language: Language) -> String {
    pick(language, "Skip", "跳过")
}

pub(in crate::chat) fn skipped(language: Language) -> String {
    pick(language, "(skipped)", "（已跳过）")
}

pub(in crate::chat) fn hidden(language: Language) -> String {
    pick(language, "(not shown)", "（不显示）")
}

pub(in crate::chat) fn enough(language: Language) -> String {
    pick(language, "✔ That is all", "✔ 就这些")
}

pub(in crate::chat) fn accept(language: Language) -> String {
    pick(language, "✅ Accept", "✅ 接受")
}

pub(in crate::chat) fn decline(language: Language) -> String {
    pick(language, "❌ Do not answer", "❌ 不回答")
}

pub(in crate::chat) fn cancel(language: Language) -> String {
    pick(language, "⏹ Cancel", "⏹ 取消")
}

pub(in crate::chat) fn count(language: Language, least: usize, most: usize) -> String {
    pick(language, format!("Pick {least} to {most}, please."), format!("请选择 {least} 到 {most} 项。"))
}

pub(in crate::chat) fn wrong(language: Language, wrong: &Wrong) -> String {
    match wrong {
        Wrong::NoNumber { whole: true } => {
            pick(language, "That is no whole number. Reply again, please.", "这不是整数，请重新回复。")
        }
        Wrong::NoNumber { whole: false } => {
            pick(language, "That is no number. Reply again, please.", "这不是数字，请重新回复。")
        }
        Wrong::Range { least, most } => {
            let side = |side: &Option<f64>| side.map_or_else(|| "…".to_owned(), |n| n.to_string());
            let (least, most) = (side(least), side(most));
            pick(
                language,
                format!("It has to lie between {least} and {most}. Reply again, please."),
                format!("必须在 {least} 和 {most} 之间，请重新回复。"),
            )
        }
        Wrong::Length { least, most } => pick(
            language,
            format!("It has to have {least} to {most} characters. Reply again, please."),
            format!("长度必须为 {least} 到 {most} 个字符，请重新回复。"),
        ),
        Wrong::Shape(format) => {
            let (english, chinese) = match format {
                Format::Email => ("an e-mail address", "电子邮件地址"),
                Format::Uri => ("an address such as https://example.com", "网址，例如 https://example.com"),
                Format::Date => ("a date such as 2026-01-31", "日期，例如 2026-01-31"),
                Format::DateTime => {
                    ("a time such as 2026-01-31T18:00:00Z", "时间，例如 2026-01-31T18:00:00Z")
                }
            };
            pick(
                language,
                format!("I need {english}. Reply again, please."),
                format!("需要{chinese}，请重新回复。"),
            )
        }
    }
}
