//! The files a new workspace begins with.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

/// Each file's name, and the template it is made from.
const FILES: [(&str, &str); 4] = [
    ("AGENTS.md", include_str!("../../../docs/templates/AGENTS.default.md")),
    ("SOUL.md", include_str!("../../../docs/templates/SOUL.md")),
    ("USER.md", include_str!("../../../docs/templates/USER.md")),
    (HEARTBEAT, include_str!("../../../docs/templates/HEARTBEAT.md")),
];

const HEARTBEAT: &str = "HEARTBEAT.md";

/// Makes the folder and the files that are missing in it. A failure is logged: an agent can do without the files, and
/// without the folder it says so itself.
pub(crate) fn prepare(workspace: &Path, home: Option<&Path>) {
    if let Err(error) = std::fs::create_dir_all(workspace) {
        tracing::error!(%error, path = %workspace.display(), "cannot make the workspace");
        return;
    }
    for (name, template) in FILES {
        let older = home.filter(|_| name == HEARTBEAT).and_then(|home| std::fs::read(home.join(name)).ok());
        let text = older.unwrap_or_else(|| without_front_matter(template).into());
        let path = workspace.join(name);
        match write_new(&path, &text) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                tracing::warn!(%error, path = %path.display(), "cannot write a workspace file");
            }
            _ => {}
        }
    }
}

fn write_new(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    // Half a file would stand there for ever: nothing is ever overwritten.
    file.write_all(text).inspect_err(|_| drop(std::fs::remove_file(path)))
}

/// The text after a block between two `---` lines at its start. A block that is not closed is text.
fn without_front_matter(text: &str) -> &str {
    let Some(rest) = text.strip_prefix("---\n") else { return text };
    match rest.split_once("\n---\n") {
        Some((_, body)) => body.trim_start_matches('\n'),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_workspace_has_every_file_without_front_matter() {
        let dir = tempfile::tempdir().unwrap();
        let workspace = dir.path().join("a/b");
        prepare(&workspace, None);
        for (name, _) in FILES {
            let text = std::fs::read_to_string(workspace.join(name)).unwrap();
            assert!(text.starts_with("# "), "{name} begins with {:?}", text.lines().next());
        }
    }

    #[test]
    fn what_is_there_is_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("SOUL.md"), "mine").unwrap();
        prepare(dir.path(), None);
        assert_eq!(std::fs::read_to_string(dir.path().join("SOUL.md")).unwrap(), "mine");
    }

    #[test]
    fn an_older_heartbeat_in_the_home_folder_is_taken_over() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("HEARTBEAT.md"), "- water the plants\n").unwrap();
        let workspace = dir.path().join("workspace");
        prepare(&workspace, Some(dir.path()));
        assert_eq!(std::fs::read_to_string(workspace.join("HEARTBEAT.md")).unwrap(), "- water the plants\n");
    }

    #[test]
    fn front_matter_that_is_not_closed_is_text() {
        assert_eq!(without_front_matter("---\na: b\n---\n\n# T\n"), "# T\n");
        assert_eq!(without_front_matter("---\na: b\n# T\n"), "---\na: b\n# T\n");
        assert_eq!(without_front_matter("# T\n"), "# T\n");
    }
}
