//! Every target, over its seeds and over inputs made from them, without a fuzzer.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use argus_fuzz_targets::TARGETS;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

/// The seeds of a target. Among them are the inputs that once broke it.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let files = fs::read_dir(folder().join("seeds").join(target)).expect("every target has seeds");
    let mut files = files.map(|file| file.expect("a seed").path()).collect::<Vec<_>>();
    files.sort();
    files.into_iter().map(|file| fs::read(file).expect("a seed can be read")).collect()
}

/// What a fuzzer would do: bytes changed, pieces left out, doubled, or taken from another seed.
fn mutated(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<Index>(), any::<Index>(), any::<Index>(), 0_u8..5, any::<u8>());
    (prop::sample::select(seeds.clone()), vec(change, 0..6)).prop_map(move |(mut bytes, changes)| {
        for (from, to, other, kind, byte) in changes {
            let (from, to) = (from.index(bytes.len() + 1), to.index(bytes.len() + 1));
            let (from, to) = (from.min(to), from.max(to));
            let piece = match kind {
                0 => vec![byte],
                1 => Vec::new(),
                2 => bytes[from..to].repeat(2),
                3 => b"{}[]\",:\\\r\n 0$".get(usize::from(byte) % 13).copied().into_iter().collect(),
                _ => {
                    let other = &seeds[other.index(seeds.len())];
                    other[from.min(other.len())..to.min(other.len())].to_vec()
                }
            };
            let to = if kind == 0 { from + usize::from(from < to) } else { to };
            bytes.splice(from..to, piece);
        }
        bytes
    })
}

fn holds(name: &str) {
    let (_, target) = TARGETS.into_iter().find(|(target, _)| *target == name).expect("a target");
    let seeds = seeds(name);
    for seed in &seeds {
        target(seed);
    }
    let inputs = prop_oneof![4 => mutated(seeds), 1 => vec(any::<u8>(), 0..200)];
    let config = ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new(config)
        .run(&inputs, |input| {
            target(&input);
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn every_target_has_seeds_and_is_given_to_the_fuzzer() {
    let names = |folder: PathBuf| -> BTreeSet<String> {
        let entries = fs::read_dir(folder)
            .expect("a folder of the fuzzer")
            .map(|entry| entry.expect("an entry").path());
        entries.map(|path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned()).collect()
    };
    let targets = TARGETS.into_iter().map(|(name, _)| name.to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(names(folder().join("seeds")), targets);
    assert_eq!(names(folder().join("fuzz_targets")), targets);
}

macro_rules! each_holds {
    ($($name:ident $test:ident)*) => {$(
        #[test]
        fn $test() {
            holds(stringify!($name));
        }
    )*};
}

each_holds! {
    frame any_frame_reads_again_as_the_same
    bridge_line any_line_of_the_link_is_written_as_it_was_read
    dropped whatever_is_found_in_half_a_line_is_true
    jsonl any_stream_has_the_same_lines_in_whatever_pieces
    token any_text_is_a_secret_or_none
    command any_command_is_the_same_in_quotes
    node_frame any_frame_of_a_nodes_link_reads_again_as_the_same
    markup any_markdown_is_cut_without_a_loss
    session any_client_and_any_agent_leave_a_session_whole
}
