//! The commands that Telegram offers people while they type.

use std::time::Duration;

use teloxide::Bot;
use teloxide::payloads::SetMyCommandsSetters;
use teloxide::requests::Requester;
use teloxide::types::BotCommand;

use crate::poll;

/// A command of the gateway, and what it does.
struct Command {
    name: &'static str,
    english: &'static str,
    chinese: &'static str,
}

const fn command(name: &'static str, english: &'static str, chinese: &'static str) -> Command {
    Command { name, english, chinese }
}

/// What the gateway answers itself.
const COMMANDS: [Command; 15] = [
    command("start", "Begin here", "从这里开始"),
    command("help", "What I can do", "我能做什么"),
    command("new", "Start a new thread", "开始新的对话"),
    command("stop", "Stop the running turn", "停止正在进行的回合"),
    command("status", "How things stand", "当前状态"),
    command("retry", "Ask the last question again", "重新提问上一个问题"),
    command("last", "The last answer again", "再次显示最近的回答"),
    command("lastresult", "The same as /last", "与 /last 相同"),
    command("threads", "Threads of this chat", "此聊天的对话列表"),
    command("where", "Which session and thread this chat talks to", "此聊天所在的会话与线程"),
    command("whoami", "Who you are to me", "我所知道的你"),
    command("model", "Which model answers here", "此聊天使用的模型"),
    command("approvals", "What I ask before doing", "哪些操作需要先批准"),
    command("busy", "What your messages do while I work", "我工作时如何处理你的消息"),
    command("lang", "My language", "我使用的语言"),
];
/// The same, but not offered to everybody.
const QUIET: [&str; 3] = ["sessions", "pair", "usage"];

/// Whether the gateway answers this itself; in groups such a command needs no mention.
pub(crate) fn is_command(name: &str) -> bool {
    let offered = COMMANDS.iter().map(|command| command.name);
    offered.chain(QUIET).any(|known| known.eq_ignore_ascii_case(name))
}

/// Tells Telegram the commands. When it fails people only miss the suggestions, so it is tried once.
pub(crate) async fn commands(bot: &Bot) {
    let english = COMMANDS.iter().map(|command| BotCommand::new(command.name, command.english));
    let chinese = COMMANDS.iter().map(|command| BotCommand::new(command.name, command.chinese));
    let telling = async {
        bot.set_my_commands(english).await?;
        bot.set_my_commands(chinese).language_code("zh").await
    };
    match tokio::time::timeout(Duration::from_secs(20), telling).await {
        Ok(Ok(_)) => tracing::debug!("Telegram knows the commands"),
        Ok(Err(error)) => {
            let fault = poll::Fault::from(error);
            tracing::warn!(%fault, "Telegram did not take the list of commands; people are not offered them");
        }
        Err(_) => tracing::warn!("Telegram did not take the list of commands in time"),
    }
}
