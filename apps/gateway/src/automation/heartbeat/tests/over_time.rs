//! Heartbeats over restarts, nights and midnights: nothing that is known of them is lost with the process.

use argus_schedule::Tz;

use super::*;

#[tokio::test]
async fn a_restart_moves_no_due_time_and_an_overdue_one_comes_once_after_it() {
    let stage = beating(|_| {}).await;
    let due = START + 30 * MINUTE;
    let mut stage = stage.again();
    assert_eq!(stage.look(START + 20 * MINUTE).await, Some(due), "not half an hour after the restart");
    for n in 0..3 {
        stage = stage.again();
        stage.look(due + 70 * MINUTE).await;
        assert_eq!(begun(&stage).len(), usize::from(n == 0));
    }
    ends(&stage, said("HEARTBEAT_OK"), Some("t1")).await;
    let stage = stage.again();
    assert_eq!(stage.look(due + 71 * MINUTE).await, Some(due + 90 * MINUTE));
    assert_eq!(begun(&stage), []);
}

#[tokio::test]
async fn one_that_is_due_outside_the_hours_of_its_zone_begins_once_with_them() {
    // 12:00 in Berlin. 17:00 to 21:00 of Berlin begins 15:00Z.
    let stage = beating(|config| {
        config.zone = Tz::Europe__Berlin;
        config.heartbeat.hours = crate::config::Hours { from: 17 * 60, to: 21 * 60 };
    })
    .await;
    let begins = START + 5 * 60 * MINUTE;
    assert_eq!(stage.look(START + 30 * MINUTE).await, Some(begins));
    assert_eq!(stage.look(begins - 1).await, Some(begins));
    assert_eq!(begun(&stage), []);
    let stage = stage.again();
    assert_eq!(stage.look(begins).await, Some(begins + 30 * MINUTE));
    assert_eq!(begun(&stage), [(Beat::Due, Target::Main)]);
    ends(&stage, said("HEARTBEAT_OK"), Some("t1")).await;
    let mut times = Vec::new();
    for half_hour in 1..48 {
        let now = begins + half_hour * 30 * MINUTE;
        stage.look(now).await;
        if !begun(&stage).is_empty() {
            times.push(half_hour);
            ends(&stage, said("HEARTBEAT_OK"), Some("t2")).await;
        }
    }
    assert_eq!(times, [1, 2, 3, 4, 5, 6, 7], "until 20:30, and none in the night");
}

#[tokio::test]
async fn a_rest_after_failures_outlives_a_restart_and_begins_small_again_after_one_that_went_well() {
    let mut stage = stage(|_| {}).await;
    stage.at(START);
    happens(&stage, 1, "s1", Queue::Main, "system").await;
    let (mut now, mut pauses) = (START, Vec::new());
    let outcomes = [failed(), failed(), failed(), said("HEARTBEAT_OK"), failed(), failed()];
    for (n, outcome) in (2..).zip(outcomes) {
        stage.look(now).await;
        assert_eq!(begun(&stage).len(), 1);
        let well = matches!(outcome, Outcome::Completed { .. });
        // Whatever ends a turn that the agent took has told its events.
        ends(&stage, outcome, Some("t1")).await;
        happens(&stage, n, "s1", Queue::Main, "system").await;
        stage = stage.again();
        if well {
            continue;
        }
        let next = stage.look(now).await.unwrap();
        assert_eq!(begun(&stage), []);
        pauses.push(next - now);
        now = next;
    }
    assert_eq!(pauses, [5_000, 10_000, 20_000, 5_000, 10_000]);
}

#[tokio::test]
async fn what_was_used_up_in_a_day_stays_so_over_a_restart_and_ends_at_midnight_of_the_zone() {
    let stage = beating(|config| {
        config.zone = Tz::Europe__Berlin;
        config.budget = Budget { turns: 0, tokens: 10 };
    })
    .await;
    stage.look(START + 30 * MINUTE).await;
    let open = stage.ledger.open_submissions(&session()).await.unwrap().remove(0).submission;
    let settlement = Settlement {
        submissions: vec![open.id],
        origin: open.origin,
        thread: None,
        turn: Some("t1".parse().unwrap()),
        outcome: said("HEARTBEAT_OK"),
        usage: Some(argus_session::Usage { input: 9, cached: 0, output: 1 }),
    };
    let end = end_of(&settlement).unwrap();
    stage.ledger.settle_heartbeat(&session(), &settlement, end).await.unwrap();
    assert_eq!(begun(&stage).len(), 1);
    let stage = stage.again();
    let midnight = START + 12 * 60 * MINUTE;
    assert_eq!(stage.look(START + 60 * MINUTE).await, Some(midnight));
    assert_eq!(stage.look(midnight - 1).await, Some(midnight));
    assert_eq!((begun(&stage), told(&stage).await.len()), (vec![], 1));
    stage.look(midnight).await;
    assert_eq!(begun(&stage), [(Beat::Due, Target::Main)]);
}
