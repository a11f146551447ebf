//! `docs/OPERATIONS.md` and the programs agree on every setting: its variable, its flag, its default.

use std::collections::{BTreeMap, BTreeSet};

use argus_gateway::config::GatewayArgs;
use argus_runtime_bridge::BridgeArgs;
use argus_telegram_bot::settings::Settings as BotArgs;
use clap::{Args, Command, CommandFactory};

const COMPOSE: &str = include_str!("../../../docker-compose.yml");
const OPERATIONS: &str = include_str!("../../../docs/OPERATIONS.md");
const NODES: &str = include_str!("../../../docs/NODES.md");

/// Settings as a person knows them: variable and flag, and the default; empty where there is none.
type Settings = BTreeMap<(String, String), String>;

#[test]
fn every_setting_of_the_gateway_is_documented_as_it_is() {
    let args = GatewayArgs::augment_args(Command::new("argus-gateway"));
    agree("The gateway", &args);
}

#[test]
fn every_setting_of_the_telegram_bot_is_documented_as_it_is() {
    agree("The Telegram bot", &BotArgs::command());
}

#[test]
fn every_setting_of_the_runtime_bridge_is_documented_as_it_is() {
    let args = BridgeArgs::augment_args(Command::new("argus-runtime-bridge"));
    agree("The runtime bridge", &args);
}

#[test]
fn every_setting_of_the_node_is_documented() {
    let node = argus_node_host::NodeHostArgs::augment_args(Command::new("argus-node-host"));
    let shown = node.get_arguments().filter(|argument| !argument.is_hide_set());
    let named = shown.flat_map(|argument| {
        let flag = argument.get_long().map(|long| format!("`--{long}`"));
        let variable = argument.get_env().map(|name| format!("`{}`", name.to_string_lossy()));
        flag.into_iter().chain(variable)
    });
    let missing: Vec<_> = named.filter(|name| !NODES.contains(name.as_str())).collect();
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn every_command_takes_the_settings_that_are_documented_for_it() {
    let flags = |of: &Settings| of.keys().map(|(_, flag)| flag.clone()).collect::<BTreeSet<_>>();
    assert_eq!(flags_in_help("gateway"), flags(&documented("The gateway")));
    // The bot is in it too: of its settings those that the gateway's do not tell.
    let reception =
        ["TELEGRAM_GROUP_MODE", "TELEGRAM_WEBHOOK_URL", "TELEGRAM_WEBHOOK_BIND", "TELEGRAM_WEBHOOK_SECRET"];
    let bot = documented("The Telegram bot")
        .into_iter()
        .filter(|((name, _), _)| reception.contains(&name.as_str()));
    let mut up = documented("The gateway");
    up.extend(bot);
    assert_eq!(flags_in_help("up"), flags(&up), "argus up");
    assert_eq!(flags_in_help("telegram-bot"), flags(&documented("The Telegram bot")));
    for deed in ["pair", "status", "token"] {
        assert_eq!(
            flags_in_help(deed),
            flags(&documented("`argus pair`, `argus status` and `argus token`")),
            "argus {deed}"
        );
    }
}

#[test]
fn every_setting_of_the_compose_file_is_documented_as_it_is() {
    let mut read = Settings::new();
    for part in COMPOSE.split("${").skip(1) {
        let (name, default) = part.split('}').next().unwrap_or_default().split_once(":-").expect("a default");
        let before = read.insert((name.to_owned(), String::new()), default.to_owned());
        assert!(before.is_none_or(|before| before == default), "`{name}` has one default");
    }
    assert_eq!(documented("Settings of Docker Compose"), read);
}

#[test]
fn the_compose_file_passes_every_setting_of_the_gateway_on() {
    let (_, gateway) = COMPOSE.split_once("\n  gateway:\n").expect("the service is there");
    let gateway = gateway.split("\n  telegram-bot:\n").next().unwrap_or_default();
    let lines = gateway.lines().filter_map(|line| line.strip_prefix("      - "));
    let is_name = |name: &&str| name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    let passed: BTreeSet<_> =
        lines.filter_map(|line| line.split('=').next()).filter(is_name).map(str::to_owned).collect();
    // Left out is what means nothing there: socket and home are where the compose file mounts them, and every
    // session is a container. The agent's key is not ours, and passed on to be handed on.
    let all =
        documented("The gateway").into_keys().map(|(name, _)| name).chain(["OPENAI_API_KEY".to_owned()]);
    let all: BTreeSet<_> = all
        .filter(|name| !["DOCKER_HOST", "ARGUS_BRIDGE", "ARGUS_HOME_HOST_PATH"].contains(&name.as_str()))
        .filter(|name| !["ARGUS_UPSTREAMS_JSON", "ARGUS_TCP_HOST", "ARGUS_TCP_PORT"].contains(&name.as_str()))
        .collect();
    assert_eq!(passed, all);
}

#[test]
fn whatever_other_documents_call_a_setting_is_one() {
    let sections = ["The gateway", "The Telegram bot", "The runtime bridge", "Settings of Docker Compose"];
    let mut known: BTreeSet<_> =
        sections.iter().flat_map(|section| documented(section).into_keys()).map(|(name, _)| name).collect();
    // What an agent finds in its environment, or must not find there; and Codex' own.
    known.extend(
        ["ARGUS_SESSION_ID", "ARGUS_NODE_TOKEN", "ARGUS_MCP_TOKEN", "OPENAI_API_KEY", "CODEX_HOME"]
            .map(str::to_owned),
    );
    known.extend(
        ["ARGUS_", "ARGUS_BRIDGE_", "APP_", "DOCKER_", "TELEGRAM_", "REMOTE_CLIENT_GUIDE"].map(str::to_owned),
    );
    // The test command's; a capability; what a silent answer says, and codes that programs find.
    known.extend(
        ["ARGUS_TEST_DOCKER", "DAC_OVERRIDE", "HEARTBEAT_OK", "NOT_FOUND", "NODE_NOT_FOUND"]
            .map(str::to_owned),
    );
    let others = [
        include_str!("../../../README.md"),
        include_str!("../../../REMOTE_CLIENT_GUIDE.md"),
        include_str!("../../../.env.example"),
        include_str!("../../../deploy/config.toml.example"),
        include_str!("../../../docs/AUTOMATION.md"),
        include_str!("../../../docs/SECURITY.md"),
        OPERATIONS,
    ];
    let is_part = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let is_name = |word: &str| word.contains('_') && word.starts_with(|c: char| c.is_ascii_uppercase());
    let words = others.iter().flat_map(|text| text.split(|c| !is_part(c)));
    let unknown: BTreeSet<_> = words.filter(|word| is_name(word) && !known.contains(*word)).collect();
    assert_eq!(unknown, BTreeSet::new());
}

/// The table below the heading names every setting of the program and no other. A default that the program knows only
/// in the making (an address that depends on where it runs) is told in the table alone.
fn agree(heading: &str, program: &Command) {
    let (documented, read) = (documented(heading), read(program));
    let told_elsewhere = |setting, default: &str| default.is_empty() && documented.contains_key(setting);
    let only_read: Vec<_> = read
        .iter()
        .filter(|(setting, default)| {
            documented.get(setting) != Some(default) && !told_elsewhere(setting, default)
        })
        .collect();
    let only_documented: Vec<_> = documented.keys().filter(|setting| !read.contains_key(setting)).collect();
    assert!(only_read.is_empty() && only_documented.is_empty(), "{only_read:?} {only_documented:?}");
}

/// What stands in the table below the heading.
fn documented(heading: &str) -> Settings {
    let (_, section) = OPERATIONS.split_once(&format!("\n### {heading}\n")).expect("the section is there");
    let section = section.split("\n#").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<_> = row.split('|').map(|cell| cell.replace('`', "").trim().to_owned()).collect();
        let [_, variable, flag, default, unit, meaning, ..] = cells.as_slice() else {
            panic!("a row of five cells: {row}")
        };
        assert!(!unit.is_empty() && !meaning.is_empty(), "unit and meaning are said: {row}");
        ((variable.clone(), flag.clone()), default.clone())
    })
    .collect()
}

/// What a program says of itself. Hidden settings are nobody's business.
fn read(program: &Command) -> Settings {
    let shown = program.get_arguments().filter(|arg| !arg.is_hide_set() && arg.get_long().is_some());
    let shown = shown.filter(|arg| !["help", "version"].contains(&arg.get_id().as_str()));
    shown
        .map(|arg| {
            let variable =
                arg.get_env().expect("every setting has a variable").to_string_lossy().into_owned();
            let flag = format!("--{}", arg.get_long().unwrap_or_default());
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            let told = help.split_once("[default: ").and_then(|(_, rest)| rest.strip_suffix(']'));
            let own = arg.get_default_values().first().map(|value| value.to_string_lossy().into_owned());
            let default = own.or_else(|| told.map(str::to_owned)).unwrap_or_default();
            ((variable, flag), default)
        })
        .collect()
}

fn flags_in_help(deed: &str) -> BTreeSet<String> {
    let program = env!("CARGO_BIN_EXE_argus");
    let told =
        std::process::Command::new(program).args([deed, "--help"]).output().expect("it can be started");
    let help = String::from_utf8_lossy(&told.stdout).into_owned();
    let lines = help.lines().filter_map(|line| line.trim_start().strip_prefix("--"));
    lines.map(|rest| format!("--{}", rest.split(' ').next().unwrap_or_default())).collect()
}
