//! How a chat wants its turns: what is chosen by button reaches the agent, and only for that chat.

use argus_testkit::bot_api::Chat;
use serde_json::json;

use crate::stage::Stage;

#[tokio::test]
async fn a_chats_own_policy_of_approvals_reaches_the_agent() {
    let stage = Stage::set(&[("ARGUS_APPROVAL_POLICY", "on-request")]).await;
    let his = Chat::private(&stage.bob);
    stage.say("/approvals");
    let menu = stage.reads("I ask before I act: on-request").await;
    assert_eq!(stage.press(&stage.chat, &stage.ada, &menu, "untrusted").await, "I ask: untrusted");
    stage.say("[say: for Ada]");
    stage.reads("for Ada").await;
    stage.api.push_text(&his, &stage.bob, "[say: for Bob]");
    stage.reads("for Bob").await;
    stage.say("/approvals");
    let menu = stage.reads("I ask before I act: untrusted").await;
    assert_eq!(stage.press(&stage.chat, &stage.ada, &menu, "default").await, "I ask: default");
    stage.say("[say: as usual]");
    stage.reads("as usual").await;
    let policies: Vec<_> =
        stage.asked("turn/start").iter().map(|turn| turn["approvalPolicy"].clone()).collect();
    assert_eq!(policies, ["untrusted", "on-request", "on-request"]);
}

#[tokio::test]
async fn only_an_operator_changes_when_the_agent_asks() {
    let stage = Stage::set(&[("ARGUS_APPROVAL_POLICY", "untrusted")]).await;
    let his = Chat::private(&stage.bob);
    stage.api.push_text(&his, &stage.bob, "/approvals");
    let menu = stage.reads("I ask before I act").await;
    let told = stage.press(&his, &stage.bob, &menu, "never").await;
    assert_eq!(told, "Only an operator may do that.");
    stage.api.push_text(&his, &stage.bob, "[say: for Bob]");
    stage.reads("for Bob").await;
    assert_eq!(stage.asked("turn/start")[0]["approvalPolicy"], "untrusted");
}

#[tokio::test]
async fn a_chats_own_model_and_effort_reach_the_agent() {
    let stage = Stage::set(&[]).await;
    stage.say("/model");
    let menu = stage.reads("Model here: scripted\n").await;
    assert_eq!(stage.press(&stage.chat, &stage.ada, &menu, "scripted-mini").await, "Model: scripted-mini");
    stage.say("/model");
    let menu = stage.reads("Model here: scripted-mini\n").await;
    assert_eq!(stage.press(&stage.chat, &stage.ada, &menu, "high").await, "Effort: high");
    stage.say("[say: chosen]");
    stage.reads("chosen").await;
    let his = Chat::private(&stage.bob);
    stage.api.push_text(&his, &stage.bob, "[say: usual]");
    stage.reads("usual").await;
    let asked = stage.asked("turn/start");
    assert_eq!((&asked[0]["model"], &asked[0]["effort"]), (&json!("scripted-mini"), &json!("high")));
    assert!(asked[1]["model"].is_null() && asked[1]["effort"].is_null(), "{}", asked[1]);
}

#[tokio::test]
async fn a_person_is_spoken_to_in_the_language_they_chose() {
    let stage = Stage::set(&[]).await;
    stage.say("/lang");
    let menu = stage.reads("Which language shall I speak with you?").await;
    assert_eq!(stage.press(&stage.chat, &stage.ada, &menu, "中文").await, "我会用中文与你交流。");
    stage.say("/status");
    stage.reads("当前没有正在进行的工作。").await;
    stage.say("[approve: rm x] [say: done]");
    stage.reads("我可以运行此命令吗？").await;
}
