//! Any text as an expression of JSONata.
#![no_main]

use asl::jsonata::Jsonata;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = Jsonata::parse(text);
});
