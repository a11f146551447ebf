//! What a workspace gives and takes, and what it refuses.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;

struct Home(tempfile::TempDir);

impl Home {
    /// `gateway/token` beside `workspace/AGENTS.md`.
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        for folder in ["gateway", "workspace"] {
            fs::create_dir(home.path().join(folder)).unwrap();
        }
        fs::write(home.path().join("gateway/token"), "secret").unwrap();
        fs::write(home.path().join("gateway/AGENTS.md"), "secret").unwrap();
        fs::write(home.path().join("workspace/AGENTS.md"), "0123456789").unwrap();
        Self(home)
    }

    fn walled(&self) -> Workspace {
        Workspace::walled(self.0.path(), &self.0.path().join("workspace"))
    }
}

#[test]
fn the_beginning_of_a_file_is_read_with_the_length_of_the_whole() {
    let home = Home::new();
    let head = Head { bytes: b"0123".to_vec(), length: 10 };
    assert_eq!(home.walled().head("AGENTS.md", 4).unwrap(), head);
    assert_eq!(Workspace::Open(home.0.path().join("workspace")).head("AGENTS.md", 4).unwrap(), head);
    let missing = home.walled().head("SOUL.md", 4).unwrap_err();
    assert_eq!(missing.kind(), io::ErrorKind::NotFound);
}

#[test]
fn a_link_in_the_place_of_a_file_is_not_followed() {
    let home = Home::new();
    for target in ["../gateway/token", "/etc/hostname", "AGENTS.md"] {
        let link = home.0.path().join("workspace/SOUL.md");
        symlink(target, &link).unwrap();
        assert!(home.walled().head("SOUL.md", 99).is_err(), "{target}");
        fs::remove_file(link).unwrap();
    }
}

#[test]
fn a_link_in_the_place_of_the_workspace_is_not_followed() {
    let home = Home::new();
    let workspace = home.0.path().join("workspace");
    fs::remove_dir_all(&workspace).unwrap();
    symlink("gateway", &workspace).unwrap();
    assert!(home.walled().head("AGENTS.md", 99).is_err());
}

#[test]
fn a_folder_and_a_pipe_are_no_files() {
    let home = Home::new();
    let workspace = home.0.path().join("workspace");
    fs::create_dir(workspace.join("SOUL.md")).unwrap();
    let pipe = workspace.join("USER.md");
    rustix::fs::mkfifoat(CWD, &pipe, Mode::RUSR).unwrap();
    for workspace in [home.walled(), Workspace::Open(workspace)] {
        assert_eq!(workspace.head("SOUL.md", 9).unwrap_err().to_string(), "it is no file");
        assert_eq!(workspace.head("USER.md", 9).unwrap_err().to_string(), "it is no file");
    }
}

#[test]
fn a_file_is_put_into_folders_that_are_made_and_one_that_is_there_stays() {
    let home = Home::new();
    for workspace in [home.walled(), Workspace::Open(home.0.path().join("workspace"))] {
        let folders = ["inbox", "2026-11-25"];
        workspace.put(&folders, "a.txt", &mut &b"one"[..]).unwrap();
        workspace.put(&folders, "a.txt", &mut &b"another"[..]).unwrap();
        let folder = home.0.path().join("workspace/inbox/2026-11-25");
        assert_eq!(fs::read(folder.join("a.txt")).unwrap(), b"one");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing unfinished is left");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder.join("a.txt")), 0o644);
        assert_eq!(workspace.length_of(&folders, "a.txt"), Some(3));
        assert_eq!(workspace.length_of(&folders, "b.txt"), None);
        fs::remove_dir_all(home.0.path().join("workspace/inbox")).unwrap();
    }
}

#[test]
fn a_link_in_the_place_of_a_folder_or_of_the_file_takes_nothing_out_of_the_workspace() {
    let home = Home::new();
    let (inside, outside) = (home.0.path().join("workspace"), home.0.path().join("gateway"));
    for workspace in [home.walled(), Workspace::Open(inside.clone())] {
        symlink("../gateway", inside.join("inbox")).unwrap();
        assert!(workspace.put(&["inbox"], "a.txt", &mut &b"one"[..]).is_err());
        assert_eq!(workspace.length_of(&["inbox"], "token"), None);
        fs::remove_file(inside.join("inbox")).unwrap();
        fs::create_dir(inside.join("inbox")).unwrap();
        symlink("../../gateway/token", inside.join("inbox/token")).unwrap();
        symlink("../../gateway/made", inside.join("inbox/.token.part")).unwrap();
        workspace.put(&["inbox"], "token", &mut &b"one"[..]).unwrap();
        assert_eq!(workspace.length_of(&["inbox"], "token"), None);
        assert_eq!(fs::read(outside.join("token")).unwrap(), b"secret");
        assert!(!outside.join("made").exists() && !outside.join("a.txt").exists());
        for name in ["../a.txt", "a/b", "..", "", "/etc/a"] {
            assert!(workspace.put(&["inbox"], name, &mut &b"one"[..]).is_err(), "{name}");
        }
        fs::remove_dir_all(inside.join("inbox")).unwrap();
    }
}

#[test]
fn a_file_is_opened_within_the_workspace_only() {
    let home = Home::new();
    let folder = home.0.path().join("workspace");
    fs::create_dir(folder.join("out")).unwrap();
    fs::write(folder.join("out/a.txt"), "abc").unwrap();
    symlink("../gateway", folder.join("link")).unwrap();
    symlink("out/a.txt", folder.join("also")).unwrap();
    for workspace in [home.walled(), Workspace::Open(folder.clone())] {
        let (mut file, length) = workspace.open(Path::new("out/a.txt")).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!((text.as_str(), length), ("abc", 3));
        for path in ["../gateway/token", "link/token", "also", "out", "", "out/../out/a.txt", "/etc/hostname"]
        {
            assert!(workspace.open(Path::new(path)).is_err(), "{path}");
        }
    }
}
