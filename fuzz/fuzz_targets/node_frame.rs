//! See `argus_fuzz_targets::node_frame`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| argus_fuzz_targets::node_frame(bytes));
