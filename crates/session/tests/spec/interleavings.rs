//! Whatever happens in whatever order: every submission ends once, none is begun twice, nothing is left open.

use argus_session::{AfterLoss, Haste, Input, OpenState, Outcome, Target};
use proptest::prelude::*;
use serde_json::json;

use crate::world::agent::{Manners, Reply};
use crate::world::{Host, Prompts, STEPS, Step, Store, World, from_chat, from_client, lane_of, thread_of};

/// One thing that happens.
#[derive(Clone, Debug)]
enum Deed {
    Steps(Vec<Step>),
    Submit(usize),
    Stop(usize),
    Hastens(usize, Haste),
    Amends(usize),
    EnsureMain,
    /// Perhaps as one that is never asked.
    Comes(bool),
    /// One that has been here before, or still is.
    Returns(usize),
    Leaves(usize),
    Asks(usize),
    StartsATurn(usize, usize),
    Answers(usize),
    /// A chat answers what it was asked.
    ChatAnswers,
    Speaks(usize),
    Finishes(usize),
    Breaks(usize),
    AsksBack(usize),
    /// Asks a person, in its turn.
    AsksAPerson(usize),
    BeginsItself(usize),
    SaysMuch(usize),
    Dies,
    LosesLink,
    LosesBridge,
    Restarts,
    Behaves(Reply),
    Refuses(&'static str),
    DiesOf(&'static str),
    Ignores(&'static str),
    IsKind,
    Hosts(Host),
    Stores(Store),
    Passes(u64),
}

/// What people say goes to one of these.
fn target(n: usize) -> Target {
    match n % 3 {
        0 => Target::Main,
        1 => lane_of("a"),
        _ => lane_of("b"),
    }
}

fn method() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "initialize",
        "account/read",
        "thread/start",
        "thread/resume",
        "turn/start",
        "turn/interrupt",
        "turn/steer",
    ])
}

fn deed() -> impl Strategy<Value = Deed> {
    let who = 0_usize..4;
    let which = 0_usize..7;
    let step = prop::sample::select(STEPS.to_vec());
    prop_oneof![
        24 => prop::collection::vec(step, 1..12).prop_map(Deed::Steps),
        6 => which.clone().prop_map(Deed::Submit),
        1 => which.clone().prop_map(Deed::Stop),
        5 => (which.clone(), prop::sample::select(vec![Haste::Steer, Haste::Steer, Haste::Interrupt]))
            .prop_map(|(which, how)| Deed::Hastens(which, how)),
        2 => which.clone().prop_map(Deed::Amends),
        1 => Just(Deed::EnsureMain),
        2 => prop::bool::weighted(0.8).prop_map(Deed::Comes),
        2 => (0_usize..2).prop_map(Deed::Returns),
        1 => who.clone().prop_map(Deed::Leaves),
        2 => who.clone().prop_map(Deed::Asks),
        2 => (who.clone(), which.clone()).prop_map(|(who, which)| Deed::StartsATurn(who, which)),
        1 => who.prop_map(Deed::Answers),
        3 => Just(Deed::ChatAnswers),
        2 => which.clone().prop_map(Deed::Speaks),
        4 => which.clone().prop_map(Deed::Finishes),
        1 => which.clone().prop_map(Deed::Breaks),
        1 => which.clone().prop_map(Deed::AsksBack),
        3 => which.clone().prop_map(Deed::AsksAPerson),
        1 => which.clone().prop_map(Deed::BeginsItself),
        1 => which.prop_map(Deed::SaysMuch),
        1 => Just(Deed::Dies),
        2 => Just(Deed::LosesLink),
        1 => Just(Deed::LosesBridge),
        2 => Just(Deed::Restarts),
        1 => prop::sample::select(vec![Reply::First, Reply::AfterStarted, Reply::AfterEnd]).prop_map(Deed::Behaves),
        1 => method().prop_map(Deed::Refuses),
        1 => method().prop_map(Deed::DiesOf),
        1 => method().prop_map(Deed::Ignores),
        2 => Just(Deed::IsKind),
        1 => prop::sample::select(vec![
            Host::Works,
            Host::Works,
            Host::Fails { reason: "passing", passing: true },
            Host::Fails { reason: "lasting", passing: false },
        ]).prop_map(Deed::Hosts),
        1 => prop::sample::select(vec![Store::AtOnce, Store::Failing]).prop_map(Deed::Stores),
        5 => prop::sample::select(vec![1, 200, 1_000, 10_000, 61_000, 130_000]).prop_map(Deed::Passes),
    ]
}

/// The thread whose turn runs, one of those there are.
fn running(world: &World, n: usize) -> Option<String> {
    let agent = world.bridge.as_ref()?.agent.as_ref()?;
    agent.running.keys().nth(n % agent.running.len().max(1)).cloned()
}

fn says(
    world: &mut World,
    n: usize,
    what: impl FnOnce(&mut crate::world::agent::Agent, &str) -> Vec<serde_json::Value>,
) {
    if let Some(thread) = running(world, n) {
        world.says_unheard(|agent| what(agent, &thread));
    }
}

fn finish(world: &mut World, n: usize) {
    says(world, n, |agent, thread| {
        let text = format!("answer of {}", agent.running[thread]);
        agent.complete(thread, &text)
    });
}

fn happen(world: &mut World, deed: Deed) {
    let here = |world: &World, who: usize| world.attached().get(who).copied();
    match deed {
        Deed::Steps(steps) => steps.into_iter().for_each(|step| _ = world.step(step)),
        Deed::Submit(n) => {
            let origin = if n < 3 { from_client() } else { from_chat(["a", "b", "c"][n % 3]) };
            let token = format!("#{}#", world.disk.rows.len());
            let by_name = world.disk.main_thread.as_ref().filter(|_| n == 6);
            let target = by_name.map_or_else(|| target(n), |thread| thread_of(thread.as_str()));
            world.hand_over(target, origin, &token);
        }
        Deed::Stop(n) => world.ask_to_stop(target(n)),
        Deed::Hastens(n, how) => {
            let open = world.disk.rows.iter().filter(|row| row.state == Some(OpenState::Queued));
            let ids: Vec<_> = open.map(|row| row.submission.id.clone()).collect();
            if let Some(id) = ids.get(n % ids.len().max(1)) {
                world.hastened.insert(id.clone());
                world.ask_to_hasten(id, how);
            }
        }
        Deed::Amends(n) => {
            let Some((at, row)) = world.disk.rows.iter().enumerate().rev().nth(n) else { return };
            let (id, text) = (row.submission.id.clone(), format!("{} amended", token(at)));
            if world.amend(&id, &text) {
                world.amended.insert(at);
            }
        }
        Deed::EnsureMain => world.ask_for_main(),
        Deed::Comes(handler) => world.come_anew(handler),
        Deed::Returns(who) => world.come_anew_named(["x", "y"][who]),
        Deed::Leaves(who) => here(world, who).into_iter().for_each(|who| world.leave(who)),
        Deed::Asks(who) => {
            let Some(who) = here(world, who) else { return };
            let frame = json!({ "id": world.now, "method": "m", "params": { "threadId": "thread-1" } });
            world.say(who, &frame.to_string());
        }
        Deed::StartsATurn(who, n) => {
            let known = world.disk.chats.values().chain(&world.disk.main_thread).nth(n % 3);
            let (Some(who), Some(thread)) = (here(world, who), known) else { return };
            let params = json!({ "threadId": thread, "input": [{ "type": "text", "text": "by hand" }] });
            world.say(who, &json!({ "id": "t", "method": "turn/start", "params": params }).to_string());
        }
        Deed::Answers(who) => {
            let Some(who) = here(world, who) else { return };
            let asked = world
                .got(who)
                .into_iter()
                .filter(|frame| !frame["id"].is_null() && !frame["method"].is_null());
            for asked in asked.collect::<Vec<_>>() {
                world.say(who, &json!({ "id": asked["id"], "result": {} }).to_string());
            }
        }
        Deed::Speaks(n) => says(world, n, |agent, thread| agent.delta(thread, "word ")),
        Deed::Finishes(n) => finish(world, n),
        Deed::Breaks(n) => says(world, n, |agent, thread| agent.fail(thread, "broken")),
        Deed::AsksBack(n) => says(world, n, |agent, thread| vec![agent.ask("item/tool/call", thread)]),
        Deed::AsksAPerson(n) => says(world, n, |agent, thread| {
            vec![agent.ask_in_turn("item/commandExecution/requestApproval", thread)]
        }),
        Deed::ChatAnswers => {
            if let Some(key) = world.open_question() {
                world.chat_answers(&key, r#"{"decision":"accept"}"#);
            }
        }
        Deed::BeginsItself(n) => {
            let Some(agent) = world.bridge.as_ref().and_then(|bridge| bridge.agent.as_ref()) else { return };
            let mut idle = agent.loaded.iter().filter(|thread| !agent.running.contains_key(*thread));
            let Some(thread) = idle.nth(n % 2).cloned() else { return };
            let turn = format!("own-{thread}-{}-{}", agent.epoch, agent.read.len());
            world.says_unheard(|agent| agent.begin(&thread, &turn));
        }
        Deed::SaysMuch(n) => says(world, n, |_, thread| {
            let params = json!({ "threadId": thread, "delta": "x".repeat(5 << 20) });
            vec![json!({ "method": "item/commandExecution/outputDelta", "params": params })]
        }),
        Deed::Dies => world.agent_dies("signal 9", ""),
        Deed::LosesLink => world.lose_link(),
        Deed::LosesBridge => world.lose_bridge(),
        Deed::Restarts => world.restart_gateway(),
        Deed::Behaves(reply) => world.manners.reply = reply,
        Deed::Refuses(method) => _ = world.manners.refused.insert(method, "no".into()),
        Deed::DiesOf(method) => _ = world.manners.deadly.insert(method),
        Deed::Ignores(method) => {
            world.manners.silent.insert(method);
            world.ignored.insert(method);
        }
        Deed::IsKind => world.manners = Manners::default(),
        Deed::Hosts(host) => world.host = host,
        Deed::Stores(store) => world.store = store,
        Deed::Passes(ms) => {
            world.now += ms;
            world.feed(Input::Tick);
        }
    }
}

/// From now on everything works, for as long as it takes.
fn end_well(world: &mut World) {
    (world.host, world.store, world.prompts) = (Host::Works, Store::AtOnce, Prompts::AtOnce);
    world.manners = Manners::default();
    // Whoever may come back does, and hears what it is owed.
    for name in ["x", "y"] {
        world.come_anew_named(name);
    }
    for _ in 0..300 {
        world.pass(10_000);
        while running(world, 0).is_some() {
            finish(world, 0);
            world.run();
        }
        let open = world.disk.rows.iter().any(|row| row.state.is_some());
        if !open && world.asked.is_empty() && world.owed.is_empty() && world.stores.is_empty() {
            break;
        }
    }
    // Until what nobody answered is declined.
    world.pass(55_000);
}

fn token(n: usize) -> String {
    format!("#{n}#")
}

/// How often the agent carried out a submission, and where among everything it carried out.
fn executions(world: &World, n: usize) -> Vec<usize> {
    let executed = world.threads.executed.iter().enumerate();
    executed.filter(|(_, (_, _, prompt))| prompt.contains(&token(n))).map(|(at, _)| at).collect()
}

fn judge(world: &World) {
    for (n, row) in world.disk.rows.iter().enumerate() {
        assert!(row.state.is_none(), "submission {n} has no end: {:?} in {:#?}", row.state, world.session);
        assert!(
            executions(world, n).len() <= 1,
            "submission {n} was begun twice: {:?}",
            world.threads.executed
        );
    }
    for target in (0..3).map(target) {
        let of_lane = |n: &usize| {
            let submission = &world.disk.rows[*n].submission;
            submission.target == target && !world.hastened.contains(&submission.id)
        };
        let begun: Vec<_> =
            (0..world.disk.rows.len()).filter(of_lane).flat_map(|n| executions(world, n)).collect();
        assert!(begun.is_sorted(), "{target:?} was not served in order: {begun:?}");
    }
    for settlement in &world.disk.settlements {
        let Outcome::Completed { text } = &settlement.outcome else { continue };
        let turn = settlement.turn.as_ref().expect("what completed had a turn").as_str();
        assert_eq!(*text, format!("answer of {turn}"));
        let told = |n: usize| {
            world.threads.executed.iter().any(|(_, of, prompt)| of == turn && prompt.contains(&token(n)))
        };
        for id in &settlement.submissions {
            let n = world.disk.rows.iter().position(|row| row.submission.id == *id).unwrap();
            // What the agent never answered it may have read.
            let ignored = world.hastened.contains(id) && world.ignored.contains("turn/steer");
            assert!(ignored || told(n), "{turn} does not answer {n}");
        }
    }
    for (turn, prompt) in &world.threads.steered {
        // Only one that the agent began by itself while ours was on its way.
        assert!(turn.starts_with("own") || !prompt.contains('#'), "{prompt} steered {turn}");
    }
    for n in &world.amended {
        for at in executions(world, *n) {
            let amended = format!("{} amended", token(*n));
            assert!(world.threads.executed[at].2.contains(&amended), "{n} was told as it was before");
        }
    }
    for asked in &world.disk.questions {
        assert!(
            asked.end.is_some() || asked.answer.is_some(),
            "a question has no end: {asked:?} in {:#?}",
            world.session
        );
    }
    assert!(world.running.is_empty(), "{:?} is still shown as running", world.running);
    assert!(world.asked.is_empty(), "questions {:?} have no answer", world.asked);
    assert!(world.owed.is_empty(), "requests {:?} have no reply", world.owed);
    if let (Some(bridge), Some(_)) = (&world.bridge, &world.link) {
        assert_eq!(world.acked, bridge.last(), "something is held for ever: {:#?}", world.session);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(400), max_shrink_iters: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_every_submission_ends_once_and_none_is_begun_twice(
        deeds in prop::collection::vec(deed(), 1..120),
        idle_stop_ms in prop::sample::select(vec![0, 60_000]),
        limit in prop::sample::select(vec![0, 100_000]),
        after_loss in prop::sample::select(vec![AfterLoss::Lives, AfterLoss::Lives, AfterLoss::Lost]),
    ) {
        let mut world = World::with(|config| {
            config.idle_stop_ms = idle_stop_ms;
            config.run_timeout_ms = limit;
            config.no_output_timeout_ms = limit / 2;
            config.approval_timeout_ms = 50_000;
        });
        world.after_loss = after_loss;
        for deed in deeds {
            happen(&mut world, deed);
        }
        end_well(&mut world);
        judge(&world);
    }
}
