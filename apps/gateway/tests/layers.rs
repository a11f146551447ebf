//! Who may import whom inside the gateway: the table of `src/lib.rs`, held against every path in the source.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// From the top down. A module may import what stands below its own row; in its own row only what is named in
/// [`NEIGHBOURS`].
const LAYERS: [&[&str]; 6] = [
    &["lib", "main", "program", "app", "health", "ports", "shutdown", "logging"],
    &["edge"],
    &["chat", "automation", "delivery"],
    &["sessions", "devices", "access", "media"],
    &["runtime", "store", "telegram", "workspace"],
    &["config", "clock"],
];

/// Rows below that are too far away: `edge` knows no adapter, it asks who owns one.
const TOO_FAR: [(&str, &[&str]); 1] = [("edge", &["runtime", "store", "telegram", "workspace"])];

/// What a module may import of its own row, beside the topmost row, which introduces everybody to everybody.
const NEIGHBOURS: [(&str, &str); 2] = [("automation", "delivery"), ("devices", "access")];

/// Words that belong to one module alone.
const OWN: [(&str, &[&str]); 4] = [
    ("axum::", &["edge"]),
    ("std::env", &["config"]),
    ("bollard::", &["runtime"]),
    // The Bot API's own types stay with who speaks it.
    ("teloxide_core::", &["telegram"]),
];

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|row| row.contains(&module))
}

fn may_import(from: &str, to: &str) -> bool {
    let (Some(above), Some(below)) = (layer(from), layer(to)) else { return false };
    let too_far = TOO_FAR.iter().any(|(module, all)| *module == from && all.contains(&to));
    from == to || above == 0 || (above < below && !too_far) || NEIGHBOURS.contains(&(from, to))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let all = entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] });
    all.filter(|path| path.extension().is_some_and(|ending| ending == "rs")).collect()
}

/// The top-level modules that follow `crate::` in this source: `crate::a::b` and `crate::{a, b::c}`.
fn imported(source: &str) -> BTreeSet<String> {
    let code =
        source.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut found = BTreeSet::new();
    for (at, path) in code.match_indices("crate::") {
        let inside_a_name = code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$');
        let rest = &code[at + path.len()..];
        if inside_a_name {
            continue;
        }
        let word = |text: &str| -> String {
            text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
        };
        let Some(group) = rest.strip_prefix('{') else {
            found.insert(word(rest));
            continue;
        };
        let (mut depth, mut start) = (0, 0);
        for (place, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth > 0 => depth -= 1,
                ',' | '}' if depth == 0 => {
                    found.insert(word(&group[start..place]));
                    start = place + 1;
                    if c == '}' {
                        break;
                    }
                }
                _ => {}
            }
        }
    }
    found.remove("");
    found
}

#[test]
fn nobody_imports_upward_or_sideways() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for file in sources(&root) {
        let path = file.strip_prefix(&root).unwrap();
        let first = path.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
        let module = first.trim_end_matches(".rs").to_owned();
        let shown = path.display();
        if layer(&module).is_none() {
            wrong.push(format!("{shown}: `{module}` stands in no row of the table"));
        }
        let source = fs::read_to_string(&file).unwrap();
        for target in imported(&source).iter().filter(|target| !may_import(&module, target)) {
            wrong.push(format!("{shown}: `{module}` may not import `{target}`"));
        }
        let code = source.split("#[cfg(test)]").next().unwrap_or_default();
        let depth = path.components().count() - usize::from(path.ends_with("mod.rs"));
        if code.contains(&"super::".repeat(depth)) {
            wrong.push(format!("{shown}: `super` leads out of `{module}`"));
        }
        for (word, owners) in OWN {
            if code.contains(word) && !owners.contains(&module.as_str()) {
                wrong.push(format!("{shown}: `{word}` belongs to {owners:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_scan_sees_paths_in_every_form() {
    let source = "use crate::edge::Edge;\nuse crate::{chat::{a, b}, store};\n// use crate::app;\nlet x = crate::clock::now();\nother_crate::y();";
    let expected = ["chat", "clock", "edge", "store"].map(str::to_owned);
    assert_eq!(imported(source), BTreeSet::from(expected));
}

#[test]
fn the_table_reads_as_the_architecture_says() {
    for (from, to, may) in [
        ("app", "edge", true),
        ("health", "edge", true),
        ("edge", "sessions", true),
        ("edge", "store", false),
        ("edge", "app", false),
        ("chat", "automation", false),
        ("automation", "sessions", true),
        ("sessions", "store", true),
        ("sessions", "automation", false),
        ("runtime", "store", false),
        ("store", "clock", true),
        ("config", "clock", false),
    ] {
        assert_eq!(may_import(from, to), may, "{from} → {to}");
    }
}
