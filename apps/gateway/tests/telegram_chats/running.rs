//! Messages that come while a turn runs.

use argus_testkit::app_server::TurnEntry;
use argus_testkit::programs::eventually;

use crate::stage::Stage;

const WAITS: &str = "This waits until I am done.";

/// A stage on which a turn is held at `go`.
async fn busy(settings: &[(&str, &str)]) -> Stage {
    let stage = Stage::set(settings).await;
    stage.say(&format!("[say: first done]{}", stage.held("go")));
    stage.turns(1).await;
    stage
}

#[tokio::test]
async fn what_comes_meanwhile_waits_and_becomes_one_turn() {
    let stage = busy(&[]).await;
    for text in ["second", "third"] {
        let count = stage.api.sent().len();
        stage.say(text);
        let all = stage.api.wait_sent(count + 1, argus_testkit::programs::PATIENCE).await;
        assert!(all[count].text.contains(WAITS), "{:?}", all[count].text);
        assert_eq!(all[count].reply_to, Some(stage.api.last_message(&stage.chat) - 1));
    }
    stage.release("go");
    stage.reads("first done").await;
    let turns = stage.turns(2).await;
    assert_eq!(turns[1].entry, TurnEntry::Started);
    assert!(turns[1].text.contains("second") && turns[1].text.contains("third"), "{}", turns[1].text);
    stage.reads("echo: ").await;
    stage.say("[say: fourth done]");
    stage.reads("fourth done").await;
    assert_eq!(stage.turns(3).await.len(), 3, "the two were one");
}

#[tokio::test]
async fn by_setting_the_agent_is_told_at_once() {
    let stage = busy(&[("TELEGRAM_WHILE_RUNNING", "steer")]).await;
    stage.say("[say: and that too]");
    let turns = stage.turns(2).await;
    assert_eq!((turns[1].entry, &turns[1].turn), (TurnEntry::Steered, &turns[0].turn));
    stage.release("go");
    stage.reads("and that too").await;
    assert!(!stage.said(&stage.chat).concat().contains(WAITS), "{:?}", stage.said(&stage.chat));
}

#[tokio::test]
async fn by_setting_what_runs_is_ended_for_it() {
    let stage = busy(&[("TELEGRAM_WHILE_RUNNING", "interrupt")]).await;
    stage.say("[say: rather this]");
    stage.reads("rather this").await;
    let turns = stage.turns(2).await;
    assert_eq!(turns[1].entry, TurnEntry::Started);
    assert_eq!(stage.asked("turn/interrupt").len(), 1);
    assert!(!stage.said(&stage.chat).concat().contains("first done"), "{:?}", stage.said(&stage.chat));
}

#[tokio::test]
async fn a_button_tells_the_agent_at_once() {
    let stage = busy(&[]).await;
    stage.say("[say: by button]");
    let note = stage.reads(WAITS).await;
    let told = stage.press(&stage.chat, &stage.ada, &note, "Tell it now").await;
    assert_eq!(told, "↪ I was told at once.");
    let shown = stage.shows(&stage.chat, "I was told at once.").await;
    assert_eq!((shown.message_id, shown.buttons().len()), (note.message_id, 0));
    assert_eq!(stage.turns(2).await[1].entry, TurnEntry::Steered);
    stage.release("go");
    stage.reads("by button").await;
}

#[tokio::test]
async fn a_button_ends_what_runs() {
    let stage = busy(&[]).await;
    stage.say("[say: by button]");
    let note = stage.reads(WAITS).await;
    let told = stage.press(&stage.chat, &stage.ada, &note, "Interrupt").await;
    assert_eq!(told, "⏹ I stop what I am doing, and this comes next.");
    stage.reads("by button").await;
    assert_eq!(stage.turns(2).await[1].entry, TurnEntry::Started);
    let late = stage.press(&stage.chat, &stage.ada, &note, "Tell it now").await;
    assert_eq!(late, "This does not wait any more.");
}

#[tokio::test]
async fn a_chat_says_itself_what_its_messages_do_meanwhile() {
    let stage = Stage::set(&[]).await;
    stage.say("/busy");
    let menu = stage.reads("while I work on something").await;
    let told = stage.press(&stage.chat, &stage.ada, &menu, "I am told at once").await;
    assert_eq!(told, "While I work: I am told at once");
    stage.say(&stage.held("go"));
    stage.turns(1).await;
    stage.say("more");
    assert_eq!(stage.turns(2).await[1].entry, TurnEntry::Steered);
    stage.release("go");
}

#[tokio::test]
async fn stop_ends_even_a_turn_that_hears_nothing_any_more() {
    let stage = Stage::set(&[]).await;
    stage.say("[hang hard]");
    stage.turns(1).await;
    let agents = stage.gateway.processes("scripted-app-se");
    stage.say("/stop");
    stage.reads("I stop what I am doing.").await;
    eventually("its process is ended", async || {
        let now = stage.gateway.processes("scripted-app-se");
        agents.iter().all(|agent| !now.contains(agent)).then_some(())
    })
    .await;
    stage.say("[say: fresh]");
    stage.reads("fresh").await;
    assert_eq!(stage.turns(2).await.len(), 2, "nothing is asked again by itself");
}

#[tokio::test]
async fn stop_leaves_what_waits_and_says_how_much() {
    let stage = busy(&[]).await;
    stage.say("[say: the next]");
    stage.reads(WAITS).await;
    stage.say("/status");
    let status = stage.reads("I have been working for").await;
    assert!(status.text.contains("Messages waiting: 1"), "{}", status.text);
    stage.say("/stop");
    stage.reads("I stop what I am doing. One message waits and comes next.").await;
    stage.reads("the next").await;
    assert!(
        stage.said(&stage.chat).iter().any(|text| text.ends_with("Stopped.")),
        "{:?}",
        stage.said(&stage.chat)
    );
}

#[tokio::test]
async fn a_message_that_waits_can_be_edited_and_one_that_runs_cannot() {
    let stage = Stage::set(&[]).await;
    let first = stage.say(&format!("mlk {}", stage.held("go")));
    stage.turns(1).await;
    let second = stage.say("brd");
    stage.reads(WAITS).await;
    stage.api.push_edit(&stage.chat, &stage.ada, second, "bread");
    stage.api.push_edit(&stage.chat, &stage.ada, first, "milk");
    let told = stage.reads("I am working on the earlier wording already.").await;
    assert_eq!(told.reply_to, Some(first));
    stage.release("go");
    assert_eq!(stage.told(2).await[1], "bread");
    stage.reads("echo: bread").await;
    stage.api.push_edit(&stage.chat, &stage.ada, second, "butter");
    stage.comes_after().await;
    assert_eq!(stage.turns(2).await.len(), 2, "what was answered stays answered");
}
