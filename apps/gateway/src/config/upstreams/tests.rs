//! Upstreams as operators write them, rightly and wrongly.

use super::super::read::Mistakes;
use super::super::{Config, ProvisionMode, Scope};
use super::*;

fn args(upstreams: UpstreamArgs) -> GatewayArgs {
    GatewayArgs {
        home: Some("/srv/argus".into()),
        provision_mode: Some("Static".into()),
        upstreams,
        ..GatewayArgs::default()
    }
}

fn table(json: &str) -> GatewayArgs {
    args(UpstreamArgs { upstreams_json: Some(json.into()), ..UpstreamArgs::default() })
}

fn mistakes(args: &GatewayArgs) -> Vec<String> {
    let Mistakes(lines) = Config::from_args(args).unwrap_err();
    lines
}

#[test]
fn without_a_table_there_is_one_upstream_called_default() {
    let config = Config::from_args(&args(UpstreamArgs::default())).unwrap();
    assert_eq!(config.mode, ProvisionMode::Static);
    let only = Upstream {
        id: "default".into(),
        session: "default".parse().unwrap(),
        host: "127.0.0.1".into(),
        port: 7777,
        token: None,
        protocol: UpstreamProtocol::Plain,
    };
    assert_eq!(config.upstreams, std::slice::from_ref(&only));
    let named = UpstreamArgs {
        tcp_host: Some("agent.example".into()),
        tcp_port: Some("99".into()),
        ..UpstreamArgs::default()
    };
    let named = Config::from_args(&args(named)).unwrap();
    assert_eq!(named.upstreams, [Upstream { host: "agent.example".into(), port: 99, ..only }]);
}

#[test]
fn upstreams_are_read_only_where_nothing_else_makes_runtimes() {
    let wrong = UpstreamArgs { upstreams_json: Some("{".into()), ..UpstreamArgs::default() };
    let config = Config::from_args(&GatewayArgs { provision_mode: None, ..args(wrong) }).unwrap();
    assert_eq!(config.upstreams, []);
}

#[test]
fn a_table_names_upstreams_in_its_order_and_each_has_a_session_named_after_it() {
    let config = Config::from_args(&table(
        r#"{
            "Work_Horse": { "port": 7001, "token": null },
            "b": { "host": "::1", "token": "hush-b", "protocol": "plain" },
            "a": { "host": "10.0.0.7", "port": 7003, "protocol": "bridge", "secret": "hush-a" }
        }"#,
    ))
    .unwrap();
    let [horse, b, a] = config.upstreams.as_slice() else { panic!("{:?}", config.upstreams) };
    assert_eq!((horse.id.as_str(), horse.session.as_str()), ("Work_Horse", "work-horse"));
    assert_eq!((horse.host.as_str(), horse.port, &horse.token), ("127.0.0.1", 7001, &None));
    assert_eq!((b.host.as_str(), b.port), ("::1", 7777));
    assert!(b.token.as_ref().is_some_and(|token| token.matches("hush-b")));
    let UpstreamProtocol::Bridge { secret } = &a.protocol else { panic!("{a:?}") };
    assert!(secret.matches("hush-a"));
    assert!(!format!("{config:?}").contains("hush"), "secrets are hidden");
}

#[test]
fn every_mistake_in_the_table_is_told_and_no_secret_is() {
    let wrong = table(
        r#"{
            "a": { "host": "two words", "port": 70000, "token": "hush hush", "protocol": "hush", "colour": 1 },
            "a_b": { "port": 0, "secret": "hush" },
            "fine": { "port": 1 },
            "fine": { "port": 2 },
            "Fine": { "port": 3 },
            "-x": { "protocol": "bridge", "port": 1, "port": 2 },
            "n": "hush",
            "": {}
        }"#,
    );
    let told = mistakes(&wrong);
    let line = |what: &str| format!("ARGUS_UPSTREAMS_JSON: upstream {what}");
    let port = "expected a port from 1 to 65535";
    let id = "expected 1 to 64 letters, digits and signs, beginning with a letter or a digit";
    let token = "the token holds white space, which no client could send; use letters, digits and signs of ASCII only";
    assert_eq!(
        told,
        [
            line(&format!("`a`: port: {port}")),
            line("`a`: colour: expected only host, port, token, protocol and secret"),
            line("`a`: host: expected a host name or an address"),
            line(&format!("`a`: token: {token}")),
            line("`a`: protocol: expected plain or bridge"),
            line(&format!("`a_b`: port: {port}")),
            line("`a_b`: protocol: only a bridge has a `secret`; expected bridge"),
            line("`fine`: it stands there twice"),
            line("`Fine`: its session would be `fine`, that of `fine`; rename one of them"),
            line("`-x`: port: it stands there twice"),
            line(&format!("`-x`: id: {id}")),
            line("`-x`: protocol: a bridge needs its `secret`, whose SHA-256 it was given"),
            line("`n`: expected an object"),
            line(&format!("``: id: {id}")),
        ]
    );
}

#[test]
fn a_table_that_is_none_is_refused_with_the_other_settings() {
    for (json, why) in [
        ("{}", "expected at least one upstream"),
        ("[]", "expected an object of upstreams"),
        (r#""hush""#, "expected an object of upstreams"),
        ("{\"a\":{}", "no JSON: EOF while parsing an object at line 1 column 7"),
    ] {
        let both = GatewayArgs { bind: Some("nowhere".into()), ..table(json) };
        let [first, second] = mistakes(&both).try_into().unwrap();
        assert_eq!(first, format!("ARGUS_UPSTREAMS_JSON: {why}"));
        assert!(second.starts_with("ARGUS_BIND: "), "{second}");
    }
}

#[test]
fn an_address_of_the_only_upstream_is_checked() {
    let wrong = UpstreamArgs {
        tcp_host: Some("two words".into()),
        tcp_port: Some("0".into()),
        ..UpstreamArgs::default()
    };
    let told = [
        "ARGUS_TCP_HOST: expected a host name or an address, got `two words`",
        "ARGUS_TCP_PORT: expected a port from 1 to 65535, got `0`",
    ];
    assert_eq!(mistakes(&args(wrong)), told);
}

#[test]
fn people_cannot_be_kept_apart_at_upstreams() {
    let apart = GatewayArgs { scope: Some("user".into()), ..args(UpstreamArgs::default()) };
    assert!(mistakes(&apart)[0].starts_with("ARGUS_SESSION_SCOPE: "));
    assert_eq!(Config::from_args(&args(UpstreamArgs::default())).unwrap().scope, Scope::Shared);
}
