//! Files both ways: an album that comes in, and a file of the workspace that goes out.

use argus_testkit::programs::{PATIENCE, eventually};
use futures::StreamExt as _;
use serde_json::json;

use crate::stage::{Stage, Tally, Victim, judge};

/// Enough of a picture to be taken for one.
const PICTURES: [&[u8]; 2] = [b"\x89PNG\r\n\x1a\none", b"\x89PNG\r\n\x1a\nanother"];

const COMING: [&str; 6] = [
    "bot.update_received:2",
    "album.part_stored:1",
    "album.part_stored:2",
    "album.gathered:1",
    "media.staged:1",
    "media.staged:2",
];
const GOING: [&str; 5] =
    ["send.kept:1", "send.stored:1", "outbox.before_send:2", "outbox.sent:2", "outbox.confirmed:2"];

#[tokio::test]
async fn an_album_that_comes_in_is_one_turn_with_all_its_pictures() {
    let cases = COMING.iter().flat_map(|step| [Victim::Bot, Victim::Gateway].map(|victim| (*step, victim)));
    let walks = cases.map(async |(step, victim)| coming(step, victim).await);
    let tallies = futures::stream::iter(walks).buffered(3).collect().await;
    judge("albums", tallies, |_, _| false);
}

async fn coming(step: &str, victim: Victim) -> Tally {
    let mut stage = Stage::held_at(step, &[("TELEGRAM_STREAMING", "off")]).await;
    let mut parts = PICTURES.map(|picture| stage.api.file_parts("photo", "p.png", picture));
    parts[0]["caption"] = json!("[say: answer one]");
    stage.api.push_album(&stage.chat, &stage.ada, "album", &parts);
    stage.kill_there(victim).await;
    stage.api.wait_text("answer one", PATIENCE).await;
    let alive = stage.goes_on().await;
    let heard = stage.gateway.heard();
    let turns: Vec<_> = heard.iter().filter(|frame| frame["method"] == "turn/start").collect();
    let told = |turn: &&&serde_json::Value| turn.to_string().contains("answer one");
    let pictures = turns.iter().filter(told).map(|turn| {
        let input = turn["params"]["input"].as_array().into_iter().flatten();
        let paths = input.filter_map(|part| part["path"].as_str().map(std::fs::read));
        paths.filter_map(Result::ok).collect::<Vec<_>>()
    });
    let pictures: Vec<_> = pictures.collect();
    let whole = pictures.first().is_some_and(|seen| *seen == PICTURES);
    Tally {
        step: step.to_owned(),
        victim,
        lost: usize::from(!whole),
        doubled: pictures.len().saturating_sub(1) + stage.shown("answer one").len() - 1,
        wrong: (!alive).then(|| "it does not go on".to_owned()),
    }
}

#[tokio::test]
async fn a_file_that_goes_out_arrives_whole_and_once() {
    let walks = GOING.iter().map(async |step| going(step).await);
    let tallies = futures::stream::iter(walks).buffered(3).collect().await;
    judge("files going out", tallies, |step, _| step == "outbox.sent:2");
}

async fn going(step: &str) -> Tally {
    let mut stage = Stage::held_at(step, &[("TELEGRAM_STREAMING", "off")]).await;
    std::fs::write(stage.gateway.home().join("workspace/report.txt"), "all of it")
        .expect("the test's own file");
    let send = json!({ "idempotencyKey": "k", "files": [{ "path": "report.txt" }] });
    let asked = {
        let (url, token, send) = (stage.gateway.url().to_owned(), stage.gateway.token(), send.clone());
        tokio::spawn(async move {
            let request =
                json!({ "jsonrpc": "2.0", "id": 1, "method": "argus/message/send", "params": send });
            let call = reqwest::Client::new().post(format!("{url}/rpc")).bearer_auth(token).json(&request);
            _ = call.send().await;
        })
    };
    stage.kill_there(Victim::Gateway).await;
    _ = asked.await;
    // Who got no answer asks again, by the same key.
    let again = stage.gateway.rpc("argus/message/send", send).await;
    let arrived =
        || -> Vec<_> { stage.api.sent_to(&stage.chat).into_iter().filter_map(|one| one.file).collect() };
    eventually("the file arrives", async || (!arrived().is_empty()).then_some(())).await;
    let alive = stage.goes_on().await;
    let files = arrived();
    let whole = files.iter().all(|file| file.bytes.as_ref() == b"all of it" && file.name == "report.txt");
    let kept = std::fs::read_dir(stage.gateway.home().join("gateway/outbox")).map_or(0, Iterator::count);
    Tally {
        step: step.to_owned(),
        victim: Victim::Gateway,
        lost: usize::from(files.is_empty()),
        doubled: files.len().saturating_sub(1),
        wrong: (!alive || !whole || kept > 0 || again.get("result").is_none())
            .then(|| format!("goes on {alive}, whole {whole}, kept files {kept}, answered {again}")),
    }
}
