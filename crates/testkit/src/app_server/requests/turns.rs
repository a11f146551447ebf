//! Requests about turns: start, steer, interrupt.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::super::agent::{Agent, Running};
use super::super::plan::{Plan, input_text};
use super::super::store::{Status, Turn};
use super::super::turn::Playing;
use super::super::wire::unix_ms;
use super::super::{TurnEntry, fresh_id, shapes};
use super::{Answer, Then, missing, thread_id};

/// Starts a turn or, while one runs in that thread, steers it: the same turn's id comes back.
pub(super) fn start(agent: &Arc<Agent>, params: &Value) -> Result<Answer, String> {
    let id = thread_id(params, "thread")?;
    let input = input(params)?;
    let text = input_text(&input);
    let mut state = agent.state();
    let loaded = state.loaded.get_mut(&id).ok_or_else(|| format!("thread not found: {id}"))?;
    if let Some(running) = &mut loaded.running {
        running.inputs.push_back(input);
        let turn = running.turn.clone();
        drop(state);
        agent.log(TurnEntry::Steered, &id, &turn, &text);
        return Ok(json!({ "turn": shapes::accepted_turn(&turn) }).into());
    }
    let (turn, interrupt) = (fresh_id(), CancellationToken::new());
    let inputs = VecDeque::from([input]);
    loaded.running = Some(Running { turn: turn.clone(), interrupt: interrupt.clone(), inputs });
    drop(state);
    agent.change(&id, |thread| {
        if thread.turns.is_empty() {
            thread.preview.clone_from(&text);
        }
        thread.turns.push(Turn {
            id: turn.clone(),
            status: Status::InProgress,
            items: Vec::new(),
            error: None,
            started_at: unix_ms() / 1000,
            completed_at: None,
            duration_ms: None,
        });
    });
    agent.log(TurnEntry::Started, &id, &turn, &text);
    let result = json!({ "turn": shapes::accepted_turn(&turn) });
    let reply = Plan::read(&text).reply;
    let playing = Playing { agent: Arc::clone(agent), thread: id, turn, interrupt };
    Ok(Answer { result, then: Then::Play { playing, reply } })
}

pub(super) fn steer(agent: &Agent, params: &Value) -> Result<Answer, String> {
    let id = thread_id(params, "thread")?;
    let input = input(params)?;
    let text = input_text(&input);
    let expected = params["expectedTurnId"].as_str().ok_or_else(|| missing("expectedTurnId"))?;
    let mut state = agent.state();
    let loaded = state.loaded.get_mut(&id).ok_or_else(|| format!("thread not found: {id}"))?;
    let running = loaded.running.as_mut().ok_or("no active turn to steer")?;
    if running.turn != expected {
        return Err(format!("expected active turn id `{expected}` but found `{}`", running.turn));
    }
    running.inputs.push_back(input);
    let turn = running.turn.clone();
    drop(state);
    agent.log(TurnEntry::Steered, &id, &turn, &text);
    Ok(json!({ "turnId": turn }).into())
}

pub(super) fn interrupt(agent: &Agent, params: &Value) -> Result<Answer, String> {
    let id = thread_id(params, "thread")?;
    let turn = params["turnId"].as_str().ok_or_else(|| missing("turnId"))?;
    let state = agent.state();
    let loaded = state.loaded.get(&id).ok_or_else(|| format!("thread not found: {id}"))?;
    let running = loaded.running.as_ref().ok_or("no active turn to interrupt")?;
    if running.turn != turn {
        return Err(format!("expected active turn id {turn} but found {}", running.turn));
    }
    Ok(Answer { result: json!({}), then: Then::Interrupt(running.interrupt.clone()) })
}

fn input(params: &Value) -> Result<Vec<Value>, String> {
    params["input"].as_array().cloned().ok_or_else(|| missing("input"))
}
