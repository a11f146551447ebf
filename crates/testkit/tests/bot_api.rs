//! The Bot API server, driven by the client library our programs use, and by bare HTTP where that hides something.

use std::time::Duration;

use argus_testkit::bot_api::{BotApi, Chat, Commands, Entity, EntityKind, Fault, Preview, User};
use serde_json::{Value, json};
use teloxide_core::prelude::*;
use teloxide_core::types::{
    AllowedUpdate, BotCommand, ChatAction, ChatId, LinkPreviewOptions, MessageId, ParseMode, ReplyParameters,
    ThreadId, UpdateKind,
};
use teloxide_core::{ApiError, Bot, RequestError};

const TOKEN: &str = "123456789:test-token";
const SOON: Duration = Duration::from_secs(10);

fn bot(api: &BotApi) -> Bot {
    Bot::new(api.token()).set_api_url(api.url().parse().unwrap())
}

fn ada() -> User {
    User::new(77, "Ada").username("ada").language("en")
}

/// A bare call; the status and the JSON of the answer.
async fn call(api: &BotApi, method: &str, params: Value) -> (u16, Value) {
    let url = format!("{}/bot{}/{method}", api.url(), api.token());
    let response = reqwest::Client::new().post(url).json(&params).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

fn refusal(code: u16, description: &str) -> (u16, Value) {
    (code, json!({ "ok": false, "error_code": code, "description": description }))
}

#[tokio::test]
async fn a_bot_learns_who_it_is() {
    let api = BotApi::start(TOKEN);
    let me = bot(&api).get_me().await.unwrap();
    assert_eq!((me.username(), me.first_name.as_str(), me.is_bot), ("argus_test_bot", "Argus", true));
}

#[tokio::test]
async fn an_update_is_given_until_a_higher_offset_confirms_it() {
    let api = BotApi::start(TOKEN);
    let (bot, chat) = (bot(&api), Chat::private(&ada()));
    let first = api.push_text(&chat, &ada(), "/start now");
    let second = api.push_text(&Chat::forum(-1001, "Lab").topic(5), &ada(), "hello");
    let ids = |updates: &[teloxide_core::types::Update]| -> Vec<i64> {
        updates.iter().map(|update| i64::from(update.id.0)).collect()
    };
    for _ in 0..2 {
        let updates = bot.get_updates().await.unwrap();
        assert_eq!(ids(&updates), [first, second]);
        let UpdateKind::Message(message) = &updates[0].kind else { panic!("{updates:?}") };
        assert_eq!(message.text(), Some("/start now"));
        assert_eq!(message.from.as_ref().unwrap().language_code.as_deref(), Some("en"));
        assert_eq!(message.entities().unwrap().len(), 1);
        let UpdateKind::Message(message) = &updates[1].kind else { panic!("{updates:?}") };
        assert_eq!((message.chat.id.0, message.thread_id), (-1001, Some(ThreadId(MessageId(5)))));
        assert!(message.is_topic_message);
    }
    let offset = i32::try_from(second).unwrap();
    assert_eq!(ids(&bot.get_updates().offset(offset).await.unwrap()), [second]);
    assert_eq!((api.confirmed_offset(), api.pending_updates()), (second, 1));
    assert_eq!(ids(&bot.get_updates().offset(offset + 1).await.unwrap()), [] as [i64; 0]);
    assert_eq!((api.confirmed_offset(), api.pending_updates()), (second + 1, 0));
}

#[tokio::test]
async fn a_long_poll_ends_when_an_update_comes() {
    let api = BotApi::start(TOKEN);
    let polling = tokio::spawn(bot(&api).get_updates().timeout(15).into_future());
    api.wait_calls("getUpdates", 1, SOON).await;
    api.push_text(&Chat::private(&ada()), &ada(), "hi");
    assert_eq!(polling.await.unwrap().unwrap().len(), 1);
}

#[tokio::test]
async fn kinds_that_were_not_asked_for_are_not_given() {
    let api = BotApi::start(TOKEN);
    let bot = bot(&api);
    bot.get_updates().allowed_updates([AllowedUpdate::CallbackQuery]).await.unwrap();
    api.push_text(&Chat::private(&ada()), &ada(), "unwanted");
    let (id, press) = api.push_press(&Chat::private(&ada()), &ada(), 9, "yes");
    let updates = bot.get_updates().await.unwrap();
    assert_eq!(updates.iter().map(|u| i64::from(u.id.0)).collect::<Vec<_>>(), [id]);
    let UpdateKind::CallbackQuery(query) = &updates[0].kind else { panic!("{updates:?}") };
    assert_eq!(query.data.as_deref(), Some("yes"));
    bot.answer_callback_query(query.id.clone()).text("done").await.unwrap();
    assert_eq!(api.answered()[0].callback_query_id, press);
}

#[tokio::test]
async fn a_second_poller_ends_the_first_with_conflict() {
    let api = BotApi::start(TOKEN);
    let older = tokio::spawn(bot(&api).get_updates().timeout(15).into_future());
    api.wait_calls("getUpdates", 1, SOON).await;
    let newer = tokio::spawn(bot(&api).get_updates().timeout(15).into_future());
    let ended = older.await.unwrap();
    assert!(matches!(ended, Err(RequestError::Api(ApiError::TerminatedByOtherGetUpdates))), "{ended:?}");
    api.push_text(&Chat::private(&ada()), &ada(), "hi");
    assert_eq!(newer.await.unwrap().unwrap().len(), 1);
}

#[tokio::test]
async fn a_message_is_remembered_as_a_person_reads_it() {
    let api = BotApi::start(TOKEN);
    let chat = Chat::forum(-1002, "Lab").topic(5);
    api.push_text(&chat, &ada(), "question");
    let no_preview = LinkPreviewOptions {
        is_disabled: true,
        url: None,
        prefer_small_media: false,
        prefer_large_media: false,
        show_above_text: false,
    };
    let answer = bot(&api)
        .send_message(ChatId(-1002), "<b>Hello</b> &amp; <code>x</code>")
        .parse_mode(ParseMode::Html)
        .link_preview_options(no_preview)
        .message_thread_id(ThreadId(MessageId(5)))
        .reply_parameters(ReplyParameters::new(MessageId(1)))
        .await
        .unwrap();
    assert_eq!((answer.text(), answer.id.0), (Some("Hello & x"), 2));
    let sent = api.wait_sent(1, SOON).await;
    let at = sent[0].at;
    assert_eq!(
        sent,
        [argus_testkit::bot_api::Sent {
            chat_id: -1002,
            topic: Some(5),
            message_id: 2,
            text: "Hello & x".into(),
            raw_text: "<b>Hello</b> &amp; <code>x</code>".into(),
            parse_mode: Some("HTML".into()),
            entities: vec![
                Entity { kind: EntityKind::Bold, offset: 0, length: 5 },
                Entity { kind: EntityKind::Code, offset: 8, length: 1 },
            ],
            reply_to: Some(1),
            preview: Preview::Disabled,
            reply_markup: None,
            file: None,
            album: None,
            at,
        }]
    );
}

#[tokio::test]
async fn an_edit_changes_what_is_shown_and_must_change_something() {
    let api = BotApi::start(TOKEN);
    let chat = Chat::private(&ada());
    api.know(&chat);
    let bot = bot(&api);
    let sent = bot.send_message(ChatId(77), "one").await.unwrap();
    bot.edit_message_text(ChatId(77), sent.id, "two").await.unwrap();
    let again = bot.edit_message_text(ChatId(77), sent.id, "two").await;
    assert!(matches!(again, Err(RequestError::Api(ApiError::MessageNotModified))), "{again:?}");
    let shown: Vec<_> = api.shown_in(&chat).into_iter().map(|sent| sent.text).collect();
    assert_eq!((shown, api.sent()[0].text.clone(), api.edits().len()), (vec!["two".into()], "one".into(), 1));
    let other = bot.edit_message_text(ChatId(77), MessageId(99), "two").await;
    assert!(matches!(other, Err(RequestError::Api(ApiError::MessageToEditNotFound))), "{other:?}");
    bot.delete_message(ChatId(77), sent.id).await.unwrap();
    assert_eq!((api.shown_in(&chat), api.deleted()), (vec![], vec![(77, i64::from(sent.id.0))]));
}

#[tokio::test]
async fn actions_and_commands_are_remembered() {
    let api = BotApi::start(TOKEN);
    api.know(&Chat::private(&ada()));
    let bot = bot(&api);
    bot.send_chat_action(ChatId(77), ChatAction::Typing).await.unwrap();
    let actions = api.actions();
    assert_eq!((actions.len(), actions[0].chat_id, actions[0].action.as_str()), (1, 77, "typing"));
    bot.set_my_commands([BotCommand::new("help", "what I can do")]).await.unwrap();
    bot.set_my_commands([BotCommand::new("help", "Hilfe")]).language_code("de").await.unwrap();
    bot.set_my_commands([BotCommand::new("start", "begin")]).await.unwrap();
    let commands = |language: Option<&str>, list: [(&str, &str); 1]| Commands {
        language: language.map(str::to_owned),
        scope: "default".into(),
        list: list.map(|(name, what)| (name.to_owned(), what.to_owned())).into(),
    };
    let known = [commands(Some("de"), [("help", "Hilfe")]), commands(None, [("start", "begin")])];
    assert_eq!(api.commands(), known);
    assert_eq!(bot.get_my_commands().await.unwrap(), [BotCommand::new("start", "begin")]);
}

#[tokio::test]
async fn texts_that_the_service_refuses_are_refused() {
    let api = BotApi::start(TOKEN);
    api.know(&Chat::private(&ada()));
    let send = |params: Value| {
        let mut params = params;
        params["chat_id"] = json!(77);
        let api = &api;
        async move { call(api, "sendMessage", params).await }
    };
    let empty = refusal(400, "Bad Request: message text is empty");
    assert_eq!(send(json!({ "text": "" })).await, empty);
    assert_eq!(send(json!({ "text": " \n " })).await, empty);
    assert_eq!(send(json!({ "text": "<b> </b>", "parse_mode": "HTML" })).await, empty);
    let too_long = refusal(400, "Bad Request: message is too long");
    assert_eq!(send(json!({ "text": "x".repeat(4097) })).await, too_long);
    assert_eq!(send(json!({ "text": "😀".repeat(2049) })).await, too_long);
    assert_eq!(send(json!({ "text": "&amp;".repeat(4096), "parse_mode": "html" })).await.0, 200);
    assert_eq!(
        send(json!({ "text": "1 < 2", "parse_mode": "HTML" })).await,
        refusal(400, "Bad Request: can't parse entities: Unsupported start tag \"\" at byte offset 2")
    );
    assert_eq!(
        send(json!({ "text": "😀", "entities": [{ "type": "bold", "offset": 0, "length": 1 }] })).await,
        refusal(
            400,
            "Bad Request: entity beginning at UTF-16 offset 0 ends in a middle of a UTF-16 symbol at byte offset 4"
        )
    );
    assert_eq!(
        send(json!({ "text": "x", "entities": [{ "type": "bold", "offset": 0, "length": 2 }] })).await,
        refusal(
            400,
            "Bad Request: entity beginning at UTF-16 offset 0 ends after the end of the text at UTF-16 offset 2"
        )
    );
    assert_eq!(api.sent().len(), 1);
}

#[tokio::test]
async fn drafts_are_for_private_chats_and_are_no_messages() {
    let api = BotApi::start(TOKEN);
    api.know(&Chat::private(&ada()));
    api.know(&Chat::group(-5, "Lab"));
    let draft = |chat: i64, id: i64| json!({ "chat_id": chat, "draft_id": id, "text": "<i>so far</i>", "parse_mode": "HTML" });
    assert_eq!(call(&api, "sendMessageDraft", draft(77, 3)).await.0, 200);
    assert_eq!(
        call(&api, "sendMessageDraft", draft(77, 0)).await,
        refusal(400, "Bad Request: RANDOM_ID_INVALID")
    );
    assert_eq!(call(&api, "sendMessageDraft", draft(-5, 3)).await.0, 400);
    let drafts: Vec<_> = api.drafts().into_iter().map(|d| (d.chat_id, d.draft_id, d.text)).collect();
    assert_eq!((drafts, api.sent()), (vec![(77, 3, "so far".into())], vec![]));
}

#[tokio::test]
async fn white_space_at_the_ends_is_not_shown() {
    let api = BotApi::start(TOKEN);
    api.know(&Chat::private(&ada()));
    let params = json!({ "chat_id": 77, "text": "\n <b>a </b> \n", "parse_mode": "HTML" });
    assert_eq!(call(&api, "sendMessage", params).await.0, 200);
    let sent = &api.sent()[0];
    assert_eq!(
        (sent.text.as_str(), sent.entities.as_slice()),
        ("a", [Entity { kind: EntityKind::Bold, offset: 0, length: 1 }].as_slice())
    );
}

#[tokio::test]
async fn chats_and_topics_nobody_wrote_in_are_refused_until_allowed() {
    let api = BotApi::start(TOKEN);
    api.know(&Chat::forum(-1003, "Lab").topic(5));
    let text =
        |chat: i64, topic: Option<i64>| json!({ "chat_id": chat, "message_thread_id": topic, "text": "x" });
    let no_chat = refusal(400, "Bad Request: chat not found");
    let no_topic = refusal(400, "Bad Request: message thread not found");
    assert_eq!(call(&api, "sendMessage", text(5, None)).await, no_chat);
    assert_eq!(call(&api, "sendMessage", text(-1003, Some(6))).await, no_topic);
    assert_eq!(call(&api, "sendMessage", text(-1003, Some(1))).await, no_topic);
    assert_eq!(call(&api, "sendMessage", text(-1003, Some(5))).await.0, 200);
    api.accept_unknown_chats();
    assert_eq!(call(&api, "sendMessage", text(5, None)).await.0, 200);
}

#[tokio::test]
async fn parameters_travel_as_query_urlencoded_or_multipart_too() {
    let api = BotApi::start(TOKEN);
    api.know(&Chat::private(&ada()));
    let url = format!("{}/bot{TOKEN}/sendmessage", api.url());
    let client = reqwest::Client::new();
    let requests = [
        client.get(format!("{url}?chat_id=77&text=query")),
        client
            .post(&url)
            .header("content-type", "application/x-www-form-urlencoded")
            .body("chat_id=77&text=a%20form"),
        client.post(&url).header("content-type", "multipart/form-data; boundary=B").body(
            "--B\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n77\r\n\
                 --B\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nparts\r\n\
                 --B\r\nContent-Disposition: form-data; name=\"link_preview_options\"\r\n\r\n\
                 {\"is_disabled\":true}\r\n--B--\r\n",
        ),
    ];
    for request in requests {
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
    let sent: Vec<_> = api.sent().into_iter().map(|sent| (sent.text, sent.preview)).collect();
    assert_eq!(
        sent,
        [
            ("query".into(), Preview::Shown),
            ("a form".into(), Preview::Shown),
            ("parts".to_owned(), Preview::Disabled)
        ]
    );
}

#[tokio::test]
async fn a_wrong_token_and_an_unknown_method_are_told() {
    let api = BotApi::start(TOKEN);
    let wrong = Bot::new("1:wrong").set_api_url(api.url().parse().unwrap());
    assert!(matches!(wrong.get_me().await, Err(RequestError::Api(ApiError::InvalidToken))));
    assert_eq!(call(&api, "getNothing", json!({})).await, refusal(404, "Not Found"));
    assert_eq!(call(&api, "getWebhookInfo", json!({})).await.1["result"]["pending_update_count"], json!(0));
    assert_eq!(call(&api, "deleteWebhook", json!({})).await.1, json!({ "ok": true, "result": true }));
}

#[tokio::test]
async fn ordered_refusals_are_met_once_each_and_in_order() {
    let api = BotApi::start(TOKEN);
    api.know(&Chat::private(&ada()));
    let bot = bot(&api);
    api.fail_next("sendMessage", Fault::TooManyRequests { retry_after: 3 });
    api.fail_next("sendMessage", Fault::blocked());
    api.fail_next("SendMessage", Fault::BadRequest("chat not found".into()));
    let send = || async { bot.send_message(ChatId(77), "x").await.map(|_| ()) };
    assert!(matches!(send().await, Err(RequestError::RetryAfter(s)) if s.seconds() == 3));
    assert!(matches!(send().await, Err(RequestError::Api(ApiError::BotBlocked))));
    assert!(matches!(send().await, Err(RequestError::Api(ApiError::ChatNotFound))));
    assert_eq!((send().await.is_ok(), api.sent().len(), api.faults_waiting("sendmessage")), (true, 1, 0));
    assert_eq!(api.calls_of("sendMessage").len(), 4);
}

#[tokio::test]
async fn a_standing_fault_lasts_until_it_is_healed() {
    let api = BotApi::start(TOKEN);
    let bot = bot(&api);
    api.fail_while("*", Fault::Unauthorized);
    for _ in 0..2 {
        assert!(matches!(bot.get_me().await, Err(RequestError::Api(ApiError::InvalidToken))));
    }
    api.heal("*");
    bot.get_me().await.unwrap();
}

#[tokio::test]
async fn a_proxy_error_is_no_json() {
    let api = BotApi::start(TOKEN);
    api.fail_next("getMe", Fault::ServerError(502));
    let response = reqwest::get(format!("{}/bot{TOKEN}/getMe", api.url())).await.unwrap();
    assert_eq!(response.status(), 502);
    assert!(response.json::<Value>().await.is_err());
}

#[tokio::test]
async fn a_message_dropped_after_it_was_accepted_counts_once_and_is_not_confirmed() {
    let api = BotApi::start(TOKEN);
    api.know(&Chat::private(&ada()));
    let bot = bot(&api);
    for (fault, sent) in [(Fault::DropBeforeAccept, 0), (Fault::DropAfterAccept, 1)] {
        api.fail_next("sendMessage", fault);
        let answer = bot.send_message(ChatId(77), "x").await;
        assert!(matches!(answer, Err(RequestError::Network(_))), "{answer:?}");
        assert_eq!(api.sent().len(), sent);
    }
    bot.send_message(ChatId(77), "y").await.unwrap();
    assert_eq!(api.sent().len(), 2);
}

#[tokio::test]
async fn a_hanging_call_is_cut_when_its_time_is_over() {
    let api = BotApi::start(TOKEN);
    api.fail_next("getMe", Fault::Hang(Duration::from_millis(20)));
    assert!(matches!(bot(&api).get_me().await, Err(RequestError::Network(_))));
    bot(&api).get_me().await.unwrap();
}

#[tokio::test]
async fn a_dropped_server_ends_its_polls() {
    let api = BotApi::start(TOKEN);
    let polling = tokio::spawn(bot(&api).get_updates().timeout(15).into_future());
    api.wait_calls("getUpdates", 1, SOON).await;
    drop(api);
    assert!(matches!(polling.await.unwrap(), Err(RequestError::Network(_))));
}
