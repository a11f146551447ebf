//! Files from a Bot API stand-in into a workspace.

use std::path::Path;

use argus_protocol::token::Secret;
use argus_testkit::bot_api::{BotApi, Fault};

use super::*;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and more";

struct Stage {
    api: BotApi,
    home: tempfile::TempDir,
    media: Media,
}

impl Stage {
    fn set(transcriber: Option<&str>) -> Self {
        let api = BotApi::start("42:SECRET");
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("workspace")).unwrap();
        let files = Files::new(&Secret::parse("42:SECRET").unwrap(), &api.url().parse().unwrap()).unwrap();
        let transcriber = transcriber.map(|command| Transcriber::Command(command.to_owned()));
        let bots = HashMap::from([("42".to_owned(), files)]);
        let media = Media::new(bots, 1 << 20, transcriber, home.path().join("incoming")).unwrap();
        Self { api, home, media }
    }

    fn workspace(&self) -> Workspace {
        Workspace::walled(self.home.path(), &self.home.path().join("workspace"))
    }

    async fn bring(&self, attachments: &[Attachment]) -> Told {
        let workspace = self.workspace();
        let told = self.media.bring(Place { workspace: &workspace, seen_as: "/w" }, "42", attachments).await;
        let left = std::fs::read_dir(self.home.path().join("incoming")).unwrap().count();
        assert_eq!(left, 0, "nothing stays on its way");
        told
    }

    /// What stands at a path that the agent was told.
    fn read(&self, path: &str) -> Vec<u8> {
        let below = Path::new(path).strip_prefix("/w").unwrap();
        std::fs::read(self.home.path().join("workspace").join(below)).unwrap()
    }
}

fn attachment(kind: AttachmentKind, source: &str, name: Option<&str>, mime: &str) -> Attachment {
    let (name, mime) = (name.map(str::to_owned), Some(mime.to_owned()));
    Attachment { kind, source: source.to_owned(), name, mime, size: None }
}

#[tokio::test]
async fn a_picture_is_laid_down_told_and_shown() {
    let stage = Stage::set(None);
    let photo = attachment(AttachmentKind::Photo, &stage.api.store_file(PNG), None, "image/jpeg");
    let told = stage.bring(&[photo]).await;
    let [path] = &told.images[..] else { panic!("one picture: {told:?}") };
    assert_eq!(stage.read(path), PNG);
    assert_eq!(told.lines, [format!("[photo: {path} (image/jpeg, {} bytes)]", PNG.len())]);
}

#[tokio::test]
async fn a_document_is_told_by_its_name_and_shown_only_where_it_is_a_picture() {
    let stage = Stage::set(None);
    let kind = AttachmentKind::Document;
    let text = attachment(kind, &stage.api.store_file(&b"words"[..]), Some("my notes.txt"), "text/plain");
    let picture = attachment(kind, &stage.api.store_file(PNG), Some("p.png"), "image/png");
    let fake = attachment(kind, &stage.api.store_file(&b"words"[..]), Some("q.png"), "image/png");
    let files = [text, picture, fake];
    let told = stage.bring(&files).await;
    assert_eq!(stage.bring(&files).await, told, "also when they are there already");
    assert!(told.lines[0].starts_with("[file \"my notes.txt\": /w/inbox/"), "{told:?}");
    assert!(told.lines[0].ends_with("-my_notes.txt (text/plain, 5 bytes)]"), "{told:?}");
    assert_eq!((told.lines.len(), told.images.len()), (3, 1));
    assert!(told.images[0].ends_with("-p.png"));
}

#[tokio::test]
async fn a_file_that_is_there_is_not_fetched_again() {
    let stage = Stage::set(None);
    let file = attachment(AttachmentKind::Document, &stage.api.store_file(&b"words"[..]), None, "text/plain");
    let told = stage.bring(std::slice::from_ref(&file)).await;
    assert_eq!(stage.bring(&[file]).await, told);
    assert_eq!(stage.api.calls_of("getFile").len(), 1);
}

#[tokio::test]
async fn what_cannot_be_brought_is_told_and_the_rest_comes() {
    let stage = Stage::set(None);
    let kind = AttachmentKind::Document;
    let gone = attachment(kind, "nobody knows it", Some("gone.txt"), "text/plain");
    let large = attachment(kind, &stage.api.store_file(vec![0; (1 << 20) + 1]), None, "text/plain");
    let told_large =
        Attachment { size: Some((1 << 20) + 1), ..attachment(kind, "never asked for", None, "a/b") };
    let good = attachment(kind, &stage.api.store_file(&b"words"[..]), None, "text/plain");
    stage.api.fail_next("getFile", Fault::DropBeforeAccept);
    let told = stage.bring(&[good, gone, large, told_large]).await;
    assert!(told.lines[0].contains("5 bytes"), "{told:?}");
    assert!(
        told.lines[1].starts_with("[file \"gone.txt\" came, but could not be brought to you: "),
        "{told:?}"
    );
    for line in &told.lines[2..] {
        assert!(line.contains("it is larger than 1 MB"), "{told:?}");
    }
}

#[tokio::test]
async fn a_link_in_the_inboxs_place_takes_nothing_out() {
    let stage = Stage::set(None);
    let outside = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(outside.path(), stage.home.path().join("workspace/inbox")).unwrap();
    let file = attachment(AttachmentKind::Document, &stage.api.store_file(&b"words"[..]), None, "text/plain");
    let told = stage.bring(&[file]).await;
    assert!(told.lines[0].contains("it cannot be laid into the workspace"), "{told:?}");
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_voice_message_is_told_in_words_or_said_to_have_none() {
    for (command, start) in [
        ("cat", "[voice message, transcribed] call me"),
        ("false", "[a voice message came that could not be transcribed: the transcriber failed"),
    ] {
        let stage = Stage::set(Some(command));
        let voice =
            attachment(AttachmentKind::Voice, &stage.api.store_file(&b"call me"[..]), None, "audio/ogg");
        let told = stage.bring(&[voice]).await;
        assert!(told.lines[0].starts_with(start), "{told:?}");
        assert!(told.lines[1].starts_with("[voice message: /w/inbox/"), "{told:?}");
    }
}
