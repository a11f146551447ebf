//! How people are told that something did not end well which nobody asked for.

use argus_session::Origin;

use crate::store::ledger::Language;

/// The line below a turn that somebody stopped; `None` where it is that of any turn.
pub(super) fn stopped(origin: &Origin, language: Language) -> Option<String> {
    let Origin::Cron { job, .. } = origin else { return None };
    Some(match language {
        Language::English => format!("The scheduled job “{job}” was stopped."),
        Language::Chinese => format!("定时任务“{job}”已停止。"),
    })
}

/// The line below a turn that failed; `None` where it is that of any turn. `job` is what people call the job, and a `run` is
/// named where others follow by themselves.
pub(super) fn failed(origin: &Origin, reason: &str, language: Language) -> Option<String> {
    let (job, run) = match (origin, language) {
        (Origin::Cron { job, run, .. }, _) => (job, run),
        (Origin::Heartbeat { .. }, Language::English) => {
            return Some(format!(
                "⚠️ My heartbeat did not finish: {reason}\n(I say so once, and again only after one went well.)"
            ));
        }
        (Origin::Heartbeat { .. }, Language::Chinese) => {
            return Some(format!(
                "⚠️ 心跳未能完成：{reason}\n（只提醒一次，恢复正常后如再失败才会再次提醒。）"
            ));
        }
        (Origin::Chat { .. } | Origin::Client { .. }, _) => return None,
    };
    let follows = run.rsplit_once('@').map(|(id, _)| id);
    Some(match (language, follows) {
        (Language::English, None) => format!("⚠️ The scheduled job “{job}” did not finish: {reason}"),
        (Language::English, Some(id)) => format!(
            "⚠️ The scheduled job “{job}” did not finish: {reason}\nUntil it does, further failures are only in its history: argus cron history {id}"
        ),
        (Language::Chinese, None) => format!("⚠️ 定时任务“{job}”未能完成：{reason}"),
        (Language::Chinese, Some(id)) => format!(
            "⚠️ 定时任务“{job}”未能完成：{reason}\n在它恢复之前，后续失败只记入历史：argus cron history {id}"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(run: &str) -> Origin {
        Origin::Cron { job: "Morning".into(), run: run.into(), chat: None }
    }

    #[test]
    fn a_failed_job_is_named_and_where_others_follow_its_history_is_too() {
        assert_eq!(
            failed(&run(""), "no", Language::English).unwrap(),
            "⚠️ The scheduled job “Morning” did not finish: no"
        );
        assert_eq!(
            failed(&run("j@7"), "no", Language::Chinese).unwrap(),
            "⚠️ 定时任务“Morning”未能完成：no\n在它恢复之前，后续失败只记入历史：argus cron history j"
        );
        assert_eq!(failed(&Origin::Client { chat: None }, "no", Language::English), None);
    }
}
