//! Files as the messages that carry them: where each is, as what it goes, and which go together. Pure.

use std::path::{Component, Path, PathBuf};

use argus_protocol::argus::message::{SendFile, SendKind};

use crate::workspace::Workspace;

/// Files of one call.
pub(super) const MOST_FILES: usize = 10;
/// The largest picture and the largest other file, in bytes: Telegram takes no larger ones from bots.
const LARGEST_PHOTO: u64 = 10 << 20;
const LARGEST: u64 = 50 << 20;

/// As what a file goes: as it was said, else by the ending of its name. What is too large for a picture goes as a file then.
pub(super) fn kind_of(file: &SendFile, bytes: u64) -> SendKind {
    let ending = Path::new(&file.path).extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let guessed = match ending.to_ascii_lowercase().as_str() {
        "jpg" | "jpeg" | "png" | "webp" if bytes <= LARGEST_PHOTO => SendKind::Photo,
        "mp4" | "mov" | "m4v" => SendKind::Video,
        "mp3" | "m4a" => SendKind::Audio,
        "ogg" | "oga" | "opus" => SendKind::Voice,
        _ => SendKind::Document,
    };
    file.kind.unwrap_or(guessed)
}

/// The most bytes that a file of that kind may have.
pub(super) fn limit_of(kind: SendKind) -> u64 {
    if kind == SendKind::Photo { LARGEST_PHOTO } else { LARGEST }
}

/// What is wrong with a file of so many bytes, if anything.
pub(super) fn fault(kind: SendKind, bytes: u64) -> Option<String> {
    let limit = limit_of(kind);
    if bytes == 0 {
        return Some("it is empty".to_owned());
    }
    (bytes > limit).then(|| {
        let what = if kind == SendKind::Photo { "a photo" } else { "a file" };
        let instead = if kind == SendKind::Photo { "; send it as a document" } else { "" };
        format!("it has {} MB, and {what} may have {} at most{instead}", bytes.div_ceil(1 << 20), limit >> 20)
    })
}

/// Which files go in one message: pictures and films together, documents together, music together, each voice message
/// alone; by their places, in the order in which the first of each was named.
pub(super) fn groups(kinds: &[SendKind]) -> Vec<Vec<usize>> {
    let mut groups: Vec<(Option<u8>, Vec<usize>)> = Vec::new();
    for (place, kind) in kinds.iter().enumerate() {
        let class = match kind {
            SendKind::Photo | SendKind::Video => Some(0),
            SendKind::Document => Some(1),
            SendKind::Audio => Some(2),
            SendKind::Voice => None,
        };
        match groups.iter_mut().find(|(other, _)| class.is_some() && *other == class) {
            Some((_, places)) => places.push(place),
            None => groups.push((class, vec![place])),
        }
    }
    groups.into_iter().map(|(_, places)| places).collect()
}

/// The path below the workspace.
pub(super) fn within(workspace: &Workspace, seen_at: Option<&Path>, path: &Path) -> Result<PathBuf, String> {
    let relative = if path.is_absolute() {
        let folder = workspace.place();
        let below = seen_at.and_then(|seen_at| path.strip_prefix(seen_at).ok());
        below.or_else(|| path.strip_prefix(&folder).ok()).ok_or_else(|| {
            let shown =
                seen_at.map_or_else(|| folder.display().to_string(), |seen_at| seen_at.display().to_string());
            format!("it is outside of the workspace {shown}; copy it there first")
        })?
    } else {
        path
    };
    let mut clean = PathBuf::new();
    for step in relative.components() {
        match step {
            Component::Normal(name) => clean.push(name),
            Component::CurDir => {}
            _ => return Err("it leads out of the workspace".to_owned()),
        }
    }
    Ok(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, kind: Option<SendKind>) -> SendFile {
        SendFile { path: path.into(), kind, caption: None }
    }

    #[test]
    fn a_file_goes_as_it_was_said_or_as_its_name_ends() {
        for (path, kind) in [
            ("a.PNG", SendKind::Photo),
            ("a.b/c.jpeg", SendKind::Photo),
            ("film.mp4", SendKind::Video),
            ("song.mp3", SendKind::Audio),
            ("said.ogg", SendKind::Voice),
            ("notes.md", SendKind::Document),
            ("Makefile", SendKind::Document),
            ("drawing.svg", SendKind::Document),
        ] {
            assert_eq!(kind_of(&file(path, None), 9), kind, "{path}");
        }
        assert_eq!(kind_of(&file("a.png", None), LARGEST_PHOTO + 1), SendKind::Document);
        assert_eq!(kind_of(&file("a.png", Some(SendKind::Photo)), LARGEST_PHOTO + 1), SendKind::Photo);
    }

    #[test]
    fn what_is_too_large_is_told_with_the_limit() {
        assert_eq!(fault(SendKind::Photo, LARGEST_PHOTO), None);
        assert_eq!(
            fault(SendKind::Photo, LARGEST_PHOTO + 1).as_deref(),
            Some("it has 11 MB, and a photo may have 10 at most; send it as a document")
        );
        assert_eq!(
            fault(SendKind::Video, LARGEST + 1).as_deref(),
            Some("it has 51 MB, and a file may have 50 at most")
        );
        assert_eq!(fault(SendKind::Voice, 0).as_deref(), Some("it is empty"));
    }

    #[test]
    fn what_goes_together_is_one_message() {
        use SendKind::{Audio, Document, Photo, Video, Voice};
        assert_eq!(groups(&[]), Vec::<Vec<usize>>::new());
        assert_eq!(
            groups(&[Photo, Document, Video, Voice, Document, Voice, Audio]),
            [vec![0, 2], vec![1, 4], vec![3], vec![5], vec![6]]
        );
    }
}
