//! The tools: what they do, and what they say when they do not.

use argus_testkit::gateway::Gateway;
use serde_json::json;

use super::caller::{Caller, token_for};

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
    assert!(
        super::caller::text_of(&kept).starts_with("Job is kept: `morning`: `0 8 * * *`, next "),
        "{kept}"
    );
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
