//! Any text as an address of S3 that is signed.
#![no_main]

#[allow(dead_code, reason = "each target makes requests of one kind")]
#[path = "../src/requests.rs"]
mod requests;

libfuzzer_sys::fuzz_target!(|input: (&str, &[u8])| {
    requests::request(requests::FrontEnd::Presigned, input.0, input.1);
});
