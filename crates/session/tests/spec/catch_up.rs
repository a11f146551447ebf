//! Numbers: a client that comes back hears what it missed, in order, once, or is told what is gone.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::world::{Step, World};

/// A world in which a turn of `thread-1` runs and can speak.
fn speaking() -> World {
    let mut world = World::new();
    world.chat_says("a", "one");
    world
}

fn speak(world: &mut World, words: &[&str]) {
    for word in words {
        world.agent_says(|agent| agent.delta("thread-1", word));
    }
}

/// Each frame's number with the word in it, where it is one of the words.
fn numbered(frames: &[Value]) -> Vec<(u64, &str)> {
    let words = frames.iter().filter_map(|f| Some((f["argusSeq"].as_u64()?, f["params"]["delta"].as_str()?)));
    words.collect()
}

fn newest(world: &mut World, client: u64) -> u64 {
    let hello = world.got(client).remove(0);
    assert_eq!((&hello["method"], &hello["params"]["epoch"]), (&json!("argus/session"), &json!("e")));
    hello["params"]["seq"].as_u64().unwrap()
}

#[test]
fn whoever_asks_for_numbers_gets_them_and_nobody_else() {
    let mut world = speaking();
    world.attach(1);
    world.attach_after(2, None);
    world.got(1);
    let seq = newest(&mut world, 2);
    speak(&mut world, &["a", "b"]);
    assert_eq!(numbered(&world.got(2)), [(seq + 1, "a"), (seq + 2, "b")]);
    assert_eq!(numbered(&world.got(1)), []);
}

#[test]
fn who_comes_back_hears_what_followed_its_number() {
    let mut world = speaking();
    world.attach_after(1, None);
    let seq = newest(&mut world, 1);
    speak(&mut world, &["a", "b"]);
    world.detach(1);
    speak(&mut world, &["c", "d"]);
    world.attach_after(2, Some(seq + 1));
    assert_eq!(numbered(&world.got(2)), [(seq + 2, "b"), (seq + 3, "c"), (seq + 4, "d")]);
    speak(&mut world, &["e"]);
    assert_eq!(numbered(&world.got(2)), [(seq + 5, "e")]);
}

#[test]
fn numbers_go_on_after_a_restart_and_nothing_is_said_twice() {
    let mut world = speaking();
    world.attach_after(1, None);
    let seq = newest(&mut world, 1);
    speak(&mut world, &["a", "b"]);
    world.restart_gateway();
    world.attach_after(2, Some(seq + 1));
    speak(&mut world, &["c"]);
    assert_eq!(numbered(&world.got(2)), [(seq + 2, "b"), (seq + 3, "c")]);
}

#[test]
fn what_was_said_and_not_written_when_the_gateway_died_is_said_again_under_its_number() {
    let mut world = speaking();
    world.attach_after(1, None);
    let seq = newest(&mut world, 1);
    world.says_unheard(|agent| agent.delta("thread-1", "a"));
    while world.step(Step::Up) {}
    assert_eq!(numbered(&world.got(1)), [(seq + 1, "a")]);
    world.restart_gateway();
    world.attach_after(2, Some(seq));
    assert_eq!(numbered(&world.got(2)), [(seq + 1, "a")]);
}

#[test]
fn what_only_numbered_clients_heard_is_kept_for_the_first_plain_one() {
    let mut world = speaking();
    world.attach(1);
    world.detach(1);
    world.attach_after(2, None);
    speak(&mut world, &["a"]);
    world.attach(3);
    let got = world.got(3);
    assert_eq!(got.iter().filter(|frame| frame["params"]["delta"] == "a").count(), 1);
    world.attach(4);
    assert_eq!(world.got(4).len(), 1, "the hello alone");
}

#[test]
fn what_is_gone_is_told_before_what_is_left() {
    let mut world = speaking();
    world.attach_after(1, None);
    let seq = newest(&mut world, 1);
    let much = "x".repeat(3 << 20);
    speak(&mut world, &[&much, &much, &much, "end"]);
    world.attach_after(2, Some(seq));
    let got = world.got(2);
    assert_eq!(got[1]["method"], "argus/gap");
    let gone = got[1]["params"]["to"].as_u64().unwrap();
    assert_eq!(got[1]["params"], json!({ "from": seq + 1, "to": gone }));
    assert_eq!(got[2]["argusSeq"], gone + 1);
    assert_eq!(numbered(&got).last(), Some(&(seq + 4, "end")));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whenever_a_client_is_away_it_misses_nothing_and_hears_nothing_twice(
        deeds in prop::collection::vec((0_u8..6, 1_usize..5), 1..60),
    ) {
        let mut world = speaking();
        let (mut client, mut said, mut heard) = (1, 0_u64, Vec::new());
        world.attach_after(client, None);
        let first = newest(&mut world, client);
        let mut last = first;
        let mut here = true;
        for (deed, count) in deeds {
            match deed {
                0 if here => {
                    world.detach(client);
                    here = false;
                }
                0 => {
                    client += 1;
                    world.attach_after(client, Some(last));
                    here = true;
                }
                1 => {
                    world.restart_gateway();
                    client += 1;
                    world.attach_after(client, Some(last));
                    here = true;
                }
                2 => {
                    said += 1;
                    world.says_unheard(|agent| agent.delta("thread-1", &said.to_string()));
                    (0..count).for_each(|_| _ = world.step(Step::Up));
                }
                _ => for _ in 0..count {
                    said += 1;
                    speak(&mut world, &[&said.to_string()]);
                },
            }
            if here {
                let got = world.got(client);
                heard.extend(numbered(&got).into_iter().map(|(seq, word)| (seq, word.to_owned())));
                last = heard.last().map_or(last, |(seq, _)| *seq);
            }
        }
        if !here {
            world.attach_after(client + 1, Some(last));
            let got = world.got(client + 1);
            heard.extend(numbered(&got).into_iter().map(|(seq, word)| (seq, word.to_owned())));
        }
        let all: Vec<_> = (1..=said).map(|n| (first + n, n.to_string())).collect();
        prop_assert_eq!(heard, all);
    }
}

#[test]
fn a_client_of_the_agents_own_wire_hears_nothing_before_it_is_greeted_and_nothing_again() {
    let mut world = speaking();
    speak(&mut world, &["a"]);
    world.come_bare(1);
    speak(&mut world, &["b"]);
    let words = |frames: &[Value]| {
        frames.iter().filter_map(|f| f["params"]["delta"].as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    assert_eq!(words(&world.got(1)), Vec::<String>::new());
    world.send(1, &json!({ "id": 0, "method": "initialize", "params": { "clientInfo": { "name": "t" } } }));
    speak(&mut world, &["c"]);
    assert_eq!(words(&world.got(1)), ["c"]);
    world.attach(2);
    assert_eq!(words(&world.got(2)), Vec::<String>::new(), "somebody was there");
}

#[test]
fn a_client_of_the_agents_own_wire_hears_nothing_that_was_kept_while_the_gateway_was_away() {
    let mut world = speaking();
    world.says_unheard(|agent| agent.delta("thread-1", "a"));
    world.restart_gateway();
    world.come_bare(1);
    world.send(1, &json!({ "id": 0, "method": "initialize", "params": { "clientInfo": { "name": "t" } } }));
    world.run();
    speak(&mut world, &["b"]);
    let got = world.got(1);
    assert!(got.iter().any(|frame| frame["id"] == 0), "it is greeted");
    let words: Vec<_> = got.iter().filter_map(|f| f["params"]["delta"].as_str()).collect();
    assert_eq!(words, ["b"]);
}
