//! Any text as an expression of JSONata.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| fuzz::jsonata(text));
