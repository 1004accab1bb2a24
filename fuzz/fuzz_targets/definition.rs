//! Any text as a definition.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let compiled = asl::compile::compile_text(text);
    assert!(compiled.machine.is_some() || !compiled.diagnostics.is_empty());
});
