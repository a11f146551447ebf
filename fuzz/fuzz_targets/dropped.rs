//! See `argus_fuzz_targets::dropped`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| argus_fuzz_targets::dropped(bytes));
