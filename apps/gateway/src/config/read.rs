//! From text to [`Config`]: each setting on its line, mistakes collected.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use argus_protocol::token::Secret;
use url::Url;

use super::automation::{automation, reached};
use super::docker::{DockerConfig, bearable, covered, default_sandbox, docker};
use super::nodes::nodes;
use super::parse::{
    absolute, bridge, command, days, expand, line_limit, list, log_filter, log_format, mode, sandbox, scope,
};
use super::telegram::telegram;
use super::upstreams::upstreams;
use super::{Approval, Config, GatewayArgs, LogFormat, ProvisionMode, Sandbox, Scope, TokenLimits};

/// All that is wrong with the settings, one line each.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub struct Mistakes(pub Vec<String>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the settings cannot be used:")?;
        self.0.iter().try_for_each(|line| write!(f, "\n  {line}"))
    }
}

/// Reads settings and collects what is wrong with them.
#[derive(Default)]
pub(super) struct Reader(Vec<String>);

impl Reader {
    /// What was noted, for tests of single parts.
    #[cfg(test)]
    pub(super) fn into_mistakes(self) -> Vec<String> {
        self.0
    }

    /// Notes what is wrong, in one line that begins with the setting's name.
    pub(super) fn mistake(&mut self, line: String) {
        self.0.push(line);
    }

    /// The parsed setting, or its default. A text that does not parse is a mistake.
    pub(super) fn or<T>(
        &mut self,
        name: &str,
        text: Option<&String>,
        default: T,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> T {
        let Some(text) = text.map(|text| text.trim()).filter(|text| !text.is_empty()) else { return default };
        parse(text).unwrap_or_else(|why| {
            self.0.push(format!("{name}: {why}, got `{text}`"));
            default
        })
    }

    pub(super) fn seconds(&mut self, name: &str, text: Option<&String>, default: u64) -> Duration {
        self.or(name, text, Duration::from_secs(default), |text| {
            let seconds: f64 = text.parse().map_err(|_| "expected a number of seconds".to_owned())?;
            Duration::try_from_secs_f64(seconds)
                .ok()
                .filter(|d| d.as_secs() <= 10 * 365 * 86_400)
                .ok_or_else(|| "expected 0 or a sensible number of seconds".to_owned())
        })
    }
}

impl Config {
    /// Checks all settings; every mistake is in the error.
    pub fn from_args(args: &GatewayArgs) -> Result<Self, Mistakes> {
        let mut read = Reader(Vec::new());
        let user_home = std::env::home_dir().map(|home| home.join(".argus"));
        let home = read.or("ARGUS_HOME", args.home.as_ref(), user_home.clone().unwrap_or_default(), |text| {
            absolute(&expand(text, user_home.as_deref().and_then(Path::parent)))
        });
        if home.as_os_str().is_empty() {
            read.0.push("ARGUS_HOME: set it, this user has no home folder".to_owned());
        }
        let workspace =
            read.or("ARGUS_WORKSPACE_HOST_PATH", args.workspace.as_ref(), home.join("workspace"), |text| {
                absolute(Path::new(text))
            });
        let mode =
            read.or("ARGUS_PROVISION_MODE", args.provision_mode.as_ref(), ProvisionMode::Process, mode);
        let scope = read.or("ARGUS_SESSION_SCOPE", args.scope.as_ref(), Scope::Shared, scope);
        if scope != Scope::Shared && mode != ProvisionMode::Docker {
            read.mistake(
                "ARGUS_SESSION_SCOPE: people can be kept apart in containers only; set ARGUS_PROVISION_MODE to docker, or \
                 the scope to shared"
                    .to_owned(),
            );
        }
        let docker = (mode == ProvisionMode::Docker)
            .then(|| docker(args, &home, &mut read, |name| std::env::var(name).ok()));
        if let Some(docker) = &docker
            && let Err(mistake) = covered(docker.inner_sandbox, scope)
        {
            read.mistake(mistake);
        }
        let upstreams = if mode == ProvisionMode::Static { upstreams(args, &mut read) } else { Vec::new() };
        let lines = read.or("ARGUS_JSONL_LINE_LIMIT_BYTES", args.line_limit.as_ref(), 64 << 20, line_limit);
        let config = Self {
            bind: read.or("ARGUS_BIND", args.bind.as_ref(), ([127, 0, 0, 1], 8080).into(), |text| {
                text.parse().map_err(|_| "expected an address and a port such as 127.0.0.1:8080".to_owned())
            }),
            token: token(args, &mut read),
            token_file: read.or("ARGUS_TOKEN_FILE", args.token_file.as_ref(), None, |text| {
                absolute(Path::new(text)).map(Some)
            }),
            mode,
            runtime_cmd: read.or(
                "ARGUS_RUNTIME_CMD",
                args.runtime_cmd.as_ref(),
                "codex app-server".to_owned(),
                command,
            ),
            sandbox: walls(args, docker.as_ref(), &mut read),
            approval: read.or("ARGUS_APPROVAL_POLICY", args.approval.as_ref(), Approval::OnRequest, |text| {
                Approval::of_word(text).ok_or_else(|| "expected untrusted, on-request or never".to_owned())
            }),
            docker,
            upstreams,
            scope,
            bridge: bridge(args.bridge.as_ref()),
            idle_stop: read.seconds("ARGUS_SESSION_IDLE_STOP", args.session_idle_stop.as_ref(), 1800),
            max_runtimes: read.or("ARGUS_MAX_RUNTIMES", args.max_runtimes.as_ref(), Some(16), |text| {
                let most: usize = text.parse().map_err(|_| "expected a number, 0 = no limit".to_owned())?;
                Ok((most > 0).then_some(most))
            }),
            connect_timeout: connect_timeout(args, &mut read),
            line_limit: lines,
            token_limits: token_limits(args, &mut read, lines),
            run_timeout: read.seconds("RUN_TIMEOUT_SECONDS", args.run_timeout.as_ref(), 3600),
            no_output_timeout: read.seconds(
                "NO_OUTPUT_IDLE_TIMEOUT_SECONDS",
                args.no_output_timeout.as_ref(),
                900,
            ),
            approval_timeout: read.seconds("ARGUS_APPROVAL_TIMEOUT_S", args.approval_timeout.as_ref(), 600),
            retention: read.or("ARGUS_RETENTION_DAYS", args.retention_days.as_ref(), days(30), |text| {
                text.parse().map(days).map_err(|_| "expected a number of days".to_owned())
            }),
            cors_origins: origins(args, &mut read),
            automation: automation(&args.automation, &mut read),
            nodes: nodes(args, mode, &mut read),
            telegram: telegram(&args.telegram, &mut read),
            log: read.or("ARGUS_LOG", args.log.as_ref(), "info,rmcp=warn".to_owned(), log_filter),
            log_format: read.or("ARGUS_LOG_FORMAT", args.log_format.as_ref(), LogFormat::Text, log_format),
            home,
            workspace,
        };
        if let Err(mistake) = reached(&config.automation.heartbeat.target, config.telegram.as_ref()) {
            read.mistake(mistake);
        }
        if read.0.is_empty() { Ok(config) } else { Err(Mistakes(read.0)) }
    }
}

/// What the agent may touch; in a container not every wish can be had.
fn walls(args: &GatewayArgs, docker: Option<&DockerConfig>, read: &mut Reader) -> Sandbox {
    let default = docker.map_or(Sandbox::WorkspaceWrite, |docker| default_sandbox(docker.inner_sandbox));
    let sandbox = read.or("ARGUS_SANDBOX", args.sandbox.as_ref(), default, sandbox);
    if let Some(docker) = docker
        && let Err(why) = bearable(sandbox, docker.inner_sandbox)
    {
        read.mistake(why);
    }
    sandbox
}

/// One that nobody could send would keep everybody out.
fn token(args: &GatewayArgs, read: &mut Reader) -> Option<Secret> {
    Secret::bearer(args.token.as_deref().unwrap_or_default()).unwrap_or_else(|why| {
        read.0.push(format!("ARGUS_TOKEN: {why}"));
        None
    })
}

/// Zero is no time at all, and no runtime could ever be reached.
fn connect_timeout(args: &GatewayArgs, read: &mut Reader) -> Duration {
    let limit = read.seconds("ARGUS_CONNECT_TIMEOUT_S", args.connect_timeout.as_ref(), 30);
    if limit.is_zero() {
        read.0.push("ARGUS_CONNECT_TIMEOUT_S: expected more than 0 seconds".to_owned());
    }
    limit
}

fn token_limits(args: &GatewayArgs, read: &mut Reader, lines: usize) -> TokenLimits {
    let count = |most: u32| {
        move |text: &str| {
            let number = text.parse::<u32>().ok().filter(|number| (1..=most).contains(number));
            number.ok_or_else(|| format!("expected 1 to {most}"))
        }
    };
    TokenLimits {
        connections: read.or("ARGUS_TOKEN_CONNECTIONS", args.token_connections.as_ref(), 32, count(4096)),
        frame_bytes: read.or("ARGUS_TOKEN_FRAME_BYTES", args.token_frame_bytes.as_ref(), lines, |text| {
            let bytes = text.parse::<usize>().ok().filter(|bytes| (4096..=lines).contains(bytes));
            bytes.ok_or_else(|| format!("expected 4096 to {lines}"))
        }),
        requests_per_second: read.or(
            "ARGUS_TOKEN_REQUESTS_PER_SECOND",
            args.token_requests_per_second.as_ref(),
            200,
            count(100_000),
        ),
    }
}

/// As a browser writes them in `Origin`, since they are compared with that.
fn origins(args: &GatewayArgs, read: &mut Reader) -> Vec<String> {
    let origins = list(args.cors_origins.as_ref());
    for origin in &origins {
        let parsed = Url::parse(origin).map(|url| url.origin().ascii_serialization());
        if parsed.as_deref() != Ok(origin.as_str()) {
            let expected = "expected origins such as https://chat.example or http://localhost:3000";
            read.0.push(format!("ARGUS_CORS_ORIGINS: {expected}, got `{origin}`"));
        }
    }
    origins
}

#[cfg(test)]
mod tests {
    use super::super::TelegramArgs;
    use super::*;

    fn args() -> GatewayArgs {
        GatewayArgs { home: Some("/tmp/argus".into()), ..GatewayArgs::default() }
    }

    #[test]
    fn without_settings_it_listens_on_loopback_and_makes_processes() {
        let config = Config::from_args(&args()).unwrap();
        assert_eq!(config.bind, ([127, 0, 0, 1], 8080).into());
        assert_eq!((config.mode, config.workspace), (ProvisionMode::Process, "/tmp/argus/workspace".into()));
        assert!(config.telegram.is_none() && config.token.is_none());
    }

    #[test]
    fn alerts_go_to_no_chat_that_no_bot_could_write_to() {
        let config = |target: &str, token: Option<&str>| {
            let mut args = args();
            args.automation.heartbeat_target = Some(target.into());
            args.telegram.telegram_token = token.map(str::to_owned);
            Config::from_args(&args).map(|config| config.automation.heartbeat.target.to_string())
        };
        let told = |line: &str| Err(Mistakes(vec![format!("ARGUS_HEARTBEAT_TARGET: {line}")]));
        let bot = Some("123456:ABC");
        for target in ["telegram:7", "telegram:-100123:9", "telegram@123456:7"] {
            assert_eq!(config(target, bot).as_deref(), Ok(target));
        }
        for wrong in ["telegram:0", "telegram:me", "telegram:7:x"] {
            let words =
                "expected a chat as its number, with its topic perhaps: telegram:7, telegram:-100123:9";
            assert_eq!(config(wrong, bot), told(&format!("{words}, got `{wrong}`")));
        }
        let words = "it names a chat, and there is no bot; set TELEGRAM_BOT_TOKEN";
        assert_eq!(config("telegram:7", None), told(words));
        let words = "`telegram@9:7` names a bot that TELEGRAM_BOT_TOKEN does not hold";
        assert_eq!(config("telegram@9:7", bot), told(words));
    }

    #[test]
    fn all_mistakes_are_reported_together() {
        let wrong = GatewayArgs {
            bind: Some("nowhere".into()),
            home: Some("relative".into()),
            token: Some("no good token".into()),
            runtime_cmd: Some("codex app-server | tee log".into()),
            session_idle_stop: Some("-1".into()),
            cors_origins: Some("https://chat.example, chat.example/page".into()),
            log: Some("gateway=noisy".into()),
            telegram: TelegramArgs {
                telegram_token: Some("no-token".into()),
                telegram_allowed_user_ids: Some("12, bob".into()),
                ..TelegramArgs::default()
            },
            ..GatewayArgs::default()
        };
        let Mistakes(lines) = Config::from_args(&wrong).unwrap_err();
        let names: Vec<_> = lines.iter().map(|line| line.split(':').next().unwrap()).collect();
        assert_eq!(
            names,
            [
                "ARGUS_HOME",
                "ARGUS_BIND",
                "ARGUS_TOKEN",
                "ARGUS_RUNTIME_CMD",
                "ARGUS_SESSION_IDLE_STOP",
                "ARGUS_CORS_ORIGINS",
                "TELEGRAM_ALLOWED_USER_IDS",
                "TELEGRAM_BOT_TOKEN",
                "ARGUS_LOG"
            ]
        );
        let told = lines.concat();
        assert!(!told.contains("no-token") && !told.contains("no good"), "a secret is not repeated");
    }

    #[test]
    fn the_agents_command_is_taken_exactly_where_its_bridge_takes_it() {
        let read = |command: &str| {
            Config::from_args(&GatewayArgs { runtime_cmd: Some(command.into()), ..args() })
                .map(|config| config.runtime_cmd)
        };
        for taken in ["codex -c 'a = {b}; c'", r"codex -c a=\{b\}", "sh -c 'exec codex | tee log'"] {
            assert_eq!(read(taken), Ok(taken.to_owned()));
        }
        for (refused, why) in [
            (
                "FOO=1 codex",
                "the command begins with the assignment `FOO=1`, but no shell runs it; set the variable in the environment",
            ),
            ("codex 'app", "the command has an unclosed quote"),
            (
                "codex -c a={b}",
                "the command holds `{`, but no shell runs it; put it in single quotes if it is meant as it stands, or \
                 name a script",
            ),
        ] {
            let line = format!("ARGUS_RUNTIME_CMD: {why}, got `{refused}`");
            assert_eq!(read(refused), Err(Mistakes(vec![line])));
        }
    }

    #[test]
    fn a_bot_token_is_one_that_the_bot_would_take() {
        let told = |token: &str| {
            let args = GatewayArgs {
                telegram: TelegramArgs { telegram_token: Some(token.into()), ..TelegramArgs::default() },
                ..args()
            };
            Config::from_args(&args).is_ok()
        };
        assert!(told(" 42:AAE-x_9 \n"));
        for bad in ["42", "42:", ":abc", "x:abc", "42:a b", "42:a/../b", "42:a?b", "42:ä"] {
            assert!(!told(bad), "{bad}");
        }
    }

    #[test]
    fn an_empty_variable_counts_as_unset() {
        let empty = GatewayArgs { token: Some(String::new()), bind: Some(" ".into()), ..args() };
        let config = Config::from_args(&empty).unwrap();
        assert!(config.token.is_none() && config.bind.port() == 8080);
    }

    #[test]
    fn secrets_do_not_show_in_debug() {
        let config = Config::from_args(&GatewayArgs {
            telegram: TelegramArgs { telegram_token: Some("1:hush".into()), ..TelegramArgs::default() },
            token: Some("hush".into()),
            ..args()
        });
        assert!(!format!("{config:?}").contains("hush"));
    }
}
