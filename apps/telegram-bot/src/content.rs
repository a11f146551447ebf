//! What a message has in it beside its text: files to hand over, things that can be put in words, and the rest.

use argus_protocol::argus::chat::{Attachment, AttachmentKind};
use serde_json::Value;

use crate::around::{bounded, name_of};

/// Content that nobody can be handed, by the names Telegram gives it. What is in no message's content (somebody joined,
/// a pinned message, a payment …) is a service message.
const UNSUPPORTED: [&str; 6] = ["dice", "game", "story", "paid_media", "checklist", "giveaway"];
/// Files by the names Telegram gives them, with the media type of those that always have it.
const FILES: [(&str, AttachmentKind, Option<&str>); 6] = [
    ("document", AttachmentKind::Document, None),
    ("voice", AttachmentKind::Voice, Some("audio/ogg")),
    ("audio", AttachmentKind::Audio, None),
    ("video", AttachmentKind::Video, None),
    ("video_note", AttachmentKind::Video, Some("video/mp4")),
    ("animation", AttachmentKind::Video, Some("video/mp4")),
];
/// Most bytes of a name, and of one thing in words.
const NAME: usize = 200;
const LINE: usize = 1024;

/// What came with a text.
#[derive(Debug, Default)]
pub(crate) struct Content {
    /// Files.
    pub(crate) attachments: Vec<Attachment>,
    /// What is told in words.
    pub(crate) lines: Vec<String>,
    /// What is not handed over, as Telegram names it.
    pub(crate) unsupported: Vec<String>,
    place: bool,
}

impl Content {
    /// Reads a message. An animation also comes as a document, a venue also as a location: these count once.
    pub(crate) fn of(message: &Value) -> Self {
        let part = |name: &str| message.get(name).filter(|part| !part.is_null());
        let mut content = Self::default();
        if let Some(largest) = part("photo").and_then(Value::as_array).and_then(|sizes| largest(sizes)) {
            content.attach(largest, AttachmentKind::Photo, Some("image/jpeg"), "photo");
        }
        for (name, kind, mime) in FILES {
            match part(name) {
                Some(_) if name == "document" && part("animation").is_some() => {}
                Some(file) => content.attach(file, kind, mime, name),
                None => {}
            }
        }
        if let Some(sticker) = part("sticker") {
            content.sticker(sticker);
        }
        if let Some(place) = part("venue") {
            content.lines.push(venue(place));
        } else if let Some(place) = part("location") {
            content.place = true;
            content.lines.extend(location(place));
        }
        content.lines.extend(part("contact").map(contact));
        content.lines.extend(part("poll").map(poll));
        for name in UNSUPPORTED.into_iter().filter(|name| part(name).is_some()) {
            content.unsupported.push(name.to_owned());
        }
        content
    }

    /// Whether there is nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.attachments.is_empty() && self.lines.is_empty() && self.unsupported.is_empty()
    }

    /// Whether it is a place, which may change by itself while somebody walks.
    pub(crate) fn moves(&self) -> bool {
        self.place
    }

    /// Keeps what is in words only.
    pub(crate) fn leave_files(&mut self) {
        self.attachments.clear();
        self.unsupported.clear();
    }

    fn attach(&mut self, file: &Value, kind: AttachmentKind, mime: Option<&str>, called: &str) {
        let text = |name: &str| file[name].as_str().filter(|text| !text.is_empty());
        let Some(source) = text("file_id") else { return self.unsupported.push(called.to_owned()) };
        let played = || match (text("performer"), text("title")) {
            (Some(by), Some(title)) => Some(format!("{by} - {title}")),
            (None, title) => title.map(str::to_owned),
            (Some(_), None) => None,
        };
        let name = text("file_name").map(str::to_owned).or_else(played);
        self.attachments.push(Attachment {
            kind,
            source: source.to_owned(),
            name: name.map(|name| bounded(&name, NAME)),
            mime: text("mime_type").or(mime).map(|mime| bounded(mime, NAME)),
            size: file["file_size"].as_u64(),
        });
    }

    /// One that stands still is a picture; the others say what they stand for.
    fn sticker(&mut self, sticker: &Value) {
        let is = |name: &str| sticker[name].as_bool().unwrap_or_default();
        if !is("is_animated") && !is("is_video") {
            return self.attach(sticker, AttachmentKind::Photo, Some("image/webp"), "sticker");
        }
        match sticker["emoji"].as_str().filter(|emoji| !emoji.is_empty()) {
            Some(emoji) => self.lines.push(format!("[sticker {}]", one_line(emoji))),
            None => self.unsupported.push("sticker".to_owned()),
        }
    }
}

fn largest(sizes: &[Value]) -> Option<&Value> {
    let pixels = |size: &Value| {
        size["width"].as_u64().unwrap_or_default().saturating_mul(size["height"].as_u64().unwrap_or_default())
    };
    sizes.iter().max_by_key(|size| pixels(size))
}

fn coordinates(place: &Value) -> Option<String> {
    Some(format!("{},{}", place["latitude"].as_f64()?, place["longitude"].as_f64()?))
}

fn location(place: &Value) -> Option<String> {
    Some(format!("[location {}]", coordinates(place)?))
}

fn venue(venue: &Value) -> String {
    let text = |name: &str| venue[name].as_str().map(one_line);
    let parts = [text("title"), text("address"), coordinates(&venue["location"])];
    format!(
        "[place {}]",
        parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
    )
}

fn contact(contact: &Value) -> String {
    let phone = contact["phone_number"].as_str().map(one_line).unwrap_or_default();
    format!("[contact {} {phone}]", one_line(&name_of(contact)))
}

fn poll(poll: &Value) -> String {
    let options = poll["options"].as_array().into_iter().flatten();
    let options: Vec<_> = options.filter_map(|option| option["text"].as_str()).map(one_line).collect();
    let question = poll["question"].as_str().map(one_line).unwrap_or_default();
    bounded(&format!("[poll \"{question}\": {}]", options.join(" / ")), LINE)
}

fn one_line(text: &str) -> String {
    bounded(&text.split_whitespace().collect::<Vec<_>>().join(" "), LINE)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(message: &Value) -> (Value, Vec<String>, Vec<String>) {
        let Content { attachments, lines, unsupported, .. } = Content::of(message);
        (serde_json::to_value(attachments).unwrap(), lines, unsupported)
    }

    #[test]
    fn each_file_is_handed_over_once_and_as_what_it_is() {
        let sizes = json!([{ "file_id": "s", "width": 90, "height": 90, "file_size": 9 },
            { "file_id": "l", "width": 800, "height": 600, "file_size": 99 }, { "file_id": "m", "width": 320, "height": 240 }]);
        for (message, attachment) in [
            (
                json!({ "photo": sizes }),
                json!({ "kind": "photo", "source": "l", "mime": "image/jpeg", "size": 99 }),
            ),
            (
                json!({ "document": { "file_id": "d", "file_name": "a b.pdf", "mime_type": "application/pdf", "file_size": 5 } }),
                json!({ "kind": "document", "source": "d", "name": "a b.pdf", "mime": "application/pdf", "size": 5 }),
            ),
            (
                json!({ "document": { "file_id": "p", "mime_type": "image/png" } }),
                json!({ "kind": "document", "source": "p", "mime": "image/png" }),
            ),
            (
                json!({ "voice": { "file_id": "v", "duration": 3 } }),
                json!({ "kind": "voice", "source": "v", "mime": "audio/ogg" }),
            ),
            (
                json!({ "audio": { "file_id": "a", "performer": "Ann", "title": "Song", "mime_type": "audio/mpeg" } }),
                json!({ "kind": "audio", "source": "a", "name": "Ann - Song", "mime": "audio/mpeg" }),
            ),
            (json!({ "video": { "file_id": "f" } }), json!({ "kind": "video", "source": "f" })),
            (
                json!({ "video_note": { "file_id": "r" } }),
                json!({ "kind": "video", "source": "r", "mime": "video/mp4" }),
            ),
            (
                json!({ "animation": { "file_id": "g", "file_name": "x.mp4" }, "document": { "file_id": "g" } }),
                json!({ "kind": "video", "source": "g", "name": "x.mp4", "mime": "video/mp4" }),
            ),
            (
                json!({ "sticker": { "file_id": "k", "emoji": "😀", "is_animated": false, "is_video": false } }),
                json!({ "kind": "photo", "source": "k", "mime": "image/webp" }),
            ),
        ] {
            assert_eq!(told(&message), (json!([attachment]), vec![], vec![]), "{message}");
        }
    }

    #[test]
    fn what_can_be_said_in_words_is() {
        for (message, line) in [
            (json!({ "location": { "latitude": 52.52, "longitude": 13.4 } }), "[location 52.52,13.4]"),
            (
                json!({ "venue": { "title": "Zoo", "address": "Budapester\nStr.", "location": { "latitude": 1.0, "longitude": 2.5 } },
                    "location": { "latitude": 1.0, "longitude": 2.5 } }),
                "[place Zoo, Budapester Str., 1,2.5]",
            ),
            (
                json!({ "contact": { "first_name": "Ann", "last_name": "Lee", "phone_number": "+4930" } }),
                "[contact Ann Lee +4930]",
            ),
            (
                json!({ "poll": { "question": "Tea?", "options": [{ "text": "yes" }, { "text": "no" }] } }),
                "[poll \"Tea?\": yes / no]",
            ),
            (json!({ "sticker": { "file_id": "k", "emoji": "🎉", "is_animated": true } }), "[sticker 🎉]"),
        ] {
            assert_eq!(told(&message), (json!([]), vec![line.to_owned()], vec![]), "{message}");
        }
    }

    #[test]
    fn the_rest_is_named() {
        for name in UNSUPPORTED {
            assert_eq!(told(&json!({ name: { "x": 1 } })), (json!([]), vec![], vec![name.to_owned()]));
        }
        assert_eq!(told(&json!({ "voice": { "duration": 3 } })).2, ["voice"]);
        assert_eq!(told(&json!({ "sticker": { "is_video": true } })).2, ["sticker"]);
    }
}
