//! What people may ask about jobs.

use super::*;

async fn refused(automation: &Automation, wish: Value) -> String {
    let wish: Wish = serde_json::from_value(wish).unwrap();
    automation.add_job(&s("s"), &wish, Reach::Everywhere).await.unwrap_err().to_string()
}

fn shown(kept: &Kept) -> Vec<&str> {
    kept.next_times.iter().map(|time| time.at.as_str()).collect()
}

#[tokio::test]
async fn adding_a_job_answers_it_and_its_next_three_times_as_its_zone_shows_them() {
    let desk = Desk::at("2026-03-28T00:00:00Z");
    let automation = desk.start().await;
    let wish = json!({ "expr": "30 9 * * *", "text": " Morning ", "name": "News", "tz": "Europe/Berlin" });
    let kept = add(&automation, wish).await;
    assert_eq!(
        shown(&kept),
        ["2026-03-28T09:30:00+01:00", "2026-03-29T09:30:00+02:00", "2026-03-30T09:30:00+02:00"]
    );
    assert_eq!(kept.next_times[0].at_ms, ms("2026-03-28T08:30:00Z"));
    let id = &kept.job.job_id;
    assert!(id.len() == 10 && id.chars().all(|c| c.is_ascii_hexdigit()), "{id}");
    assert_eq!((kept.job.text.as_str(), kept.job.name.as_deref()), ("Morning", Some("News")));
    let every = add(&automation, json!({ "everyMs": 5_400_000, "text": "x" })).await;
    assert_eq!(
        shown(&every),
        ["2026-03-28T01:30:00+00:00", "2026-03-28T03:00:00+00:00", "2026-03-28T04:30:00+00:00"]
    );
    let at = add(&automation, json!({ "at": "2026-12-24 08:00", "tz": "Asia/Shanghai", "text": "x" })).await;
    assert_eq!(shown(&at), ["2026-12-24T08:00:00+08:00"]);
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_the_field_and_the_reason() {
    let desk = Desk::at("2026-03-01T00:00:00Z");
    let automation = desk.start().await;
    let long = "x".repeat(32 * 1024 + 1);
    let name = "n".repeat(121);
    for (wish, words) in [
        (json!({ "text": "x" }), "Missing 'expr'"),
        (json!({ "expr": " ", "text": "x" }), "Missing 'expr'"),
        (json!({ "expr": "* * * * *" }), "Missing 'text'"),
        (json!({ "expr": "* * * * *", "text": " " }), "Missing 'text'"),
        (json!({ "expr": "0 25 * * *", "text": "x" }), "'expr': the hours: 25 is not within 0 to 23"),
        (
            json!({ "expr": "0 9 1 1 * 0 2025", "seconds": "last", "text": "x" }),
            "'expr': the expression: it names no day that will ever come",
        ),
        (
            json!({ "expr": "* * * * *", "tz": "Mars/Olympus", "text": "x" }),
            "'tz': `Mars/Olympus` is not known; use a name such as Europe/Berlin or UTC",
        ),
        (json!({ "at": "2026-02-01T00:00:00Z", "text": "x" }), "'at': that time has passed"),
        (json!({ "atMs": u64::MAX, "text": "x" }), "'at': that time is after the year 2099"),
        (
            json!({ "at": "soon", "text": "x" }),
            "'at': `soon` is no time; write 2026-12-24T08:00:00Z, or 2026-12-24 08:00 as the clock of its zone shows it",
        ),
        (json!({ "everyMs": 10, "text": "x" }), "'everyMs': expected a second to ten years"),
        (
            json!({ "everyMs": 5000, "expr": "* * * * *", "text": "x" }),
            "'expr': it names more than one kind of time; give one of expr, at and everyMs",
        ),
        (json!({ "expr": "* * * * *", "text": long }), "'text': it has 32769 bytes, more than 32768"),
        (
            json!({ "expr": "* * * * *", "text": "x", "name": name }),
            "'name': it has more than 120 characters",
        ),
        (
            json!({ "expr": "* * * * *", "text": "x", "deliver": "telegram:me" }),
            "'deliver': `telegram:me` is no chat of Telegram; write telegram:<chatId> or telegram:<chatId>:<topicId>",
        ),
        (json!({ "expr": "* * * * *", "text": "x", "missedMost": 101 }), "'missedMost': expected 1 to 100"),
        (
            json!({ "expr": "* * * * *", "text": "x", "jobId": "a b" }),
            "'jobId': expected 1 to 64 letters, digits, `.`, `_` or `-`, and not dots alone",
        ),
        (
            json!({ "expr": "* * * * *", "text": "x", "jobId": ".." }),
            "'jobId': expected 1 to 64 letters, digits, `.`, `_` or `-`, and not dots alone",
        ),
    ] {
        assert_eq!(refused(&automation, wish.clone()).await, words, "{wish}");
    }
    assert_eq!(automation.list_jobs(&s("s"), None).await.jobs, []);
}

#[tokio::test]
async fn the_same_id_replaces_a_job_and_keeps_when_it_ran_last() {
    let desk = Desk::at("2026-03-01T08:00:00Z");
    let automation = desk.start().await;
    add(&automation, json!({ "jobId": "j", "expr": "0 9 * * *", "text": "x", "name": "a" })).await;
    desk.set("2026-03-01T09:00:00Z");
    desk.look(&automation).await;
    desk.set("2026-03-01T09:30:00Z");
    let kept = add(&automation, json!({ "jobId": "j", "expr": "0 10 * * *", "text": "y" })).await;
    let Job { text, name, last_run_at_ms, next_run_at_ms, .. } = kept.job;
    assert_eq!(
        (text.as_str(), name, last_run_at_ms, next_run_at_ms),
        ("y", None, Some(ms("2026-03-01T09:00:00Z")), Some(ms("2026-03-01T10:00:00Z")))
    );
    assert_eq!(automation.list_jobs(&s("s"), None).await.jobs.len(), 1);
}

#[tokio::test]
async fn an_update_changes_what_it_names_and_nothing_else() {
    let desk = Desk::at("2026-03-01T08:00:00Z");
    let automation = desk.start().await;
    let wish =
        json!({ "jobId": "j", "expr": "0 9 * * *", "text": "x", "name": "a", "deliver": "telegram:7" });
    let before = add(&automation, wish).await.job;
    let update = async |wish: Value| {
        let wish: Wish = serde_json::from_value(wish).unwrap();
        automation.update_job(&s("s"), &wish, Reach::Everywhere).await.map(|kept| kept.job)
    };
    let renamed = update(json!({ "jobId": "j", "name": "b" })).await.unwrap();
    assert_eq!(renamed, Job { name: Some("b".into()), ..before.clone() });
    let later = update(json!({ "jobId": "j", "expr": "0 10 * * *" })).await.unwrap();
    let next_run_at_ms = Some(ms("2026-03-01T10:00:00Z"));
    assert_eq!(later, Job { expr: Some("0 10 * * *".into()), next_run_at_ms, ..renamed });
    let every = update(json!({ "jobId": "j", "everyMs": 60_000 })).await.unwrap();
    assert_eq!(
        (every.expr, every.every_ms, every.next_run_at_ms),
        (None, Some(60_000), Some(desk.now() + 60_000))
    );
    assert_eq!(update(json!({ "jobId": "k", "name": "b" })).await, Err(CronError::NoJob("k".into())));
    assert_eq!(update(json!({ "name": "b" })).await, Err(CronError::Missing("jobId")));
    let nothing = update(json!({ "jobId": "j" })).await.unwrap_err();
    assert_eq!(nothing.to_string(), "'jobId': there is nothing to change; give one member beside the id");
}

#[tokio::test]
async fn a_paused_job_is_not_due_runs_by_hand_and_goes_on_from_now() {
    let desk = Desk::at("2026-03-01T08:00:00Z");
    let automation = desk.start().await;
    add(&automation, json!({ "jobId": "j", "expr": "0 * * * *", "text": "x" })).await;
    let paused = automation.pause_job(&s("s"), "j").await.unwrap();
    assert_eq!((paused.job.enabled, paused.job.next_run_at_ms, paused.next_times.len()), (false, None, 3));
    desk.set("2026-03-01T11:30:00Z");
    assert_eq!(desk.look(&automation).await, None);
    let begun = automation.run_job(&s("s"), "j").await.unwrap();
    assert_eq!(desk.begun(), [("x".to_owned(), begun.run.clone())]);
    assert!(begun.run.starts_with("j@now-") && begun.run.len() == 14, "{}", begun.run);
    let twice = automation.run_job(&s("s"), "j").await.unwrap_err();
    assert_eq!(twice.to_string(), "the run before it has not ended; wait for it or stop it");
    let status = automation.cron_status(&s("s")).await;
    assert_eq!((status.jobs, status.enabled_jobs, status.next_due_at_ms), (1, 0, None));
    let resumed = automation.resume_job(&s("s"), "j").await.unwrap();
    assert_eq!(resumed.job.next_run_at_ms, Some(ms("2026-03-01T12:00:00Z")));
    assert_eq!(resumed.job.last_run_at_ms, Some(desk.now()));
    assert_eq!(desk.look(&automation).await, Some(ms("2026-03-01T12:00:00Z")));
    assert_eq!(desk.begun(), []);
}

#[tokio::test]
async fn a_job_that_is_removed_is_gone_and_its_history_stays() {
    let desk = Desk::at("2026-03-01T08:00:00Z");
    let automation = desk.start().await;
    add(&automation, json!({ "jobId": "j", "expr": "0 9 * * *", "text": "x" })).await;
    desk.set("2026-03-01T09:00:00Z");
    desk.look(&automation).await;
    automation.remove_job(&s("s"), "j").await.unwrap();
    assert_eq!(desk.look(&automation).await, None);
    assert_eq!(states(&automation, "j").await, [RunState::Open]);
    for gone in [
        automation.remove_job(&s("s"), "j").await.map(drop),
        automation.run_job(&s("s"), "j").await.map(drop),
        automation.job_history(&s("s"), "never", None).await.map(drop),
    ] {
        assert!(matches!(&gone, Err(CronError::NoJob(_))), "{gone:?}");
    }
}

#[tokio::test]
async fn who_speaks_for_one_session_names_only_chats_of_that_session() {
    let desk = Desk::at("2026-03-01T08:00:00Z");
    let automation = desk.start().await;
    let wish = |chat: &str| -> Wish {
        serde_json::from_value(json!({ "expr": "0 9 * * *", "text": "x", "deliver": chat })).unwrap()
    };
    let refused = automation.add_job(&s("s"), &wish("telegram:-7"), Reach::ItsChats).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "'deliver': session `s` does not speak with `telegram:-7`; use home, last, none or a chat of its own"
    );
    let thread = "t".parse().unwrap();
    automation.0.ledger.bind_chat(&s("s"), &chat("-7"), 0, &thread).await.unwrap();
    automation.add_job(&s("s"), &wish("telegram:-7"), Reach::ItsChats).await.unwrap();
    automation.add_job(&s("s"), &wish("last"), Reach::ItsChats).await.unwrap();
    automation.add_job(&s("s"), &wish("telegram:-8"), Reach::Everywhere).await.unwrap();
    let other = automation.add_job(&s("s"), &wish("telegram@2:-8"), Reach::Everywhere).await.unwrap_err();
    let words = "'deliver': `telegram@2:-8` names a bot that is not configured; the bots are 1";
    assert_eq!(other.to_string(), words);
}

#[tokio::test]
async fn what_a_job_tells_in_a_chat_of_others_is_not_for_who_speaks_for_one_session() {
    let desk = Desk::at("2026-03-01T08:00:00Z");
    let automation = desk.start().await;
    add(&automation, json!({ "jobId": "j", "expr": "0 9 * * *", "text": "news", "deliver": "telegram:-8" }))
        .await;
    let wish = |wish: Value| -> Wish { serde_json::from_value(wish).unwrap() };
    for change in [json!({ "text": "lies" }), json!({ "name": "lies" }), json!({ "expr": "* * * * *" })] {
        let mut change = wish(change);
        change.job_id = Some("j".to_owned());
        let refused = automation.update_job(&s("s"), &change, Reach::ItsChats).await.unwrap_err();
        assert!(matches!(refused, CronError::NotItsChat { .. }), "{refused:?}");
    }
    let own = wish(json!({ "jobId": "j", "text": "mine", "deliver": "home" }));
    let kept = automation.update_job(&s("s"), &own, Reach::ItsChats).await.unwrap();
    assert_eq!((kept.job.text.as_str(), kept.job.deliver), ("mine", Deliver::Home));
}

#[tokio::test]
async fn a_session_has_so_many_jobs_and_a_thousand_are_looked_at_together() {
    let desk = Desk::at("2026-03-01T08:00:00Z");
    let jobs: Vec<_> = (0..1000)
        .map(|n| json!({ "jobId": format!("j{n}"), "expr": "0 9 * * *", "text": "x", "deliver": "none" }))
        .collect();
    let state = json!({ "sessions": { "s": { "cronJobs": jobs } } });
    std::fs::write(desk.dir.path().join("state.json"), state.to_string()).unwrap();
    let automation = desk.start().await;
    let one_more = refused(&automation, json!({ "expr": "0 9 * * *", "text": "x" })).await;
    assert_eq!(one_more, "this session has 1000 jobs already; remove one first");
    desk.look(&automation).await;
    desk.set("2026-03-01T09:00:00Z");
    assert_eq!(desk.look(&automation).await, Some(ms("2026-03-02T09:00:00Z")));
    assert_eq!(desk.begun().len(), 1000);
}
