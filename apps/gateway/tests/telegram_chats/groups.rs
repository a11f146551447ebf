//! Groups and their topics: what is heard there, of whom, and what the agent is told of it.

use argus_testkit::bot_api::{Chat, Sent, User};
use argus_testkit::programs::PATIENCE;
use serde_json::{Value, json};

use crate::stage::Stage;

fn friends() -> Chat {
    Chat::group(-5, "friends")
}

/// The parts of a message that answers another one, which that account wrote.
fn answering(text: &str, number: i64, from: &User, said: &str) -> Value {
    let from = json!({ "id": from.id, "is_bot": from.username.is_some(), "first_name": from.first_name });
    json!({ "text": text, "reply_to_message": { "message_id": number, "date": 1, "from": from, "text": said,
        "chat": { "id": -5, "type": "group", "title": "friends" } } })
}

#[tokio::test]
async fn in_a_group_mentions_answers_and_commands_are_for_the_bot_and_nothing_else_is() {
    let (stage, group) = (Stage::set(&[]).await, friends());
    stage.api.push_text(&group, &stage.ada, "[say: not for the bot]");
    stage.api.push_text(&group, &stage.ada, "@somebody_else [say: nor this]");
    stage.api.push_text(&group, &stage.ada, "@argus_test_bot [say: a mention]");
    let answer = stage.reads("a mention").await;
    let reply = answering("[say: an answer]", answer.message_id, &stage.api.me(), &answer.text);
    stage.api.push_message(&group, &stage.ada, &reply);
    stage.reads("an answer").await;
    let other = answering("[say: to Bob]", 1, &stage.bob, "hello");
    stage.api.push_message(&group, &stage.ada, &other);
    stage.api.push_text(&group, &stage.ada, "/status");
    stage.reads("Nothing is running.").await;
    assert_eq!(stage.said(&group).len(), 3, "{:?}", stage.said(&group));
    assert_eq!(stage.gateway.turns().len(), 2);
}

#[tokio::test]
async fn by_setting_everything_in_a_group_is_for_the_bot() {
    let stage = Stage::set(&[("TELEGRAM_GROUP_MODE", "all")]).await;
    stage.api.push_text(&friends(), &stage.bob, "[say: all is heard]");
    stage.reads("all is heard").await;
    assert_eq!(stage.told(1).await[0], "Bob: [say: all is heard]");
}

#[tokio::test]
async fn each_topic_has_a_thread_of_its_own_and_is_answered_in_its_place() {
    let (stage, forum) = (Stage::set(&[]).await, Chat::forum(-1_001_009, "forum"));
    let topics = [forum.clone().topic(3), forum.clone().topic(4), forum.topic(1)];
    for (n, topic) in topics.iter().chain([&topics[0]]).enumerate() {
        stage.api.push_text(topic, &stage.ada, &format!("@argus_test_bot [say: answer {n}]"));
        stage.reads(&format!("answer {n}")).await;
    }
    let places: Vec<_> = stage.api.sent().iter().map(|sent| sent.topic).collect();
    assert_eq!(places, [Some(3), Some(4), None, Some(3)]);
    let threads: Vec<_> = stage.turns(4).await.into_iter().map(|turn| turn.thread).collect();
    assert_eq!(threads[0], threads[3]);
    let distinct: std::collections::BTreeSet<_> = threads.iter().collect();
    assert_eq!(distinct.len(), 3);
}

#[tokio::test]
async fn the_agent_is_told_who_speaks_and_what_is_answered() {
    let (stage, group) = (Stage::set(&[]).await, friends());
    let text = "@argus_test_bot what do you think of that?";
    let said = "We should use\ntabs";
    stage.api.push_message(&group, &stage.ada, &answering(text, 1, &stage.bob, said));
    let told = stage.told(1).await.remove(0);
    assert_eq!(told, "[in answer to Bob]\n> We should use\n> tabs\n\nAda: what do you think of that?");
}

#[tokio::test]
async fn what_others_said_since_is_told_with_the_next_message_where_that_is_set() {
    let stage = Stage::set(&[("TELEGRAM_GROUP_CONTEXT", "2")]).await;
    let group = friends();
    for text in ["too long ago", "shall we eat?", "yes, pizza"] {
        stage.api.push_text(&group, &stage.bob, text);
    }
    stage.api.push_text(&group, &stage.ada, "@argus_test_bot [say: ordered]");
    stage.reads("ordered").await;
    stage.api.push_text(&group, &stage.ada, "@argus_test_bot [say: twice]");
    stage.reads("twice").await;
    let expected =
        "[said in the group before]\n> Bob: shall we eat?\n> Bob: yes, pizza\n\nAda: [say: ordered]";
    assert_eq!(stage.told(2).await, [expected, "Ada: [say: twice]"]);
}

#[tokio::test]
async fn strangers_in_a_group_get_nothing_at_all() {
    let (stage, group, eve) = (Stage::set(&[]).await, friends(), User::new(666, "Eve"));
    for text in ["@argus_test_bot [say: for Eve]", "/status", "/start 12345678"] {
        stage.api.push_text(&group, &eve, text);
    }
    stage.api.push_text(&group, &stage.ada, "@argus_test_bot [say: for Ada]");
    let question = stage.reads("for Ada").await;
    assert_eq!(stage.said(&group), ["for Ada"]);
    assert_eq!(stage.gateway.turns().len(), 1);
    let (_, press) = stage.api.push_press(&group, &eve, question.message_id, "retry");
    stage.comes_after().await;
    assert_eq!(stage.gateway.turns().len(), 1, "nor do they press anything ({press})");
}

#[tokio::test]
async fn a_group_is_open_to_everybody_by_setting_or_by_an_operators_word() {
    let stage = Stage::set(&[("TELEGRAM_ALLOWED_CHAT_IDS", "-6")]).await;
    let (named, opened, eve) = (Chat::group(-6, "named"), friends(), User::new(666, "Eve"));
    stage.api.push_text(&named, &eve, "@argus_test_bot [say: named group]");
    stage.reads("named group").await;
    stage.api.push_text(&opened, &stage.bob, "/pair here");
    stage.reads("Only an operator may do that.").await;
    stage.api.push_text(&opened, &stage.ada, "/pair here");
    stage.reads("Everybody in this group may talk to me now.").await;
    stage.api.push_text(&opened, &eve, "@argus_test_bot [say: opened group]");
    stage.reads("opened group").await;
    stage.api.push_text(&opened, &stage.ada, "/pair off");
    stage.reads("Only people I know may talk to me in this group now.").await;
    stage.api.push_text(&opened, &eve, "@argus_test_bot [say: too late]");
    let hers = Chat::private(&eve);
    stage.api.push_text(&hers, &eve, "[say: in private]");
    stage.reads("We have not met yet").await;
    assert_eq!(stage.gateway.turns().len(), 2);
}

#[tokio::test]
async fn a_group_that_becomes_a_supergroup_keeps_its_thread_and_its_settings() {
    let (stage, group) = (Stage::set(&[]).await, friends());
    stage.api.push_text(&group, &stage.ada, "@argus_test_bot [say: before]");
    stage.reads("before").await;
    stage.api.push_text(&group, &stage.ada, "/approvals");
    let menu: Sent = stage.reads("I ask before I act").await;
    stage.press(&group, &stage.ada, &menu, "never").await;
    stage.api.push_text(&group, &stage.ada, "/pair here");
    stage.reads("Everybody in this group").await;
    let supergroup = stage.api.upgrade(&group, -1_001_005);
    let eve = User::new(666, "Eve");
    stage.api.push_text(&supergroup, &eve, "@argus_test_bot [say: after]");
    stage.reads("after").await;
    let turns = stage.turns(2).await;
    assert_eq!(turns[0].thread, turns[1].thread);
    let policies: Vec<_> =
        stage.asked("turn/start").iter().map(|turn| turn["approvalPolicy"].clone()).collect();
    assert_eq!(policies[1], "never");
    assert_ne!(policies[0], "never");
    let all = stage.api.wait_sent(4, PATIENCE).await;
    assert_eq!(all[3].chat_id, supergroup.id);
}
