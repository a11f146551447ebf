//! Tests of the kept lines.

use argus_protocol::bridge::AgentState;
use bytes::Bytes;
use proptest::prelude::*;

use super::{Form, Kept, LINE_OVERHEAD, PIECE_BYTES, Standing};
use crate::Limits;

fn kept(memory_bytes: usize, disk_bytes: u64) -> (tempfile::TempDir, Kept) {
    let dir = tempfile::tempdir().unwrap();
    let limits = Limits { memory_bytes, disk_bytes, ..Limits::default() };
    let kept = Kept::new(limits, (disk_bytes > 0).then(|| dir.path().join("spill")));
    (dir, kept)
}

fn body(kept: &Kept, number: u64) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let piece = kept.piece(number, body.len() as u64)?;
        body.extend_from_slice(&piece.bytes);
        if piece.last {
            return Some(body);
        }
    }
}

#[test]
fn numbers_begin_at_one_and_outlive_what_they_name() {
    let (_dir, mut kept) = kept(1 << 20, 0);
    assert_eq!((kept.first(), kept.last()), (1, 0));
    for number in 1..=3 {
        assert_eq!(kept.push(Form::Frame, Bytes::from(format!("{number}"))), number);
    }
    kept.forget(2);
    assert_eq!(
        (kept.first(), kept.last(), body(&kept, 2), body(&kept, 3)),
        (3, 3, None, Some(b"3".to_vec()))
    );
    kept.forget(3);
    kept.forget(1);
    assert_eq!((kept.first(), kept.last()), (4, 3));
}

#[test]
fn how_the_agent_stood_is_known_at_the_oldest_line() {
    let (_dir, mut kept) = kept(1 << 20, 0);
    let up = Standing { epoch: 7, state: AgentState::Up };
    let down = Standing { epoch: 7, state: AgentState::Down };
    for form in [Form::Standing(up), Form::Frame, Form::Standing(down)] {
        kept.push(form, Bytes::new());
    }
    assert_eq!(kept.before_first(), Standing { epoch: 0, state: AgentState::Starting });
    kept.forget(2);
    assert_eq!(kept.before_first(), up);
    kept.forget(3);
    assert_eq!(kept.before_first(), down);
}

#[test]
fn memory_goes_first_then_the_disk_then_nothing_more_is_read() {
    let cost = 100 + LINE_OVERHEAD;
    let (dir, mut kept) = kept(2 * cost, 2 * cost as u64);
    for n in 0..4_u8 {
        assert!(kept.has_room(), "{n}");
        kept.push(Form::Frame, vec![n; 100].into());
    }
    assert!(!kept.has_room());
    assert!(kept.spill.as_ref().unwrap().is_open());
    assert_eq!(body(&kept, 4), Some(vec![3; 100]));
    assert_eq!(std::fs::read_dir(dir.path().join("spill")).unwrap().count(), 0, "the file has no name");
    kept.forget(1);
    assert!(kept.has_room());
    kept.forget(4);
    assert!(!kept.spill.as_ref().unwrap().is_open());
}

#[test]
fn a_line_over_every_bound_still_gets_through_alone() {
    let (_dir, mut kept) = kept(1000, 1000);
    kept.push(Form::Frame, vec![1; 5000].into());
    assert!(!kept.has_room());
    assert_eq!(body(&kept, 1), Some(vec![1; 5000]));
    kept.forget(1);
    assert!(kept.has_room());
}

#[test]
fn a_disk_that_refuses_stops_the_reading_and_loses_nothing() {
    let (dir, mut kept) = kept(100, 1 << 20);
    std::fs::write(dir.path().join("spill"), b"not a folder").unwrap();
    kept.push(Form::Frame, vec![1; 200].into());
    assert!(!kept.has_room());
    assert_eq!(body(&kept, 1), Some(vec![1; 200]));
}

#[test]
fn a_long_line_on_disk_is_read_in_parts() {
    let (_dir, mut kept) = kept(0, 10 << 20);
    let line: Vec<u8> = (0..3 * PIECE_BYTES + 5).map(|n| (n % 251) as u8).collect();
    kept.push(Form::Frame, line.clone().into());
    assert_eq!(
        kept.piece(1, 0).map(|piece| (piece.bytes.len() as u64, piece.last)),
        Some((PIECE_BYTES, false))
    );
    assert_eq!(body(&kept, 1), Some(line));
}

proptest! {
    #[test]
    fn every_line_not_acknowledged_is_there_whole(
        steps in proptest::collection::vec((0_usize..300, 0_u64..4), 1..120),
    ) {
        let (_dir, mut kept) = kept(600, 1500);
        let mut said: Vec<Vec<u8>> = Vec::new();
        for (length, acknowledged) in steps {
            if kept.has_room() {
                let line: Vec<u8> = (0..length).map(|n| u8::try_from((n * 7 + said.len()) % 256).unwrap()).collect();
                kept.push(Form::Frame, line.clone().into());
                said.push(line);
            }
            let ack = (kept.first() + acknowledged).saturating_sub(1).min(kept.last());
            kept.forget(ack);
            for number in kept.first()..=kept.last() {
                let index = usize::try_from(number).unwrap() - 1;
                prop_assert_eq!(body(&kept, number), Some(said[index].clone()));
            }
        }
        prop_assert_eq!(kept.last(), said.len() as u64);
        kept.forget(kept.last());
        prop_assert_eq!(kept.memory, 0);
        prop_assert!(!kept.spill.as_ref().unwrap().is_open());
    }
}
