//! What operators read of the questions of nodes, in each language.

use super::{code, pick};
use crate::store::ledger::Language;

pub(in crate::chat) fn title(language: Language, node: &str) -> String {
    pick(
        language,
        format!("**May this be done on** {}**?**", code(node)),
        format!("**可以在** {} **上执行以下操作吗？**", code(node)),
    )
}

pub(in crate::chat) fn command(language: Language, command: &str, session: Option<&str>) -> String {
    let command = code(command);
    match session.map(code) {
        Some(session) => pick(
            language,
            format!("Command: {command}, asked for by session {session}"),
            format!("命令：{command}，由会话 {session} 请求"),
        ),
        None => pick(language, format!("Command: {command}"), format!("命令：{command}")),
    }
}

pub(in crate::chat) fn allow(language: Language) -> String {
    pick(language, "✅ Allow", "✅ 允许")
}

pub(in crate::chat) fn deny(language: Language) -> String {
    pick(language, "❌ Deny", "❌ 拒绝")
}

pub(in crate::chat) fn allowed(language: Language, name: &str) -> String {
    pick(language, format!("✅ Allowed by {name}"), format!("✅ {name} 已允许"))
}

pub(in crate::chat) fn denied(language: Language, name: &str) -> String {
    pick(language, format!("❌ Denied by {name}"), format!("❌ {name} 已拒绝"))
}

pub(in crate::chat) fn over(language: Language) -> String {
    pick(language, "No longer needed.", "已不再需要。")
}

pub(in crate::chat) fn expired(language: Language) -> String {
    pick(language, "⌛ Nobody answered in time; it was not done.", "⌛ 无人及时回答，未执行。")
}

pub(in crate::chat) fn operators_only(language: Language) -> String {
    pick(language, "Only an operator can answer here.", "只有管理员可以回答。")
}
