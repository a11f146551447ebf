//! How files of people are called: in the workspace, and towards the agent.

use argus_protocol::argus::chat::{Attachment, AttachmentKind};
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

/// Longest part of a name that is the person's, in bytes.
const LONGEST: usize = 80;
/// Media types and the endings of names they have.
const ENDINGS: [(&str, &str); 11] = [
    ("image/jpeg", "jpg"),
    ("image/png", "png"),
    ("image/webp", "webp"),
    ("image/gif", "gif"),
    ("audio/ogg", "ogg"),
    ("audio/mpeg", "mp3"),
    ("audio/mp4", "m4a"),
    ("video/mp4", "mp4"),
    ("video/webm", "webm"),
    ("application/pdf", "pdf"),
    ("text/plain", "txt"),
];

/// `<unique>-<name>`: the same for the same file of the channel, and nothing but letters, digits, `.`, `-` and `_`.
pub(super) fn file_name(attachment: &Attachment) -> String {
    let unique = HEXLOWER.encode(&Sha256::digest(&attachment.source)[..5]);
    format!("{unique}-{}", safe_name(attachment))
}

fn safe_name(attachment: &Attachment) -> String {
    let Some(name) = attachment.name.as_deref().filter(|name| name.chars().any(char::is_alphanumeric)) else {
        let ending = attachment.mime.as_deref().and_then(ending).unwrap_or(match attachment.kind {
            AttachmentKind::Photo => "jpg",
            AttachmentKind::Voice => "ogg",
            AttachmentKind::Audio => "mp3",
            AttachmentKind::Video => "mp4",
            AttachmentKind::Document => "bin",
        });
        return format!("{}.{ending}", kind(attachment.kind));
    };
    let fit = |c: char| if c.is_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' };
    let name: String = name.chars().map(fit).collect();
    let name = name.trim_matches('.');
    if name.len() <= LONGEST {
        return name.to_owned();
    }
    // The ending tells what it is: it is kept.
    let ending =
        name.rfind('.').map(|at| &name[at..]).filter(|ending| ending.len() <= 12).unwrap_or_default();
    let end = name.floor_char_boundary(LONGEST - ending.len());
    format!("{}{ending}", &name[..end])
}

fn ending(mime: &str) -> Option<&'static str> {
    ENDINGS.iter().find(|(known, _)| *known == mime).map(|(_, ending)| *ending)
}

fn kind(kind: AttachmentKind) -> &'static str {
    match kind {
        AttachmentKind::Photo => "photo",
        AttachmentKind::Voice => "voice",
        AttachmentKind::Audio => "audio",
        AttachmentKind::Video => "video",
        AttachmentKind::Document => "file",
    }
}

/// What came, in words: `photo`, `file "a.pdf"`.
pub(super) fn what(attachment: &Attachment) -> String {
    let kind = if attachment.kind == AttachmentKind::Voice { "voice message" } else { kind(attachment.kind) };
    match &attachment.name {
        Some(name) => format!("{kind} \"{}\"", one_line(name)),
        None => kind.to_owned(),
    }
}

/// Without line ends, and of bounded length.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect()
}

/// Whether it says of itself that it is a picture.
pub(super) fn may_be_image(attachment: &Attachment) -> bool {
    let mime = attachment.mime.as_deref().unwrap_or_default();
    match attachment.kind {
        AttachmentKind::Photo => true,
        AttachmentKind::Document => matches!(mime, "image/jpeg" | "image/png" | "image/webp" | "image/gif"),
        AttachmentKind::Voice | AttachmentKind::Audio | AttachmentKind::Video => false,
    }
}

/// The day of a moment, as `2026-11-25`; UTC.
pub(super) fn date(unix_ms: u64) -> String {
    // Counted in eras of 400 years that begin with March, so that a leap day is the last of its year.
    let days = unix_ms / 86_400_000 + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    format!("{:04}-{month:02}-{day:02}", era * 400 + year + u64::from(month <= 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(kind: AttachmentKind, name: Option<&str>, mime: Option<&str>) -> Attachment {
        let (name, mime) = (name.map(str::to_owned), mime.map(str::to_owned));
        Attachment { kind, source: "f".into(), name, mime, size: None }
    }

    #[test]
    fn a_name_is_safe_and_keeps_its_ending() {
        let long = format!("{}.tar", "好".repeat(60));
        for (name, mime, safe) in [
            (Some("a b.pdf"), None, "a_b.pdf"),
            (Some("../../etc/passwd"), None, "_.._etc_passwd"),
            (Some(".bashrc"), None, "bashrc"),
            (Some("报告.docx"), None, "报告.docx"),
            (Some("..."), Some("application/pdf"), "file.pdf"),
            (None, Some("of/tomorrow"), "file.bin"),
            (None, Some("image/png"), "file.png"),
        ] {
            assert_eq!(safe_name(&file(AttachmentKind::Document, name, mime)), safe, "{name:?}");
        }
        let safe = safe_name(&file(AttachmentKind::Document, Some(&long), None));
        assert!(
            safe.len() <= LONGEST && safe.rsplit_once('.').is_some_and(|(_, ending)| ending == "tar"),
            "{safe}"
        );
        assert_eq!(safe_name(&file(AttachmentKind::Photo, None, None)), "photo.jpg");
        let named = file_name(&file(AttachmentKind::Voice, None, Some("audio/ogg")));
        assert!(named.len() == "0123456789-voice.ogg".len() && named.ends_with("-voice.ogg"), "{named}");
    }

    #[test]
    fn a_day_is_told_as_people_write_it() {
        for (ms, day) in [
            (0, "1970-01-01"),
            (951_782_400_000, "2000-02-29"),
            (951_868_800_000, "2000-03-01"),
            (1_764_028_800_000, "2025-11-25"),
            (4_107_542_400_000, "2100-03-01"),
        ] {
            assert_eq!(date(ms), day);
        }
    }
}
