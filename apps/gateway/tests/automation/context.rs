//! What of the workspace goes with each turn: all of it each time, or only when it changed.

use crate::stage::Stage;

/// Whether Ada's next turn is told the workspace's own texts.
async fn is_told(stage: &Stage, word: &str) -> bool {
    stage.say(&format!("[say: {word}]"));
    stage.reads(word).await;
    let turn = stage.turns_with(word, 1).await.remove(0);
    assert_eq!(turn.text.contains("[SOUL.md]"), turn.text.starts_with("# Project Context"), "{}", turn.text);
    turn.text.contains("[SOUL.md]")
}

#[tokio::test]
async fn without_a_setting_every_turn_is_told_the_workspaces_texts() {
    let stage = Stage::set(&[]).await;
    stage.write("SOUL.md", "be kind");
    assert!(is_told(&stage, "one").await && is_told(&stage, "two").await);
}

#[tokio::test]
async fn where_that_is_set_a_thread_is_told_them_when_they_changed() {
    let mut stage = Stage::set(&[("ARGUS_CONTEXT_MODE", "changed")]).await;
    stage.write("SOUL.md", "be kind");
    assert!(is_told(&stage, "one").await && !is_told(&stage, "two").await);
    stage.write("SOUL.md", "be brief");
    assert!(is_told(&stage, "three").await && !is_told(&stage, "four").await);
    // What a gateway told is not known to the next one.
    stage.gateway.stop().await;
    stage.gateway.restart().await;
    assert!(is_told(&stage, "five").await && !is_told(&stage, "six").await);
}
