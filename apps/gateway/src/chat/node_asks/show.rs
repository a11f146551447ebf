//! A question of a node as a message.

use argus_chat_markup::Part;

use super::Asked;
use crate::chat::asking::{fenced, middle_out, short};
use crate::chat::texts::{asking as known, escaped, node_asks as texts};
use crate::store::ledger::Language;

/// Characters of what is to be done that are tried to be shown, the most first: one message has to hold it.
const BUDGETS: [usize; 4] = [2000, 1000, 400, 100];

/// The message. `end` is what came of it.
pub(super) fn message(asked: &Asked, language: Language, end: Option<&str>) -> Part {
    let mut shortest = None;
    for budget in BUDGETS {
        let mut parts = argus_chat_markup::telegram(&text(asked, language, budget, end));
        if parts.len() == 1 {
            return parts.swap_remove(0);
        }
        shortest = parts.into_iter().next();
    }
    shortest.unwrap_or_else(|| {
        let plain = texts::title(language, "?");
        Part { html: plain.clone(), plain }
    })
}

fn text(asked: &Asked, language: Language, budget: usize, end: Option<&str>) -> String {
    let mut lines = vec![texts::title(language, &short(&asked.node))];
    lines.push(fenced("", &middle_out(&asked.what, budget, language).0));
    lines.push(texts::command(
        language,
        &short(&asked.command),
        asked.session.as_deref().map(short).as_deref(),
    ));
    lines.extend(asked.cwd.as_deref().map(|cwd| known::folder(language, &short(cwd))));
    lines.extend(end.map(escaped));
    lines.join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(what: &str) -> Asked {
        Asked {
            node: "Ada's Mac".into(),
            command: "system.run".into(),
            what: what.into(),
            cwd: Some("/src".into()),
            session: Some("s1".into()),
        }
    }

    #[test]
    fn a_question_says_what_where_and_for_whom_in_both_languages() {
        let plain = |language, end| message(&asked("rm -rf \u{202e}x"), language, end).plain;
        assert_eq!(
            plain(Language::English, None),
            "May this be done on Ada's Mac?\n\nrm -rf \\u{202e}x\n\nCommand: system.run, asked for by session s1\n\nIn: /src"
        );
        let chinese = plain(Language::Chinese, Some("✅ Ada 已允许"));
        assert!(
            chinese.contains("可以在 Ada's Mac 上执行以下操作吗") && chinese.ends_with("✅ Ada 已允许"),
            "{chinese}"
        );
    }

    #[test]
    fn however_long_it_is_one_message_holds_it() {
        for what in ["`".repeat(2000), "\u{1}".repeat(2000), "<&>".repeat(700)] {
            let part = message(&asked(&what), Language::English, None);
            assert!(
                part.plain.encode_utf16().count() <= 4096 && part.plain.contains("Ada's Mac"),
                "{part:?}"
            );
        }
    }
}
