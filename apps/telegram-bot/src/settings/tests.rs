//! What settings come to, and what is said of wrong ones.

use std::path::Path;

use clap::CommandFactory;

use super::*;

fn none() -> Settings {
    Settings {
        telegram_bot_token: None,
        telegram_api_url: String::new(),
        reception: ReceptionArgs::default(),
        telegram_group_context: None,
        gateway_http_url: None,
        gateway_ws_url: None,
        public_ws_url: None,
        host: None,
        token: None,
        token_file: None,
        home: None,
        log: None,
    }
}

#[test]
fn every_mistake_is_told_at_once_and_no_secret_with_it() {
    let settings = Settings {
        telegram_bot_token: Some("hush".into()),
        telegram_api_url: "nonsense".into(),
        gateway_ws_url: Some("http://h?token=hush".into()),
        token: Some("hush hush".into()),
        log: Some("bot=noisy".into()),
        ..none()
    };
    let wrong = settings.resolve_at(Place::Machine).unwrap_err();
    let starts = [
        "`TELEGRAM_BOT_TOKEN`: a bot token looks like",
        "`TELEGRAM_API_URL` is no address",
        "`ARGUS_GATEWAY_WS_URL` begins",
        "`ARGUS_TOKEN`: the token holds white space",
        "`ARGUS_LOG`: ",
    ];
    assert_eq!(wrong.len(), starts.len(), "{wrong:?}");
    for (sentence, start) in wrong.iter().zip(starts) {
        assert!(sentence.starts_with(start) && !sentence.contains("hush"), "{sentence}");
    }
}

#[test]
fn a_missing_bot_token_is_the_only_thing_that_must_be_set() {
    let settings = Settings { telegram_bot_token: Some("  ".into()), ..none() };
    let expected = "`TELEGRAM_BOT_TOKEN` is not set: `@BotFather` gives one with /newbot".to_owned();
    assert_eq!(settings.resolve_at(Place::Machine).unwrap_err(), [expected]);

    let settings =
        Settings { telegram_bot_token: Some("1:a".into()), home: Some("/data/argus".into()), ..none() };
    let config = settings.resolve_at(Place::Container).unwrap();
    assert_eq!(config.api_url.as_str(), "https://api.telegram.org/");
    assert_eq!(config.gateway_url.as_str(), "http://gateway:8080/");
    let TokenSource::File(file) = config.gateway_token else { panic!("a file is expected") };
    assert_eq!(file, Path::new("/data/argus/gateway/token"));
}

#[test]
fn several_bots_are_named_with_commas_and_each_once() {
    let tokens = |text: &str| {
        let settings = Settings { telegram_bot_token: Some(text.into()), ..none() };
        let config = settings.resolve_at(Place::Machine)?;
        Ok::<_, Vec<String>>(config.tokens.iter().map(BotToken::id).collect::<Vec<_>>())
    };
    assert_eq!(tokens("1:a, 2:b,"), Ok(vec![1, 2]));
    assert_eq!(tokens("1:a,1:b"), Err(vec!["`TELEGRAM_BOT_TOKEN` names bot 1 twice".to_owned()]));
    assert!(tokens("1:a,x").is_err_and(|wrong| wrong.len() == 1));
}

#[test]
fn a_filter_that_cannot_be_read_is_told_even_when_all_else_is_well() {
    let settings = Settings { telegram_bot_token: Some("1:a".into()), log: Some("x=noisy".into()), ..none() };
    let wrong = settings.resolve_at(Place::Machine).unwrap_err();
    assert!(wrong.len() == 1 && wrong[0].starts_with("`ARGUS_LOG`: "), "{wrong:?}");
    assert_eq!(none().log_filter().unwrap().to_string(), "info");
}

#[test]
fn a_tilde_in_the_home_is_the_users_folder_as_for_the_gateway() {
    let folder = std::env::home_dir().expect("tests have a home");
    assert_eq!(home(Some("~/argus".into())), Some(folder.join("argus")));
    assert_eq!(home(Some(" ".into())), Some(folder.join(".argus")));
}

#[test]
fn the_more_exact_setting_wins() {
    let mut settings = Settings {
        telegram_bot_token: Some("1:a".into()),
        gateway_http_url: Some("http://one".into()),
        gateway_ws_url: Some("ws://two/ws".into()),
        public_ws_url: Some("ws://three/ws".into()),
        host: Some("four".into()),
        token: Some("t".into()),
        token_file: Some("/f".into()),
        ..none()
    };
    let base = |settings: &Settings| {
        let copy = Settings {
            telegram_bot_token: settings.telegram_bot_token.clone(),
            gateway_http_url: settings.gateway_http_url.clone(),
            gateway_ws_url: settings.gateway_ws_url.clone(),
            public_ws_url: settings.public_ws_url.clone(),
            host: settings.host.clone(),
            token: settings.token.clone(),
            ..none()
        };
        copy.resolve_at(Place::Machine).unwrap().gateway_url.to_string()
    };
    assert_eq!(base(&settings), "http://one/");
    settings.gateway_http_url = Some(String::new());
    assert_eq!(base(&settings), "http://two/");
    settings.gateway_ws_url = None;
    assert_eq!(base(&settings), "http://three/");
    settings.public_ws_url = None;
    assert_eq!(base(&settings), "http://four:8080/");
    let config = settings.resolve_at(Place::Machine).unwrap();
    assert!(matches!(config.gateway_token, TokenSource::Given(token) if token.matches("t")));
}

#[test]
fn the_help_names_every_setting_and_shows_no_secret() {
    Settings::command().debug_assert();
    let hidden: Vec<_> = Settings::command()
        .get_arguments()
        .filter(|argument| argument.is_hide_env_values_set())
        .map(|argument| argument.get_id().to_string())
        .collect();
    assert_eq!(
        hidden,
        ["telegram_bot_token", "telegram_webhook_secret", "gateway_ws_url", "public_ws_url", "token"]
    );
    assert!(Settings::command().get_arguments().all(|argument| argument.get_env().is_some()));
}
