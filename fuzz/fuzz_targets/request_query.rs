//! Any text as the form of a call in the query protocol.
#![no_main]

#[allow(dead_code, reason = "each target makes requests of one kind")]
#[path = "../src/requests.rs"]
mod requests;

libfuzzer_sys::fuzz_target!(|input: (&str, &[u8])| {
    requests::request(requests::FrontEnd::Query, input.0, input.1);
});
