//! Rows of each kind: buttons, changes, files.

use argus_protocol::argus::message::SendKind;
use argus_testkit::bot_api::SentFile;

use super::*;
use crate::store::ledger::{Button, DocumentBody, EditBody, FilesBody, KeptFile, Language, TakeBackBody};

fn buttons(names: &[&str]) -> Vec<Vec<Button>> {
    let button = |name: &&str| Button { text: (*name).to_owned(), data: format!("do:{name}") };
    vec![names.iter().map(button).collect()]
}

fn question(text: &str) -> Body {
    Body::Text(TextBody { buttons: buttons(&["yes", "no"]), ..TextBody::of(text, text) })
}

fn change(of: &str, text: &str) -> Body {
    Body::Edit(EditBody { of: of.into(), html: text.into(), plain: text.into(), buttons: vec![] })
}

fn shown(desk: &Desk, chat: i64) -> Vec<(String, usize)> {
    let chat = Chat::private(&User::new(chat, "P"));
    desk.api
        .shown_in(&chat)
        .into_iter()
        .map(|s| (s.text.clone(), s.buttons().iter().flatten().count()))
        .collect()
}

#[tokio::test]
async fn a_question_has_its_buttons_until_it_is_changed() {
    let mut desk = Desk::new(generous()).await;
    desk.start();
    desk.put_out("1", "q", question("May I?")).await;
    desk.delivered([1]).await;
    let sent = desk.api.sent();
    let pair = |name: &str| (name.to_owned(), format!("do:{name}"));
    assert_eq!(sent[0].buttons(), [[pair("yes"), pair("no")]]);
    desk.put_out("1", "q:over", change("q", "May I? Yes.")).await;
    desk.put_out("1", "q:again", change("q", "May I? Yes.")).await;
    desk.delivered([1]).await;
    assert_eq!(shown(&desk, 1), [("May I? Yes.".to_owned(), 0)]);
    assert_eq!(desk.delivery.health().await.last_error, None);
}

#[tokio::test]
async fn a_change_of_what_was_never_sent_or_is_gone_is_done_with() {
    let mut desk = Desk::new(generous()).await;
    desk.start();
    desk.put_out("1", "x:over", change("x", "nobody reads this")).await;
    desk.put_out("1", "q", question("May I?")).await;
    desk.put_out("2", "q2", question("And I?")).await;
    desk.delivered([1, 2]).await;
    desk.api.fail_next("editMessageText", Fault::BadRequest("message can't be edited".to_owned()));
    desk.put_out("1", "q:over", change("q", "too late")).await;
    desk.put_out("1", "after", Body::Text(TextBody::of("after", "after"))).await;
    assert_eq!(desk.delivered([1]).await, [["May I?", "after"]]);
    desk.api.fail_next("editMessageText", Fault::TooManyRequests { retry_after: 1 });
    desk.put_out("2", "q2:over", change("q2", "<b>no")).await;
    desk.delivered([2]).await;
    assert_eq!(shown(&desk, 2), [("<b>no".to_owned(), 0)]);
}

#[tokio::test]
async fn messages_are_taken_back_all_at_once_as_far_as_they_are_there() {
    let mut desk = Desk::new(generous()).await;
    desk.start();
    for key in ["a", "b", "c"] {
        desk.put_out("1", key, question(key)).await;
    }
    let go =
        |of: &[&str]| Body::TakeBack(TakeBackBody { of: of.iter().map(|key| (*key).to_owned()).collect() });
    desk.put_out("1", "x", go(&["a", "c", "never sent"])).await;
    desk.put_out("1", "y", go(&["a", "never sent"])).await;
    desk.put_out("1", "z", go(&["never sent"])).await;
    desk.delivered([1]).await;
    assert_eq!(shown(&desk, 1), [("b".to_owned(), 2)]);
    assert_eq!(desk.api.calls_of("deleteMessages").len(), 2);
    desk.api.fail_next("deleteMessages", Fault::TooManyRequests { retry_after: 1 });
    desk.put_out("1", "late", go(&["b"])).await;
    desk.delivered([1]).await;
    assert_eq!(shown(&desk, 1), []);
    assert_eq!(desk.delivery.health().await.last_error, None);
}

#[tokio::test]
async fn an_answer_to_a_message_says_so_even_where_that_is_gone() {
    let mut desk = Desk::new(generous()).await;
    desk.start();
    let ann = User::new(1, "P");
    desk.api.push_text(&Chat::private(&ann), &ann, "hello");
    for (key, id) in [("a", "1"), ("b", "99"), ("c", "x")] {
        let body = TextBody { reply_to: Some(id.to_owned()), ..TextBody::of(key, key) };
        desk.put_out("1", key, Body::Text(body)).await;
    }
    desk.delivered([1]).await;
    let replies: Vec<_> = desk.api.sent().into_iter().map(|sent| sent.reply_to).collect();
    assert_eq!(replies, [Some(1), None, None]);
}

#[tokio::test]
async fn a_long_text_goes_as_a_file_with_what_stands_below_it() {
    let mut desk = Desk::new(generous()).await;
    desk.start();
    let document = |html: &str| DocumentBody {
        name: "answer.md".into(),
        text: "# all of it".into(),
        html: html.into(),
        plain: "plain".into(),
        live: None,
    };
    desk.put_out("1", "a", Body::Document(document("<b>all</b>"))).await;
    desk.put_out("1", "b", Body::Document(document("<b>all"))).await;
    desk.put_out("1", "c", Body::Document(DocumentBody { plain: String::new(), ..document("") })).await;
    assert_eq!(desk.delivered([1]).await, [["all", "plain", ""]]);
    let file = SentFile { kind: "document".into(), name: "answer.md".into(), bytes: "# all of it".into() };
    assert_eq!(desk.api.sent().into_iter().map(|sent| sent.file.unwrap()).collect::<Vec<_>>(), vec![file; 3]);
}

fn keep(desk: &Desk, name: &str, kind: SendKind) -> KeptFile {
    std::fs::create_dir_all(desk.config.kept.folder()).unwrap();
    std::fs::write(desk.config.kept.folder().join(name), name).unwrap();
    KeptFile {
        kept: name.into(),
        name: format!("{name}.bin"),
        kind,
        html: "<i>c</i>".into(),
        plain: "c".into(),
    }
}

fn left(desk: &Desk) -> Vec<String> {
    let entries = std::fs::read_dir(desk.config.kept.folder()).unwrap();
    let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn kept_files_are_sent_alone_or_as_an_album_and_are_gone_then() {
    let mut desk = Desk::new(generous()).await;
    let kinds = [SendKind::Photo, SendKind::Video, SendKind::Audio, SendKind::Voice, SendKind::Document];
    for (number, kind) in kinds.into_iter().enumerate() {
        let files = vec![keep(&desk, &number.to_string(), kind)];
        desk.put_out("1", &number.to_string(), Body::Files(FilesBody { files })).await;
    }
    let files = vec![keep(&desk, "x", SendKind::Photo), keep(&desk, "y", SendKind::Video)];
    desk.put_out("2", "album", Body::Files(FilesBody { files })).await;
    desk.start();
    assert_eq!(desk.delivered([1, 2]).await, [vec!["c"; 5], vec!["c"; 2]]);
    let kind = |chat| -> Vec<_> {
        let sent = desk.api.sent().into_iter().filter(|sent| sent.chat_id == chat);
        sent.map(|sent| sent.file.unwrap()).map(|file| (file.kind, file.name)).collect()
    };
    let named = |kind: &str, name: &str| (kind.to_owned(), format!("{name}.bin"));
    let alone = ["photo", "video", "audio", "voice", "document"].into_iter().zip(["0", "1", "2", "3", "4"]);
    assert_eq!(kind(1), alone.map(|(kind, name)| named(kind, name)).collect::<Vec<_>>());
    assert_eq!(kind(2), [named("photo", "x"), named("video", "y")]);
    eventually("nothing is left", async || left(&desk).is_empty().then_some(())).await;
}

#[tokio::test]
async fn a_picture_that_is_refused_as_one_goes_as_a_file_and_a_lost_file_is_given_up() {
    let mut desk = Desk::new(generous()).await;
    let dimensions = Fault::BadRequest("PHOTO_INVALID_DIMENSIONS".to_owned());
    desk.api.fail_while("sendPhoto", dimensions);
    let files = vec![keep(&desk, "p", SendKind::Photo)];
    desk.put_out("1", "p", Body::Files(FilesBody { files })).await;
    let files = vec![KeptFile { kept: "../p".into(), ..keep(&desk, "lost", SendKind::Photo) }];
    std::fs::write(desk.dir.path().join("p"), "not kept").unwrap();
    desk.put_out("1", "lost", Body::Files(FilesBody { files })).await;
    desk.put("1", "and on").await;
    desk.start();
    assert_eq!(desk.delivered([1]).await, [["c", "and on"]]);
    assert_eq!(desk.api.sent()[0].file.as_ref().unwrap().kind, "document");
}

#[tokio::test]
async fn where_files_may_not_be_sent_texts_still_come() {
    let mut desk = Desk::new(generous()).await;
    let photos = "not enough rights to send photos to the chat";
    desk.api.fail_while("sendPhoto", Fault::BadRequest(photos.to_owned()));
    let documents = "not enough rights to send documents to the chat";
    desk.api.fail_while("sendDocument", Fault::BadRequest(documents.to_owned()));
    let files = vec![keep(&desk, "p", SendKind::Photo)];
    desk.put_out("1", "p", Body::Files(FilesBody { files })).await;
    desk.put("1", "the answer").await;
    desk.start();
    assert_eq!(desk.delivered([1]).await, [["the answer"]]);
    assert_eq!(left(&desk), Vec::<String>::new());
}

#[tokio::test]
async fn a_long_answer_whose_file_is_refused_comes_as_messages() {
    let mut desk = Desk::new(generous()).await;
    let documents = "not enough rights to send documents to the chat";
    desk.api.fail_while("sendDocument", Fault::BadRequest(documents.to_owned()));
    let text = (0..3000).map(|number| number.to_string()).collect::<Vec<_>>().join(" ");
    for (number, body) in answer(&text, Some(5000), Language::English).into_iter().enumerate() {
        desk.put_out("1", &format!("a:{number}"), body).await;
    }
    desk.start();
    let [told] = desk.delivered([1]).await;
    assert!(told[1..].join(" ") == text, "{} messages", told.len());
}

#[tokio::test]
async fn files_of_a_chat_that_is_gone_go_too_and_orphans_at_the_start() {
    let mut desk = Desk::new(generous()).await;
    for (chat, name) in [("9", "a"), ("9", "b"), ("1", "c")] {
        let files = vec![keep(&desk, name, SendKind::Document)];
        desk.put_out(chat, name, Body::Files(FilesBody { files })).await;
    }
    keep(&desk, "orphan", SendKind::Photo);
    Deliveries::new(desk.ledger.clone(), vec![Desk::telegram(&desk.api)], &desk.config).tidy().await;
    assert_eq!(left(&desk), ["a", "b", "c"]);
    desk.api.block(&Chat::private(&User::new(9, "P")));
    desk.start();
    desk.delivered([1, 9]).await;
    eventually("nothing is left", async || left(&desk).is_empty().then_some(())).await;
    assert_eq!(desk.api.sent().len(), 1);
}

#[tokio::test]
async fn several_bots_send_what_is_theirs() {
    let desk = Desk::new(generous()).await;
    let other = desk.api.another("77:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB", "other_bot");
    other.know(&Chat::private(&User::new(1, "P")));
    let token = Secret::parse(&other.token()).unwrap();
    let bots =
        vec![Desk::telegram(&desk.api), Telegram::new(&token, &desk.api.url().parse().unwrap()).unwrap()];
    let all = Deliveries::new(desk.ledger.clone(), bots, &desk.config);
    let (stop, running) = (CancellationToken::new(), all.clone());
    let token = stop.clone();
    let task = tokio::spawn(async move { running.run(token).await });
    other.fail_while("sendMessage", Fault::Unauthorized);
    for (bot, text) in [("4242424242", "one"), ("77", "two"), ("4242424242", "three")] {
        let chat = ChatRef { bot: bot.into(), ..chat_of("1") };
        let row = NewRow { dedupe_key: text.into(), chat, body: Body::Text(TextBody::of(text, text)) };
        desk.ledger.write(move |tx| Box::pin(async move { tx.put_out(row).await })).await.unwrap();
    }
    desk.api.wait_sent(2, LIMIT).await;
    other.wait_calls("sendMessage", 1, LIMIT).await;
    let refused = async || (all.health().await[1].1.token == Token::Refused).then_some(());
    eventually("the other one's token is refused", refused).await;
    let health = all.health().await;
    assert_eq!((health[0].0.as_str(), health[0].1.token), ("4242424242", Token::Accepted));
    assert_eq!(health[1].0, "77");
    other.heal("sendMessage");
    other.wait_sent(1, LIMIT).await;
    assert_eq!(
        (texts(&desk.api.sent(), 1), texts(&other.sent(), 1)),
        (vec!["one".into(), "three".into()], vec!["two".into()])
    );
    stop.cancel();
    task.await.unwrap();
}
