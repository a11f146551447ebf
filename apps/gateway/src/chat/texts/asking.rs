//! What people read of an agent's questions, in each language.

use argus_session::QuestionEnd;

use super::{code, pick};
use crate::chat::asking::{Kind, Verdict, What};
use crate::store::ledger::Language;

pub(in crate::chat) fn title(language: Language, what: &What) -> String {
    match what {
        What::Command { input: true, .. } => pick(
            language,
            "**May I type this into a command that runs?**",
            "**我可以在正在运行的命令中输入以下内容吗？**",
        ),
        What::Command { host: Some(host), .. } => pick(
            language,
            format!("**May this command reach** {}**?**", code(host)),
            format!("**此命令可以访问** {} **吗？**", code(host)),
        ),
        What::Command { .. } => pick(language, "**May I run this command?**", "**我可以运行此命令吗？**"),
        What::Files { .. } => pick(language, "**May I change these files?**", "**我可以修改这些文件吗？**"),
        What::Permissions { .. } => {
            pick(language, "**May I do more than my sandbox allows?**", "**我可以获得超出沙箱的权限吗？**")
        }
        What::Link { server, .. } => pick(
            language,
            format!("**{} asks you to open a page**", code(server)),
            format!("**{} 请你打开一个页面**", code(server)),
        ),
    }
}

pub(in crate::chat) fn asks(language: Language, server: Option<&str>) -> String {
    match server {
        Some(server) => {
            pick(language, format!("**{} asks**", code(server)), format!("**{} 询问**", code(server)))
        }
        None => pick(language, "**I have a question**", "**我有一个问题**"),
    }
}

pub(in crate::chat) fn reason(language: Language, reason: &str) -> String {
    pick(language, format!("Why: {reason}"), format!("原因：{reason}"))
}

pub(in crate::chat) fn folder(language: Language, cwd: &str) -> String {
    pick(language, format!("In: {}", code(cwd)), format!("目录：{}", code(cwd)))
}

pub(in crate::chat) fn beyond(language: Language, lines: &[String]) -> String {
    let list = lines.iter().map(|line| format!("- {}", code(line))).collect::<Vec<_>>().join("\n");
    pick(language, format!("It wants:\n{list}"), format!("它需要：\n{list}"))
}

pub(in crate::chat) fn root(language: Language, root: &str) -> String {
    pick(
        language,
        format!("For everything below: {}", code(root)),
        format!("适用于此目录下的所有内容：{}", code(root)),
    )
}

pub(in crate::chat) fn always(language: Language, prefix: &str) -> String {
    pick(
        language,
        format!("“Always” allows every command that begins with {}.", code(prefix)),
        format!("“始终允许”将允许所有以 {} 开头的命令。", code(prefix)),
    )
}

pub(in crate::chat) fn kind(language: Language, kind: Kind) -> String {
    match kind {
        Kind::Add => pick(language, "new", "新建"),
        Kind::Delete => pick(language, "delete", "删除"),
        Kind::Update => pick(language, "change", "修改"),
    }
}

pub(in crate::chat) fn no_files(language: Language) -> String {
    pick(
        language,
        "⚠️ I cannot show you which: the agent did not say, or they are too large to be kept. Deny what you do not know.",
        "⚠️ 我无法显示是哪些文件：代理没有说明，或内容过大无法保留。不清楚内容时请拒绝。",
    )
}

pub(in crate::chat) fn more(language: Language, count: usize) -> String {
    pick(language, format!("… and {count} more"), format!("……还有 {count} 个"))
}

pub(in crate::chat) fn left_out(language: Language, bytes: usize) -> String {
    pick(
        language,
        format!("[… {bytes} bytes are not shown here …]"),
        format!("[…… 此处省略 {bytes} 字节 ……]"),
    )
}

pub(in crate::chat) fn in_the_file(language: Language) -> String {
    pick(
        language,
        "⚠️ It is too long to be shown whole; all of it is in the file above.",
        "⚠️ 内容过长，无法完整显示；完整内容见上方的文件。",
    )
}

pub(in crate::chat) fn whole(language: Language) -> String {
    pick(language, "What the next question is about, in full.", "下一个问题的完整内容。")
}

pub(in crate::chat) fn button(language: Language, verdict: &Verdict) -> String {
    match verdict {
        Verdict::Once => pick(language, "✅ Allow once", "✅ 允许一次"),
        Verdict::Session => pick(language, "✅ Allow for this session", "✅ 本会话内允许"),
        Verdict::Always => pick(language, "✅ Always allow", "✅ 始终允许"),
        Verdict::Turn => pick(language, "✅ Allow for this turn", "✅ 本轮内允许"),
        Verdict::Host(host) => {
            pick(language, format!("✅ Always allow {host}"), format!("✅ 始终允许 {host}"))
        }
        Verdict::NoHost(host) => {
            pick(language, format!("❌ Never allow {host}"), format!("❌ 永不允许 {host}"))
        }
        Verdict::Done => pick(language, "✅ Done", "✅ 已完成"),
        Verdict::Deny => pick(language, "❌ Deny", "❌ 拒绝"),
        Verdict::DenyAndStop => pick(language, "⏹ Deny and stop", "⏹ 拒绝并停止"),
    }
}

/// What came of it; `name` is as people call themselves.
pub(in crate::chat) fn decided(language: Language, verdict: &Verdict, name: &str) -> String {
    match verdict {
        Verdict::Once => {
            pick(language, format!("✅ Allowed once by {name}"), format!("✅ {name} 允许了一次"))
        }
        Verdict::Session => pick(
            language,
            format!("✅ Allowed for this session by {name}"),
            format!("✅ {name} 在本会话内允许"),
        ),
        Verdict::Always => {
            pick(language, format!("✅ Always allowed by {name}"), format!("✅ {name} 始终允许"))
        }
        Verdict::Turn => {
            pick(language, format!("✅ Allowed for this turn by {name}"), format!("✅ {name} 在本轮内允许"))
        }
        Verdict::Host(host) => pick(
            language,
            format!("✅ {host} always allowed by {name}"),
            format!("✅ {name} 始终允许 {host}"),
        ),
        Verdict::NoHost(host) => pick(
            language,
            format!("❌ {host} never allowed, by {name}"),
            format!("❌ {name} 永不允许 {host}"),
        ),
        Verdict::Done => pick(language, format!("✅ Done, says {name}"), format!("✅ {name} 已完成")),
        Verdict::Deny => pick(language, format!("❌ Denied by {name}"), format!("❌ {name} 已拒绝")),
        Verdict::DenyAndStop => {
            pick(language, format!("⏹ Denied and stopped by {name}"), format!("⏹ {name} 已拒绝并停止"))
        }
    }
}

pub(in crate::chat) fn answered(language: Language, name: &str) -> String {
    pick(language, format!("✅ Answered by {name}"), format!("✅ {name} 已回答"))
}

pub(in crate::chat) fn refused(language: Language, name: &str) -> String {
    pick(language, format!("❌ Not answered, says {name}"), format!("❌ {name} 不予回答"))
}

pub(in crate::chat) fn ended(language: Language, end: QuestionEnd) -> String {
    match end {
        QuestionEnd::Expired => {
            pick(language, "⌛ Nobody answered in time; it was declined.", "⌛ 无人及时回答，已自动拒绝。")
        }
        QuestionEnd::Withdrawn => pick(language, "No longer needed.", "已不再需要。"),
        QuestionEnd::Answered => pick(language, "Answered elsewhere.", "已在其他地方回答。"),
    }
}

pub(in crate::chat) fn unaskable(language: Language, method: &str, declined: bool) -> String {
    let method = code(method);
    if declined {
        return pick(
            language,
            format!("The agent asked for something that a chat cannot answer ({method}). I declined it."),
            format!("代理请求了聊天中无法回答的内容（{method}），我已拒绝。"),
        );
    }
    pick(
        language,
        format!(
            "The agent asked for something that a chat cannot answer ({method}). Unless another client answers, it is \
             declined."
        ),
        format!("代理请求了聊天中无法回答的内容（{method}）。如果没有其他客户端回答，将会被拒绝。"),
    )
}

pub(in crate::chat) fn not_yours(language: Language) -> String {
    pick(
        language,
        "Only the person who asked for this work, or an operator, can answer here.",
        "只有提出此请求的人或管理员可以回答。",
    )
}

pub(in crate::chat) fn unknown_button(language: Language) -> String {
    pick(language, "This button does nothing any more.", "此按钮已失效。")
}

pub(in crate::chat) fn not_known(language: Language) -> String {
    pick(language, "We have not met: I cannot take this from you.", "我们还不认识：我无法接受你的操作。")
}
