//! What must hold is said at `veerpont_fuzz::hostile_html`; how to run it, in docs/fuzzing.md.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| veerpont_fuzz::hostile_html(bytes));
