//! `docs/ARCHITECTURE.md` names what is there: files, functions, modules, and who may know whom.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const MAP: &str = include_str!("../../../docs/ARCHITECTURE.md");

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every Rust file below a folder of the repository, by its path there.
fn sources(folder: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the repository").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let name = path.strip_prefix(root()).expect("it is below the root").display().to_string();
                found.insert(name, fs::read_to_string(path).expect("a source is text"));
            }
        }
    }
    found
}

/// What stands between single backticks, code blocks left out.
fn quoted(text: &str) -> BTreeSet<&str> {
    let prose = text.split("```").step_by(2);
    prose.flat_map(|part| part.split('`').skip(1).step_by(2)).collect()
}

/// The part of the map below a heading.
fn section(heading: &str) -> &'static str {
    let (_, section) = MAP.split_once(&format!("\n## {heading}\n")).expect("the section is there");
    section.split("\n## ").next().unwrap_or_default()
}

fn folders(of: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(root().join(of)).expect("a folder of the repository").flatten();
    let folders = entries.filter(|entry| entry.path().join("Cargo.toml").is_file());
    folders.map(|entry| format!("{of}/{}", entry.file_name().to_string_lossy())).collect()
}

#[test]
fn every_file_on_the_map_is_there() {
    let names: BTreeSet<String> =
        ["apps", "crates", "xtask"].into_iter().flat_map(sources).map(|(name, _)| name).collect();
    let is_source = |text: &str| Path::new(text).extension().is_some_and(|ending| ending == "rs");
    let is_path = |text: &str| is_source(text) || text.starts_with("apps/") || text.starts_with("crates/");
    let is_there = |text: &str| {
        root().join(text).exists() || names.iter().any(|name| name.ends_with(&format!("/{text}")))
    };
    let missing: Vec<_> = quoted(MAP).into_iter().filter(|text| is_path(text) && !is_there(text)).collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[test]
fn every_function_on_the_map_is_there() {
    let code: String = ["apps", "crates"].into_iter().flat_map(sources).map(|(_, text)| text).collect();
    let named = quoted(MAP).into_iter().filter_map(|text| text.strip_suffix("()"));
    let missing: Vec<_> = named
        .filter(|name| {
            let name = name.rsplit("::").next().unwrap_or(name);
            !["(", "<"].iter().any(|next| code.contains(&format!("fn {name}{next}")))
        })
        .collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[test]
fn every_crate_and_program_is_on_the_map() {
    let named = quoted(section("The map"));
    let missing: Vec<_> = ["crates", "apps"]
        .into_iter()
        .flat_map(folders)
        .filter(|folder| !named.contains(folder.as_str()))
        .collect();
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn every_file_of_the_session_core_is_on_the_map() {
    let named = quoted(section("The map"));
    let files = sources("crates/session/src");
    let files = files.keys().map(|path| path.rsplit('/').next().unwrap_or(path));
    let missing: Vec<_> = files.filter(|name| *name != "lib.rs" && !named.contains(name)).collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[test]
fn in_the_gateway_a_module_knows_those_in_rows_below_its_own() {
    let mut rows = BTreeMap::new();
    for line in section("Who may know whom").lines().filter(|line| line.starts_with("| ")) {
        let row = line.split('|').nth(1).and_then(|cell| cell.trim().parse::<u32>().ok());
        rows.extend(
            row.into_iter().flat_map(|row| quoted(line).into_iter().map(move |module| (module, row))),
        );
    }
    let mut wrong = Vec::new();
    for (path, text) in sources("apps/gateway/src") {
        let inside = path.trim_start_matches("apps/gateway/src/");
        let module = inside.split(['/', '.']).next().unwrap_or_default();
        if ["lib", "main"].contains(&module) || inside.contains("tests") {
            continue;
        }
        let Some(own) = rows.get(module) else {
            wrong.push(format!("`{module}` has no row"));
            continue;
        };
        for other in text.split("crate::").skip(1) {
            let other = other.split(|c: char| !c.is_ascii_lowercase() && c != '_').next().unwrap_or_default();
            if other != module && rows.get(other).is_none_or(|row| row <= own) {
                wrong.push(format!("{path} knows `{other}`"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_link_between_the_documents_leads_somewhere() {
    let documents = [
        "README.md",
        "REMOTE_CLIENT_GUIDE.md",
        "CHANGELOG.md",
        "docs/OPERATIONS.md",
        "docs/SECURITY.md",
        "docs/NODES.md",
        "docs/MCP.md",
    ];
    let mut lost = Vec::new();
    for document in documents.into_iter().chain(["docs/ARCHITECTURE.md"]) {
        let path = root().join(document);
        let text = fs::read_to_string(&path).expect("a document of the repository");
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.starts_with("http")) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { path.clone() } else { path.with_file_name("").join(file) };
            let anchors = fs::read_to_string(&target).unwrap_or_default();
            let anchors =
                anchors.lines().filter(|line| line.starts_with('#')).map(anchor).collect::<Vec<_>>();
            if !target.exists() || !(heading.is_empty() || anchors.iter().any(|anchor| anchor == heading)) {
                lost.push(format!("{document}: {link}"));
            }
        }
    }
    assert_eq!(lost, Vec::<String>::new());
}

/// What a heading is called in links.
fn anchor(heading: &str) -> String {
    let words = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = words.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}
