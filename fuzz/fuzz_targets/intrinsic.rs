//! Any text as a call of an intrinsic function.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| fuzz::intrinsic(text));
