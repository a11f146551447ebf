//! An outcome as messages: the answer in parts, and a line where it did not end well.

use argus_chat_markup::{Outgoing, Part, utf16_len};
use argus_session::{Origin, Outcome, Settlement};

use super::{quiet, unasked};
use crate::store::ledger::{Body, Button, DocumentBody, Language, NewRow, TextBody};

/// The longest message, in UTF-16 units.
const LONGEST: usize = 4096;
/// The name of the file that holds a long answer.
pub(super) const WHOLE: &str = "answer.md";
/// The longest reason, in characters; what is over goes.
const LONGEST_REASON: usize = 1000;

/// What the chat that asked is told of an outcome, one row for each message. Nothing where no chat asked.
pub fn rows_for(settlement: &Settlement, language: Language) -> Vec<NewRow> {
    rows(settlement, language, None)
}

/// [`rows_for`] where an answer of more than so many UTF-16 units comes as a file.
pub fn answers(long: Option<usize>) -> impl Fn(&Settlement, Language) -> Vec<NewRow> + Send + Sync + 'static {
    move |settlement, language| rows(settlement, language, long)
}

fn rows(settlement: &Settlement, language: Language, long: Option<usize>) -> Vec<NewRow> {
    let (Some(chat), Some(first)) = (settlement.origin.chat(), settlement.submissions.first()) else {
        return Vec::new();
    };
    let Some(outcome) = quiet::of_outcome(&settlement.origin, &settlement.outcome) else { return Vec::new() };
    let told = messages(&settlement.origin, &outcome, language, long);
    let mut bodies = bodies(told);
    if let (Some(Body::Text(body)), Origin::Chat { .. }) = (bodies.first_mut(), &settlement.origin) {
        // It takes the place of what showed the turn while it ran.
        body.live = Some(first.clone());
    }
    if let (Some(Body::Text(body)), Origin::Chat { .. }, Outcome::Failed { .. }) =
        (bodies.last_mut(), &settlement.origin, &settlement.outcome)
    {
        body.buttons = vec![vec![again(language)]];
    }
    let rows = bodies.into_iter().enumerate();
    rows.map(|(number, body)| NewRow { dedupe_key: format!("{first}:{number}"), chat: chat.clone(), body })
        .collect()
}

/// What a chat is sent of an answer, one body for each message.
pub fn answer(markdown: &str, long: Option<usize>, language: Language) -> Vec<Body> {
    bodies(split(markdown, long, language == Language::English))
}

/// Asks for the last thing again, as `/retry` does.
fn again(language: Language) -> Button {
    let text = if language == Language::English { "🔁 Try again" } else { "🔁 重试" };
    Button { text: text.to_owned(), data: "retry".to_owned() }
}

fn bodies(told: Outgoing) -> Vec<Body> {
    let texts = told.parts.into_iter().map(|part| Body::Text(TextBody::of(part.html, part.plain)));
    let file = told
        .whole
        .map(|text| Body::Document(DocumentBody { name: WHOLE.to_owned(), text, ..DocumentBody::default() }));
    texts.chain(file).collect()
}

fn split(markdown: &str, long: Option<usize>, english: bool) -> Outgoing {
    let attached =
        if english { "📎 The whole answer is attached." } else { "📎 完整回答见附件。" };
    argus_chat_markup::outgoing(markdown, long, attached)
}

/// The texts, and the whole as a file where it is long.
fn messages(origin: &Origin, outcome: &Outcome, language: Language, long: Option<usize>) -> Outgoing {
    let english = language == Language::English;
    let (text, closing) = match outcome {
        Outcome::Completed { text } => (text, None),
        Outcome::Interrupted { text } => {
            let words = if english { "Stopped." } else { "已停止。" };
            (text, Some(line(&unasked::stopped(origin, language).unwrap_or_else(|| words.to_owned()))))
        }
        Outcome::Failed { reason, text } => {
            let reason = shortened(reason.trim());
            let words = unasked::failed(origin, &reason, language).unwrap_or_else(|| {
                let words = if english { "⚠️ This did not finish: " } else { "⚠️ 未能完成：" };
                format!("{words}{reason}")
            });
            (text, Some(line(&words)))
        }
    };
    let mut told = split(text, long, english);
    if let Some(closing) = closing {
        told.parts = closed_by(told.parts, closing);
    } else if told.parts.is_empty() && matches!(origin, Origin::Chat { .. }) {
        told.parts.push(line(if english { "(no text)" } else { "（没有文字）" }));
    }
    told
}

/// The parts with a last line: in the last part where it fits, else as a message of its own.
fn closed_by(mut parts: Vec<Part>, line: Part) -> Vec<Part> {
    match parts.last_mut() {
        Some(last) if utf16_len(&last.plain) + 2 + utf16_len(&line.plain) <= LONGEST => {
            last.html = format!("{}\n\n{}", last.html, line.html);
            last.plain = format!("{}\n\n{}", last.plain, line.plain);
        }
        _ => parts.push(line),
    }
    parts
}

/// A text that is no Markdown.
fn line(text: &str) -> Part {
    let html = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    Part { html, plain: text.to_owned() }
}

fn shortened(text: &str) -> String {
    let mut kept: String = text.chars().take(LONGEST_REASON).collect();
    if kept.len() < text.len() {
        kept.push('…');
    }
    kept
}

#[cfg(test)]
mod tests {
    use argus_session::ChatRef;

    use super::*;

    fn chat() -> ChatRef {
        ChatRef { channel: "telegram".into(), bot: "1".into(), chat: "7".parse().unwrap() }
    }

    fn asked() -> Origin {
        Origin::Chat { chat: chat(), user: "7".into(), message: "1".into() }
    }

    fn told_of(origin: Origin, outcome: Outcome, language: Language) -> Vec<(String, String)> {
        let settlement = Settlement {
            submissions: vec![format!("{:032x}", 5).parse().unwrap(), format!("{:032x}", 6).parse().unwrap()],
            origin,
            thread: None,
            turn: None,
            outcome,
            usage: None,
        };
        let rows = rows_for(&settlement, language);
        for (number, row) in rows.iter().enumerate() {
            assert_eq!(row.dedupe_key, format!("{:032x}:{number}", 5));
            assert_eq!(row.chat, chat());
        }
        rows.into_iter()
            .map(|row| {
                let Body::Text(TextBody { html, plain, .. }) = row.body else { panic!("a text") };
                (html, plain)
            })
            .collect()
    }

    #[test]
    fn a_long_answer_is_its_beginning_and_a_file_and_the_first_message_takes_the_live_ones_place() {
        let text = "Some words.\n\n".repeat(2000);
        let settlement = |origin, outcome| Settlement {
            submissions: vec![format!("{:032x}", 5).parse().unwrap()],
            origin,
            thread: None,
            turn: None,
            outcome,
            usage: None,
        };
        let failed = Outcome::Failed { reason: "it broke".to_owned(), text: text.clone() };
        let rows = answers(Some(16384))(&settlement(asked(), failed), Language::Chinese);
        assert_eq!(rows.iter().map(|row| row.dedupe_key.clone()).collect::<Vec<_>>().len(), 2);
        let (Body::Text(first), Body::Document(file)) = (&rows[0].body, &rows[1].body) else {
            panic!("{rows:?}")
        };
        assert!(
            first.plain.ends_with("Some words.\n\n📎 完整回答见附件。\n\n⚠️ 未能完成：it broke"),
            "{first:?}"
        );
        assert_eq!((file.name.as_str(), &file.text, &file.live), ("answer.md", &text, &None));
        assert_eq!(first.live, Some(format!("{:032x}", 5).parse().unwrap()));
        let client = Origin::Client { chat: Some(chat()) };
        let rows = rows_for(&settlement(client, Outcome::Completed { text }), Language::English);
        let live = |row: &NewRow| matches!(&row.body, Body::Text(body) if body.live.is_some());
        assert!(rows.len() > 2 && !rows.iter().any(live));
    }

    fn pair(html: &str, plain: &str) -> (String, String) {
        (html.to_owned(), plain.to_owned())
    }

    #[test]
    fn an_answer_is_rendered_and_split_and_never_cut() {
        let completed = |text: &str| Outcome::Completed { text: text.to_owned() };
        let told = told_of(asked(), completed("**a** & b"), Language::English);
        assert_eq!(told, [pair("<b>a</b> &amp; b", "a & b")]);
        let long = (0..2000).map(|n| n.to_string()).collect::<Vec<_>>().join(" ");
        let told = told_of(asked(), completed(&long), Language::English);
        assert!(told.len() > 1 && told.iter().all(|(_, plain)| utf16_len(plain) <= LONGEST));
        let words: Vec<_> = told.iter().flat_map(|(_, plain)| plain.split_whitespace()).collect();
        assert_eq!(words.join(" "), long);
    }

    #[test]
    fn no_text_is_said_to_those_who_asked_in_a_chat_only() {
        let empty = || Outcome::Completed { text: " \n".to_owned() };
        assert_eq!(told_of(asked(), empty(), Language::English), [pair("(no text)", "(no text)")]);
        assert_eq!(told_of(asked(), empty(), Language::Chinese), [pair("（没有文字）", "（没有文字）")]);
        assert_eq!(told_of(Origin::Client { chat: Some(chat()) }, empty(), Language::English), []);
        let answer = Outcome::Completed { text: "x".to_owned() };
        assert_eq!(told_of(Origin::Client { chat: None }, answer, Language::English), []);
    }

    #[test]
    fn silence_and_alerts_of_what_nobody_asked_for() {
        let beat = || Origin::Heartbeat { why: argus_session::Beat::Due, chat: Some(chat()) };
        let job = || Origin::Cron { job: "j".into(), run: "j@1".into(), chat: Some(chat()) };
        let said = |text: &str| Outcome::Completed { text: text.to_owned() };
        for origin in [beat(), job()] {
            for text in ["HEARTBEAT_OK", " `HEARTBEAT_OK` ", "", "Nothing new. HEARTBEAT_OK"] {
                assert_eq!(told_of(origin.clone(), said(text), Language::English), [], "{text}");
            }
            let told = told_of(origin, said("The **disk** is full."), Language::English);
            assert_eq!(told, [pair("The <b>disk</b> is full.", "The disk is full.")]);
        }
        for origin in [asked(), Origin::Client { chat: Some(chat()) }] {
            let told = told_of(origin, said("HEARTBEAT_OK"), Language::English);
            assert_eq!(told, [pair("HEARTBEAT_OK", "HEARTBEAT_OK")], "to those who ask it may say so");
        }
        let stopped = Outcome::Interrupted { text: "half".to_owned() };
        assert_eq!(told_of(beat(), stopped, Language::English), []);
        let failed = || Outcome::Failed { reason: "no <model>".to_owned(), text: "HEARTBEAT_OK".to_owned() };
        let english = "⚠️ My heartbeat did not finish: no &lt;model&gt;\n(I say so once, and again only after one went well.)";
        assert_eq!(told_of(beat(), failed(), Language::English)[0].0, english);
        let chinese = "⚠️ 心跳未能完成：no <model>\n（只提醒一次，恢复正常后如再失败才会再次提醒。）";
        assert_eq!(told_of(beat(), failed(), Language::Chinese)[0].1, chinese);
    }

    #[test]
    fn what_did_not_finish_can_be_asked_again_by_who_asked_in_a_chat() {
        let failed = || Outcome::Failed { reason: "no".to_owned(), text: "t".repeat(5000) };
        let data = |origin, outcome| -> Vec<Vec<String>> {
            let submissions = vec![format!("{:032x}", 5).parse().unwrap()];
            let settlement =
                Settlement { submissions, origin, thread: None, turn: None, outcome, usage: None };
            let rows = rows_for(&settlement, Language::Chinese).into_iter();
            rows.map(|row| {
                let Body::Text(body) = row.body else { panic!("a text") };
                body.buttons.concat().into_iter().map(|button| button.data).collect()
            })
            .collect()
        };
        assert_eq!(data(asked(), failed()), [vec![], vec!["retry".to_owned()]], "below the last message");
        assert_eq!(data(asked(), Outcome::Interrupted { text: String::new() }), [Vec::<String>::new()]);
        assert_eq!(data(Origin::Client { chat: Some(chat()) }, failed()), [vec![], Vec::<String>::new()]);
    }

    #[test]
    fn what_did_not_finish_says_so_after_what_was_said() {
        let stopped = |text: &str| Outcome::Interrupted { text: text.to_owned() };
        assert_eq!(told_of(asked(), stopped(""), Language::English), [pair("Stopped.", "Stopped.")]);
        assert_eq!(
            told_of(asked(), stopped("*so* far"), Language::Chinese),
            [pair("<i>so</i> far\n\n已停止。", "so far\n\n已停止。")]
        );
        let failed =
            |reason: &str, text: &str| Outcome::Failed { reason: reason.to_owned(), text: text.to_owned() };
        assert_eq!(
            told_of(asked(), failed("the agent exited <1>", "half"), Language::English),
            [pair(
                "half\n\n⚠️ This did not finish: the agent exited &lt;1&gt;",
                "half\n\n⚠️ This did not finish: the agent exited <1>"
            )]
        );
        let told = told_of(asked(), failed(&"r".repeat(5000), &"t".repeat(4000)), Language::Chinese);
        assert_eq!(told.len(), 2);
        assert_eq!(told[1].1, format!("⚠️ 未能完成：{}…", "r".repeat(1000)));
    }
}
