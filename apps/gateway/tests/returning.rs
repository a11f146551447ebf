//! A client that lost its connection, over real sockets: by its name and its number it goes on as if nothing had been.

use argus_testkit::client::Client;
use argus_testkit::gateway::Gateway;
use argus_testkit::programs::eventually;
use serde_json::{Value, json};

async fn open(gateway: &Gateway, query: &str) -> Client {
    let query = format!("session=default&{query}");
    Client::open(gateway.url(), &query, &gateway.token()).await.expect("the gateway takes the client")
}

async fn hello(client: &mut Client) -> Value {
    let mut hello = client.next().await.expect("a first frame");
    assert_eq!(hello["method"], "argus/session");
    hello["params"].take()
}

async fn new_thread(client: &mut Client) -> Value {
    client.call("thread/start", json!({})).await["result"]["thread"]["id"].clone()
}

fn turn_start(thread: &Value, text: &str) -> Value {
    json!({ "threadId": thread, "input": [{ "type": "text", "text": text }] })
}

#[tokio::test]
async fn a_reply_that_is_due_while_its_client_is_away_comes_when_it_is_back() {
    let gateway = Gateway::new().start().await;
    let mut witness = gateway.client("session=default").await;
    let mut client = open(&gateway, "client=phone").await;
    assert_eq!(hello(&mut client).await["returned"], false);
    client.initialize().await;
    let thread = new_thread(&mut client).await;
    let hold = gateway.home().join("hold");
    // Answered only after the turn.
    let text = format!("[late] [hold: {}] [say: done]", hold.display());
    let asked = client.request("turn/start", turn_start(&thread, &text)).await;
    witness.notification("turn/started").await;
    drop(client);
    eventually("it has left", async || gateway.log().contains("a client left").then_some(())).await;
    std::fs::write(hold, "").unwrap();
    assert_eq!(witness.turn().await, ("done".to_owned(), "completed".to_owned()));
    let mut back = open(&gateway, "client=phone").await;
    assert_eq!(hello(&mut back).await["returned"], true);
    let reply = back.reply(asked).await;
    assert!(reply["result"]["turn"]["id"].is_string(), "{reply}");
}

#[tokio::test]
async fn a_second_connection_of_a_client_ends_the_first() {
    let gateway = Gateway::new().start().await;
    let mut first = open(&gateway, "client=phone").await;
    hello(&mut first).await;
    let mut other = open(&gateway, "client=laptop").await;
    hello(&mut other).await;
    let mut second = open(&gateway, "client=phone").await;
    assert_eq!(hello(&mut second).await["returned"], true);
    let words = "replaced by a newer connection of this client".to_owned();
    assert_eq!(first.closed().await, Some((1012, words)));
    for client in [&mut second, &mut other] {
        assert!(client.call("account/read", json!({})).await["result"].is_object());
    }
}

#[tokio::test]
async fn a_name_that_is_none_is_refused() {
    let gateway = Gateway::new().start().await;
    for name in ["a%20b", "%C3%A4", "a/b", &"x".repeat(65)] {
        let mut client = open(&gateway, &format!("client={name}")).await;
        let words = "`client` takes 1 to 64 of A-Z, a-z, 0-9, `.`, `_` and `-`".to_owned();
        assert_eq!(client.closed().await, Some((1008, words)), "{name}");
    }
}

#[tokio::test]
async fn who_started_a_turn_is_asked_again_when_it_is_back() {
    let gateway = Gateway::new().start().await;
    let mut other = gateway.client("session=default").await;
    other.initialize().await;
    let mut client = open(&gateway, "client=phone").await;
    hello(&mut client).await;
    client.initialize().await;
    let thread = new_thread(&mut client).await;
    client.call("turn/start", turn_start(&thread, "[approve: touch x] [say: done]")).await;
    let asked = client.server_request().await;
    drop(client);
    assert_eq!(other.server_request().await, asked);
    let mut back = open(&gateway, "client=phone").await;
    assert_eq!(back.server_request().await, asked);
    back.send_text(&json!({ "id": asked["id"], "result": { "decision": "accept" } }).to_string()).await;
    for client in [&mut back, &mut other] {
        let resolved = client.notification("serverRequest/resolved").await;
        assert_eq!(resolved["params"]["requestId"], asked["id"]);
        assert_eq!(client.turn().await, ("done".to_owned(), "completed".to_owned()));
    }
}

#[tokio::test]
async fn a_client_that_is_cut_off_again_and_again_hears_every_frame_once_and_in_order() {
    let gateway = Gateway::new().start().await;
    let mut client = open(&gateway, "after=").await;
    let begin = hello(&mut client).await;
    let (epoch, first) = (begin["epoch"].as_str().unwrap().to_owned(), begin["seq"].as_u64().unwrap());
    client.request("argus/input/enqueue", json!({ "text": "[deltas: 3000 40]" })).await;
    let (mut heard, mut text, mut cut) = (first, String::new(), 7_usize);
    'turn: loop {
        // How much is read before the next cut looks random and is the same each time.
        cut = (cut * 167 + 13) % 521;
        for _ in 0..=cut {
            let frame = client.wait("what is numbered", |frame| frame["argusSeq"].is_u64()).await;
            assert_eq!(frame["argusSeq"], heard + 1, "{frame}");
            heard += 1;
            text.push_str(frame["params"]["delta"].as_str().unwrap_or_default());
            if frame["method"] == "turn/completed" {
                break 'turn;
            }
        }
        drop(client);
        client = open(&gateway, &format!("after={heard}&epoch={epoch}")).await;
        assert!(hello(&mut client).await["seq"].as_u64().is_some_and(|seq| seq >= heard));
    }
    assert_eq!(text.len(), 3000 * 40);
}

#[tokio::test]
async fn a_client_that_was_let_go_for_reading_slowly_misses_nothing_that_is_kept() {
    let gateway = Gateway::new().start().await;
    // It is told little, and reads that.
    let mut other = gateway.client("session=default").await;
    let introduction = json!({ "clientInfo": { "name": "quiet", "version": "1" },
        "capabilities": { "optOutNotificationMethods": ["item/agentMessage/delta"] } });
    other.call("initialize", introduction).await;
    let mut deaf =
        Client::open_narrow(gateway.url(), "session=default&after=", &gateway.token()).await.unwrap();
    let begin = hello(&mut deaf).await;
    let (epoch, mut heard) = (begin["epoch"].as_str().unwrap().to_owned(), begin["seq"].as_u64().unwrap());
    other.call("argus/input/enqueue", json!({ "text": "[deltas: 80000 30]" })).await;
    eventually("it is let go", async || gateway.log().contains("let_go=Some(Slow)").then_some(())).await;
    assert_eq!(other.turn().await.1, "completed");
    // Some of what was on its way to it still arrives.
    for _ in 0..200 {
        assert_eq!(deaf.next().await.unwrap()["argusSeq"], heard + 1);
        heard += 1;
    }
    drop(deaf);
    let mut back = open(&gateway, &format!("after={heard}&epoch={epoch}")).await;
    hello(&mut back).await;
    loop {
        let frame = back.next().await.expect("the connection lives");
        if frame["method"] == "argus/gap" {
            heard = frame["params"]["to"].as_u64().unwrap();
            continue;
        }
        assert_eq!(frame["argusSeq"], heard + 1, "{frame}");
        heard += 1;
        if frame["method"] == "turn/completed" {
            break;
        }
    }
}
