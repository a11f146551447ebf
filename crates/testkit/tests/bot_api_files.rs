//! What the Bot API server does with files, buttons, several bots, and people who leave.

use argus_testkit::bot_api::{BotApi, Chat, Fault, User};
use serde_json::{Value, json};
use teloxide_core::Bot;
use teloxide_core::payloads::{SendMediaGroupSetters as _, SendPhotoSetters as _};
use teloxide_core::prelude::Requester as _;
use teloxide_core::types::{
    ChatId, InputFile, InputMedia, InputMediaDocument, InputMediaPhoto, ParseMode, ThreadId, UpdateKind,
};

const TOKEN: &str = "4242424242:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const OTHER: &str = "77:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB";

fn start() -> (BotApi, Bot, Chat, User) {
    let api = BotApi::start(TOKEN);
    let ada = User::new(7, "Ada");
    let chat = Chat::private(&ada);
    api.know(&chat);
    let bot = Bot::new(TOKEN).set_api_url(api.url().parse().unwrap());
    (api, bot, chat, ada)
}

async fn call(api: &BotApi, token: &str, method: &str, params: Value) -> (u16, Value) {
    let url = format!("{}/bot{token}/{method}", api.url());
    let answer = reqwest::Client::new().post(url).json(&params).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

fn file(name: &'static str, bytes: &'static [u8]) -> InputFile {
    InputFile::memory(bytes).file_name(name)
}

#[tokio::test]
async fn a_file_that_the_bot_sends_is_remembered_with_its_bytes() {
    let (api, bot, chat, _) = start();
    let caption =
        bot.send_photo(ChatId(7), file("a.png", b"png")).caption("<b>x</b>").parse_mode(ParseMode::Html);
    let message = caption.await.unwrap();
    assert_eq!(message.caption(), Some("x"));
    bot.send_document(ChatId(7), file("b.md", b"md")).await.unwrap();
    bot.send_voice(ChatId(7), file("c.ogg", b"ogg")).await.unwrap();
    bot.send_audio(ChatId(7), file("d.mp3", b"mp3")).await.unwrap();
    bot.send_video(ChatId(7), file("e.mp4", b"mp4")).await.unwrap();
    let sent = api.sent_to(&chat);
    let files: Vec<_> =
        sent.iter().map(|s| s.file.clone().unwrap()).map(|f| (f.kind, f.name, f.bytes)).collect();
    let expected = [
        ("photo", "a.png", "png"),
        ("document", "b.md", "md"),
        ("voice", "c.ogg", "ogg"),
        ("audio", "d.mp3", "mp3"),
        ("video", "e.mp4", "mp4"),
    ];
    assert_eq!(files, expected.map(|(k, n, b)| (k.to_owned(), n.to_owned(), bytes::Bytes::from(b))));
    assert_eq!(sent[0].entities.len(), 1);
    let refused =
        bot.send_photo(ChatId(7), file("a.png", b"png")).caption("y".repeat(1025)).await.unwrap_err();
    assert!(refused.to_string().contains("caption is too long"), "{refused}");
}

#[tokio::test]
async fn an_album_is_taken_as_a_whole_and_only_of_kinds_that_go_together() {
    let (api, bot, chat, _) = start();
    api.know(&Chat::forum(-1005, "f").topic(3));
    let photo = |name, bytes| InputMedia::Photo(InputMediaPhoto::new(file(name, bytes)).caption("c"));
    let both = [photo("a.png", b"1"), photo("b.png", b"2")];
    let sent = bot
        .send_media_group(ChatId(-1005), both)
        .message_thread_id(ThreadId(teloxide_core::types::MessageId(3)))
        .await
        .unwrap();
    assert_eq!(sent.len(), 2);
    let album = api.sent();
    let shown: Vec<_> = album.iter().map(|s| (s.topic, s.text.as_str(), s.album.is_some())).collect();
    assert_eq!(shown, [(Some(3), "c", true); 2]);
    assert_eq!(album[0].album, album[1].album);
    let mixed = [photo("a.png", b"1"), InputMedia::Document(InputMediaDocument::new(file("b", b"2")))];
    assert!(bot.send_media_group(ChatId(7), mixed).await.is_err());
    assert!(bot.send_media_group(ChatId(7), [photo("a.png", b"1")]).await.is_err());
    assert_eq!(api.sent_to(&chat), []);
}

#[tokio::test]
async fn a_file_that_somebody_sent_can_be_fetched_until_it_is_lost() {
    let (api, bot, chat, ada) = start();
    let mut parts = api.file_parts("photo", "", &b"bytes"[..]);
    parts["caption"] = json!("look");
    api.push_album(&chat, &ada, "g1", &[parts, api.file_parts("video", "v.mp4", &b"film"[..])]);
    api.push_message(&chat, &ada, &api.file_parts("voice", "", &b"ogg"[..]));
    let updates = bot.get_updates().await.unwrap();
    assert_eq!(updates.len(), 3);
    let UpdateKind::Message(first) = &updates[0].kind else { panic!("{:?}", updates[0]) };
    assert_eq!((first.caption(), first.media_group_id().map(|g| g.0.as_str())), (Some("look"), Some("g1")));
    let id = first.photo().unwrap()[0].file.id.clone();
    let told = bot.get_file(id.clone()).await.unwrap();
    let url = format!("{}/file/bot{TOKEN}/{}", api.url(), told.path);
    assert_eq!(reqwest::get(&url).await.unwrap().bytes().await.unwrap(), "bytes");
    api.fail_next("file", Fault::ServerError(502));
    assert_eq!(reqwest::get(&url).await.unwrap().status(), 502);
    api.lose_file(&id.0);
    assert!(bot.get_file(id).await.is_err());
    assert_eq!(reqwest::get(&url).await.unwrap().status(), 404);
}

#[tokio::test]
async fn buttons_are_remembered_and_checked_and_a_reply_needs_its_message() {
    let (api, _, chat, ada) = start();
    let keyboard = |data: &str| json!({ "inline_keyboard": [[{ "text": "Yes", "callback_data": data }]] });
    let ask = |markup: Value, reply: Value| {
        let params = json!({ "chat_id": 7, "text": "?", "reply_markup": markup, "reply_parameters": reply });
        call(&api, TOKEN, "SendMessage", params)
    };
    assert_eq!(ask(keyboard("a:1"), json!({ "message_id": 5 })).await.0, 400);
    let anyway = json!({ "message_id": 5, "allow_sending_without_reply": true });
    assert_eq!(ask(keyboard("a:1"), anyway).await.0, 200);
    assert_eq!(ask(keyboard(&"x".repeat(65)), Value::Null).await.0, 400);
    let sent = api.sent_to(&chat);
    assert_eq!(sent[0].buttons(), [[("Yes".to_owned(), "a:1".to_owned())]]);
    assert_eq!((sent[0].reply_to, sent.len()), (None, 1));
    let id = sent[0].message_id;
    let (_, press) = api.push_press(&chat, &ada, id, "a:1");
    let params = json!({ "callback_query_id": press, "text": "ok" });
    assert_eq!(call(&api, TOKEN, "AnswerCallbackQuery", params).await.0, 200);
    assert_eq!(api.answered().len(), 1);
    let params = json!({ "chat_id": 7, "message_id": id });
    assert_eq!(call(&api, TOKEN, "EditMessageReplyMarkup", params).await.0, 200);
    assert_eq!(api.shown_in(&chat)[0].buttons(), Vec::<Vec<_>>::new());
}

#[tokio::test]
async fn a_changed_message_is_an_update_of_its_own() {
    let (api, bot, chat, ada) = start();
    api.push_text(&chat, &ada, "teh");
    api.push_edit(&chat, &ada, api.last_message(&chat), "the");
    let updates = bot.get_updates().await.unwrap();
    let UpdateKind::EditedMessage(edited) = &updates[1].kind else { panic!("{:?}", updates[1]) };
    assert_eq!((edited.id.0, edited.text()), (1, Some("the")));
}

#[tokio::test]
async fn several_bots_at_one_address_know_nothing_of_each_other() {
    let (api, _, chat, _) = start();
    let other = api.another(OTHER, "other_bot");
    other.know(&chat);
    let say = |text: &str| json!({ "chat_id": 7, "text": text });
    call(&api, TOKEN, "SendMessage", say("one")).await;
    call(&api, OTHER, "SendMessage", say("two")).await;
    assert_eq!(call(&api, "1:x", "SendMessage", say("three")).await.0, 401);
    let texts = |api: &BotApi| api.sent().into_iter().map(|s| s.text).collect::<Vec<_>>();
    assert_eq!((texts(&api), texts(&other)), (vec!["one".to_owned()], vec!["two".to_owned()]));
}

#[tokio::test]
async fn people_who_stop_the_bot_are_not_reached_and_every_third_call_may_be_refused() {
    let (api, _, chat, _) = start();
    let say = || call(&api, TOKEN, "SendMessage", json!({ "chat_id": 7, "text": "x" }));
    api.block(&chat);
    assert_eq!(say().await.0, 403);
    api.unblock(&chat);
    api.fail_every("sendMessage", 3, Fault::TooManyRequests { retry_after: 1 });
    let mut got = Vec::new();
    for _ in 0..6 {
        got.push(say().await.0);
    }
    assert_eq!(got, [200, 200, 429, 200, 200, 429]);
    api.heal("sendMessage");
    api.delete_chat(&chat);
    assert_eq!(say().await.0, 400);
}

#[tokio::test]
async fn who_has_a_webhook_cannot_poll() {
    let (api, ..) = start();
    call(&api, TOKEN, "SetWebhook", json!({ "url": "https://x.example/" })).await;
    assert_eq!(api.webhook(), "https://x.example/");
    assert_eq!(call(&api, TOKEN, "GetUpdates", json!({})).await.0, 409);
    call(&api, TOKEN, "DeleteWebhook", json!({})).await;
    assert_eq!(call(&api, TOKEN, "GetUpdates", json!({})).await.0, 200);
}
