//! How a machine gets a credential of its own, and loses it.

use argus_testkit::gateway::Gateway;
use argus_testkit::node::Node;
use argus_testkit::programs::eventually;
use serde_json::{Value, json};

use super::{audit, invoke, listed, noted, until_there_are};

/// A new code.
pub(crate) async fn code(gateway: &Gateway, wish: Value) -> String {
    let reply = gateway.rpc("argus/node/enrol", wish).await;
    reply["result"]["code"].as_str().unwrap_or_else(|| panic!("{reply}")).to_owned()
}

/// What a code comes to: the id and the token, or the words of the refusal.
pub(crate) async fn redeem(gateway: &Gateway, code: &str, id: &str) -> Result<(String, String), String> {
    let mut node = Node::open(gateway.url(), None).await.unwrap();
    let wish =
        json!({ "type": "enrol", "code": code, "nodeId": id, "displayName": "Ada's", "platform": "linux" });
    node.try_send(wish.to_string()).await;
    match node.next().await {
        Ok(frame) => {
            assert_eq!(frame["event"], "node.enrolled", "{frame}");
            let text = |name: &str| frame["payload"][name].as_str().unwrap().to_owned();
            let told = (text("nodeId"), text("token"));
            assert_eq!(node.closed().await, Some((1000, "enrolled".to_owned())));
            Ok(told)
        }
        Err(close) => Err(close.map(|(code, words)| format!("{code} {words}")).unwrap_or_default()),
    }
}

const WRONG: &str = "1008 the code is wrong, used, or too old; `argus node enrol` prints a new one";

#[tokio::test]
async fn a_code_gives_a_machine_a_credential_once_and_only_for_its_id() {
    let gateway = Gateway::new().start().await;
    let one = code(&gateway, json!({})).await;
    assert_eq!(one.len(), 19, "{one}");
    let (id, token) = redeem(&gateway, &one.to_lowercase(), "Ada's Mac").await.unwrap();
    assert_eq!(id, "Ada-s-Mac");
    assert_eq!(redeem(&gateway, &one, "other").await, Err(WRONG.to_owned()), "it is used");
    let mut node = Node::usual(gateway.url(), &token, &id, "b").await;
    let mut other = Node::open(gateway.url(), Some(&token)).await.unwrap();
    other.introduce(json!({ "nodeId": "other" })).await;
    assert_eq!(other.closed().await, Some((1008, "the credential is for another nodeId".to_owned())));
    let asked = invoke(&gateway, json!({ "node": id, "command": "system.run" }));
    let call = node.call().await;
    node.answer(&call, json!(1)).await;
    assert_eq!(asked.await.unwrap().1["payload"], 1);
    // What the operator chose wins.
    let chosen = code(&gateway, json!({ "nodeId": "shelf", "displayName": "On the shelf" })).await;
    let (id, token) = redeem(&gateway, &chosen, "mine").await.unwrap();
    assert_eq!(id, "shelf");
    let mut shelf = Node::open(gateway.url(), Some(&token)).await.unwrap();
    shelf.introduce(json!({ "nodeId": "shelf", "displayName": "pi" })).await;
    let hello = shelf.event("node.connected").await;
    assert_eq!((&hello["nodeId"], &hello["displayName"]), (&json!("shelf"), &json!("On the shelf")));
    assert!(hello["gateway"].is_string(), "it names its process: {hello}");
    // The audit knows, and no code or token stands anywhere.
    let acts = ["node code shown", "node enrolled", "refused", "node invoked"];
    let all = eventually("all of it is noted", async || {
        let all = [audit(&gateway), noted(&gateway, "calls.log")].concat();
        acts.iter().all(|act| all.iter().any(|line| line["act"] == *act)).then_some(all)
    });
    let all = all.await;
    let told = format!("{}{all:?}", gateway.log());
    assert!([&one, &chosen, &token].iter().all(|secret| !told.contains(secret.as_str())));
    let ledger = std::fs::read(gateway.home().join("gateway/ledger.db")).unwrap_or_default();
    let bare = chosen.replace('-', "");
    assert!(memchr::memmem::find(&ledger, bare.as_bytes()).is_none());
}

#[tokio::test]
async fn nobody_takes_over_anothers_id() {
    let gateway = Gateway::new().start().await;
    let (_, token) = redeem(&gateway, &code(&gateway, json!({})).await, "mac").await.unwrap();
    let mut mac = Node::usual(gateway.url(), &token, "mac", "b").await;
    let again = code(&gateway, json!({})).await;
    let refused = redeem(&gateway, &again, "mac").await.unwrap_err();
    assert!(
        refused.starts_with("1008 a node `mac` is enrolled already; `argus node revoke mac` first"),
        "{refused}"
    );
    assert_eq!(redeem(&gateway, &again, "mac2").await.unwrap().0, "mac2", "the code was not used up");
    for wish in [
        json!({ "nodeId": "mac" }),
        json!({ "nodeId": "runtime:x" }),
        json!({ "nodeId": "self" }),
        json!({ "nodeId": "a b" }),
    ] {
        let reply = gateway.rpc("argus/node/enrol", wish.clone()).await;
        assert_eq!(reply["error"]["code"], -32602, "{wish}: {reply}");
    }
    let runtime = code(&gateway, json!({})).await;
    assert_eq!(redeem(&gateway, &runtime, "runtime:x").await.unwrap().0, "runtime-x");
    // Neither the operator's token nor another one for that id will do.
    let other = super::token(&gateway, "node:mac").await;
    for (token, words) in [
        (gateway.token(), "this id is enrolled; only its own credential will do"),
        (other, "this id is enrolled with another credential; revoke it first"),
    ] {
        let mut thief = Node::open(gateway.url(), Some(&token)).await.unwrap();
        thief.introduce(json!({ "nodeId": "mac" })).await;
        assert_eq!(thief.closed().await, Some((1008, words.to_owned())));
    }
    let asked = invoke(&gateway, json!({ "node": "mac", "command": "system.run" }));
    let call = mac.call().await;
    mac.answer(&call, json!(1)).await;
    assert_eq!(asked.await.unwrap().1["payload"], 1);
}

#[tokio::test]
async fn whoever_had_an_id_without_a_right_to_it_goes_when_it_is_enrolled() {
    let gateway = Gateway::new().start().await;
    let mut guest = Node::usual(gateway.url(), &gateway.token(), "mac", "b").await;
    redeem(&gateway, &code(&gateway, json!({})).await, "mac").await.unwrap();
    let words = "this id is enrolled now; only its own credential will do";
    assert_eq!(guest.closed().await, Some((1008, words.to_owned())));
}

#[tokio::test]
async fn a_revoked_node_is_let_go_and_its_id_can_be_enrolled_again() {
    let mut gateway = Gateway::new().start().await;
    let (_, old) = redeem(&gateway, &code(&gateway, json!({})).await, "mac").await.unwrap();
    let mut mac = Node::usual(gateway.url(), &old, "mac", "b").await;
    assert_eq!(
        gateway.rpc("argus/node/revoke", json!({ "nodeId": "mac" })).await["result"],
        json!({ "ok": true })
    );
    assert_eq!(mac.closed().await, Some((1008, "the token was revoked".to_owned())));
    until_there_are(&gateway, &[]).await;
    let all = gateway.rpc("argus/node/list", json!({ "all": true })).await;
    assert_eq!(all["result"]["nodes"], json!([]));
    let (_, new) = redeem(&gateway, &code(&gateway, json!({})).await, "mac").await.unwrap();
    for _ in 0..2 {
        let mut thief = Node::open(gateway.url(), Some(&old)).await.unwrap();
        thief.introduce(json!({ "nodeId": "mac" })).await;
        assert_eq!(thief.closed().await, Some((1008, "the token was revoked".to_owned())));
        Node::usual(gateway.url(), &new, "mac", "b").await;
        gateway.kill();
        gateway.restart().await;
    }
    let reply = gateway.rpc("argus/node/revoke", json!({ "nodeId": "nobody" })).await;
    assert_eq!(
        reply["error"]["message"],
        "no node `nobody` is enrolled; `argus node list` shows those that are"
    );
}

#[tokio::test]
async fn a_node_keeps_its_name_and_is_told_while_it_is_away() {
    let mut gateway = Gateway::new().start().await;
    let (_, token) = redeem(&gateway, &code(&gateway, json!({})).await, "mac").await.unwrap();
    let renamed =
        gateway.rpc("argus/node/rename", json!({ "nodeId": "mac", "displayName": " The  one " })).await;
    assert_eq!(renamed["result"], json!({ "ok": true }));
    let node = Node::usual(gateway.url(), &token, "mac", "b").await;
    drop(node);
    until_there_are(&gateway, &[]).await;
    for _ in 0..2 {
        let all = gateway.rpc("argus/node/list", json!({ "all": true })).await;
        let told = &all["result"]["nodes"][0];
        let expected = json!({ "nodeId": "mac", "displayName": "The one", "platform": "linux", "version": told["version"], "caps": [],
            "commands": [], "connectedAtMs": null, "lastSeenMs": told["lastSeenMs"], "connected": false, "stale": told["stale"] });
        assert_eq!(told, &expected);
        gateway.stop().await;
        gateway.restart().await;
    }
    let reply = gateway.rpc("argus/node/rename", json!({ "nodeId": "pi", "displayName": "x" })).await;
    assert_eq!(reply["error"]["message"], "no node `pi` is enrolled; `argus node list` shows those that are");
}

#[tokio::test]
async fn codes_are_few_and_cannot_be_guessed_at_speed() {
    let gateway = Gateway::new().start().await;
    let mut right = String::new();
    for _ in 0..20 {
        right = code(&gateway, json!({})).await;
    }
    let reply = gateway.rpc("argus/node/enrol", json!({})).await;
    assert_eq!(reply["error"]["code"], -32000, "{reply}");
    let tries =
        futures::future::join_all((0..40).map(|_| redeem(&gateway, "AAAA-AAAA-AAAA-AAAA", "mac"))).await;
    let told =
        |words: &str| tries.iter().filter(|one| one.as_ref().is_err_and(|why| why.ends_with(words))).count();
    let (wrong, slowed) = (told(WRONG), told("too many codes were tried; try again in a minute"));
    assert_eq!(wrong + slowed, 40, "{tries:?}");
    assert!(slowed > 0, "{tries:?}");
    // Whoever guesses keeps nobody out who has one.
    assert_eq!(redeem(&gateway, &right, "mac").await.unwrap().0, "mac");
}

#[tokio::test]
async fn a_node_is_open_to_the_sessions_that_were_named() {
    let gateway = Gateway::new().start().await;
    let (one, two) = (gateway.client("session=default").await.session, gateway.client("").await.session);
    let wish = json!({ "nodeId": "mac", "sessions": [two] });
    let (_, token) = redeem(&gateway, &code(&gateway, wish).await, "x").await.unwrap();
    let (_, open) =
        redeem(&gateway, &code(&gateway, json!({ "sessions": ["*"] })).await, "open").await.unwrap();
    let _nodes = [
        Node::usual(gateway.url(), &token, "mac", "b").await,
        Node::usual(gateway.url(), &open, "open", "b").await,
    ];
    let of = async |session: &str| super::token(&gateway, &format!("client:{session}")).await;
    let (first, second) = (of(&one).await, of(&two).await);
    assert_eq!(listed(&gateway, &first).await, ["open"]);
    assert_eq!(listed(&gateway, &second).await, ["mac", "open"]);
    assert_eq!(listed(&gateway, &gateway.token()).await, ["mac", "open"]);
    let reply = gateway.rpc("argus/node/enrol", json!({ "sessions": ["nobody"] })).await;
    assert_eq!(reply["error"]["message"], "Unknown session `nobody`");
}

#[tokio::test]
async fn a_kill_between_the_steps_leaves_nothing_that_can_be_used() {
    let mut gateway = Gateway::new().start().await;
    for (place, enrolled) in [("node.token_made", false), ("node.enrolled", true)] {
        gateway.kill();
        gateway.set("ARGUS_CRASH_AT", place);
        gateway.restart().await;
        let one = code(&gateway, json!({ "nodeId": "mac" })).await;
        assert_eq!(redeem(&gateway, &one, "mac").await, Err(String::new()), "{place}: nobody is told");
        gateway.kill();
        gateway.set("ARGUS_CRASH_AT", "");
        gateway.restart().await;
        let all = gateway.rpc("argus/node/list", json!({ "all": true })).await;
        assert_eq!(all["result"]["nodes"].as_array().unwrap().len(), usize::from(enrolled), "{place}: {all}");
        let again = redeem(&gateway, &one, "mac").await;
        assert_eq!(again.is_ok(), !enrolled, "{place}: {again:?}");
        gateway.rpc("argus/node/revoke", json!({ "nodeId": "mac" })).await;
    }
    let (_, token) = redeem(&gateway, &code(&gateway, json!({})).await, "mac").await.unwrap();
    gateway.kill();
    gateway.set("ARGUS_CRASH_AT", "node.revoked");
    gateway.restart().await;
    let request =
        json!({ "jsonrpc": "2.0", "id": 1, "method": "argus/node/revoke", "params": { "nodeId": "mac" } });
    let call = reqwest::Client::new().post(format!("{}/rpc", gateway.url())).bearer_auth(gateway.token());
    assert!(call.json(&request).send().await.is_err());
    gateway.kill();
    gateway.set("ARGUS_CRASH_AT", "");
    gateway.restart().await;
    let mut node = Node::open(gateway.url(), Some(&token)).await.unwrap();
    assert_eq!(node.closed().await, Some((1008, "the token was revoked".to_owned())));
}
