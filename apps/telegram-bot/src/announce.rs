//! The commands that Telegram offers people while they type.

use std::time::Duration;

use teloxide::Bot;
use teloxide::payloads::SetMyCommandsSetters;
use teloxide::requests::Requester;
use teloxide::types::BotCommand;

use crate::poll;

/// A command of the gateway, and what it does.
pub(crate) struct Command {
    pub(crate) name: &'static str,
    english: &'static str,
    chinese: &'static str,
}

const fn command(name: &'static str, english: &'static str, chinese: &'static str) -> Command {
    Command { name, english, chinese }
}

/// What the gateway answers itself; in groups these need no mention.
pub(crate) const COMMANDS: [Command; 7] = [
    command("start", "Begin here", "从这里开始"),
    command("help", "What I can do", "我能做什么"),
    command("where", "Which session and thread this chat talks to", "此聊天所在的会话与线程"),
    command("new", "Start a new thread", "开始新的对话"),
    command("stop", "Stop the running turn", "停止正在进行的回合"),
    command("status", "How things stand", "当前状态"),
    command("whoami", "Who you are to me", "我所知道的你"),
];

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
