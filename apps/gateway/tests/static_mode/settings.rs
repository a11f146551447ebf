//! Settings that cannot be used: everything that is wrong is told at once, and no secret is.

use argus_testkit::gateway::Gateway;

#[tokio::test]
async fn every_mistake_is_told_together_and_the_start_ends_with_64() {
    let table = r#"{"a":{"port":0,"token":"hush hush"},"A":{"port":7001},"b":{"protocol":"bridge"},"a":{"port":7002}}"#;
    let mut gateway = Gateway::new()
        .with("ARGUS_PROVISION_MODE", "static")
        .with("ARGUS_UPSTREAMS_JSON", table)
        .with("ARGUS_SESSION_IDLE_STOP", "soon");
    gateway.spawn();
    assert_eq!(gateway.ended().await, Some(64));
    let said = gateway.log();
    for line in [
        "ARGUS_UPSTREAMS_JSON: upstream `a`: port: expected a port from 1 to 65535",
        "ARGUS_UPSTREAMS_JSON: upstream `a`: token: the token holds white space",
        "ARGUS_UPSTREAMS_JSON: upstream `b`: protocol: a bridge needs its `secret`",
        "ARGUS_UPSTREAMS_JSON: upstream `a`: its session would be `a`, that of `A`",
        "ARGUS_SESSION_IDLE_STOP: expected a number of seconds",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert!(!said.contains("hush"), "{said}");
}

#[tokio::test]
async fn the_operators_token_is_no_upstreams() {
    let table = r#"{"a":{"port":7001,"token":"the-same-for-all"}}"#;
    let mut gateway = Gateway::new()
        .with("ARGUS_PROVISION_MODE", "static")
        .with("ARGUS_TOKEN", "the-same-for-all")
        .with("ARGUS_UPSTREAMS_JSON", table);
    gateway.spawn();
    assert_eq!(gateway.ended().await, Some(1));
    let log = gateway.log();
    assert!(log.contains("the token of upstream `a` is the operator's"), "{log}");
    assert!(!log.contains("the-same"), "{log}");
}

#[tokio::test]
async fn another_mode_does_not_look_at_upstreams() {
    let gateway =
        Gateway::new().with("ARGUS_UPSTREAMS_JSON", "nonsense").with("ARGUS_TCP_PORT", "0").start().await;
    assert_eq!(gateway.client("id=whatever").await.session.len(), 12, "a new session, as without `id`");
}
