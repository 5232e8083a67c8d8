//! What must hold is said at `veerpont_fuzz::front_matter`; how to run it, in docs/fuzzing.md.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| veerpont_fuzz::front_matter(bytes));
