//! Events wait until a turn took them, once, whatever happens between.

use futures::future::join_all;
use serde_json::json;

use super::*;

fn event_id(number: u32) -> String {
    format!("{number:032x}")
}

/// Event `number` for the main thread of session `s`.
fn event(number: u32) -> NewEvent {
    NewEvent {
        id: event_id(number),
        session: session("s"),
        queue: Queue::Main,
        kind: "system".to_owned(),
        text: format!("event {number}"),
        meta: None,
        dedupe_key: None,
        subject: None,
        source: Source::Caller,
    }
}

/// As the ledger knows it once it is stored at 1000.
fn stored(new: &NewEvent) -> Event {
    let NewEvent { id, session, queue, kind, text, meta, .. } = new.clone();
    Event { id, session, queue, kind, text, meta, created_ms: 1000 }
}

fn texts(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.text.as_str()).collect()
}

async fn carried(ledger: &Ledger, queues: &[Queue], by: &[u8]) -> Vec<Event> {
    ledger.carry_events(&session("s"), queues, &ids(by)).await.unwrap()
}

/// What is listed of session `s`: text and standing.
async fn listed(ledger: &Ledger) -> Vec<(String, Standing)> {
    let listed = ledger.recent_events(&session("s"), 100).await.unwrap();
    listed.into_iter().map(|Listed { event, standing }| (event.text, standing)).collect()
}

/// Puts events straight into a queue of session `s`, as many as asked for.
async fn fill(ledger: &Ledger, queue: &'static str, count: u32) {
    let filled = ledger.write(move |tx| {
        Box::pin(async move {
            sqlx::query(
                "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < $2) \
                 INSERT INTO events (id, session, queue, kind, text, state, created_ms, since_ms) \
                 SELECT 'filled-' || $1 || n, 's', $1, 'system', 'filled ' || n, 'waiting', 1000, 1000 FROM numbers",
            )
            .bind(queue)
            .bind(count)
            .execute(&mut tx.connection)
            .await?;
            Ok(())
        })
    });
    filled.await.unwrap();
}

#[tokio::test]
async fn events_are_carried_oldest_first_and_twenty_at_most() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    let aside = Queue::Thread(thread("t"));
    let meta = json!({"a": [1, "ä"]}).as_object().cloned();
    let all: Vec<_> = (1..=25)
        .map(|number| {
            let queue = if number % 2 == 0 { aside.clone() } else { Queue::Main };
            NewEvent { queue, meta: meta.clone(), ..event(number) }
        })
        .collect();
    for new in &all {
        assert_eq!(ledger.enqueue_event(new.clone()).await.unwrap(), Queued::New(stored(new)));
    }
    ledger.enqueue_event(NewEvent { session: session("other"), ..event(99) }).await.unwrap();
    ledger.submit(new(1)).await.unwrap();
    let expected: Vec<_> = all.iter().take(20).map(stored).collect();
    // A queue that is named twice is one.
    let queues = [Queue::Main, aside.clone(), Queue::Main];
    assert_eq!(carried(&ledger, &queues, &[1]).await, expected);
    let evens: Vec<_> = all.iter().filter(|event| event.queue == aside).map(stored).collect();
    assert_eq!(carried(&ledger, &[aside], &[1]).await, evens);
    assert_eq!(carried(&ledger, &[Queue::Main], &[]).await, []);
}

/// The agent refuses a turn of more than a million characters, and would again each time that it carried the same.
#[tokio::test]
async fn what_one_turn_carries_is_bounded_in_bytes_too_and_one_event_always_goes() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    ledger.submit(new(1)).await.unwrap();
    start(&ledger).await;
    let meta = json!({ "a": "x".repeat(10_000) }).as_object().cloned();
    for number in 1..=5 {
        let text = "x".repeat(if number == 5 { 200_000 } else { 50_000 });
        let new = NewEvent { text, meta: meta.clone(), ..event(number) };
        ledger.enqueue_event(new).await.unwrap();
    }
    for expected in [vec![1, 2], vec![3, 4], vec![5], vec![]] {
        let carried = carried(&ledger, &[Queue::Main], &[1]).await;
        let told: Vec<_> = carried.iter().map(|event| event.id.clone()).collect();
        assert_eq!(told, expected.into_iter().map(event_id).collect::<Vec<_>>());
        ledger.mark_running(&ids(&[1]), &"turn".parse().unwrap()).await.unwrap();
    }
}

#[tokio::test]
async fn what_another_open_submission_carries_is_not_carried_twice() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    for number in [1, 2] {
        ledger.submit(new(number)).await.unwrap();
        ledger.enqueue_event(event(number.into())).await.unwrap();
    }
    assert_eq!(texts(&carried(&ledger, &[Queue::Main], &[1]).await), ["event 1", "event 2"]);
    assert_eq!(carried(&ledger, &[Queue::Main], &[2]).await, []);
    assert_eq!(ledger.queues_waiting().await.unwrap(), []);
    // Merged into one turn, they are carried by the first of them.
    assert_eq!(texts(&carried(&ledger, &[Queue::Main], &[2, 1]).await), ["event 1", "event 2"]);
    let by = Standing::Carried(id(2));
    assert_eq!(listed(&ledger).await, [("event 1".to_owned(), by.clone()), ("event 2".to_owned(), by)]);
    ledger.release_events(&ids(&[2])).await.unwrap();
    assert_eq!(texts(&carried(&ledger, &[Queue::Main], &[1]).await), ["event 1", "event 2"]);
}

#[tokio::test]
async fn a_full_queue_refuses_callers_and_counts_what_this_program_tells() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    fill(&ledger, "", 2000).await;
    assert_eq!(ledger.enqueue_event(event(1)).await.unwrap(), Queued::Full);
    let internal = |number| NewEvent { source: Source::Internal, kind: "node".into(), ..event(number) };
    let told =
        |text: &str| Event { text: text.to_owned(), kind: "system".to_owned(), ..stored(&internal(2)) };
    for (number, text) in [(2, "1 event omitted"), (3, "2 events omitted"), (4, "3 events omitted")] {
        assert_eq!(ledger.enqueue_event(internal(number)).await.unwrap(), Queued::Collapsed(told(text)));
    }
    let waiting: i64 =
        sqlx::query_scalar("SELECT count(*) FROM events").fetch_one(ledger.reads()).await.unwrap();
    let omitted: i64 = sqlx::query_scalar("SELECT omitted FROM events WHERE omitted > 0")
        .fetch_one(ledger.reads())
        .await
        .unwrap();
    assert_eq!((waiting, omitted), (2001, 3));
    // Another queue of the session has room.
    let aside = NewEvent { queue: Queue::Thread(thread("t")), ..event(5) };
    assert_eq!(ledger.enqueue_event(aside.clone()).await.unwrap(), Queued::New(stored(&aside)));
    // So has this one when a turn took some.
    ledger.submit(new(1)).await.unwrap();
    assert_eq!(carried(&ledger, &[Queue::Main], &[1]).await.len(), 20);
    assert_eq!(ledger.enqueue_event(event(6)).await.unwrap(), Queued::Full);
    start(&ledger).await;
    ledger.mark_running(&ids(&[1]), &turn("u")).await.unwrap();
    assert_eq!(ledger.enqueue_event(event(6)).await.unwrap(), Queued::New(stored(&event(6))));
}

async fn start(ledger: &Ledger) {
    ledger.mark_starting(&ids(&[1]), &thread("t"), "b", 1, 1, 1).await.unwrap();
}

#[tokio::test]
async fn a_session_has_no_more_than_256_queues_that_callers_fill() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    let aside = |number: u32, source| NewEvent {
        queue: Queue::Thread(thread(&format!("t{number}"))),
        source,
        ..event(number)
    };
    join_all((0..256).map(|number| ledger.enqueue_event(aside(number, Source::Caller)))).await;
    assert_eq!(ledger.enqueue_event(aside(256, Source::Caller)).await.unwrap(), Queued::Full);
    for new in [
        aside(257, Source::Internal),
        NewEvent { id: event_id(258), ..aside(0, Source::Caller) },
        event(259),
        NewEvent { session: session("other"), ..aside(260, Source::Caller) },
    ] {
        assert_eq!(ledger.enqueue_event(new.clone()).await.unwrap(), Queued::New(stored(&new)));
    }
}

#[tokio::test]
async fn a_key_names_one_event_of_its_session_also_after_a_turn_took_it() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    let keyed = |number| NewEvent { dedupe_key: Some("k".into()), ..event(number) };
    assert_eq!(ledger.enqueue_event(keyed(1)).await.unwrap(), Queued::New(stored(&event(1))));
    let again = NewEvent { queue: Queue::Thread(thread("t")), ..keyed(2) };
    assert_eq!(ledger.enqueue_event(again.clone()).await.unwrap(), Queued::Repeated(stored(&event(1))));
    ledger.submit(new(1)).await.unwrap();
    carried(&ledger, &[Queue::Main], &[1]).await;
    ledger.settle(&completed(&[1], "heard")).await.unwrap();
    assert_eq!(ledger.enqueue_event(again).await.unwrap(), Queued::Repeated(stored(&event(1))));
    assert_eq!(
        listed(&ledger).await,
        [("event 1".to_owned(), Standing::Taken { at_ms: 1000, by: Some(id(1)) })]
    );
    let elsewhere = NewEvent { session: session("other"), ..keyed(3) };
    assert_eq!(ledger.enqueue_event(elsewhere.clone()).await.unwrap(), Queued::New(stored(&elsewhere)));
}

#[tokio::test]
async fn what_is_newer_takes_the_place_of_what_waits_of_its_subject() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    let node = |number, text: &str| NewEvent {
        kind: "node".into(),
        text: text.to_owned(),
        subject: Some("node:n".into()),
        source: Source::Internal,
        ..event(number)
    };
    ledger.enqueue_event(node(1, "gone")).await.unwrap();
    ledger.enqueue_event(event(2)).await.unwrap();
    desk.set_clock(5000);
    let newest = Event { created_ms: 5000, ..stored(&NewEvent { id: event_id(1), ..node(3, "back") }) };
    assert_eq!(ledger.enqueue_event(node(3, "back")).await.unwrap(), Queued::New(newest.clone()));
    // Waiting does not begin anew with each change.
    let waiting = |count, wakes_at_ms| QueueWaiting {
        session: session("s"),
        queue: Queue::Main,
        count,
        oldest_ms: 1000,
        wakes_at_ms,
    };
    assert_eq!(ledger.queues_waiting().await.unwrap(), [waiting(2, 1000)]);
    // What a turn carries is said already: what is newer is another event.
    ledger.submit(new(1)).await.unwrap();
    assert_eq!(carried(&ledger, &[Queue::Main], &[1]).await, [newest, stored(&event(2))]);
    ledger.enqueue_event(node(4, "gone again")).await.unwrap();
    assert_eq!(
        ledger.queues_waiting().await.unwrap(),
        [QueueWaiting { oldest_ms: 5000, ..waiting(1, 35_000) }]
    );
    let aside = NewEvent { queue: Queue::Thread(thread("t")), ..node(5, "elsewhere") };
    ledger.enqueue_event(aside).await.unwrap();
    let texts: Vec<_> = listed(&ledger).await.into_iter().map(|(text, _)| text).collect();
    assert_eq!(texts, ["back", "event 2", "gone again", "elsewhere"]);
}

#[tokio::test]
async fn a_forgotten_session_has_no_events_and_a_steered_message_lets_go_of_them() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    ledger.submit(new(1)).await.unwrap();
    ledger.enqueue_event(event(1)).await.unwrap();
    carried(&ledger, &[Queue::Main], &[1]).await;
    ledger.mark_steering(&id(1), &thread("t"), "b", 1, 1, 1, &turn("u")).await.unwrap();
    ledger.mark_running(&ids(&[1]), &turn("u")).await.unwrap();
    assert_eq!(listed(&ledger).await, [("event 1".to_owned(), Standing::Waiting)]);
    ledger.forget_session(&session("s")).await.unwrap();
    assert_eq!(listed(&ledger).await, []);
}

#[tokio::test]
async fn what_was_taken_long_ago_is_forgotten_and_what_waits_is_not() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    for number in [1, 2] {
        ledger.enqueue_event(event(number)).await.unwrap();
        ledger.submit(new(u8::try_from(number).unwrap())).await.unwrap();
    }
    carried(&ledger, &[Queue::Main], &[1]).await;
    ledger.settle(&completed(&[1], "heard")).await.unwrap();
    ledger.enqueue_event(event(3)).await.unwrap();
    let days = 24 * 60 * 60 * 1000;
    assert_eq!(ledger.prune(1000 + 2 * days, 2).await.unwrap().events, 0);
    assert_eq!(ledger.prune(1001 + 2 * days, 2).await.unwrap().events, 2);
    assert_eq!(listed(&ledger).await, [("event 3".to_owned(), Standing::Waiting)]);
}

#[tokio::test]
async fn what_others_have_waiting_costs_an_enqueue_nothing() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    for statement in [
        "SELECT count(*) FROM events WHERE session = 's' AND queue = '' AND state = 'waiting'",
        "SELECT min(seq) FROM events WHERE session = 's' AND queue = '' AND subject = 'a' AND state = 'waiting' \
         AND submission IS NULL",
        "SELECT id FROM events WHERE session = 's' AND dedupe_key = 'k'",
        "SELECT seq FROM events WHERE session = 's' AND queue = '' AND state = 'waiting' ORDER BY seq LIMIT 20",
        "UPDATE events SET state = 'taken' WHERE submission = 'x' AND state = 'waiting'",
        "SELECT id FROM events WHERE session = 's' AND state = 'taken' ORDER BY taken_ms DESC, seq DESC LIMIT 3",
        "DELETE FROM events WHERE session = 's'",
    ] {
        let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(&format!("EXPLAIN QUERY PLAN {statement}"))
            .fetch_all(ledger.reads())
            .await
            .unwrap();
        let steps: Vec<_> = plan.into_iter().map(|(.., step)| step).collect();
        assert!(steps.iter().all(|step| step.starts_with("SEARCH")), "{statement}: {steps:?}");
    }
    // Who looks what waits reads the index alone.
    let looks = "SELECT session, queue, count(*), min(CASE WHEN kind = 'node' THEN since_ms ELSE 0 END) FROM events \
                 WHERE state = 'waiting' AND submission IS NULL GROUP BY session, queue";
    let plan: Vec<(i64, i64, i64, String)> =
        sqlx::query_as(&format!("EXPLAIN QUERY PLAN {looks}")).fetch_all(ledger.reads()).await.unwrap();
    assert!(plan[0].3.contains("COVERING INDEX events_waiting"), "{plan:?}");
}

/// What can happen between the enqueue of an event and its turn.
#[derive(Clone, Copy, Debug)]
enum Step {
    Carry,
    Starting,
    Running,
    Queued,
    SettleWithTurn,
    SettleWithoutTurn,
}

const STEPS: [Step; 6] =
    [Step::Carry, Step::Starting, Step::Running, Step::Queued, Step::SettleWithTurn, Step::SettleWithoutTurn];

/// What holds after the steps so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Model {
    phase: Phase,
    event: Is,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Is {
    Waiting,
    Carried,
    Taken,
}

impl Model {
    fn after(self, step: Step) -> Self {
        let Self { phase, event } = self;
        let open = phase != Phase::Settled;
        let kept = |now| if event == Is::Carried { now } else { event };
        match step {
            Step::Carry if event == Is::Waiting => Self { event: Is::Carried, ..self },
            Step::Starting if open => Self { phase: Phase::Starting, ..self },
            Step::Running if matches!(phase, Phase::Starting | Phase::Running) => {
                Self { phase: Phase::Running, event: kept(Is::Taken) }
            }
            Step::Queued if open => Self { phase: Phase::Queued, event: kept(Is::Waiting) },
            Step::SettleWithTurn if open => Self { phase: Phase::Settled, event: kept(Is::Taken) },
            Step::SettleWithoutTurn if open => Self { phase: Phase::Settled, event: kept(Is::Waiting) },
            _ => self,
        }
    }
}

/// One way through four steps, in a session of its own.
struct Way {
    number: usize,
    steps: [Step; 4],
    model: Model,
}

impl Way {
    fn all() -> Vec<Self> {
        (0..STEPS.len().pow(4))
            .map(|number| Self {
                number,
                steps: std::array::from_fn(|at| {
                    STEPS[number / STEPS.len().pow(u32::try_from(at).unwrap()) % 6]
                }),
                model: Model { phase: Phase::Queued, event: Is::Waiting },
            })
            .collect()
    }

    fn session(&self) -> argus_protocol::SessionId {
        session(&format!("s{}", self.number))
    }

    fn submission(&self, which: usize) -> SubmissionId {
        format!("{:032x}", self.number * 2 + which).parse().unwrap()
    }

    async fn begin(&self, ledger: &Ledger) {
        for which in [0, 1] {
            let (id, session) = (self.submission(which), self.session());
            let submission = Submission { id, session, ..submission(1) };
            ledger.submit(NewSubmission { submission, idempotency_key: None }).await.unwrap();
        }
        let id = event_id(u32::try_from(self.number).unwrap());
        ledger.enqueue_event(NewEvent { id, session: self.session(), ..event(1) }).await.unwrap();
    }

    /// Takes one step; what the ledger refuses changes nothing.
    async fn go(&mut self, ledger: &Ledger, step: Step) {
        let mine = [self.submission(0)];
        let settlement = Settlement { submissions: mine.to_vec(), ..completed(&[], "") };
        let _ = match step {
            Step::Carry => ledger.carry_events(&self.session(), &[Queue::Main], &mine).await.map(drop),
            Step::Starting => ledger.mark_starting(&mine, &thread("t"), "b", 1, 1, 1).await,
            Step::Running => ledger.mark_running(&mine, &turn("u")).await,
            Step::Queued => ledger.mark_queued(&mine).await,
            Step::SettleWithTurn => ledger.settle(&settlement).await.map(drop),
            Step::SettleWithoutTurn => {
                ledger.settle(&Settlement { turn: None, ..settlement }).await.map(drop)
            }
        };
        self.model = self.model.after(step);
    }

    async fn check(&self, ledger: &Ledger) {
        let by = self.submission(0);
        let expected = match self.model.event {
            Is::Waiting => Standing::Waiting,
            Is::Carried => Standing::Carried(by),
            Is::Taken => Standing::Taken { at_ms: 1000, by: Some(by) },
        };
        let standing: Vec<_> = ledger
            .recent_events(&self.session(), 9)
            .await
            .unwrap()
            .into_iter()
            .map(|one| one.standing)
            .collect();
        assert_eq!(standing, [expected], "{:?} {:?}", self.steps, self.model);
    }

    /// Whoever comes next hears of it, unless a turn took it or an open one carries it.
    async fn end(&self, ledger: &Ledger) {
        let next = ledger.carry_events(&self.session(), &[Queue::Main], &[self.submission(1)]).await.unwrap();
        let free = match self.model.event {
            Is::Waiting => 1,
            Is::Carried => usize::from(self.model.phase == Phase::Settled),
            Is::Taken => 0,
        };
        assert_eq!(next.len(), free, "{:?} {:?}", self.steps, self.model);
    }
}

#[tokio::test]
async fn whenever_the_program_ends_an_event_waits_or_was_taken_with_its_turn() {
    let desk = Desk::new();
    let mut ways = Way::all();
    let ledger = desk.open().await;
    join_all(ways.iter().map(|way| way.begin(&ledger))).await;
    ledger.close().await;
    for at in 0..4 {
        let ledger = desk.open().await;
        join_all(ways.iter_mut().map(|way| way.go(&ledger, way.steps[at]))).await;
        ledger.close().await;
        let ledger = desk.open().await;
        join_all(ways.iter().map(|way| way.check(&ledger))).await;
        ledger.close().await;
    }
    let ledger = desk.open().await;
    join_all(ways.iter().map(|way| way.end(&ledger))).await;
}
