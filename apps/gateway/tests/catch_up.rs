//! A client that lost its connection hears what it missed, once and in order.

use argus_testkit::client::Client;
use argus_testkit::gateway::Gateway;
use argus_testkit::programs::eventually;
use serde_json::{Value, json};

/// The numbers of the frames up to the end of the turn, with the text that was said.
async fn numbered_turn(client: &mut Client) -> (Vec<u64>, String) {
    let (mut numbers, mut text) = (Vec::new(), String::new());
    loop {
        let frame = client.wait("what is numbered", |frame| frame["argusSeq"].is_u64()).await;
        numbers.extend(frame["argusSeq"].as_u64());
        text.push_str(frame["params"]["delta"].as_str().unwrap_or_default());
        if frame["method"] == "turn/completed" {
            return (numbers, text);
        }
    }
}

async fn hello(client: &mut Client) -> Value {
    let mut hello = client.next().await.expect("a first frame");
    assert_eq!(hello["method"], "argus/session");
    hello["params"].take()
}

#[tokio::test]
async fn who_was_away_during_a_turn_hears_all_of_it() {
    let gateway = Gateway::new().start().await;
    let mut watching = gateway.client("session=default&after=").await;
    let id = watching.session.clone();
    let mut away = Client::open(gateway.url(), "session=default&after=", &gateway.token()).await.unwrap();
    let before = hello(&mut away).await;
    drop(away);
    watching.call("argus/input/enqueue", json!({ "text": "[say: told once]" })).await;
    let (numbers, text) = numbered_turn(&mut watching).await;
    assert!(numbers.is_sorted() && text == "told once", "{numbers:?} {text}");

    let seq = before["seq"].as_u64().unwrap();
    let query = format!("session={id}&after={seq}");
    let mut back = Client::open(gateway.url(), &query, &gateway.token()).await.unwrap();
    let after = hello(&mut back).await;
    assert_eq!(after["epoch"], before["epoch"]);
    let (heard, text) = numbered_turn(&mut back).await;
    assert_eq!((heard.first().copied(), heard.last().copied()), (Some(seq + 1), after["seq"].as_u64()));
    assert!(heard.windows(2).all(|pair| pair[1] == pair[0] + 1), "{heard:?}");
    assert_eq!(text, "told once");
}

#[tokio::test]
async fn numbers_go_on_when_the_gateway_is_killed_in_the_middle_of_a_turn() {
    let mut gateway = Gateway::new().start().await;
    let hold = gateway.home().join("hold");
    let mut client = Client::open(gateway.url(), "session=default&after=", &gateway.token()).await.unwrap();
    let before = hello(&mut client).await;
    let text = format!("[say: one two] [hold: {}]", hold.display());
    client.request("argus/input/enqueue", json!({ "text": text })).await;
    let started = client.notification("turn/started").await;
    // The numbering is written down beside what is said; a numbering of which nothing is written begins anew.
    let history = gateway.home().join("sessions").join(before["id"].as_str().unwrap()).join("history");
    eventually("the numbering is written", async || {
        std::fs::metadata(&history).is_ok_and(|told| told.len() > 0).then_some(())
    })
    .await;
    gateway.kill();
    gateway.restart().await;
    std::fs::write(hold, "").unwrap();
    let (epoch, seq) = (before["epoch"].as_str().unwrap(), started["argusSeq"].as_u64().unwrap());
    let query = format!("session=default&after={seq}&epoch={epoch}");
    let mut back = Client::open(gateway.url(), &query, &gateway.token()).await.unwrap();
    assert_eq!(hello(&mut back).await["epoch"], epoch);
    let (numbers, text) = numbered_turn(&mut back).await;
    assert!(numbers.iter().copied().eq(seq + 1..seq + 1 + numbers.len() as u64), "{seq} {numbers:?}");
    assert_eq!(text, "one two");
}

#[tokio::test]
async fn a_wish_that_is_no_number_is_refused() {
    let gateway = Gateway::new().start().await;
    for wish in ["x", "-1", "1.5", "99999999999999999999"] {
        let query = format!("session=default&after={wish}");
        let mut client = Client::open(gateway.url(), &query, &gateway.token()).await.unwrap();
        assert_eq!(client.closed().await, Some((1008, "`after` is no number".to_owned())), "{wish}");
    }
}
