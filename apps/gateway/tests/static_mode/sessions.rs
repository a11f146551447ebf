//! Several upstreams: which one a client means, and what the other routes make of them.

use argus_testkit::client::Client;
use argus_testkit::gateway::Gateway;
use serde_json::{Value, json};

use crate::upstream::{Agent, Upstream};
use crate::{completed, introduced, start_turn, thread};

/// A gateway with an upstream for each of the ids.
async fn several(ids: &[&str]) -> (Vec<Upstream>, Gateway) {
    let gateway = Gateway::new();
    let mut upstreams = Vec::new();
    let mut table = Vec::new();
    for id in ids {
        let upstream = Upstream::of(Agent::scripted(gateway.home())).await;
        table.push(format!(
            "{}:{}",
            json!(id),
            json!({ "port": upstream.port, "token": format!("hush-{id}") })
        ));
        upstreams.push(upstream);
    }
    let gateway = gateway
        .with("ARGUS_PROVISION_MODE", "static")
        .with("ARGUS_UPSTREAMS_JSON", format!("{{{}}}", table.join(",")))
        .with("ARGUS_MAX_RUNTIMES", "1");
    (upstreams, gateway.start().await)
}

async fn turned_away(gateway: &Gateway, query: &str) -> String {
    let mut client = Client::open(gateway.url(), query, &gateway.token()).await.unwrap();
    let Some((1008, reason)) = client.closed().await else { panic!("{query} is let in") };
    reason
}

#[tokio::test]
async fn each_upstream_is_a_session_of_its_own_and_there_are_no_others() {
    let (upstreams, gateway) = several(&["Left_Hand", "right"]).await;
    let mut left = introduced(&gateway, "id=Left_Hand").await;
    let mut right = introduced(&gateway, "id=right").await;
    assert_eq!([left.session.as_str(), right.session.as_str()], ["left-hand", "right"]);
    for (client, text) in [(&mut left, "left"), (&mut right, "right")] {
        let thread = thread(client).await;
        start_turn(client, &thread, &format!("[say: {text}]")).await;
        assert_eq!(client.turn().await, completed(text), "more than ARGUS_MAX_RUNTIMES: they run anyway");
    }
    assert_eq!(upstreams.iter().map(Upstream::connections).collect::<Vec<_>>(), [1, 1]);
    for query in ["session=left-hand", "session=Left_Hand", "session=right&id=Left_Hand"] {
        assert_eq!(gateway.client(query).await.session, "left-hand", "{query}");
    }
    for query in ["id=left-hand", "id=nobody", "id=nobody&session=right"] {
        assert_eq!(turned_away(&gateway, query).await, "Unknown upstream id", "{query}");
    }
    assert_eq!(turned_away(&gateway, "session=0123456789ab").await, "Unknown session");
    assert_eq!(turned_away(&gateway, "").await, "there are several upstreams: name one by id=");
    assert_eq!(gateway.client("session=default").await.session, "left-hand", "chats speak with the first");
}

#[tokio::test]
async fn who_names_none_gets_the_one_called_default() {
    let (_upstreams, gateway) = several(&["other", "default"]).await;
    for query in ["", "session=default", "handler=0"] {
        assert_eq!(gateway.client(query).await.session, "default", "{query}");
    }
    let bare =
        Client::open_bare(gateway.url(), &gateway.token()).await.unwrap().notification("argus/session").await;
    assert_eq!(
        bare["params"],
        json!({ "id": "default", "mode": "static", "attached": true, "created": false })
    );
    let queued = gateway.rpc("argus/input/enqueue", json!({ "text": "[say: by rpc]" })).await;
    assert_eq!(queued["result"]["ok"], true, "{queued}");
}

#[tokio::test]
async fn upstreams_are_listed_and_cannot_be_deleted() {
    let (upstreams, gateway) = several(&["a", "b"]).await;
    let _client = introduced(&gateway, "id=b").await;
    let sessions =
        || reqwest::Client::new().get(format!("{}/sessions", gateway.url())).bearer_auth(gateway.token());
    let listed: Value = sessions().send().await.unwrap().json().await.unwrap();
    let of = |id: &str, status: &str| json!({ "sessionId": id, "containerId": null, "name": id, "status": status, "runtimeLayout": "static_v1" });
    assert_eq!(listed, json!({ "sessions": [of("b", "running"), of("a", "idle")] }));
    assert_eq!(upstreams[0].connections(), 0, "nobody asked anything of it");
    let delete = |id: &str| {
        reqwest::Client::new()
            .delete(format!("{}/sessions/{id}", gateway.url()))
            .bearer_auth(gateway.token())
            .send()
    };
    let refused = delete("b").await.unwrap();
    assert_eq!(refused.status(), 409);
    let why = "this is the session of an upstream that the settings name; it is not ours to end";
    assert_eq!(refused.json::<Value>().await.unwrap(), json!({ "detail": why }));
    assert_eq!(delete("c").await.unwrap().status(), 404);
}

#[tokio::test]
async fn a_token_of_an_upstream_opens_that_one_and_none_means_closed() {
    let (_upstreams, gateway) = several(&["a", "b"]).await;
    for query in ["id=a", "session=a", ""] {
        let mut client = Client::connect(gateway.url(), query, "hush-a").await;
        assert_eq!(client.session, "a", "{query}");
        let listed = client.call("thread/list", json!({})).await;
        assert!(listed["result"].is_object(), "{listed}");
        let refused = client.call("argus/pairing/code", json!({})).await;
        assert_eq!(refused["error"]["code"], -32003, "{refused}");
    }
    for (query, token, words) in [
        ("id=b", "hush-a", "this token is for another session"),
        ("session=b", "hush-a", "this token is for another session"),
        ("id=a", "", "Unauthorized"),
        ("id=a", "null", "Unauthorized"),
    ] {
        let mut client = Client::open(gateway.url(), query, token).await.unwrap();
        assert_eq!(client.closed().await, Some((1008, words.to_owned())), "{query} {token}");
    }
    assert!(!gateway.log().contains("hush"), "{}", gateway.log());
}
