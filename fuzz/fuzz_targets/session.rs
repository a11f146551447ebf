//! See `argus_fuzz_targets::session`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| argus_fuzz_targets::session(bytes));
