//! The tools: what they do, and what they say when they do not.

use argus_testkit::gateway::Gateway;
use argus_testkit::programs::eventually;
use serde_json::{Value, json};

use super::caller::{Caller, text_of, token_for};

#[tokio::test]
async fn jobs_are_kept_looked_at_changed_and_removed() {
    let gateway = Gateway::new().with("ARGUS_TIMEZONE", "UTC").start().await;
    let own = gateway.client("session=default").await.session;
    let caller = Caller::initialized(&gateway, &token_for(&gateway, &own).await).await;
    assert_eq!(caller.text("cron", json!({ "action": "list" })).await, "There are no jobs.");
    let wish =
        json!({ "action": "add", "jobId": "morning", "expr": "0 8 * * *", "text": "say hello", "tz": null });
    let kept = caller.tool("cron", wish).await;
    assert_eq!(kept["isError"], false);
    assert_eq!(kept["structuredContent"]["job"]["expr"], "0 8 * * *");
    assert_eq!(kept["structuredContent"]["sessionId"], own.as_str());
    assert!(text_of(&kept).starts_with("Job is kept: `morning`: `0 8 * * *`, next "), "{kept}");
    let gone = caller.error("cron", json!({ "action": "remove", "jobId": "evening" })).await;
    assert_eq!((&gone["code"], &gone["jobId"]), (&json!("NOT_FOUND"), &json!("evening")));
    let wrong = caller.error("cron", json!({ "action": "jump" })).await;
    assert_eq!((&wrong["code"], &wrong["field"]), (&json!("INVALID_ARGUMENT"), &json!("action")));
    assert_eq!(wrong["allowed"][0], "add");
    assert_eq!(
        caller.text("cron", json!({ "action": "remove", "jobId": "morning" })).await,
        "Job `morning` is removed."
    );
}

#[tokio::test]
async fn a_heartbeat_is_looked_at_and_asked_for() {
    let gateway = Gateway::new().with("ARGUS_HEARTBEAT_SECONDS", "3600").start().await;
    let own = gateway.client("session=default").await.session;
    let caller = Caller::initialized(&gateway, &token_for(&gateway, &own).await).await;
    let status = caller.tool("heartbeat", json!({ "action": "status" })).await;
    assert_eq!(
        (&status["structuredContent"]["everyMs"], &status["structuredContent"]["ok"]),
        (&json!(3_600_000), &json!(true))
    );
    assert!(text_of(&status).starts_with("A heartbeat comes every 3600 s"), "{status}");
    let now = caller.tool("heartbeat", json!({ "action": "now" })).await;
    assert_eq!(now["structuredContent"], json!({ "ok": true, "sessionId": own }));
    eventually("the agent has the turn", async || (!gateway.turns().is_empty()).then_some(())).await;
}

#[tokio::test]
async fn a_session_sees_itself_and_the_operator_all() {
    let gateway = Gateway::new().start().await;
    let own = gateway.client("session=default").await.session;
    let other = gateway.client("").await.session;
    let ids = |result: &Value| -> Vec<String> {
        let sessions = result["structuredContent"]["sessions"].as_array().unwrap();
        let mut ids: Vec<_> =
            sessions.iter().map(|one| one["sessionId"].as_str().unwrap().to_owned()).collect();
        ids.sort();
        ids
    };
    let caller = Caller::initialized(&gateway, &token_for(&gateway, &other).await).await;
    let mine = caller.tool("sessions_list", json!({})).await;
    assert_eq!(ids(&mine), std::slice::from_ref(&other));
    assert!(text_of(&mine).contains("(your own)"), "{mine}");
    let operator = Caller::initialized(&gateway, &gateway.token()).await;
    let mut all = vec![own.clone(), other.clone()];
    all.sort();
    assert_eq!(ids(&operator.tool("sessions_list", json!({})).await), all);

    // The same holds for what one may name.
    for tool in ["cron", "heartbeat"] {
        let arguments = json!({ "action": "status", "sessionId": other });
        assert_eq!(
            operator.tool(tool, arguments.clone()).await["structuredContent"]["sessionId"],
            other.as_str()
        );
        assert_eq!(caller.tool(tool, arguments).await["isError"], false);
        let refused = caller.error(tool, json!({ "action": "status", "sessionId": own })).await;
        assert_eq!(refused["code"], "FORBIDDEN", "{refused}");
        let nowhere = operator.error(tool, json!({ "action": "status", "sessionId": "nowhere" })).await;
        assert_eq!(nowhere["code"], "NOT_FOUND", "{nowhere}");
    }
    assert_eq!(
        operator.tool("cron", json!({ "action": "status" })).await["structuredContent"]["sessionId"],
        own.as_str()
    );
}
