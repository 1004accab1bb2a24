//! Any text as an expression of JSONata.
#![no_main]

// A panic of the engine that is contained must not end the fuzzer, as its own hook would.
libfuzzer_sys::fuzz_target!(init: drop(std::panic::take_hook()), |text: &str| fuzz::jsonata(text));
