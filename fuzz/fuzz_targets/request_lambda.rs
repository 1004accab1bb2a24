//! Any text as the lines of a request to Lambda, with any body.
#![no_main]

#[allow(dead_code, reason = "each target makes requests of one kind")]
#[path = "../src/requests.rs"]
mod requests;

libfuzzer_sys::fuzz_target!(|input: (&str, &[u8])| {
    requests::request(requests::FrontEnd::Lambda, input.0, input.1);
});
