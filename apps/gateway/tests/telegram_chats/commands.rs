//! Commands: offered in English and Chinese, and each of them answered.

use argus_testkit::bot_api::{Chat, User};
use argus_testkit::programs::{PATIENCE, eventually};
use serde_json::json;

use crate::stage::Stage;

fn is_chinese(text: &str) -> bool {
    text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

#[tokio::test]
async fn every_command_is_offered_and_answered_in_english_and_chinese() {
    // One person for each, so that no answer waits for another's.
    let (english, chinese) = (101_i64, 201_i64);
    let ids: Vec<_> = (0..50).flat_map(|n| [english + n, chinese + n]).map(|id| id.to_string()).collect();
    let stage = Stage::set(&[("TELEGRAM_OPERATOR_USER_IDS", &ids.join(","))]).await;
    let offered =
        eventually("both lists", async || Some(stage.api.commands()).filter(|lists| lists.len() == 2)).await;
    let of = |language: Option<&str>| {
        let of = offered.iter().find(|one| one.language.as_deref() == language);
        of.unwrap_or_else(|| panic!("{language:?} in {offered:?}")).list.clone()
    };
    let names = |list: &[(String, String)]| list.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let lists = [of(None), of(Some("zh"))];
    assert_eq!(names(&lists[0]), names(&lists[1]));
    assert!(lists[0].iter().all(|(_, words)| !is_chinese(words)));
    assert!(lists[1].iter().all(|(_, words)| is_chinese(words)));

    let mut commands = names(&lists[0]);
    commands.extend(["sessions", "pair", "usage"].map(str::to_owned));
    let mut asked = Vec::new();
    for (n, command) in (0..).zip(&commands) {
        for (id, language) in [(english + n, "en"), (chinese + n, "zh-hans")] {
            let who = User::new(id, "Ada").language(language);
            stage.api.push_text(&Chat::private(&who), &who, &format!("/{command}"));
            asked.push((command, language, Chat::private(&who)));
        }
    }
    stage.api.wait_sent(asked.len(), PATIENCE).await;
    for (command, language, chat) in &asked {
        let said = stage.said(chat);
        assert_eq!(said.len(), 1, "/{command} in {language}: {said:?}");
        assert_eq!(is_chinese(&said[0]), *language != "en", "/{command} in {language}: {said:?}");
    }
    assert!(stage.gateway.turns().is_empty(), "no command is work");
    let help = stage.said(&Chat::private(&User::new(english + 1, "Ada"))).concat();
    for command in commands.iter().filter(|name| !matches!(name.as_str(), "start" | "lastresult")) {
        assert!(help.contains(&format!("/{command} ")), "/{command} in {help}");
    }
}

#[tokio::test]
async fn a_command_for_another_bot_is_not_ours() {
    let stage = Stage::set(&[("TELEGRAM_GROUP_MODE", "all")]).await;
    let group = Chat::group(-5, "friends");
    stage.api.push_text(&group, &stage.ada, "/new@other_bot");
    stage.say("/status@other_bot");
    stage.say("/whoami@argus_test_bot");
    stage.reads("Name: Ada").await;
    stage.api.push_text(&group, &stage.ada, "/status@argus_test_bot");
    stage.reads("Nothing is running.").await;
    assert_eq!((stage.said(&stage.chat).len(), stage.said(&group).len()), (1, 1));
    assert!(stage.gateway.turns().is_empty());
}

#[tokio::test]
async fn any_other_slash_text_goes_to_the_agent_as_it_is() {
    let stage = Stage::set(&[]).await;
    stage.say("/review [say: reviewed]");
    stage.reads("reviewed").await;
    assert_eq!(stage.told(1).await[0], "/review [say: reviewed]");
}

#[tokio::test]
async fn only_operators_are_told_what_is_for_operators() {
    let stage = Stage::set(&[]).await;
    let his = Chat::private(&stage.bob);
    for (n, command) in ["/sessions", "/usage", "/pair"].into_iter().enumerate() {
        stage.api.push_text(&his, &stage.bob, command);
        stage.api.wait_sent(n + 1, PATIENCE).await;
    }
    assert_eq!(stage.said(&his), ["Only an operator may do that."; 3]);
    stage.say("[say: used]");
    stage.reads("used").await;
    stage.say("/usage");
    stage.reads("1 turns, 10 tokens in").await;
    stage.say("/sessions");
    stage.reads("Sessions: 1").await;
    stage.say("/pair");
    let code = stage.reads("Who sends me this code").await.text;
    let code = code.split(": ").nth(1).and_then(|rest| rest.split('.').next()).unwrap();
    let eve = User::new(9, "Eve");
    stage.api.push_text(&Chat::private(&eve), &eve, &format!("/start {code}"));
    stage.reads("We are paired.").await;
}

#[tokio::test]
async fn where_and_whoami_tell_the_place_and_the_person() {
    let stage = Stage::set(&[]).await;
    stage.say("[say: hello]");
    stage.reads("hello").await;
    let (thread, session) =
        (stage.turns(1).await[0].thread.clone(), stage.gateway.client("session=default").await.session);
    stage.say("/where");
    let told = stage.reads("Session: ").await.text;
    assert_eq!(told, format!("Session: {session}\nChat: 7\nThread: {thread}"));
    stage.say("/whoami");
    assert_eq!(stage.reads("Name: ").await.text, "Name: Ada\nId: 7\nRole: operator\nChat: 7");
}

#[tokio::test]
async fn last_gives_the_last_answer_again_and_asks_nothing() {
    let stage = Stage::set(&[]).await;
    stage.say("[say: **the** answer]");
    stage.reads("the answer").await;
    for (n, command) in ["/last", "/lastresult"].into_iter().enumerate() {
        stage.say(command);
        let all = stage.api.wait_sent(n + 2, PATIENCE).await;
        assert_eq!(all[n + 1].raw_text, "<b>the</b> answer");
    }
    assert_eq!(stage.gateway.turns().len(), 1);
}

#[tokio::test]
async fn retry_asks_the_last_thing_again_with_its_file() {
    let stage = Stage::set(&[]).await;
    let mut photo = stage.api.file_parts("photo", "p.jpg", &b"\x89PNG\r\n\x1a\n and more"[..]);
    photo["caption"] = json!("[say: seen]");
    stage.api.push_message(&stage.chat, &stage.ada, &photo);
    stage.api.wait_sent(1, PATIENCE).await;
    stage.say("/retry");
    stage.api.wait_sent(2, PATIENCE).await;
    assert_eq!(stage.said(&stage.chat), ["seen", "seen"]);
    let images: Vec<_> = stage.asked("turn/start").iter().map(|turn| turn["input"][1].clone()).collect();
    assert_eq!((images.len(), &images[0]["type"]), (2, &json!("localImage")));
    for image in images {
        let path = image["path"].as_str().unwrap();
        assert!(std::fs::read(path).unwrap().ends_with(b"and more"), "{path}");
    }
}

#[tokio::test]
async fn an_earlier_thread_goes_on_by_its_button() {
    let stage = Stage::set(&[]).await;
    stage.say("[say: one] about apples");
    stage.reads("one").await;
    stage.say("/new");
    stage.reads("A new thread begins with your next message.").await;
    stage.say("[say: two] about pears");
    stage.reads("two").await;
    stage.say("/threads");
    let menu = stage.reads("Threads of this chat").await;
    assert_eq!(menu.buttons().len(), 2);
    assert_eq!(stage.press(&stage.chat, &stage.ada, &menu, "apples").await, "Back in that thread.");
    stage.say("[say: three]");
    stage.reads("three").await;
    let turns = stage.turns(3).await;
    assert_ne!(turns[0].thread, turns[1].thread);
    assert_eq!(turns[0].thread, turns[2].thread);
}
