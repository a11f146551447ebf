//! What people read of commands that ask for more than a line, in each language.

use super::{code, pick};
use crate::chat::button::Setting;
use crate::store::ledger::Language;

pub(in crate::chat) fn operators_only(language: Language) -> String {
    pick(language, "Only an operator may do that.", "只有管理员可以这样做。")
}

pub(in crate::chat) fn nothing_before(language: Language) -> String {
    pick(language, "There is nothing before this in this chat.", "此聊天中还没有之前的内容。")
}

pub(in crate::chat) fn still_open(language: Language) -> String {
    pick(language, "The last thing you asked is not done yet.", "你的上一条请求尚未完成。")
}

pub(in crate::chat) fn again(language: Language) -> String {
    pick(language, "I try it again.", "正在重试。")
}

pub(in crate::chat) fn threads(language: Language, count: usize) -> String {
    if count == 0 {
        return pick(language, "This chat has no thread yet.", "此聊天还没有对话。");
    }
    pick(
        language,
        "Threads of this chat, by what was said first; the present one is marked. Press one to go on in it.",
        "此聊天的历史对话（以首句话表示），当前对话已标记。按下即可继续该对话。",
    )
}

pub(in crate::chat) fn this_thread(language: Language) -> String {
    pick(language, "That is the present thread.", "这就是当前的对话。")
}

pub(in crate::chat) fn gone_back(language: Language) -> String {
    pick(language, "Back in that thread.", "已回到该对话。")
}

pub(in crate::chat) fn back(language: Language, thread: &str) -> String {
    pick(
        language,
        format!("Your next message goes on in the thread {}.", code(thread)),
        format!("你的下一条消息将在线程 {} 中继续。", code(thread)),
    )
}

pub(in crate::chat) fn models(language: Language, model: Option<&str>, effort: Option<&str>) -> String {
    let model = model.map_or_else(|| default(language), code);
    let effort = effort.map_or_else(|| default(language), code);
    pick(
        language,
        format!(
            "Model here: {model}\nEffort: {effort}\n\nA choice counts from the next turn on. Another model begins with \
             its own effort; send /model again to choose one."
        ),
        format!(
            "此聊天的模型：{model}\n思考强度：{effort}\n\n选择从下一轮开始生效。更换模型后思考强度恢复默认；再次发送 /model 可选择。"
        ),
    )
}

pub(in crate::chat) fn default(language: Language) -> String {
    pick(language, "default", "默认")
}

pub(in crate::chat) fn default_effort(language: Language) -> String {
    pick(language, "default effort", "默认强度")
}

pub(in crate::chat) fn approvals(language: Language, policy: &str, sandbox: &str) -> String {
    let (policy, sandbox) = (code(policy), code(sandbox));
    pick(
        language,
        format!(
            "I ask before I act: {policy}\nSandbox: {sandbox}\n\n- `untrusted`: before every command that is not known \
             to be harmless\n- `on-request`: when I want more than the sandbox allows\n- `never`: I never ask; what the \
             sandbox forbids fails\n\nThe sandbox is the wall that the one who runs this gateway chose \
             (`ARGUS_SANDBOX`); a chat cannot change it. Inside a container the container itself is that wall. Only an \
             operator may change when I ask."
        ),
        format!(
            "我先征求同意：{policy}\n沙箱：{sandbox}\n\n- `untrusted`：除已知无害的命令外，每次都询问\n\
             - `on-request`：需要超出沙箱的权限时询问\n- `never`：从不询问；沙箱禁止的操作会失败\n\n\
             沙箱由网关的运行者通过 `ARGUS_SANDBOX` 决定，聊天中无法更改；在容器中，容器本身就是这道墙。\
             只有管理员可以更改询问方式。"
        ),
    )
}

pub(in crate::chat) fn busy(language: Language) -> String {
    pick(language, "What your messages do while I work on something:", "我正在工作时，如何处理你的新消息：")
}

pub(in crate::chat) fn busy_word(language: Language, word: &str) -> String {
    match word {
        "queue" => pick(language, "They wait", "排队等待"),
        "steer" => pick(language, "I am told at once", "立即转达"),
        "interrupt" => pick(language, "They interrupt me", "中断当前工作"),
        other => other.to_owned(),
    }
}

pub(in crate::chat) fn languages(language: Language) -> String {
    pick(language, "Which language shall I speak with you?", "我应该用哪种语言与你交流？")
}

pub(in crate::chat) fn automatic(language: Language) -> String {
    pick(language, "As your app says", "跟随你的应用")
}

/// A press has changed something.
pub(in crate::chat) fn set(language: Language, setting: &Setting) -> String {
    let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| default(language));
    match setting {
        Setting::Model(value) => {
            pick(language, format!("Model: {}", shown(value)), format!("模型：{}", shown(value)))
        }
        Setting::Effort(value) => {
            pick(language, format!("Effort: {}", shown(value)), format!("思考强度：{}", shown(value)))
        }
        Setting::Approval(value) => {
            pick(language, format!("I ask: {}", shown(value)), format!("询问方式：{}", shown(value)))
        }
        Setting::WhileRunning(value) => {
            let word = value.as_deref().map_or_else(|| default(language), |word| busy_word(language, word));
            pick(language, format!("While I work: {word}"), format!("工作时：{word}"))
        }
        Setting::Language(Some(_)) => pick(language, "I speak English with you.", "我会用中文与你交流。"),
        Setting::Language(None) => pick(language, "I speak as your app says.", "我会跟随你的应用语言。"),
    }
}

pub(in crate::chat) fn opened(language: Language, open: bool) -> String {
    if open {
        return pick(
            language,
            "Everybody in this group may talk to me now. `/pair off` takes that back.",
            "现在此群组的所有成员都可以与我对话。发送 `/pair off` 可取消。",
        );
    }
    pick(
        language,
        "Only people I know may talk to me in this group now.",
        "现在此群组中只有我认识的人可以与我对话。",
    )
}

pub(in crate::chat) fn open_by_setting(language: Language) -> String {
    pick(
        language,
        "`TELEGRAM_ALLOWED_CHAT_IDS` names this group: take it out there to close it.",
        "`TELEGRAM_ALLOWED_CHAT_IDS` 中列有此群组：请在那里移除以关闭。",
    )
}

pub(in crate::chat) fn in_a_group(language: Language) -> String {
    pick(language, "Send that in the group that you mean.", "请在相应的群组中发送。")
}

pub(in crate::chat) fn code_in_private(language: Language) -> String {
    pick(
        language,
        "I show a pairing code in a private chat only. `/pair here` lets everybody in this group talk to me.",
        "我只在私聊中显示配对码。发送 `/pair here` 可让此群组的所有成员与我对话。",
    )
}

pub(in crate::chat) fn pair_how(language: Language) -> String {
    pick(
        language,
        "Send `/pair` for a code, `/pair here` in a group to open it to its members, `/pair off` to close it.",
        "发送 `/pair` 获取配对码；在群组中发送 `/pair here` 向其成员开放，发送 `/pair off` 关闭。",
    )
}

pub(in crate::chat) fn code_is(language: Language, shown: &str) -> String {
    pick(
        language,
        format!(
            "Who sends me this code in a private chat is let in: {}. It works once, for a quarter of an hour.",
            code(shown)
        ),
        format!("在私聊中把此配对码发给我的人将被允许：{}。仅可使用一次，有效期约一刻钟。", code(shown)),
    )
}

pub(in crate::chat) fn approved(language: Language, operator: bool) -> String {
    if operator {
        return pick(
            language,
            "You are let in, as an operator. Write to me what you need.",
            "你已获准加入，身份为管理员。直接告诉我你需要什么。",
        );
    }
    pick(language, "You are let in. Write to me what you need.", "你已获准加入。直接告诉我你需要什么。")
}

pub(in crate::chat) fn sessions(language: Language, count: usize) -> String {
    pick(language, format!("Sessions: {count}"), format!("会话数：{count}"))
}

pub(in crate::chat) fn session(
    language: Language,
    session: &str,
    status: &str,
    chats: &[String],
    of: usize,
) -> String {
    let mut chats: Vec<_> = chats.iter().map(|chat| code(chat)).collect();
    if of > chats.len() {
        chats.push(super::asking::more(language, of - chats.len()));
    }
    let chats = if chats.is_empty() { pick(language, "none", "无") } else { chats.join(", ") };
    pick(
        language,
        format!("- {}: {status}; chats: {chats}", code(session)),
        format!("- {}：{status}；聊天：{chats}", code(session)),
    )
}

pub(in crate::chat) fn today(language: Language) -> String {
    pick(language, "**Today (UTC)**", "**今天（UTC）**")
}

pub(in crate::chat) fn week(language: Language) -> String {
    pick(language, "\n**The last 7 days**", "\n**最近 7 天**")
}

pub(in crate::chat) fn no_turns(language: Language) -> String {
    pick(language, "No turns.", "没有回合。")
}

/// `tokens`: read, of these from the cache, written.
pub(in crate::chat) fn used(language: Language, session: &str, turns: u64, tokens: [u64; 3]) -> String {
    let [input, cached, output] = tokens;
    pick(
        language,
        format!("- {}: {turns} turns, {input} tokens in ({cached} cached), {output} out", code(session)),
        format!("- {}：{turns} 个回合，输入 {input} 令牌（缓存 {cached}），输出 {output}", code(session)),
    )
}
