//! How parts become one message, and what the agent reads of it.

use argus_protocol::argus::chat::{Attachment, AttachmentKind, Replied, User};

use super::*;

fn message(number: u8, text: &str) -> Receive {
    Receive {
        channel: "telegram".into(),
        bot: "42".into(),
        chat_key: "-5".parse().unwrap(),
        chat_kind: ChatKind::Group,
        user: User { id: "7".into(), name: "Ann\nLee".into(), language: None },
        message_id: number.to_string(),
        text: text.into(),
        attachments: vec![Attachment {
            kind: AttachmentKind::Photo,
            source: format!("f{number}"),
            name: None,
            mime: None,
            size: None,
        }],
        unsupported: Vec::new(),
        reply_to: None,
        album: Some("a".into()),
        manner: Manner::Overheard,
        idempotency_key: format!("k{number}"),
    }
}

#[test]
fn the_parts_of_an_album_are_one_message_in_their_order() {
    let addressed = Receive { manner: Manner::Addressed, ..message(9, "look") };
    let whole = whole(&[message(10, ""), addressed, message(2, "")]).unwrap();
    let sources: Vec<_> = whole.attachments.iter().map(|file| file.source.as_str()).collect();
    assert_eq!(sources, ["f2", "f9", "f10"]);
    assert_eq!(
        (whole.text.as_str(), whole.message_id.as_str(), whole.manner),
        ("look", "2", Manner::Addressed)
    );
}

#[test]
fn an_album_of_which_no_part_is_for_us_is_not_for_us() {
    assert_eq!(whole(&[message(1, "a"), message(2, "b")]).unwrap().manner, Manner::Overheard);
    assert!(whole(&[]).is_none());
}

#[test]
fn in_a_group_the_agent_reads_who_says_it_and_what_was_said_before() {
    let said = |name: &str, text: &str| Overheard { name: name.into(), text: text.into() };
    let mut message = message(1, "where?");
    assert_eq!(words(&message, &[]), "Ann Lee: where?");
    message.reply_to = Some(Replied {
        message_id: "0".into(),
        ours: false,
        name: "Bob".into(),
        text: "lunch\nat noon".into(),
    });
    let expected = "[said in the group before]\n> Bob: hungry\n> Eve: me too\n\n[in answer to Bob]\n> lunch\n> at noon\n\n\
                    Ann Lee: where?";
    assert_eq!(words(&message, &[said("Bob", "hungry"), said("Eve", "me too")]), expected);
}

#[test]
fn in_private_only_what_is_answered_is_added_and_little_of_what_the_agent_said_itself() {
    let mut message = Receive { chat_kind: ChatKind::Private, ..message(1, "why?") };
    assert_eq!(words(&message, &[]), "why?");
    message.reply_to =
        Some(Replied { message_id: "0".into(), ours: true, name: String::new(), text: "x".repeat(9000) });
    let told = words(&message, &[]);
    assert!(
        told.starts_with("[in answer to yours]\n> xxx") && told.ends_with("\n\nwhy?") && told.len() < 400
    );
    message.reply_to =
        Some(Replied { message_id: "0".into(), ours: false, name: String::new(), text: " ".into() });
    assert_eq!(words(&message, &[]), "why?");
}

#[test]
fn another_text_of_a_message_keeps_what_stands_around_it() {
    let said = Overheard { name: "Bob".into(), text: "hungry\n\nreally".into() };
    let before = words(&message(1, "where?"), std::slice::from_ref(&said));
    assert_eq!(reworded(&message(1, "where?"), &before), before);
    assert_eq!(reworded(&message(1, "when?"), &before), words(&message(1, "when?"), &[said]));
    assert_eq!(reworded(&message(1, "when?"), "Ann Lee: where?"), "Ann Lee: when?");
}
