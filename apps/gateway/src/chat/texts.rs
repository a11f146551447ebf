//! Every text a person gets from the chats themselves, in each language, as Markdown.

pub(super) mod asking;
pub(super) mod commands;
pub(super) mod forms;
pub(super) mod node_asks;
pub(super) mod running;

use argus_session::LaneStatus;

use crate::store::ledger::{Language, Role};

/// Picks by language: English, then Chinese.
fn pick(language: Language, english: impl Into<String>, chinese: impl Into<String>) -> String {
    match language {
        Language::English => english.into(),
        Language::Chinese => chinese.into(),
    }
}

/// A value that is shown as it is.
fn code(value: &str) -> String {
    format!("`{}`", value.replace('`', "'"))
}

/// A text that is no Markdown, as Markdown.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_punctuation() {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

const COMMANDS_EN: &str = "/new – begin a new thread\n/stop – stop what I am doing\n/status – how things stand\n\
    /retry – the last thing you asked, again\n/last – my last answer, again\n/threads – earlier threads of this chat\n\
    /model – which model answers here\n/approvals – when I ask before I act\n\
    /busy – what your messages do while I work\n/lang – the language I speak with you\n\
    /where – which session and thread this chat talks to\n/whoami – who you are to me\n/help – this list";
const COMMANDS_ZH: &str = "/new – 开始新的对话\n/stop – 停止我正在做的事\n/status – 当前状态\n\
    /retry – 重新处理你的上一条请求\n/last – 再次显示我的上一个回答\n/threads – 此聊天的历史对话\n\
    /model – 此聊天使用的模型\n/approvals – 我何时先征求同意\n\
    /busy – 我工作时如何处理你的消息\n/lang – 我与你交流的语言\n\
    /where – 此聊天所在的会话与线程\n/whoami – 我所知道的你\n/help – 显示此列表";

const OPERATORS_EN: &str = "\n\nAs an operator:\n/sessions – all sessions and their chats\n/usage – what turns took\n\
    /pair – a code for the next person; in a group `/pair here` and `/pair off`";
const OPERATORS_ZH: &str = "\n\n管理员命令：\n/sessions – 所有会话及其聊天\n/usage – 各回合的用量\n\
    /pair – 给下一个人的配对码；在群组中可用 `/pair here` 和 `/pair off`";

pub(super) fn greeting(language: Language) -> String {
    pick(
        language,
        format!("Hello! Write to me what you need, and I get to work.\n\n{COMMANDS_EN}"),
        format!("你好！直接告诉我你需要什么，我就开始工作。\n\n{COMMANDS_ZH}"),
    )
}

pub(super) fn help(language: Language, role: Role) -> String {
    let (english, chinese) = match role {
        Role::Operator => (OPERATORS_EN, OPERATORS_ZH),
        Role::User => ("", ""),
    };
    pick(
        language,
        format!("Write to me in plain words; I answer here when I am done.\n\n{COMMANDS_EN}{english}"),
        format!("直接用平常的话写给我，完成后我会在这里回复。\n\n{COMMANDS_ZH}{chinese}"),
    )
}

pub(super) fn stranger(language: Language) -> String {
    pick(
        language,
        "Hello! We have not met yet, so I cannot work for you. If this is your Argus, send me the pairing code that \
         `argus pair` shows.",
        "你好！我们还不认识，所以我暂时不能为你工作。如果这是你的 Argus，请把 `argus pair` 显示的配对码发给我。",
    )
}

pub(super) fn wrong_code(language: Language, tries_left: u32) -> String {
    if tries_left == 0 {
        return pick(
            language,
            "That code is not right, or it is too old. That was the last try for this code; ask for a new one.",
            "配对码不正确或已过期。这个配对码的尝试次数已用完，请索取新的配对码。",
        );
    }
    pick(
        language,
        format!(
            "That code is not right, or it is too old; `argus pair` shows the present one. Tries left: {tries_left}."
        ),
        format!("配对码不正确或已过期；`argus pair` 会显示当前的配对码。剩余尝试次数：{tries_left}。"),
    )
}

pub(super) fn paired(language: Language, role: Role) -> String {
    match role {
        Role::Operator => pick(
            language,
            format!("We are paired: you are the operator. Write to me what you need.\n\n{COMMANDS_EN}"),
            format!("配对成功：你是管理员。直接告诉我你需要什么。\n\n{COMMANDS_ZH}"),
        ),
        Role::User => pick(
            language,
            format!("We are paired. Write to me what you need.\n\n{COMMANDS_EN}"),
            format!("配对成功。直接告诉我你需要什么。\n\n{COMMANDS_ZH}"),
        ),
    }
}

pub(super) fn paired_already(language: Language) -> String {
    pick(language, "We are paired already; no code is needed.", "我们已经配对过了，不需要配对码。")
}

pub(super) fn pair_in_private(language: Language) -> String {
    pick(language, "Send me the code in a private chat, please.", "请在私聊中把配对码发给我。")
}

pub(super) fn place(language: Language, session: &str, chat: &str, thread: Option<&str>) -> String {
    let thread = thread.map_or_else(|| pick(language, "none yet", "尚无"), code);
    pick(
        language,
        format!("Session: {}\nChat: {}\nThread: {thread}", code(session), code(chat)),
        format!("会话：{}\n聊天：{}\n线程：{thread}", code(session), code(chat)),
    )
}

pub(super) fn new_thread(language: Language) -> String {
    pick(
        language,
        "A new thread begins with your next message. What still runs goes on, and its answer comes here.",
        "你的下一条消息将开始新的对话。仍在进行的工作会继续，结果会发到这里。",
    )
}

pub(super) fn stopping(language: Language, waiting: usize) -> String {
    let text = pick(language, "I stop what I am doing.", "我正在停止当前的工作。");
    format!("{text}{}", still_waiting(language, waiting))
}

pub(super) fn nothing_to_stop(language: Language, waiting: usize) -> String {
    let text = pick(language, "Nothing is running.", "当前没有正在进行的工作。");
    format!("{text}{}", still_waiting(language, waiting))
}

fn still_waiting(language: Language, waiting: usize) -> String {
    match waiting {
        0 => String::new(),
        1 => pick(language, " One message waits and comes next.", "还有 1 条消息在等待，接下来会处理。"),
        n => pick(
            language,
            format!(" {n} messages wait and come next."),
            format!("还有 {n} 条消息在等待，接下来会处理。"),
        ),
    }
}

pub(super) fn cannot(language: Language, reason: &str) -> String {
    pick(language, format!("That did not work: {}", code(reason)), format!("未能完成：{}", code(reason)))
}

/// How the chat's lane stands; `older` says that what runs was asked before `/new`.
pub(super) fn status(language: Language, lane: &LaneStatus, older: Older, now_ms: u64) -> String {
    let mut lines = vec![match (lane.running_since, older) {
        (None, _) => pick(language, "Nothing is running.", "当前没有正在进行的工作。"),
        (Some(since), older) => {
            let span = span(language, now_ms.saturating_sub(since));
            match older {
                Older::No => {
                    pick(language, format!("I have been working for {span}."), format!("我已工作 {span}。"))
                }
                Older::Yes => pick(
                    language,
                    format!("I have been working for {span}, on what came before /new."),
                    format!("我已工作 {span}（处理 /new 之前的请求）。"),
                ),
                Older::Aside => pick(
                    language,
                    format!("I have been working for {span}, on something scheduled or an answer to it."),
                    format!("我已工作 {span}（处理定时任务或对它的回复）。"),
                ),
            }
        }
    }];
    if lane.waiting > 0 {
        let waiting = lane.waiting;
        lines.push(pick(
            language,
            format!("Messages waiting: {waiting}"),
            format!("等待中的消息：{waiting}"),
        ));
    }
    let runtime = match lane.runtime {
        "absent" => pick(language, "asleep, wakes with the next message", "休眠中，下一条消息会唤醒"),
        "starting" => pick(language, "starting", "正在启动"),
        "ready" => pick(language, "ready", "就绪"),
        "failing" => pick(language, "does not start", "无法启动"),
        other => other.to_owned(),
    };
    lines.push(pick(language, format!("Runtime: {runtime}"), format!("运行环境：{runtime}")));
    if let Some(trouble) = &lane.trouble {
        lines.push(pick(language, format!("Trouble: {}", code(trouble)), format!("问题：{}", code(trouble))));
    }
    lines.join("\n")
}

/// Whether what runs belongs to a former thread of the chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Older {
    /// It belongs to the present one.
    No,
    /// It was asked before `/new`.
    Yes,
    /// It belongs to none of the chat's: nobody asked for it, or it answers what nobody had asked for.
    Aside,
}

fn span(language: Language, ms: u64) -> String {
    let seconds = ms / 1000;
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    match (hours, minutes) {
        (0, 0) => pick(language, format!("{seconds} s"), format!("{seconds} 秒")),
        (0, _) => pick(language, format!("{minutes} min"), format!("{minutes} 分钟")),
        _ => pick(
            language,
            format!("{hours} h {} min", minutes % 60),
            format!("{hours} 小时 {} 分钟", minutes % 60),
        ),
    }
}

pub(super) fn who(language: Language, id: &str, name: &str, role: Role, chat: &str) -> String {
    let role = match role {
        Role::Operator => pick(language, "operator", "管理员"),
        Role::User => pick(language, "user", "用户"),
    };
    pick(
        language,
        format!("Name: {}\nId: {}\nRole: {role}\nChat: {}", code(name), code(id), code(chat)),
        format!("名称：{}\nID：{}\n角色：{role}\n聊天：{}", code(name), code(id), code(chat)),
    )
}

pub(super) fn nothing_in_it(language: Language) -> String {
    pick(
        language,
        "There is nothing in that message that I can work on. Please write to me what you need.",
        "这条消息里没有我能处理的内容。请用文字告诉我你需要什么。",
    )
}

pub(super) fn too_long(language: Language, most: usize) -> String {
    let most = most / 1024;
    pick(
        language,
        format!("That message is too long for me: at most {most} KiB, please. Nothing of it was passed on."),
        format!("这条消息太长了：最多 {most} KiB。内容没有被转交。"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(running_since: Option<u64>) -> LaneStatus {
        LaneStatus {
            thread: None,
            running_since,
            waiting: 2,
            runtime: "ready",
            trouble: Some("a `b`".to_owned()),
        }
    }

    #[test]
    fn a_status_is_told_in_the_persons_language() {
        assert_eq!(
            status(Language::English, &lane(Some(1000)), Older::No, 126_000),
            "I have been working for 2 min.\nMessages waiting: 2\nRuntime: ready\nTrouble: `a 'b'`"
        );
        assert_eq!(
            status(Language::Chinese, &lane(Some(0)), Older::Yes, 7_500_000),
            "我已工作 2 小时 5 分钟（处理 /new 之前的请求）。\n等待中的消息：2\n运行环境：就绪\n问题：`a 'b'`"
        );
        let aside = status(Language::English, &lane(Some(0)), Older::Aside, 1000);
        assert!(
            aside.starts_with("I have been working for 1 s, on something scheduled or an answer to it.\n")
        );
        let idle = LaneStatus { waiting: 0, trouble: None, ..lane(None) };
        assert_eq!(status(Language::English, &idle, Older::No, 0), "Nothing is running.\nRuntime: ready");
    }
}
