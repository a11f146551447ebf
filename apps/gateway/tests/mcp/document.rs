//! `docs/MCP.md` names the tools and their parameters as the server does.

use std::collections::{BTreeMap, BTreeSet};

use argus_testkit::gateway::Gateway;
use serde_json::{Value, json};

use super::caller::{Caller, token_for};

/// The parameters of each tool, as the document has them: rows below a heading that is a tool's name.
fn documented(document: &str) -> BTreeMap<String, BTreeSet<String>> {
    let (mut tools, mut tool) = (BTreeMap::<String, BTreeSet<String>>::new(), None);
    let name_in = |line: &str, before: &str| -> Option<String> {
        Some(line.strip_prefix(before)?.split_once('`')?.0.to_owned())
    };
    for line in document.lines() {
        if let Some(name) = name_in(line, "### `") {
            tools.entry(name.clone()).or_default();
            tool = Some(name);
        } else if line.starts_with('#') {
            tool = None;
        } else if let (Some(tool), Some(parameter)) = (&tool, name_in(line, "| `")) {
            tools.entry(tool.clone()).or_default().insert(parameter);
        }
    }
    tools
}

#[tokio::test]
async fn the_document_names_every_tool_and_every_parameter() {
    let gateway = Gateway::new().start().await;
    let own = gateway.client("session=default").await.session;
    let caller = Caller::initialized(&gateway, &token_for(&gateway, &own).await).await;
    let tools = caller.ask("tools/list", json!({})).await;
    let served: BTreeMap<_, _> = tools["result"]["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| {
            let parameters: BTreeSet<String> =
                tool["inputSchema"]["properties"].as_object().unwrap().keys().cloned().collect();
            (tool["name"].as_str().unwrap().to_owned(), parameters)
        })
        .collect();
    assert_eq!(documented(include_str!("../../../../docs/MCP.md")), served);
    // The model learns from the descriptions alone.
    for tool in tools["result"]["tools"].as_array().unwrap() {
        let undescribed =
            |(_, schema): &(&String, &Value)| schema["description"].as_str().is_none_or(str::is_empty);
        let missing = tool["inputSchema"]["properties"].as_object().unwrap().iter().find(undescribed);
        assert_eq!(missing, None, "{}", tool["name"]);
        assert!(tool["description"].as_str().unwrap().len() > 80, "{}", tool["name"]);
    }
}
