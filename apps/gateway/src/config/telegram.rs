//! Settings of Telegram: its bots, who may talk to them, and how answers come.

use std::time::Duration;

use argus_protocol::token::Secret;
use clap::Args;
use url::Url;

use super::parse::list;
use super::read::Reader;

/// Settings of Telegram, still as text.
#[derive(Args, Clone, Default)]
pub struct TelegramArgs {
    /// The Telegram bot's token, several comma separated; without one there is no Telegram
    #[arg(long, env = "TELEGRAM_BOT_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub telegram_token: Option<String>,
    /// URL of the Bot API [default: Telegram's own, api.telegram.org]
    #[arg(long, env = "TELEGRAM_API_URL", value_name = "URL")]
    pub telegram_api_url: Option<String>,
    /// Telegram user ids that need no pairing, comma separated
    #[arg(long, env = "TELEGRAM_ALLOWED_USER_IDS", value_name = "IDS")]
    pub telegram_allowed_user_ids: Option<String>,
    /// Telegram user ids that need no pairing and are operators, comma separated
    #[arg(long, env = "TELEGRAM_OPERATOR_USER_IDS", value_name = "IDS")]
    pub telegram_operator_user_ids: Option<String>,
    /// Ids of Telegram groups in which every member may talk to the bot, comma separated
    #[arg(long, env = "TELEGRAM_ALLOWED_CHAT_IDS", value_name = "IDS")]
    pub telegram_allowed_chat_ids: Option<String>,
    /// How answers grow in the chat: off, edit, draft, or auto: drafts in private chats, edits elsewhere [default: auto]
    #[arg(long, env = "TELEGRAM_STREAMING", value_name = "HOW")]
    pub telegram_streaming: Option<String>,
    /// Seconds between two changes of a growing answer [default: 1.5]
    #[arg(long, env = "TELEGRAM_STREAM_INTERVAL_S", value_name = "SECONDS")]
    pub telegram_stream_interval: Option<String>,
    /// Whether a growing answer shows what the agent does: on or off [default: on]
    #[arg(long, env = "TELEGRAM_ACTIVITY", value_name = "WORD")]
    pub telegram_activity: Option<String>,
    /// Whether a growing answer shows what the agent thinks: hidden or summary [default: hidden]
    #[arg(long, env = "TELEGRAM_REASONING", value_name = "WORD")]
    pub telegram_reasoning: Option<String>,
    /// Characters over which an answer comes as a file, 0 = never [default: 16384]
    #[arg(long, env = "TELEGRAM_LONG_ANSWER", value_name = "CHARACTERS")]
    pub telegram_long_answer: Option<String>,
    /// What a message does while a turn runs: queue, steer or interrupt [default: queue]
    #[arg(long, env = "TELEGRAM_WHILE_RUNNING", value_name = "WORD")]
    pub telegram_while_running: Option<String>,
    /// How many messages of others in a group are told to the agent with the next one to it [default: 0]
    #[arg(long, env = "TELEGRAM_GROUP_CONTEXT", value_name = "COUNT")]
    pub telegram_group_context: Option<String>,
    /// Megabytes that a file may have which people send; Telegram's own Bot API gives out no more than 20 [default: 20]
    #[arg(long, env = "TELEGRAM_MEDIA_MAX_MB", value_name = "MEGABYTES")]
    pub telegram_media_max: Option<String>,
    /// A command that turns a voice message into text: it is given the file's path, and prints the words
    #[arg(long, env = "ARGUS_TRANSCRIBE_CMD", value_name = "COMMAND")]
    pub transcribe_cmd: Option<String>,
    /// An OpenAI-compatible address that does so.
    #[arg(
        long,
        env = "ARGUS_TRANSCRIBE_URL",
        value_name = "URL",
        help = "An OpenAI-compatible address that does so, such as http://127.0.0.1:8000/v1/audio/transcriptions"
    )]
    pub transcribe_url: Option<String>,
    /// The key for that address
    #[arg(long, env = "ARGUS_TRANSCRIBE_KEY", hide_env_values = true, value_name = "KEY")]
    pub transcribe_key: Option<String>,
    /// The model for that address [default: whisper-1]
    #[arg(long, env = "ARGUS_TRANSCRIBE_MODEL", value_name = "NAME")]
    pub transcribe_model: Option<String>,
}

/// Telegram as the gateway needs it.
#[derive(Clone, Debug)]
pub struct TelegramConfig {
    /// The bots' tokens; the first one is meant where none is named. Never empty.
    pub tokens: Vec<Secret>,
    /// The Bot API.
    pub api_url: Url,
    /// Users that need no pairing.
    pub allowed_user_ids: Vec<String>,
    /// Users that need no pairing and are operators.
    pub operator_user_ids: Vec<String>,
    /// Groups in which everybody may talk to the bots.
    pub allowed_chat_ids: Vec<String>,
    /// How answers grow.
    pub live: LiveConfig,
    /// Characters over which an answer is a file; `None`: never.
    pub long_answer: Option<usize>,
    /// What a message does while a turn runs.
    pub while_running: WhileRunning,
    /// Messages of others that are told with the next one in a group.
    pub group_context: u32,
    /// Bytes that a file may have which people send.
    pub media_limit: u64,
    /// What makes text of voice messages.
    pub transcriber: Option<Transcriber>,
}

/// How answers grow in the chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveConfig {
    /// In which way.
    pub streaming: Streaming,
    /// The time between two changes in one chat.
    pub interval: Duration,
    /// Whether what the agent does is shown.
    pub activity: bool,
    /// Whether what the agent thinks is shown, in summary.
    pub reasoning: bool,
}

/// In which way answers grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Streaming {
    /// Not at all: they come when they are whole.
    Off,
    /// A message is edited.
    Edit,
    /// A draft, where there can be one; elsewhere not at all.
    Draft,
    /// A draft in private chats, edits elsewhere and where drafts are refused.
    Auto,
}

/// What a message does while a turn runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhileRunning {
    /// It waits; several are one turn.
    Queue,
    /// It is told to the agent within the turn that runs.
    Steer,
    /// The turn that runs is ended for it.
    Interrupt,
}

/// What makes text of voice messages.
#[derive(Clone, Debug)]
pub enum Transcriber {
    /// A command; it is given the path of the file as its last argument.
    Command(String),
    /// An OpenAI-compatible endpoint.
    Endpoint {
        /// Its address.
        url: Url,
        /// Its key, where it needs one.
        key: Option<Secret>,
        /// The model.
        model: String,
    },
}

/// Reads the settings of Telegram; `None` where there is no token.
pub(super) fn telegram(args: &TelegramArgs, read: &mut Reader) -> Option<TelegramConfig> {
    let default: Url = "https://api.telegram.org".parse().expect("a constant URL");
    let api_url = read.or("TELEGRAM_API_URL", args.telegram_api_url.as_ref(), default, http);
    let user = |text: &str| text.parse::<u64>().is_ok();
    let allowed = ids(read, "TELEGRAM_ALLOWED_USER_IDS", args.telegram_allowed_user_ids.as_ref(), user);
    let operators = ids(read, "TELEGRAM_OPERATOR_USER_IDS", args.telegram_operator_user_ids.as_ref(), user);
    let group = |text: &str| text.parse::<i64>().is_ok_and(|id| id < 0);
    let chats = ids(read, "TELEGRAM_ALLOWED_CHAT_IDS", args.telegram_allowed_chat_ids.as_ref(), group);
    let live = live(args, read);
    let count = |text: &str| text.parse::<u32>().map_err(|_| "expected a number".to_owned());
    let long = read.or("TELEGRAM_LONG_ANSWER", args.telegram_long_answer.as_ref(), 16384, count);
    let while_running = read.or(
        "TELEGRAM_WHILE_RUNNING",
        args.telegram_while_running.as_ref(),
        WhileRunning::Queue,
        |text| while_running(text).ok_or_else(|| "expected queue, steer or interrupt".to_owned()),
    );
    let group_context = read.or("TELEGRAM_GROUP_CONTEXT", args.telegram_group_context.as_ref(), 0, |text| {
        text.parse().ok().filter(|n| *n <= 100).ok_or_else(|| "expected a number up to 100".to_owned())
    });
    let megabytes = read.or("TELEGRAM_MEDIA_MAX_MB", args.telegram_media_max.as_ref(), 20, |text| {
        let fits = text.parse().ok().filter(|n| (1..=2000).contains(n));
        fits.ok_or_else(|| "expected a number from 1 to 2000".to_owned())
    });
    let transcriber = transcriber(args, read);
    let tokens = tokens(args, read);
    if tokens.is_empty() {
        return None;
    }
    Some(TelegramConfig {
        tokens,
        api_url,
        allowed_user_ids: allowed,
        operator_user_ids: operators,
        allowed_chat_ids: chats,
        live,
        long_answer: usize::try_from(long).ok().filter(|long| *long > 0),
        while_running,
        group_context,
        media_limit: megabytes << 20,
        transcriber,
    })
}

/// The words of [`WhileRunning`], which chats use too.
pub fn while_running(text: &str) -> Option<WhileRunning> {
    match text {
        "queue" => Some(WhileRunning::Queue),
        "steer" => Some(WhileRunning::Steer),
        "interrupt" => Some(WhileRunning::Interrupt),
        _ => None,
    }
}

fn live(args: &TelegramArgs, read: &mut Reader) -> LiveConfig {
    let streaming =
        read.or("TELEGRAM_STREAMING", args.telegram_streaming.as_ref(), Streaming::Auto, |text| match text {
            "off" => Ok(Streaming::Off),
            "edit" => Ok(Streaming::Edit),
            "draft" => Ok(Streaming::Draft),
            "auto" => Ok(Streaming::Auto),
            _ => Err("expected off, edit, draft or auto".to_owned()),
        });
    let interval = Duration::from_millis(1500);
    let interval =
        read.or("TELEGRAM_STREAM_INTERVAL_S", args.telegram_stream_interval.as_ref(), interval, |text| {
            let seconds = text.parse::<f64>().ok().filter(|seconds| (0.1..=60.0).contains(seconds));
            seconds.map(Duration::from_secs_f64).ok_or_else(|| "expected 0.1 to 60 seconds".to_owned())
        });
    let activity = read.or("TELEGRAM_ACTIVITY", args.telegram_activity.as_ref(), true, |text| match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("expected on or off".to_owned()),
    });
    let reasoning =
        read.or("TELEGRAM_REASONING", args.telegram_reasoning.as_ref(), false, |text| match text {
            "hidden" => Ok(false),
            "summary" => Ok(true),
            _ => Err("expected hidden or summary".to_owned()),
        });
    LiveConfig { streaming, interval, activity, reasoning }
}

fn transcriber(args: &TelegramArgs, read: &mut Reader) -> Option<Transcriber> {
    let given =
        |text: Option<&String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let url =
        read.or("ARGUS_TRANSCRIBE_URL", args.transcribe_url.as_ref(), None, |text| http(text).map(Some));
    match (given(args.transcribe_cmd.as_ref()), url) {
        (Some(_), Some(_)) => {
            read.mistake("ARGUS_TRANSCRIBE_CMD: set it or ARGUS_TRANSCRIBE_URL, not both".to_owned());
            None
        }
        (Some(command), None) => Some(Transcriber::Command(command)),
        (None, Some(url)) => {
            let key = args.transcribe_key.as_deref().and_then(Secret::parse);
            let model = given(args.transcribe_model.as_ref()).unwrap_or_else(|| "whisper-1".to_owned());
            Some(Transcriber::Endpoint { url, key, model })
        }
        (None, None) => None,
    }
}

fn tokens(args: &TelegramArgs, read: &mut Reader) -> Vec<Secret> {
    let texts = args.telegram_token.as_deref().unwrap_or_default().split(',');
    let tokens: Vec<_> = texts.filter_map(Secret::parse).collect();
    // It becomes part of an address: what the bot refuses would be another address here.
    let fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let id = |token: &Secret| -> Option<u64> {
        let (id, rest) = token.reveal().split_once(':')?;
        id.parse().ok().filter(|_| !rest.is_empty() && rest.chars().all(fit))
    };
    let mut seen = std::collections::BTreeSet::new();
    for token in &tokens {
        match id(token) {
            None => read.mistake(
                "TELEGRAM_BOT_TOKEN: expected a token such as `123456:ABC…` from BotFather".to_owned(),
            ),
            Some(id) if !seen.insert(id) => {
                read.mistake(format!("TELEGRAM_BOT_TOKEN: bot {id} is named twice"));
            }
            Some(_) => {}
        }
    }
    tokens
}

fn ids(read: &mut Reader, name: &str, text: Option<&String>, fits: impl Fn(&str) -> bool) -> Vec<String> {
    let ids = list(text);
    for id in ids.iter().filter(|id| !fits(id)) {
        read.mistake(format!("{name}: expected numeric ids, got `{id}`"));
    }
    ids
}

fn http(text: &str) -> Result<Url, String> {
    let url: Url = text.parse().map_err(|e| format!("expected a URL ({e})"))?;
    if matches!(url.scheme(), "http" | "https") { Ok(url) } else { Err("expected http or https".to_owned()) }
}
