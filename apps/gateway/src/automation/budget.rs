//! What a session may take in a day for what nobody asked for. When it is used up that pauses, and one message says so.

use argus_chat_markup::Part;
use argus_protocol::SessionId;
use argus_schedule::{Day, Tz};
use argus_session::ChatRef;

use super::Automation;
use super::time::{at, ms};
use crate::config::Budget;
use crate::store::ledger::{Allowance, Body, Language, LedgerError, NewRow, TextBody, Unasked};

impl Automation {
    /// Whether a session may begin another turn unasked today. The first time in a day that it may not, that chat is told.
    pub async fn within_budget(
        &self,
        session: &SessionId,
        now_ms: u64,
        tell: Option<&ChatRef>,
    ) -> Result<bool, LedgerError> {
        let (budget, zone) = (self.0.config.budget, self.0.config.zone);
        let Some(allowance) = self.allowance(now_ms) else { return Ok(true) };
        let used = self.used_today(session, now_ms).await?;
        if allowance.leaves(used) > 0 {
            return Ok(true);
        }
        let day = Day::of(at(now_ms), zone);
        tracing::debug!(session.id = %session, ?used, "what may be done unasked today is used up");
        let dedupe_key = format!("budget:{session}:{}", day.date);
        if let Some(chat) = tell.cloned()
            && !self.0.ledger.was_put_out(&dedupe_key).await?
        {
            let write = self.0.ledger.write(move |tx| {
                Box::pin(async move {
                    let language = tx.language_in(&chat).await?;
                    let part = notice(language, budget, used, zone);
                    let body = Body::Text(TextBody::of(part.html, part.plain));
                    tx.put_out(NewRow { dedupe_key, chat, body }).await
                })
            });
            write.await?;
        }
        Ok(false)
    }

    /// What a session did unasked since midnight of the zone.
    pub(super) async fn used_today(&self, session: &SessionId, now_ms: u64) -> Result<Unasked, LedgerError> {
        let day = Day::of(at(now_ms), self.0.config.zone);
        self.0.ledger.unasked_between(session, ms(day.begins), ms(day.ends)).await
    }

    /// What a session may do unasked in the day of that time; `None` where nothing limits it.
    pub(super) fn allowance(&self, now_ms: u64) -> Option<Allowance> {
        let Budget { turns, tokens } = self.0.config.budget;
        let day = Day::of(at(now_ms), self.0.config.zone);
        let (from_ms, until_ms) = (ms(day.begins), ms(day.ends));
        (turns > 0 || tokens > 0).then_some(Allowance { from_ms, until_ms, turns, tokens })
    }
}

fn notice(language: Language, budget: Budget, used: Unasked, zone: Tz) -> Part {
    let of = |used: u64, most: u64| if most == 0 { used.to_string() } else { format!("{used} / {most}") };
    let (turns, tokens) = (of(used.turns, budget.turns), of(used.tokens, budget.tokens));
    let text = match language {
        Language::English => format!(
            "⏸ What I may do unasked today is used up: {turns} turns, {tokens} tokens. Scheduled jobs and heartbeats go on \
             at midnight ({zone}); what you write to me I do as ever. The limits are the settings \
             ARGUS_AUTOMATION_TURNS_PER_DAY and ARGUS_AUTOMATION_TOKENS_PER_DAY."
        ),
        Language::Chinese => format!(
            "⏸ 今天的自动任务额度已用完：{turns} 个回合，{tokens} 个词元。定时任务和心跳将在午夜（{zone}）恢复；\
             你发来的消息照常处理。额度由设置项 ARGUS_AUTOMATION_TURNS_PER_DAY 和 \
             ARGUS_AUTOMATION_TOKENS_PER_DAY 决定。"
        ),
    };
    // Nothing in it is mark-up: numbers, and the name of a zone.
    Part { html: text.clone(), plain: text }
}

#[cfg(test)]
mod tests {
    use argus_session::{Beat, Origin, Outcome, Settlement, Submission, Target, Usage};

    use super::super::stage::{Stage, chat, stage};
    use super::*;
    use crate::store::ledger::{NewSubmission, Row};

    /// 2026-06-30 12:00 in Berlin.
    const NOON: u64 = 1_782_813_600_000;

    async fn ran(stage: &Stage, n: u8, turn: bool, usage: Option<Usage>) {
        let submission = Submission {
            id: format!("{n:032x}").parse().unwrap(),
            session: "s1".parse().unwrap(),
            target: Target::Main,
            thread: None,
            origin: Origin::Heartbeat { why: Beat::Due, chat: None },
            text: String::new(),
            attachments: Vec::new(),
        };
        let settlement = Settlement {
            submissions: vec![submission.id.clone()],
            origin: submission.origin.clone(),
            thread: None,
            turn: turn.then(|| format!("turn{n}").parse().unwrap()),
            outcome: Outcome::Completed { text: "HEARTBEAT_OK".into() },
            usage,
        };
        stage.ledger.submit(NewSubmission { submission, idempotency_key: None }).await.unwrap();
        stage.ledger.settle(&settlement).await.unwrap();
    }

    async fn told(stage: &Stage) -> Vec<(String, String)> {
        let rows = stage.ledger.waiting_rows("telegram", "1", 9).await.unwrap();
        let plain = |row: Row| {
            let Body::Text(body) = row.body else { panic!("a text") };
            (row.chat.chat.as_str().to_owned(), body.plain)
        };
        rows.into_iter().map(plain).collect()
    }

    #[tokio::test]
    async fn what_is_used_up_pauses_until_midnight_and_one_message_a_day_says_so() {
        let stage = stage(|config| {
            (config.budget, config.zone) = (Budget { turns: 2, tokens: 0 }, Tz::Europe__Berlin);
        })
        .await;
        let (session, chat) = ("s1".parse().unwrap(), chat("7"));
        let within = async |now| stage.automation.within_budget(&session, now, Some(&chat)).await.unwrap();
        stage.at(NOON);
        // One that the agent never took is not counted.
        ran(&stage, 1, true, None).await;
        ran(&stage, 2, false, None).await;
        assert!(within(NOON).await);
        ran(&stage, 3, true, Some(Usage { input: 10, cached: 1, output: 2 })).await;
        assert!(!within(NOON).await && !within(NOON + 1).await);
        let text = "⏸ What I may do unasked today is used up: 2 / 2 turns, 12 tokens. Scheduled jobs and heartbeats go on \
                    at midnight (Europe/Berlin); what you write to me I do as ever. The limits are the settings \
                    ARGUS_AUTOMATION_TURNS_PER_DAY and ARGUS_AUTOMATION_TOKENS_PER_DAY.";
        assert_eq!(told(&stage).await, [("7".to_owned(), text.to_owned())]);
        let midnight = NOON + 12 * 3_600_000;
        assert!(!within(midnight - 1).await && within(midnight).await);
    }

    #[tokio::test]
    async fn tokens_are_limited_too_and_zero_is_no_limit() {
        let stage = stage(|config| config.budget = Budget { turns: 0, tokens: 12 }).await;
        let session = "s1".parse().unwrap();
        stage.at(NOON);
        ran(&stage, 1, true, Some(Usage { input: 10, cached: 9, output: 1 })).await;
        assert!(stage.automation.within_budget(&session, NOON, None).await.unwrap());
        ran(&stage, 2, true, Some(Usage { input: 1, cached: 0, output: 0 })).await;
        assert!(!stage.automation.within_budget(&session, NOON, None).await.unwrap());
        assert!(stage.automation.within_budget(&"s2".parse().unwrap(), NOON, None).await.unwrap());
    }

    #[tokio::test]
    async fn what_ended_in_days_to_come_was_before_the_clock_was_set_back_and_is_not_counted() {
        let stage = stage(|config| config.budget = Budget { turns: 1, tokens: 0 }).await;
        stage.at(NOON + 365 * 24 * 3_600_000);
        ran(&stage, 1, true, None).await;
        stage.at(NOON);
        assert!(stage.automation.within_budget(&"s1".parse().unwrap(), NOON, None).await.unwrap());
    }

    #[test]
    fn the_notice_is_in_the_language_of_its_chat() {
        let part = notice(
            Language::Chinese,
            Budget { turns: 3, tokens: 100 },
            Unasked { turns: 3, tokens: 50 },
            Tz::UTC,
        );
        assert!(
            part.plain.starts_with("⏸ 今天的自动任务额度已用完：3 / 3 个回合，50 / 100 个词元。"),
            "{}",
            part.plain
        );
    }
}
