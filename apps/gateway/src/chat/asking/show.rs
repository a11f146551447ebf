//! A question as a message: what is asked, bounded, with its buttons.

use argus_chat_markup::Part;

use super::asked::{Asked, Change, Decide, What};
use super::bounds::{SHORT, fenced, middle_out, short, short_to, visible};
use super::form::{Draft, Form, Step};
use crate::chat::texts::{asking as texts, escaped, forms};
use crate::store::ledger::{Button, Language};

/// Characters of what it is about that are tried to be shown, the most first: one message has to hold it.
const BUDGETS: [usize; 5] = [2400, 1200, 500, 120, 40];
/// The most of what it is about that is sent as a file, in bytes.
const LONGEST_FILE: usize = 1 << 20;
/// UTF-16 units of the message where even the shortest is too long for one.
const FIRST_UNITS: usize = 3300;
/// And of what stands at its end then.
const LAST_UNITS: usize = 700;
/// Files that are named.
const MOST_FILES: usize = 20;
/// Characters that a button shows.
const LABEL: usize = 40;

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::chat) struct Shown {
    pub(in crate::chat) part: Part,
    pub(in crate::chat) buttons: Vec<Vec<Button>>,
    /// What it is about, where the message holds only a part of that.
    pub(in crate::chat) whole: Option<Whole>,
}

/// What a question is about, as a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::chat) struct Whole {
    pub(in crate::chat) name: &'static str,
    pub(in crate::chat) text: String,
}

/// The message of a question. `end` is what came of it; without, there are buttons.
pub(in crate::chat) fn message(
    asked: &Asked,
    id: &str,
    draft: &Draft,
    language: Language,
    end: Option<&str>,
) -> Shown {
    match asked {
        Asked::Decide(decide) => {
            let (part, cut) = fitting(language, end, |budget| {
                let (text, cut) = decision(decide, language, budget);
                let note = if cut && end.is_none() { texts::in_the_file(language) } else { String::new() };
                (format!("{text}\n\n{note}"), cut)
            });
            let buttons = if end.is_some() { Vec::new() } else { of_decide(decide, id, language) };
            Shown { part, buttons, whole: if cut { whole(&decide.what, language) } else { None } }
        }
        Asked::Fill(form) => {
            let text = |budget| (filling(form, draft, language, budget, end.is_some()), false);
            let buttons = if end.is_some() { Vec::new() } else { of_form(form, draft, id, language) };
            Shown { part: fitting(language, end, text).0, buttons, whole: None }
        }
        Asked::Unaskable(_) => Shown {
            part: fitting(language, end, |_| (String::new(), false)).0,
            buttons: Vec::new(),
            whole: None,
        },
    }
}

/// As much as one message holds, with what came of it at its end, and whether something was left out.
fn fitting(language: Language, end: Option<&str>, text: impl Fn(usize) -> (String, bool)) -> (Part, bool) {
    let closing = end.map(escaped).unwrap_or_default();
    let mut shortest = String::new();
    for budget in BUDGETS {
        let (text, cut) = text(budget);
        let mut parts = argus_chat_markup::telegram(&format!("{text}\n\n{closing}"));
        if parts.len() == 1 {
            return (parts.swap_remove(0), cut);
        }
        shortest = text;
    }
    let first = |text: &str, units| argus_chat_markup::telegram_with_limit(text, units).into_iter().next();
    let closing = if end.is_some() { closing } else { texts::in_the_file(language) };
    let parts = [first(&shortest, FIRST_UNITS), first(&closing, LAST_UNITS)];
    let (html, plain): (Vec<_>, Vec<_>) =
        parts.into_iter().flatten().map(|Part { html, plain }| (html, plain)).unzip();
    (Part { html: html.join("\n\n"), plain: plain.join("\n\n") }, true)
}

fn decision(decide: &Decide, language: Language, budget: usize) -> (String, bool) {
    let mut lines = vec![texts::title(language, &decide.what)];
    let mut cut = false;
    let limit = SHORT.min(budget);
    let is_whole = |text: &Option<String>| text.as_ref().is_none_or(|text| text.chars().count() <= limit);
    let reason_and_folder = |lines: &mut Vec<String>, reason: &Option<String>, cwd: &Option<String>| {
        let reason = reason.as_deref().map(|text| escaped(&short_to(text, limit)));
        lines.extend(reason.map(|text| texts::reason(language, &text)));
        lines.extend(cwd.as_deref().map(|cwd| texts::folder(language, &short_to(cwd, limit))));
    };
    match &decide.what {
        What::Command { command, cwd, reason, beyond, prefix, .. } => {
            let (text, left_out) = middle_out(command, budget, language);
            cut = left_out || !shown_whole(beyond, limit) || !is_whole(cwd) || !is_whole(prefix);
            lines.push(fenced("", &text));
            reason_and_folder(&mut lines, reason, cwd);
            lines.extend(listed(beyond, limit, language));
            let prefix = prefix.as_deref().map(|prefix| short_to(prefix, limit));
            lines.extend(prefix.map(|prefix| texts::always(language, &prefix)));
        }
        What::Files { changes, root, reason } => {
            let (text, left_out) = files(changes, language, budget);
            cut = left_out || !is_whole(root);
            lines.push(text);
            reason_and_folder(&mut lines, reason, &None);
            lines.extend(root.as_deref().map(|root| texts::root(language, &short_to(root, limit))));
        }
        What::Permissions { beyond, cwd, reason } => {
            cut = !shown_whole(beyond, limit);
            lines.extend(listed(beyond, limit, language));
            reason_and_folder(&mut lines, reason, cwd);
        }
        What::Link { message, url, .. } => {
            lines.push(said(message, language, budget));
            lines.push(fenced("", &short_to(url, 1000)));
        }
    }
    (lines.join("\n\n"), cut)
}

/// Words of others, as they stand.
fn said(text: &str, language: Language, budget: usize) -> String {
    escaped(&visible(&middle_out(text, budget, language).0))
}

fn listed(beyond: &[String], limit: usize, language: Language) -> Option<String> {
    let mut shown: Vec<_> = beyond.iter().take(MOST_FILES).map(|line| short_to(line, limit)).collect();
    if beyond.len() > MOST_FILES {
        shown.push(texts::more(language, beyond.len() - MOST_FILES));
    }
    (!shown.is_empty()).then(|| texts::beyond(language, &shown))
}

/// Whether a list of what is wanted is shown whole.
fn shown_whole(beyond: &[String], limit: usize) -> bool {
    beyond.len() <= MOST_FILES && beyond.iter().all(|line| line.chars().count() <= limit)
}

fn files(changes: &[Change], language: Language, budget: usize) -> (String, bool) {
    if changes.is_empty() {
        return (texts::no_files(language), false);
    }
    let mut lines: Vec<_> = changes
        .iter()
        .take(MOST_FILES)
        .map(|change| {
            let path = short_to(&change.path, SHORT.min(budget)).replace('`', "'");
            format!("- {} `{path}`", texts::kind(language, change.kind))
        })
        .collect();
    if changes.len() > MOST_FILES {
        lines.push(format!("- {}", texts::more(language, changes.len() - MOST_FILES)));
    }
    let diff = diffs(changes);
    let (shown, cut) = middle_out(&diff, budget, language);
    (format!("{}\n\n{}", lines.join("\n"), fenced("diff", &shown)), cut || changes.len() > MOST_FILES)
}

fn diffs(changes: &[Change]) -> String {
    let one = |change: &Change| format!("{}\n{}", change.path, change.diff.trim_end());
    changes.iter().map(one).collect::<Vec<_>>().join("\n\n")
}

fn whole(what: &What, language: Language) -> Option<Whole> {
    let (name, parts) = match what {
        What::Command { command, cwd, beyond, prefix, .. } => {
            let cwd = cwd.as_deref().map(|cwd| texts::folder(language, cwd));
            let beyond = (!beyond.is_empty()).then(|| texts::beyond(language, beyond));
            let prefix = prefix.as_deref().map(|prefix| texts::always(language, prefix));
            ("command.txt", vec![Some(command.clone()), cwd, beyond, prefix])
        }
        What::Files { changes, root, .. } => {
            let root = root.as_deref().map(|root| texts::root(language, root));
            ("changes.diff", vec![Some(diffs(changes)), root])
        }
        What::Permissions { beyond, .. } => ("permissions.txt", vec![Some(beyond.join("\n"))]),
        What::Link { .. } => return None,
    };
    let mut text = visible(&parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n"));
    if text.len() > LONGEST_FILE {
        text.truncate(text.floor_char_boundary(LONGEST_FILE));
        text.push_str("\n[…]\n");
    }
    Some(Whole { name, text })
}

fn filling(form: &Form, draft: &Draft, language: Language, budget: usize, over: bool) -> String {
    let mut lines = vec![texts::asks(language, form.server.as_deref())];
    lines.push(said(&form.message, language, budget));
    for (field, answer) in form.fields.iter().zip(&draft.answers) {
        let told = match answer {
            None => forms::skipped(language),
            Some(_) if field.secret => forms::hidden(language),
            Some(value) => short(&words(value, language)),
        };
        let name = if field.title.is_empty() { &field.question } else { &field.title };
        let (name, told) = (short_to(name, budget.min(60)), short_to(&told, budget.min(100)));
        lines.push(format!("{}: {}", escaped(&name), escaped(&told)));
    }
    if let Some(field) = form.present(draft).filter(|_| !over) {
        if form.fields.len() > 1 {
            lines.push(forms::place(language, draft.answers.len() + 1, form.fields.len()));
        }
        if !field.title.is_empty() {
            lines.push(format!("**{}**", escaped(&short_to(&field.title, 100))));
        }
        lines.push(said(&field.question, language, budget));
        let explained = field.options.iter().filter(|option| !option.more.is_empty());
        let explained = explained.map(|o| {
            let (label, more) = (short_to(&o.label, budget.min(60)), short_to(&o.more, budget.min(120)));
            format!("- {}: {}", escaped(&label), escaped(&more))
        });
        lines.push(explained.take(MOST_FILES).collect::<Vec<_>>().join("\n"));
        if field.free.is_some() {
            lines.push(forms::write_it(language, !field.options.is_empty()));
        }
        if field.secret {
            lines.push(forms::secret(language));
        }
    }
    lines.retain(|line| !line.trim().is_empty());
    lines.join("\n\n")
}

fn words(value: &serde_json::Value, language: Language) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Bool(yes) => forms::yes(language, *yes),
        serde_json::Value::Array(all) => {
            all.iter().map(|one| words(one, language)).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

fn of_decide(decide: &Decide, id: &str, language: Language) -> Vec<Vec<Button>> {
    let buttons = decide.choices.iter();
    buttons.map(|choice| vec![button(&texts::button(language, &choice.verdict), id, &choice.word)]).collect()
}

fn of_form(form: &Form, draft: &Draft, id: &str, language: Language) -> Vec<Vec<Button>> {
    let mut rows = Vec::new();
    let at = draft.answers.len();
    match form.present(draft) {
        None => rows.push(vec![button(&forms::accept(language), id, &Step::Accept.word())]),
        Some(field) => {
            for (number, option) in field.options.iter().enumerate() {
                let label = option.value.as_bool().map(|yes| forms::yes(language, yes));
                let label = label.unwrap_or_else(|| option.label.clone());
                let mark = match field.many {
                    Some(_) if draft.picked.contains(&number) => "☑ ",
                    Some(_) => "☐ ",
                    None => "",
                };
                rows.push(vec![button(&format!("{mark}{label}"), id, &Step::Option(at, number).word())]);
            }
            let mut last = Vec::new();
            if field.many.is_some() {
                last.push(button(&forms::enough(language), id, &Step::Enough(at).word()));
            }
            if !field.required {
                last.push(button(&forms::skip(language), id, &Step::Skip(at).word()));
            }
            if !last.is_empty() {
                rows.push(last);
            }
        }
    }
    let mut last = vec![button(&forms::decline(language), id, &Step::Decline.word())];
    if form.server.is_some() {
        last.push(button(&forms::cancel(language), id, &Step::Cancel.word()));
    }
    rows.push(last);
    rows
}

fn button(text: &str, id: &str, word: &str) -> Button {
    let text = short_to(text.trim(), LABEL);
    let text = if text.is_empty() { "…".to_owned() } else { text };
    Button { text, data: format!("q:{id}:{word}") }
}
