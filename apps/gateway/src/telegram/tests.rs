//! Tests against a Bot API server on loopback.

use argus_testkit::bot_api::{BotApi, Chat, Fault, Preview, User};

use tokio::net::TcpListener;

use super::*;

const TOKEN: &str = "4242424242:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn start() -> (BotApi, Telegram) {
    let api = BotApi::start(TOKEN);
    let telegram = Telegram::new(&Secret::parse(TOKEN).unwrap(), &api.url().parse().unwrap()).unwrap();
    (api, telegram)
}

fn key(text: &str) -> ChatKey {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_text_goes_to_its_chat_and_topic_without_previews() {
    let (api, telegram) = start();
    let ann = User::new(7, "Ann");
    let forum = Chat::forum(-100_500, "forum");
    api.know(&Chat::private(&ann));
    api.know(&forum.clone().topic(9));
    let id = telegram.send(&key("7"), Text::Html("<b>a</b> &lt; b")).await.unwrap();
    telegram.send(&key("-100500:9"), Text::Plain("<b>c</b>")).await.unwrap();
    telegram.send(&key("-100500:1"), Text::Plain("general")).await.unwrap();
    let sent = api.sent();
    let shown: Vec<_> = sent.iter().map(|s| (s.chat_id, s.topic, s.text.as_str(), s.preview)).collect();
    assert_eq!(
        shown,
        [
            (7, None, "a < b", Preview::Disabled),
            (-100_500, Some(9), "<b>c</b>", Preview::Disabled),
            (-100_500, None, "general", Preview::Disabled)
        ]
    );
    assert_eq!(id, sent[0].message_id.to_string());
    telegram.typing(&key("-100500:1")).await.unwrap();
    let actions: Vec<_> = api.actions().into_iter().map(|a| (a.chat_id, a.topic, a.action)).collect();
    assert_eq!(actions, [(-100_500, Some(1), "typing".to_owned())]);
}

#[tokio::test]
async fn what_goes_wrong_is_told_apart_and_never_shows_the_token() {
    let (api, telegram) = start();
    api.know(&Chat::private(&User::new(7, "Ann")));
    let cases = [
        (Fault::TooManyRequests { retry_after: 3 }, SendError::RetryAfter(3)),
        (Fault::blocked(), SendError::ChatGone("Forbidden: bot was blocked by the user".to_owned())),
        (Fault::Unauthorized, SendError::Unauthorized),
    ];
    for (fault, expected) in cases {
        api.fail_next("sendMessage", fault);
        assert_eq!(telegram.send(&key("7"), Text::Plain("x")).await, Err(expected));
    }
    assert!(matches!(telegram.send(&key("7"), Text::Html("<x>")).await, Err(SendError::BadEntities(_))));
    assert_eq!(telegram.send(&key("7"), Text::Plain(&"x".repeat(4097))).await, Err(SendError::TooLong));
    assert!(matches!(telegram.send(&key("8"), Text::Plain("x")).await, Err(SendError::ChatGone(_))));
    drop(api);
    let error = telegram.send(&key("7"), Text::Plain("x")).await.unwrap_err();
    assert!(matches!(error, SendError::Transient(_)), "{error:?}");
    assert!(!format!("{error} {error:?} {telegram:?}").contains("AAAA"), "{error:?}");
}

#[tokio::test]
async fn nobody_is_followed_to_another_address_with_the_token_in_ours() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let (elsewhere, api) = (TcpListener::bind("127.0.0.1:0").await, TcpListener::bind("127.0.0.1:0").await);
    let (elsewhere, api) = (elsewhere.unwrap(), api.unwrap());
    let url = format!("http://{}", api.local_addr().unwrap()).parse().unwrap();
    let answer = format!(
        "HTTP/1.1 307 Elsewhere\r\nLocation: http://{}/x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        elsewhere.local_addr().unwrap()
    );
    let sends_away = async {
        loop {
            let (mut caller, _) = api.accept().await.unwrap();
            _ = caller.read(&mut [0; 4096]).await;
            _ = caller.write_all(answer.as_bytes()).await;
        }
    };
    let calls = async {
        let token = Secret::parse(TOKEN).unwrap();
        let telegram = Telegram::new(&token, &url).unwrap();
        assert!(telegram.send(&key("7"), Text::Plain("x")).await.is_err());
        assert!(telegram.draft(&key("7"), 1, Text::Plain("x")).await.is_err());
        let mut file = tokio::fs::File::from_std(tempfile::tempfile().unwrap());
        assert!(Files::new(&token, &url).unwrap().fetch("f", 9, &mut file).await.is_err());
    };
    tokio::select! {
        () = sends_away => unreachable!(),
        followed = elsewhere.accept() => panic!("it is followed: {followed:?}"),
        () = calls => {}
    }
}

#[test]
fn a_token_tells_the_bots_id_or_is_refused() {
    let url = "https://api.telegram.org".parse().unwrap();
    let id = |token: &str| Telegram::new(&Secret::parse(token).unwrap(), &url).map(|t| t.bot_id().to_owned());
    assert_eq!(id(TOKEN).unwrap(), "4242424242");
    for bad in ["abc", ":abc", "x1:abc"] {
        assert!(matches!(id(bad), Err(TokenError::Form)), "{bad}");
    }
}
