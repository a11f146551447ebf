//! See `argus_fuzz_targets::bridge_line`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| argus_fuzz_targets::bridge_line(bytes));
